// Token exchange at POST /oauth/token (RFC 8693; identity-wire 3.1) on the policy of /delegation.
#include "delegation/exchange.h"
#include "delegation/mount.h"
#include "oauth/scopes.h"
#include "oauth/shown.h"

namespace mandate::delegation {
namespace {

constexpr std::string_view kIdToken = "urn:ietf:params:oauth:token-type:id_token";
constexpr std::string_view kAccessToken = "urn:ietf:params:oauth:token-type:access_token";
constexpr std::string_view kRefreshToken = "urn:ietf:params:oauth:token-type:refresh_token";
constexpr std::string_view kJwt = "urn:ietf:params:oauth:token-type:jwt";
constexpr std::string_view kZumo = "urn:mandate:token-type:zumo";

Result<SubjectKind> subject_kind(std::string_view type) {
  if (type == kIdToken || type == kJwt) return SubjectKind::id_token;
  if (type == kAccessToken) return SubjectKind::access_token;
  if (type == kRefreshToken) return SubjectKind::refresh_token;
  if (type.empty()) return Error(Code::invalid_request, "Missing required parameter: subject_token_type");
  return Error(Code::invalid_request, "Unsupported subject_token_type.", "subject_token_type");
}

/// The one target of `audience` and `resource`; empty when neither is given.
Result<std::string> target_of(const http::Params& params) {
  std::string target;
  for (const char* parameter : {"audience", "resource"})
    for (const std::string_view value : params.all(parameter)) {
      if (!target.empty() && value != target) return Error(Code::invalid_target, "Ask for one audience at a time.", "several");
      target = value;
    }
  return target;
}

/// requested_token_type in the words of the policy; empty = what the target has.
Result<std::string> api_type_of(std::string_view requested) {
  if (requested.empty() || requested == kJwt) return std::string();
  if (requested == kZumo) return std::string(kWams);
  if (requested == kIdToken) return std::string(kApp);
  return Error(Code::invalid_request, "Unsupported requested_token_type.", "requested_token_type");
}

/// The refusals of this door (DG-1, DG-2, DG-4): always 400 for subject and target.
Error translated(const Error& error) {
  switch (error.code) {
    case Code::invalid_token:
    case Code::unauthorized:
    case Code::invalid_grant: return Error(Code::invalid_grant, error.hint.empty() ? "invalid subject_token" : error.hint, error.detail);
    case Code::access_denied: return Error(Code::invalid_target, error.hint, error.detail);
    default: return error;
  }
}

class TokenExchange final : public oauth::Grant {
 public:
  explicit TokenExchange(const Deps& deps) : exchange_(deps) {}

  std::string_view type() const override { return tenant::grant::kTokenExchange; }

  Task<Json> grant(const oauth::TokenRequest& r) override {
    Result<ExchangeRequest> asked = read(r);
    if (!asked.ok()) {
      std::string target = oauth::shown(r.params.get("audience"), 128);
      std::string client_id = r.client.client->client_id;
      Error error = asked.error();
      CO_CHECK(co_await exchange_.refused(r.here, r.request, std::move(client_id), std::move(target), "rfc8693", error));
      co_return error;
    }
    const ExchangeRequest& wanted = *asked;
    CO_TRY(const Outcome outcome, co_await exchange_.run(wanted));
    if (!outcome.result.ok()) co_return translated(outcome.result.error());
    const Exchanged& made = *outcome.result;
    JsonObject body;
    body["access_token"] = made.token;
    body["issued_token_type"] = made.type == kWams ? kZumo : kIdToken;
    body["token_type"] = "N_A";  // not for a resource server of ours (RFC 8693 §2.2.1)
    body["expires_in"] = made.expires_in;
    if (made.type == kApp && !wanted.scopes.empty() && made.scopes != wanted.scopes) body["scope"] = oauth::join(made.scopes);
    co_return Json(std::move(body));
  }

 private:
  static Result<ExchangeRequest> read(const oauth::TokenRequest& r) {
    const http::Params& params = r.params;
    CHECK_OK(params.refuse_repeated({"subject_token", "subject_token_type", "actor_token", "actor_token_type", "requested_token_type", "scope"}));
    if (!params.has("subject_token")) return Error(Code::invalid_request, "Missing required parameter: subject_token");
    TRY(const SubjectKind kind, subject_kind(params.get("subject_token_type")));
    if (params.has("actor_token") || params.has("actor_token_type"))
      return Error(Code::invalid_request, "actor_token is not supported: the authenticated client acts.", "actor_token");
    TRY(std::string target, target_of(params));
    // The client is the only access token's audience this grant could give; an API is reached by other grants.
    if (params.get("requested_token_type") == kAccessToken)
      return Error(Code::invalid_target, r.client.client->client_id + " is not allowed to act at " + (target.empty() ? r.client.client->client_id : target) + ".", "requested_token_type");
    TRY(std::string api_type, api_type_of(params.get("requested_token_type")));
    ExchangeRequest wanted{r.here, r.request, *r.client.client, "rfc8693", tenant::grant::kTokenExchange};
    wanted.kind = kind;
    wanted.subject_token = params.get("subject_token");
    wanted.target = target.empty() ? r.client.client->client_id : std::move(target);
    wanted.api_type = std::move(api_type);
    wanted.scopes = oauth::scopes_of(params.get("scope"));
    wanted.strict_lifetime = true;
    return wanted;
  }

  Exchange exchange_;
};

}  // namespace

std::unique_ptr<oauth::Grant> make_token_exchange_grant(const Deps& deps) { return std::make_unique<TokenExchange>(deps); }

}  // namespace mandate::delegation
