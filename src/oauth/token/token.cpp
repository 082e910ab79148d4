#include "oauth/token/token.h"

#include "oauth/answers.h"
#include "oauth/shown.h"
#include "tenant/audit.h"
#include "tenant/cors.h"

namespace mandate::oauth {
namespace {

/// Secrets of a confidential client or a person do not belong into a URL (RFC 6749 §2.3.1).
Result<void> refuse_query(const http::Request& request) {
  if (request.query.empty()) return ok();
  const http::Params query = http::Params::of_query(request.query);
  for (std::string_view name : {"client_secret", "password", "refresh_token", "code", "code_verifier",
                                "client_assertion", "subject_token"})
    if (query.has(name))
      return Error(Code::invalid_request, std::string(name) + " must not be in the query.",
                   "secret in query");
  return ok();
}

}  // namespace

TokenEndpoint::TokenEndpoint(const Deps& deps, std::vector<std::unique_ptr<Grant>> grants)
    : deps_(deps),
      unknown_(deps.metrics.counter("mandate_oauth_unknown_grants_total",
                                    "Token requests without a known grant type.")) {
  for (auto& grant : grants) {
    const std::string type(grant->type());
    Counter& given =
        deps.metrics.counter("mandate_oauth_grants_total", "Token requests granted.", {{"grant", type}});
    Counter& refused = deps.metrics.counter("mandate_oauth_grants_refused_total", "Token requests refused.",
                                            {{"grant", type}});
    grants_.insert_or_assign(type, Known{std::move(grant), &given, &refused});
  }
}

std::vector<std::string> TokenEndpoint::grant_types() const {
  std::vector<std::string> out;
  for (const auto& [type, known] : grants_) out.push_back(type);
  return out;
}

Task<http::Response> TokenEndpoint::answer(http::Request& request) const {
  CO_TRY(const tenant::Here here, deps_.tenants.by_host(request.host));
  if (request.method == http::Method::options) co_return tenant::preflight(request, *here);
  const Result<http::Params> params = http::Params::of(request);
  if (!params.ok()) {
    const tenant::RateLimiter::Answer rate = deps_.limiter.take("oauth.token", rate_key(request, nullptr), deps_.rates.token);
    co_return finish(rate.allowed ? token_error(*here, request, params.error()) : too_many(rate), request, *here,
                     nullptr, &rate);
  }
  const tenant::Client* client = named_client(*here, request, &*params);
  const std::string key = rate_key(request, client);
  const tenant::RateLimiter::Answer rate = deps_.limiter.take("oauth.token", key, deps_.rates.token);
  if (!rate.allowed) co_return finish(too_many(rate), request, *here, client, &rate);

  Result<Json> granted = co_await grant(here, request, *params);
  const auto known = grants_.find(params->get("grant_type"));
  if (granted.ok()) {
    known->second.given->add();
    co_return finish(http::Response::json(200, *granted), request, *here, client, &rate);
  }
  (known == grants_.end() ? unknown_ : *known->second.refused).add();
  Error error = std::move(granted).error();
  // A failure of ours is no refusal: it goes to the log, a refusal to the audit.
  if (http_status(error.code) >= 500) {
    deps_.log.error(
        "oauth.token.failed",
        {{"grant", params->get("grant_type")}, {"detail", error.detail}, {"request", request.id}});
  } else {
    const Result<void> filed = co_await audit_refusal(here, request, *params, error);
    if (!filed.ok())
      deps_.log.error("oauth.token.audit", {{"detail", filed.error().detail}, {"request", request.id}});
  }
  co_return finish(token_error(*here, request, error), request, *here, client, &rate);
}

Task<Json> TokenEndpoint::grant(const tenant::Here& here, const http::Request& request,
                                const http::Params& params) const {
  CO_CHECK(refuse_query(request));
  CO_CHECK(params.refuse_repeated(
      {"grant_type", "client_id", "client_secret", "client_assertion", "client_assertion_type", "code",
       "redirect_uri", "code_verifier", "refresh_token", "scope", "username", "password", "realm", "device",
       "subject_token", "subject_token_type", "actor_token", "actor_token_type", "requested_token_type"}));
  const std::string_view type = params.get("grant_type");
  // Repeatable where RFC 8693 makes them so, and nowhere else (IN-5).
  if (type != tenant::grant::kTokenExchange) CO_CHECK(params.refuse_repeated({"audience", "resource"}));
  if (type.empty())
    co_return Error(Code::invalid_request, "Missing required parameter: grant_type", "grant_type");
  const auto known = grants_.find(type);
  if (known == grants_.end())
    co_return Error(Code::unsupported_grant_type, "Unsupported grant type: " + shown(type),
                    "grant_type");
  CO_TRY(const ClientAuth client, authenticate_client(*here, request, params, deps_.clock.now_ms()));
  const TokenRequest asked{here, request, params, client};
  Result<Json> granted = co_await known->second.grant->grant(asked);
  // One word for a person or session that may not (AC-6); the texts stay, SDKs look for them.
  if (!granted.ok() && granted.error().code == Code::unauthorized) granted.error().code = Code::invalid_grant;
  co_return granted;
}

Task<void> TokenEndpoint::audit_refusal(const tenant::Here& here, const http::Request& request,
                                        const http::Params& params, Error error) const {
  tenant::Event event;
  event.type = "grant.refused";
  event.client_id = params.get("client_id");
  event.target = params.get("audience");
  event.reason = std::string(name(error.code)) + ": " + error.detail;
  event.details["grant_type"] = params.get("grant_type");
  Result<void> filed = co_await tenant::audit(here, std::move(event), request, deps_.clock);
  co_return filed;
}

}  // namespace mandate::oauth
