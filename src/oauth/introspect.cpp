#include "http/params.h"
#include "oauth/access_tokens.h"
#include "oauth/answers.h"
#include "oauth/client_auth.h"
#include "oauth/doors.h"
#include "oauth/locked.h"
#include "oauth/scopes.h"

namespace mandate::oauth {
namespace {

JsonObject inactive() { return {{"active", false}}; }

/// A client learns about tokens that were made for it: as their holder, or as the API they are for. An API's
/// own client has the API's identifier as client_id, or names it in `resource_server_identifier`.
bool concerns(const tenant::Client& caller, const AccessToken& token) {
  if (token.client_id == caller.client_id || for_audience(token, caller.client_id)) return true;
  const auto api = text_member(caller.extra, "resource_server_identifier");
  return api && for_audience(token, *api);
}

/// Anything that makes the person's tokens void.
Task<bool> person_lives(const Deps& deps, const tenant::Here& here, std::string user_id,
                        std::int64_t user_epoch) {
  CO_TRY(const std::optional<identity::User> user, co_await deps.users.find(here, std::move(user_id)));
  if (!user || user->blocked || user_epoch < user->epoch) co_return false;
  CO_TRY(const bool locked, co_await is_locked(here, *user, deps.users));
  co_return !locked;
}

Task<JsonObject> about_access(const Deps& deps, const tenant::Here& here, std::string issuer,
                              std::string text, const tenant::Client& caller) {
  const Result<AccessToken> read =
      co_await read_access_token(here, issuer, std::move(text), deps.clock.now_ms());
  if (!read.ok()) {
    if (read.error().code != Code::invalid_token) co_return read.error();
    co_return inactive();
  }
  if (!concerns(caller, *read)) co_return inactive();
  if (!read->user_id.empty()) {
    std::string user_id = read->user_id;
    CO_TRY(const bool lives, co_await person_lives(deps, here, std::move(user_id), read->user_epoch));
    if (!lives) co_return inactive();
  }
  JsonObject out{{"active", true}, {"client_id", read->client_id}, {"token_type", "Bearer"}};
  for (std::string_view name : {"iss", "sub", "aud", "scope", "iat", "exp", "jti", "sid"})
    if (const Json* value = read->claims.if_contains(name)) out[name] = *value;
  co_return out;
}

Task<JsonObject> about_refresh(const Deps& deps, const tenant::Here& here, std::string issuer,
                               std::string text, const tenant::Client& caller) {
  std::string client_id = caller.client_id;
  const Result<RefreshToken> token =
      co_await find_refresh_token(here, std::move(text), std::move(client_id), deps.clock.now_ms());
  if (!token.ok()) {
    if (token.error().code != Code::invalid_grant) co_return token.error();
    co_return inactive();
  }
  std::string user_id = token->user_id;
  CO_TRY(const bool lives, co_await person_lives(deps, here, std::move(user_id), token->user_epoch));
  if (!lives || token->tenant_epoch < here->epoch) co_return inactive();
  JsonObject out{{"active", true},        {"client_id", token->client_id}, {"iss", issuer},
                 {"sub", token->user_id}, {"scope", join(token->scopes)},  {"iat", token->created_at / 1000}};
  if (token->expires_at != 0) out["exp"] = token->expires_at / 1000;
  co_return out;
}

Task<JsonObject> act(const Deps& deps, const tenant::Here& here, const http::Request& request,
                     const http::Params& params) {
  CO_CHECK(params.refuse_repeated({"client_id", "client_secret", "token", "token_type_hint"}));
  CO_TRY(const ClientAuth client, authenticate_client(*here, request, params, deps.clock.now_ms()));
  if (!client.proved) co_return Error(Code::invalid_client, "The client must authenticate.", "not proved");
  if (!client.client->enabled) co_return Error(Code::invalid_client, "Unauthorized", "disabled");
  std::string token(params.get("token"));
  if (token.empty()) co_return Error(Code::invalid_request, "Missing required parameter: token", "token");
  std::string issuer = tenant::issuer_of(*here, request);
  CO_TRY(JsonObject access, co_await about_access(deps, here, issuer, token, *client.client));
  if (bool_member(access, "active").value_or(false)) co_return access;
  Result<JsonObject> refresh =
      co_await about_refresh(deps, here, std::move(issuer), std::move(token), *client.client);
  co_return refresh;
}

}  // namespace

Task<http::Response> introspect(const Deps& deps, http::Request& request) {
  CO_TRY(const tenant::Here here, deps.tenants.by_host(request.host));
  const Result<http::Params> params = http::Params::of(request);
  if (!params.ok()) {
    const tenant::RateLimiter::Answer rate = deps.limiter.take("oauth.introspect", rate_key(request, nullptr), deps.rates.token);
    co_return finish(rate.allowed ? token_error(*here, request, params.error()) : too_many(rate), request, *here,
                     nullptr, &rate);
  }
  const std::string key = rate_key(request, named_client(*here, request, &*params));
  const tenant::RateLimiter::Answer rate = deps.limiter.take("oauth.introspect", key, deps.rates.token);
  if (!rate.allowed) co_return finish(too_many(rate), request, *here, nullptr, &rate);
  const Result<JsonObject> told = co_await act(deps, here, request, *params);
  if (!told.ok()) co_return finish(token_error(*here, request, told.error()), request, *here, nullptr, &rate);
  co_return finish(http::Response::json(200, Json(*told)), request, *here, nullptr, &rate);
}

}  // namespace mandate::oauth
