#include "oauth/person_tokens.h"

#include "oauth/grant_memory.h"
#include "oauth/scopes.h"
#include "oauth/signing.h"

namespace mandate::oauth {
namespace {

Task<std::string> access_token(const Deps& deps, const PersonGrant& grant, store::Batch& batch,
                               std::int64_t& expires_in, Deadline deadline) {
  NewAccessToken wanted;
  wanted.client = grant.client;
  wanted.api = grant.api;
  wanted.user = grant.user;
  wanted.sid = grant.sid;
  wanted.grant_id = grant.grant_id;
  wanted.scopes = grant.scopes;
  wanted.gty = grant.gty;
  wanted.browser = grant.browser;
  const tenant::Tenant& tenant = **grant.here;
  CO_TRY(MadeAccessToken made, make_access_token(tenant, deps.tenants.vault(), grant.issuer, wanted,
                                                 deps.random, deps.clock.now_ms()));
  expires_in = made.expires_in;
  if (made.row) batch.add(std::move(*made.row));
  if (!made.key) co_return std::move(made.token);
  std::string typ(kAccessTokenType);
  Result<std::string> token =
      co_await sign(deps.pool, *made.key, std::move(made.claims), std::move(typ), deadline);
  co_return token;
}

Task<std::string> id_token(const Deps& deps, const PersonGrant& grant, std::string access_token,
                           Deadline deadline) {
  IdToken wanted;
  wanted.user = grant.user;
  wanted.session = grant.session;
  wanted.scopes = grant.scopes;
  wanted.nonce = grant.nonce;
  wanted.access_token = std::move(access_token);
  wanted.code = grant.code;
  wanted.lifetime_seconds = grant.client->lifetime_in_seconds;
  wanted.tenant_epoch = (*grant.here)->epoch;
  wanted.full_profile = (*grant.here)->flag(kLegacyProfileFlag);
  CO_TRY(const jose::Key key, id_token_key(**grant.here, *grant.client, deps.tenants.vault()));
  JsonObject claims = id_token_claims(*grant.client, grant.issuer, wanted, deps.clock.now_seconds());
  if (!grant.client->oidc_conformant && !grant.device.empty()) claims["device"] = grant.device;
  std::string typ("JWT");
  Result<std::string> token = co_await sign(deps.pool, key, std::move(claims), std::move(typ), deadline);
  co_return token;
}

}  // namespace

Task<PersonTokens> make_person_tokens(const Deps& deps, const PersonGrant& grant, store::Batch& batch,
                                      Deadline deadline) {
  PersonTokens out;
  if (grant.access_token) {
    CO_TRY(out.access_token, co_await access_token(deps, grant, batch, out.expires_in, deadline));
  }
  if (grant.id_token) {
    std::string hashed = out.access_token;
    CO_TRY(out.id_token, co_await id_token(deps, grant, std::move(hashed), deadline));
  }
  if (!grant.refresh_token) co_return out;
  const Millis now = deps.clock.now_ms();
  RefreshToken token;
  token.family = grant.grant_id;
  token.client_id = grant.client->client_id;
  token.user_id = grant.user->user_id;
  token.sid = grant.sid;
  token.connection = grant.connection;
  token.audience = grant.api ? grant.api->identifier : std::string();
  token.device = grant.device;
  token.scopes = grant.scopes;
  token.offline_consent = grant.offline_consent;
  token.user_epoch = grant.user->epoch;
  token.tenant_epoch = (*grant.here)->epoch;
  token.expires_at = refresh_expiry(*grant.client, now, now);
  out.refresh_token = new_refresh_token(deps.random);
  // Before its row is in: should that fail, the transaction of the next use finds nothing.
  RememberedGrant filed = file_refresh_token(batch, token, out.refresh_token, now, grant.session);
  if (deps.grants) deps.grants->keep((*grant.here)->name, out.refresh_token, std::move(filed));
  co_return out;
}

JsonObject token_answer(const PersonTokens& tokens, const std::vector<std::string>& scopes) {
  JsonObject out;
  out["access_token"] = tokens.access_token;
  out["token_type"] = "Bearer";
  out["expires_in"] = tokens.expires_in;
  if (!tokens.id_token.empty()) out["id_token"] = tokens.id_token;
  if (!tokens.refresh_token.empty()) out["refresh_token"] = tokens.refresh_token;
  out["scope"] = join(scopes);
  return out;
}

}  // namespace mandate::oauth
