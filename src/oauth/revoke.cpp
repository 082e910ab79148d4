#include "base/crypto.h"
#include "http/params.h"
#include "jose/jws.h"
#include "oauth/access_tokens.h"
#include "oauth/answers.h"
#include "oauth/client_auth.h"
#include "oauth/doors.h"
#include "oauth/refresh_tokens.h"
#include "oauth/revocations.h"
#include "tenant/audit.h"
#include "tenant/cors.h"

namespace mandate::oauth {
namespace {

/// Adds what ends `token` to the batch; nothing when it is not this client's.
Task<void> find_what_ends(const Deps& deps, const tenant::Here& here, const http::Request& request,
                          std::string token, std::string client_id, store::Batch& batch) {
  const Millis now = deps.clock.now_ms();
  Result<std::string> family = co_await refresh_family(here, token, client_id, now);
  if (family.ok()) {
    revoke_grant(batch, *family, now);
    co_return ok();
  }
  if (family.error().code != Code::invalid_grant) co_return std::move(family).error();
  const std::string issuer = tenant::issuer_of(*here, request);
  Result<AccessToken> access = co_await read_access_token(here, issuer, token, now);
  if (!access.ok() || access->client_id != client_id) co_return ok();
  if (access->opaque)
    batch.add(store::remove("oauth_access_tokens", store::equals("hash", token_hash(token))));
  else if (const auto jti = text_member(access->claims, "jti"))
    batch.add(revoke(revoked::jti(*jti), access->expires_at));
  co_return ok();
}

Task<void> act(const Deps& deps, const tenant::Here& here, const http::Request& request,
               const http::Params& params) {
  CO_CHECK(params.refuse_repeated({"client_id", "client_secret", "token", "token_type_hint"}));
  CO_TRY(const ClientAuth client, authenticate_client(*here, request, params, deps.clock.now_ms()));
  std::string token(params.get("token"));
  if (token.empty()) co_return Error(Code::invalid_request, "Missing required parameter: token", "token");
  store::Batch batch;
  std::string client_id = client.client->client_id;
  CO_CHECK(co_await find_what_ends(deps, here, request, std::move(token), client_id, batch));
  if (batch.mutations.empty()) co_return ok();
  tenant::Event event;
  event.type = "token.revoked";
  event.client_id = client_id;
  batch.add(tenant::audit_row(event, request, deps.clock.now_ms()));
  CO_TRY([[maybe_unused]] const store::Outcome done, co_await here.store->mutate(std::move(batch)));
  co_return ok();
}

}  // namespace

Task<http::Response> revoke_endpoint(const Deps& deps, http::Request& request) {
  CO_TRY(const tenant::Here here, deps.tenants.by_host(request.host));
  if (request.method == http::Method::options) co_return tenant::preflight(request, *here);
  const Result<http::Params> params = http::Params::of(request);
  if (!params.ok()) {
    const tenant::RateLimiter::Answer rate = deps.limiter.take("oauth.revoke", rate_key(request, nullptr), deps.rates.token);
    co_return finish(rate.allowed ? token_error(*here, request, params.error()) : too_many(rate), request, *here,
                     nullptr, &rate);
  }
  const tenant::Client* client = named_client(*here, request, &*params);
  const std::string key = rate_key(request, client);
  const tenant::RateLimiter::Answer rate = deps.limiter.take("oauth.revoke", key, deps.rates.token);
  if (!rate.allowed) co_return finish(too_many(rate), request, *here, client, &rate);
  const Result<void> done = co_await act(deps, here, request, *params);
  if (!done.ok()) co_return finish(token_error(*here, request, done.error()), request, *here, client, &rate);
  co_return finish(http::Response(200), request, *here, client, &rate);
}

}  // namespace mandate::oauth
