// Who am I, a newer token please, and goodbye: /.auth/me, /.auth/refresh, /.auth/logout (mobile-backend-wire 4.6).
#include "base/url.h"
#include "identity/provider_refresh.h"
#include "oauth/doors.h"
#include "oauth/revocations.h"
#include "oauth/wire/zumo_login.h"
#include "tenant/audit.h"

namespace mandate::oauth::wire {
namespace {

/// The caller, whose token is good; `claims` is never null.
struct Caller {
  identity::Principal principal;
  std::string subject, connection;
};

Task<Caller> caller_of(const LoginDeps& given, const http::Request& request, const Entrance& at) {
  Caller out;
  CO_TRY(out.principal, co_await given.bearers.identify(at.here, *at.service, request));
  if (out.principal.user_id.empty() || !out.principal.claims) co_return Error(Code::unauthorized, "An authentication token is needed.");
  const JsonObject& claims = *out.principal.claims;
  out.subject = text_member(claims, identity::kSubjectClaim).value_or("");
  if (out.subject.empty()) out.subject = text_member(claims, "sub").value_or("");
  out.connection = text_member(claims, identity::kConnectionClaim).value_or("");
  co_return out;
}

/// The claim types by which V2's server code looks people up.
JsonArray user_claims(const identity::User& user) {
  constexpr std::string_view kSoap = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/";
  JsonArray out;
  const auto add = [&out](std::string type, std::string_view value) {
    if (!value.empty()) out.push_back(JsonObject{{"typ", std::move(type)}, {"val", value}});
  };
  add(std::string(kSoap) + "nameidentifier", user.user_id);
  add(std::string(kSoap) + "emailaddress", user.email);
  add(std::string(kSoap) + "name", user.name);
  add(std::string(kSoap) + "givenname", user.given_name);
  add(std::string(kSoap) + "surname", user.family_name);
  add("email_verified", user.email.empty() ? std::string_view() : user.email_verified ? "true" : "false");
  add("picture", user.picture);
  add("locale", user.locale);
  for (const auto& [name, value] : user.extra)
    if (value.is_string()) add(std::string(name), view(value.as_string()));
  return out;
}

/// What is kept of one provider. A refresh token is ours: an app could do nothing with it that we would want.
JsonObject entry_of(const tenant::Service& service, const std::string& connection, const std::string& user_id, const identity::User& user,
                    const std::optional<identity::ProviderTokens>& tokens) {
  JsonObject out{{"provider_name", provider_name(service, connection)}, {"user_id", user_id}};
  if (tokens) {
    if (!tokens->access_token.empty()) out["access_token"] = tokens->access_token;
    if (!tokens->access_token_secret.empty()) out["access_token_secret"] = tokens->access_token_secret;
    if (!tokens->id_token.empty()) out["id_token"] = tokens->id_token;
    if (tokens->expires_at) out["expires_on"] = iso8601(tokens->expires_at);
  }
  out["user_claims"] = user_claims(user);
  return out;
}

Task<JsonArray> identities(const LoginDeps& given, const http::Request& request, const Entrance& at) {
  const Deps& deps = given.oauth;
  CO_TRY(const Caller caller, co_await caller_of(given, request, at));
  JsonArray out;
  CO_TRY(const std::optional<identity::User> user, co_await deps.users.find(at.here, caller.subject));
  if (!user) {  // a token of somebody else who holds the key: it is all we know
    out.push_back(JsonObject{{"provider_name", caller.principal.provider}, {"user_id", caller.principal.user_id}, {"user_claims", JsonArray()}});
    co_return out;
  }
  const http::Params params = http::Params::of_query(request.query);
  const std::string wanted = provider_word(params.get("provider"));
  for (const Json& identity : user->identities) {
    const std::string connection(text_member(identity.as_object(), "connection").value_or(""));
    if (!wanted.empty() && provider_name(*at.service, connection) != wanted && !iequals(connection, wanted)) continue;
    CO_TRY(const std::optional<identity::ProviderTokens> tokens,
           co_await identity::provider_tokens(at.here, deps.tenants.vault(), user->user_id, connection));
    out.push_back(entry_of(*at.service, connection, caller.principal.user_id, *user, tokens));
  }
  co_return out;
}

Error no_refresh(std::string detail) { return Error(Code::bad_request, "The provider has no way to refresh this login.", std::move(detail)); }

/// Asks the provider whether the login still holds; a database of ours has answered that by the person's standing.
Task<void> ask_provider(const LoginDeps& given, const http::Request& request, const Entrance& at, const Caller& caller) {
  const Deps& deps = given.oauth;
  const tenant::Connection* connection = at.here->connection(caller.connection);
  if (!connection) co_return Error(Code::forbidden, "The login's connection is gone.", "connection");
  if (connection->strategy == identity::kDatabaseStrategy) co_return ok();
  identity::ProviderRefresh asked{at.here, deps.tenants.vault(), deps.clock, given.strategies.find(connection->strategy), *connection, caller.subject, deps.random.token(16), request.deadline};
  Task<void> asking = identity::refresh_provider_tokens(std::move(asked));
  const Result<void> asked_for = co_await asking;
  if (asked_for.ok()) co_return ok();
  const Error& error = asked_for.error();
  if (error.code == Code::invalid_grant) co_return Error(Code::forbidden, "The provider has revoked the login.", error.detail);
  if (error.code == Code::request_not_supported) co_return no_refresh(error.detail);
  co_return error;
}

Task<ServiceToken> refresh(const LoginDeps& given, const http::Request& request, const Entrance& at) {
  const Deps& deps = given.oauth;
  CO_TRY(const Caller caller, co_await caller_of(given, request, at));
  const JsonObject& claims = *caller.principal.claims;
  const auto auth_time = integer_member(claims, "auth_time");
  if (caller.connection.empty() || !auth_time) co_return no_refresh("the token is of no login of this service");
  if (deps.clock.now_seconds() > *auth_time + at.service->login.refresh_lifetime)
    co_return Error(Code::forbidden, "The login is too old to be refreshed.", "refresh_lifetime");
  CO_TRY(const std::optional<identity::User> user, co_await deps.users.find(at.here, caller.subject));
  if (!user) co_return Error(Code::unauthorized, "The authentication token has expired.");
  std::optional<identity::Session> session;
  if (const auto sid = text_member(claims, "sid")) {
    std::string wanted(*sid);
    CO_TRY(session, co_await deps.sessions.find(at.here, std::move(wanted)));
  }
  ServiceGrant grant;
  grant.here = &at.here;
  grant.service = at.service;
  grant.user = &*user;
  grant.connection = caller.connection;
  grant.provider = provider_name(*at.service, caller.connection);
  grant.session = session ? &*session : nullptr;
  grant.auth_time = *auth_time;
  grant.jti = deps.random.token(16);
  CO_CHECK(co_await may_issue_service_token(deps, grant));
  CO_CHECK(co_await ask_provider(given, request, at, caller));
  CO_TRY(ServiceToken token, co_await make_service_token(deps, grant, request));
  tenant::Event event;
  event.type = "grant.ok";
  event.client_id = at.client->client_id;
  event.user_id = user->user_id;
  event.connection = caller.connection;
  event.target = at.service->name;
  event.details["grant_type"] = "refresh";
  CO_CHECK(co_await tenant::audit(at.here, std::move(event), request, deps.clock));
  co_return token;
}

http::Response refusal(const LoginDeps& given, const http::Request& request, const Entrance& at, std::string_view door, const Error& error) {
  given.oauth.log.warn("service.account.refused", {{"door", door}, {"service", at.service->name}, {"code", name(error.code)}, {"detail", error.detail}, {"request", request.id}});
  http::Response response;
  if (error.code == Code::bad_request) response = login_error(400, error.hint);
  else if (error.code == Code::forbidden) response = login_error(403, error.hint);
  else response = login_error(error);
  return finish_login_answer(std::move(response), request, at.service);
}

/// Every attempt may be a read of the store or a call to a provider.
std::optional<http::Response> limited(const LoginDeps& given, const http::Request& request, const Entrance& at) {
  const tenant::RateLimiter::Answer rate = given.oauth.limiter.take("service.account", request.peer, given.oauth.rates.userinfo);
  if (rate.allowed) return std::nullopt;
  http::Response refused = login_error(429, "Too many requests.");
  tenant::add_rate_headers(refused, rate);
  return finish_login_answer(std::move(refused), request, at.service);
}

}  // namespace

Task<http::Response> auth_me(const LoginDeps& given, http::Request& request) {
  const Result<Entrance> at = entrance(given.oauth, request);
  if (!at.ok()) co_return login_error(at.error());
  if (auto refused = limited(given, request, *at)) co_return std::move(*refused);
  Result<JsonArray> found = co_await identities(given, request, *at);
  if (!found.ok()) co_return refusal(given, request, *at, "me", found.error());
  http::Response response = http::Response::json(200, Json(std::move(*found)));
  co_return finish_login_answer(std::move(response), request, at->service);
}

Task<http::Response> auth_refresh(const LoginDeps& given, http::Request& request) {
  const Result<Entrance> at = entrance(given.oauth, request);
  if (!at.ok()) co_return login_error(at.error());
  if (auto refused = limited(given, request, *at)) co_return std::move(*refused);
  const Result<ServiceToken> token = co_await refresh(given, request, *at);
  if (!token.ok()) co_return refusal(given, request, *at, "refresh", token.error());
  http::Response response = http::Response::json(200, Json(token->to_json()));
  co_return finish_login_answer(std::move(response), request, at->service);
}

Task<http::Response> auth_logout(const LoginDeps& given, http::Request& request) {
  const Deps& deps = given.oauth;
  const Result<Entrance> at = entrance(deps, request);
  if (!at.ok()) co_return login_error(at.error());
  const http::Params params = http::Params::of_query(request.query);
  if (!params.refuse_repeated({"post_logout_redirect_uri"}).ok()) co_return login_error(400, "post_logout_redirect_uri is given more than once.");
  if (!request.headers.get("X-ZUMO-AUTH").empty()) {
    // A native app has no cookie to lose; its token ends.
    const Result<Caller> caller = co_await caller_of(given, request, *at);
    if (!caller.ok()) co_return refusal(given, request, *at, "logout", caller.error());
    if (const auto jti = text_member(*caller->principal.claims, "jti")) {
      store::Batch batch;
      batch.add(revoke(revoked::jti(*jti), deps.clock.now_ms() + kLongestAccessToken));
      const Result<store::Outcome> done = co_await at->here.store->mutate(std::move(batch));
      if (!done.ok()) co_return refusal(given, request, *at, "logout", done.error());
    }
  }
  std::string return_to(params.get("post_logout_redirect_uri"));
  Result<http::Response> answered = co_await service_logout(deps, request, at->here, at->client->client_id, std::move(return_to));
  co_return answered;
}

}  // namespace mandate::oauth::wire
