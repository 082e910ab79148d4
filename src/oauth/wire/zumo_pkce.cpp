// The PKCE flow of the last V2 clients: a code in the app's own scheme, and the token for whoever began (RFC 7636).
#include "base/base64.h"
#include "base/crypto.h"
#include "oauth/revocations.h"
#include "oauth/wire/zumo_login.h"
#include "store/single_use.h"
#include "tenant/audit.h"

namespace mandate::oauth::wire {
namespace {

constexpr store::Kind kServiceCode = "service.code";
/// Under the code's own handle, so that a second use knows what to revoke (OA-7).
constexpr store::Kind kSpentServiceCode = "service.code.spent";
constexpr Millis kCodeLifetime = 60'000;
constexpr Millis kSpentLifetime = 24 * 3'600'000;

Error bad_code() { return Error(Code::invalid_grant, "The authorization_code is not valid.", "service code unknown, used or of another provider"); }

/// A code is for one provider of one service: the address it is redeemed at names both.
std::string binding(const tenant::Service& service, std::string_view provider) { return service.name + "/" + std::string(provider); }

/// The second use of a code takes back what the first gave.
Task<void> punish(const Deps& deps, store::Store& store, std::string code, std::string bound_to) {
  CO_TRY(const std::optional<JsonObject> spent, co_await store::peek(store, kSpentServiceCode, std::move(code), std::move(bound_to), deps.clock.now_ms()));
  if (!spent) co_return ok();
  store::Batch batch;
  batch.add(revoke(revoked::jti(text_member(*spent, "jti").value_or("")), deps.clock.now_ms() + kLongestAccessToken));
  CO_TRY([[maybe_unused]] const store::Outcome done, co_await store.mutate(std::move(batch)));
  co_return ok();
}

Task<JsonObject> take_code(const Deps& deps, const Entrance& at, std::string code, std::string provider) {
  const std::string bound_to = binding(*at.service, provider);
  const Millis now = deps.clock.now_ms();
  CO_TRY(const std::optional<JsonObject> seen, co_await store::peek(*at.here.store, kServiceCode, code, bound_to, now));
  if (seen) {
    store::SingleUse spent;
    spent.handle = code;
    spent.payload["jti"] = text_member(*seen, "jti").value_or("");
    spent.expires_at = now + kSpentLifetime;
    store::Batch batch;
    batch.add(store::take_single_use(kServiceCode, code, bound_to, now, Code::invalid_grant));
    batch.add(store::file_single_use(kSpentServiceCode, spent, bound_to));
    const Result<store::Outcome> taken = co_await at.here.store->mutate(std::move(batch));
    if (taken.ok()) co_return *seen;
    if (taken.error().code != Code::invalid_grant) co_return taken.error();
  }
  CO_CHECK(co_await punish(deps, *at.here.store, code, bound_to));
  co_return bad_code();
}

Task<ServiceToken> redeem(const Deps& deps, const http::Request& request, const Entrance& at) {
  const http::Params params = http::Params::of_query(request.query);
  CO_CHECK(params.refuse_repeated({"authorization_code", "code_verifier"}));
  const std::string provider = provider_word(request.params.at(0));
  const std::string code(params.get("authorization_code")), verifier(params.get("code_verifier"));
  if (code.empty() || code.size() > 128) co_return bad_code();
  CO_TRY(const JsonObject filed, co_await take_code(deps, at, code, provider));
  const auto text = [&filed](std::string_view name) { return std::string(text_member(filed, name).value_or("")); };
  // The challenge is of the verifier's own text, whatever alphabet that is in.
  if (verifier.empty() || verifier.size() > 256 || !secret_equal(base64url(sha256(verifier)), text("challenge")))
    co_return Error(Code::invalid_grant, "The code_verifier is not valid.", "service code: verifier");
  std::string user_id = text("user_id"), sid = text("sid");
  CO_TRY(const std::optional<identity::User> user, co_await deps.users.find(at.here, std::move(user_id)));
  CO_TRY(const std::optional<identity::Session> session, co_await deps.sessions.find(at.here, std::move(sid)));
  if (!user || !session) co_return bad_code();
  ServiceGrant grant;
  grant.here = &at.here;
  grant.service = at.service;
  grant.user = &*user;
  grant.connection = text("connection");
  grant.provider = provider;
  grant.session = &*session;
  grant.needs_session = true;
  grant.auth_time = integer_member(filed, "auth_time").value_or(0);
  grant.user_epoch = session->user_epoch;
  grant.tenant_epoch = static_cast<std::uint64_t>(integer_member(filed, "tenant_epoch").value_or(0));
  grant.jti = text("jti");
  CO_TRY(ServiceToken token, co_await make_service_token(deps, grant, request));
  tenant::Event event;
  event.type = "grant.ok";
  event.client_id = at.client->client_id;
  event.user_id = user->user_id;
  event.connection = grant.connection;
  event.target = at.service->name;
  event.details["grant_type"] = tenant::grant::kServiceLogin;
  CO_CHECK(co_await tenant::audit(at.here, std::move(event), request, deps.clock));
  co_return token;
}

}  // namespace

std::string normal_challenge(std::string_view given) {
  if (given.size() > 64) return {};
  const auto bytes = base64_any_decode(given);
  return bytes && bytes->size() == 32 ? base64url(*bytes) : std::string();
}

Task<std::string> file_service_code(const Deps& deps, const ServiceGrant& grant, std::string challenge, const http::Request& request) {
  const Millis now = deps.clock.now_ms();
  store::SingleUse code;
  code.handle = deps.random.token();
  code.expires_at = now + kCodeLifetime;
  code.payload = {{"user_id", grant.user->user_id},
                  {"sid", grant.session->id},
                  {"connection", grant.connection},
                  {"challenge", challenge},
                  {"auth_time", grant.auth_time},
                  {"tenant_epoch", static_cast<std::int64_t>((*grant.here)->epoch)},
                  {"jti", grant.jti}};
  std::string handle = code.handle;
  store::Batch batch;
  batch.deadline = request.deadline;
  batch.add(store::file_single_use(kServiceCode, code, binding(*grant.service, grant.provider)));
  CO_TRY([[maybe_unused]] const store::Outcome done, co_await grant.here->store->mutate(std::move(batch)));
  co_return handle;
}

Task<http::Response> redeem_code(const LoginDeps& given, http::Request& request) {
  const Deps& deps = given.oauth;
  const Result<Entrance> at = entrance(deps, request);
  if (!at.ok()) co_return login_error(at.error());
  const tenant::RateLimiter::Answer rate = deps.limiter.take("service.code", request.peer, deps.rates.userinfo);
  if (!rate.allowed) {
    http::Response refused = login_error(429, "Too many requests.");
    tenant::add_rate_headers(refused, rate);
    co_return finish_login_answer(std::move(refused), request, at->service);
  }
  const Result<ServiceToken> token = co_await redeem(deps, request, *at);
  if (token.ok()) {
    http::Response response = http::Response::json(200, Json(token->to_json()));
    co_return finish_login_answer(std::move(response), request, at->service);
  }
  const Error& error = token.error();
  deps.log.warn("service.code.refused", {{"service", at->service->name}, {"code", name(error.code)}, {"detail", error.detail}, {"request", request.id}});
  co_return finish_login_answer(login_error(error), request, at->service);
}

}  // namespace mandate::oauth::wire
