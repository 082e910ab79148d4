// POST /delegation as the Auth0 SDKs from 2013 on speak it (identity-wire 2.1 … 2.5).
#include "delegation/exchange.h"
#include "delegation/mount.h"
#include "delegation/wire/jsonp.h"
#include "http/params.h"
#include "identity/error_body.h"
#include "oauth/client_auth.h"
#include "oauth/scopes.h"
#include "oauth/shown.h"
#include "tenant/cors.h"

namespace mandate::delegation {
namespace {

constexpr std::string_view kJwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Statuses of this door where they are not the code's own: a bad subject is 401 in every form (DG-1).
int status_of(const Error& error) {
  switch (error.code) {
    case Code::invalid_grant: return 401;
    default: return http_status(error.code);
  }
}

http::Response refusal(const Error& error) {
  if (error.code != Code::too_many_requests) return identity::oauth_error(error, status_of(error));
  JsonObject body;
  body["message"] = error.hint;
  body["error"] = name(error.code);
  body["error_description"] = error.hint;
  return std::move(http::Response::json(429, Json(std::move(body))).no_store());
}

http::Response answer(const Exchanged& exchanged) {
  JsonObject body;
  body["token_type"] = "Bearer";
  body["expires_in"] = exchanged.expires_in;
  body["id_token"] = exchanged.token;
  return std::move(http::Response::json(200, Json(std::move(body))).no_store());
}

/// Checks 1 to 4 of identity-wire 2.3: what can be said before any token is read.
struct Asked {
  const tenant::Client* caller = nullptr;
  SubjectKind kind = SubjectKind::id_token;
  std::string_view token;
};

Result<void> check_secret(const tenant::Here& here, const http::Request& request, const http::Params& params,
                          const tenant::Client& caller, Millis now) {
  const bool shown = params.has("client_secret") || request.headers.has("Authorization");
  const bool needed = caller.confidential() && caller.oidc_conformant;  // old SDKs send their id alone
  if (!shown && !needed) return {};
  const auto proved = oauth::authenticate_client(*here, request, params, now);
  if (!proved.ok()) return proved.error();
  if (proved->client != &caller) return Error(Code::invalid_request, "Two clients are named.");
  return {};
}

Result<Asked> read_asked(const tenant::Here& here, const http::Request& request, const http::Params& params, Millis now) {
  CHECK_OK(params.refuse_repeated({"client_id", "client_secret", "grant_type", "id_token", "refresh_token", "access_token", "target",
                                   "api_type", "scope", "device"}));
  Asked asked;
  asked.caller = here->client(params.get("client_id"));
  if (!asked.caller || !asked.caller->enabled) return Error(Code::unauthorized_client, "invalid client", "client");
  CHECK_OK(check_secret(here, request, params, *asked.caller, now));
  const std::string_view grant = params.get("grant_type");
  if (grant.empty()) return Error(Code::invalid_request, "Missing required parameter: grant_type");
  if (grant != kJwtBearer) return Error(Code::unsupported_grant_type, "Unsupported grant type: " + oauth::shown(grant));
  const std::string_view id_token = params.get("id_token"), refresh_token = params.get("refresh_token");
  if (id_token.empty() == refresh_token.empty())
    return Error(Code::invalid_request, "Give exactly one of id_token and refresh_token.");
  asked.kind = id_token.empty() ? SubjectKind::refresh_token : SubjectKind::id_token;
  asked.token = id_token.empty() ? refresh_token : id_token;
  return asked;
}

/// One door for all requests; shared by the handlers, which outlive each request.
class Door {
 public:
  explicit Door(const Deps& deps) : deps_(deps), exchange_(deps) {}

  Task<http::Response> post(http::Request& request) {
    CO_TRY(const tenant::Here here, deps_.tenants.by_host(request.host));
    Result<http::Params> params = http::Params::of(request);
    if (!params.ok()) {
      http::Params query = http::Params::of_query(request.query);
      Error error = params.error();
      Result<http::Response> refused = co_await early(here, request, std::move(query), std::move(error));
      co_return refused;
    }
    Result<http::Response> response = co_await answer_to(here, request, *params);
    co_return response;
  }

