// The client flow: the app signed its user in by the provider's own SDK, and posts what it got (mobile-backend-wire 4.5, 4.6).
#include "base/url.h"
#include "identity/provider_tokens.h"
#include "oauth/wire/zumo_login.h"
#include "tenant/audit.h"

namespace mandate::oauth::wire {
namespace {

/// A provider at the end of the address, or Windows Live, whose token says so by itself.
std::string provider_of(const http::Request& request) {
  return request.params.empty() ? std::string("microsoftaccount") : provider_word(request.params.front());
}

Result<JsonObject> body_of(const http::Request& request) {
  if (request.refused == 413) return Error(Code::payload_too_large, "The request body is too large.");
  Result<Json> json = request.refused ? Result<Json>(Error(Code::bad_request)) : parse_json(request.body);
  if (!json.ok() || !json->is_object()) return Error(Code::bad_request, "The body must be a JSON object.");
  return std::move(json->as_object());
}

Task<ServiceToken> log_in(const LoginDeps& given, const http::Request& request, const Entrance& at, tenant::Event& event) {
  const Deps& deps = given.oauth;
  CO_TRY(JsonObject body, body_of(request));
  const std::string provider = provider_of(request);
  const tenant::Connection* connection = connection_of(at, provider);
  const identity::Strategy* strategy = connection ? given.strategies.find(connection->strategy) : nullptr;
  if (!connection) co_return Error(Code::unauthorized, "Logging in with '" + provider.substr(0, 64) + "' is not enabled.");
  event.connection = connection->name;
  if (!strategy || !at.service->login.client_flow) co_return Error(Code::unauthorized, "Tokens of '" + provider.substr(0, 64) + "' are not taken.");
  CO_TRY(identity::Profile profile, co_await strategy->verify(at.here, *connection, std::move(body), request.deadline));
  identity::ProviderTokens tokens = std::move(profile.tokens);
  CO_TRY(const identity::User user, co_await deps.users.upsert_from_profile(at.here, std::move(profile)));
  event.user_id = user.user_id;
  ServiceGrant grant;
  grant.here = &at.here;
  grant.service = at.service;
  grant.user = &user;
  grant.connection = connection->name;
  grant.provider = provider;
  grant.auth_time = deps.clock.now_seconds();
  grant.jti = deps.random.token(16);
  CO_CHECK(co_await may_issue_service_token(deps, grant));
  if (at.service->login.keep_provider_tokens && !tokens.empty()) {
    const std::string name = connection->name;
    CO_CHECK(co_await identity::keep_provider_tokens(at.here, deps.tenants.vault(), user.user_id, name, std::move(tokens), deps.clock.now_ms()));
  }
  CO_TRY(ServiceToken token, co_await make_service_token(deps, grant, request));
  CO_CHECK(co_await deps.users.note_login(at.here, user.user_id));
  co_return token;
}

}  // namespace

Task<http::Response> client_flow(const LoginDeps& given, http::Request& request) {
  const Deps& deps = given.oauth;
  const Result<Entrance> at = entrance(deps, request);
  if (!at.ok()) co_return login_error(at.error());
  // Each attempt may be a call to the provider.
  const tenant::RateLimiter::Answer rate = deps.limiter.take("service.login", request.peer, deps.rates.authorize);
  if (!rate.allowed) {
    http::Response refused = login_error(429, "Too many attempts.");
    tenant::add_rate_headers(refused, rate);
    co_return finish_login_answer(std::move(refused), request, at->service);
  }
  tenant::Event event;
  event.client_id = at->client->client_id;
  event.target = at->service->name;
  event.details["flow"] = "client";
  const Result<ServiceToken> token = co_await log_in(given, request, *at, event);
  event.type = token.ok() ? "login.ok" : "login.failed";
  if (!token.ok()) event.reason = name(token.error().code);
  const Result<void> filed = co_await tenant::audit(at->here, std::move(event), request, deps.clock);
  if (token.ok() && filed.ok()) {
    http::Response response = http::Response::json(200, Json(token->to_json()));
    co_return finish_login_answer(std::move(response), request, at->service);
  }
  const Error error = token.ok() ? filed.error() : token.error();
  deps.log.warn("service.login.refused", {{"service", at->service->name}, {"code", name(error.code)}, {"detail", error.detail}, {"request", request.id}});
  http::Response refused = error.code == Code::bad_request ? login_error(400, error.hint) : login_error(error);
  co_return finish_login_answer(std::move(refused), request, at->service);
}

}  // namespace mandate::oauth::wire