  Task<http::Response> get(http::Request& request) {
    CO_TRY(const tenant::Here here, deps_.tenants.by_host(request.host));
    const http::Params params = http::Params::of_query(request.query);
    const tenant::Client* caller = here->client(params.get("client_id"));
    const std::string_view callback = params.get("cbx");
    if (callback.empty() || !caller || !caller->jsonp) {
      http::Response refused = identity::oauth_error(Error(Code::method_not_allowed, "Use POST."));
      refused.headers.set("Allow", "POST, OPTIONS");
      co_return refused;
    }
    if (!jsonp_name(callback)) co_return identity::oauth_error(Error(Code::invalid_request, "cbx is no function name."));
    if (!jsonp_referer(request, *caller)) co_return identity::oauth_error(Error(Code::access_denied, "The page is not allowed."));
    Result<http::Response> response = co_await answer_to(here, request, params);
    CO_TRY(const http::Response plain, std::move(response));
    co_return as_jsonp(plain, callback);
  }

  Task<http::Response> options(http::Request& request) {
    CO_TRY(const tenant::Here here, deps_.tenants.by_host(request.host));
    co_return tenant::preflight(request, *here);
  }

 private:
  /// A refusal before the exchange: shown, counted, filed.
  Task<http::Response> early(const tenant::Here& here, const http::Request& request, http::Params params, Error error) {
    const tenant::Client* caller = here->client(params.get("client_id"));
    const tenant::RateLimiter::Answer refusals = deps_.limiter.take("delegation.refused", request.peer, kRefusalsPerMinute);
    if (!refusals.allowed) {
      http::Response flooded = refusal(Error(Code::too_many_requests, std::string(kTooMany), "refusals"));
      tenant::add_rate_headers(flooded, refusals);
      tenant::add_cors(flooded, request, *here, caller);
      co_return flooded;
    }
    std::string client_id = oauth::shown(params.get("client_id"), 128), target = oauth::shown(params.get("target"), 128);
    Result<void> filed = co_await exchange_.refused(here, request, std::move(client_id), std::move(target), "auth0", error);
    if (!filed.ok()) error = filed.error();
    http::Response response = refusal(error);
    tenant::RateLimiter::Answer untouched;
    untouched.limit = untouched.remaining = deps_.per_minute;
    untouched.reset = deps_.clock.now_seconds();
    tenant::add_rate_headers(response, untouched);
    tenant::add_cors(response, request, *here, caller);
    co_return response;
  }

  Task<http::Response> answer_to(const tenant::Here& here, const http::Request& request, const http::Params& params) {
    Result<Asked> asked = read_asked(here, request, params, deps_.clock.now_ms());
    if (asked.ok() && tenant::foreign_origin(request, *asked->caller))
      asked = Error(Code::access_denied, "The origin is not allowed.", "origin");
    if (!asked.ok()) {
      http::Params copy = params;
      Error error = asked.error();
      Result<http::Response> refused = co_await early(here, request, std::move(copy), std::move(error));
      co_return refused;
    }
    ExchangeRequest wanted{here, request, *asked->caller, "auth0", tenant::grant::kLegacyDelegationIdToken};
    wanted.kind = asked->kind;
    if (wanted.kind == SubjectKind::refresh_token) wanted.grant = tenant::grant::kLegacyDelegationRefreshToken;
    wanted.subject_token = asked->token;
    wanted.target = params.get("target");
    wanted.api_type = params.get("api_type");
    wanted.scopes = oauth::scopes_of(params.get("scope"));
    CO_TRY(const Outcome outcome, co_await exchange_.run(wanted));
    http::Response response = outcome.result.ok() ? answer(*outcome.result) : refusal(outcome.result.error());
    tenant::add_rate_headers(response, outcome.rate);
    tenant::add_cors(response, request, *here, &wanted.caller);
    co_return response;
  }

  Deps deps_;
  Exchange exchange_;
};

}  // namespace

void mount(http::Routes& routes, const Deps& deps) {
  const auto door = std::make_shared<Door>(deps);
  http::RouteOptions options;
  options.body_limit = 64 << 10;
  options.handles_options = options.answers_refusals = true;
  routes.post("/delegation", [door](http::Request& r) { return door->post(r); }, options);
  routes.get("/delegation", [door](http::Request& r) { return door->get(r); }, options);
  routes.add(http::Method::options, "/delegation", [door](http::Request& r) { return door->options(r); }, options);
}

}  // namespace mandate::delegation
