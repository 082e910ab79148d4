#include "oauth/access_tokens.h"

#include "base/crypto.h"
#include "oauth/revocations.h"
#include "oauth/scopes.h"

namespace mandate::oauth {
namespace {

constexpr std::size_t kOpaqueLength = 32;

Error bad_token(std::string detail) {
  return Error(Code::invalid_token, "The access token is not valid.", std::move(detail));
}

Result<jose::Key> api_key(const tenant::Tenant& tenant, const tenant::Vault& vault, const tenant::Api& api) {
  const auto alg = jose::alg_of(api.signing_alg);
  if (!alg) return Error(Code::server_error, {}, "API " + api.identifier + " has an unknown signing_alg");
  if (jose::symmetric(*alg)) {
    TRY(const Secret secret, vault.unseal(api.signing_secret_sealed, tenant::sealed::api(api.identifier)));
    return jose::Key::hmac(*alg, secret.reveal());
  }
  const tenant::SigningKey* key = tenant.signing_key(*alg);
  if (!key) return Error(Code::server_error, {}, "the tenant has no " + api.signing_alg + " key");
  return key->key;
}

std::string subject_of(const NewAccessToken& wanted) {
  return wanted.user ? wanted.user->user_id : wanted.client->client_id + "@clients";
}

JsonObject jwt_claims(const tenant::Tenant& tenant, std::string_view issuer, const NewAccessToken& wanted,
                      std::string jti, std::int64_t now, std::int64_t lifetime) {
  JsonObject out;
  out["iss"] = issuer;
  out["sub"] = subject_of(wanted);
  if (wanted.user && has_scope(wanted.scopes, "openid"))
    out["aud"] = JsonArray{Json(wanted.api->identifier), Json(std::string(issuer) + "userinfo")};
  else
    out["aud"] = wanted.api->identifier;
  out["iat"] = now;
  out["exp"] = now + lifetime;
  out["jti"] = jti;
  out["azp"] = wanted.client->client_id;
  out["client_id"] = wanted.client->client_id;
  if (!wanted.scopes.empty()) out["scope"] = join(wanted.scopes);
  if (!wanted.gty.empty()) out["gty"] = wanted.gty;
  if (!wanted.sid.empty()) out["sid"] = wanted.sid;
  // Zero is what both start with, and absent reads as zero: most tokens stay as short as they were.
  if (wanted.user && wanted.user->epoch != 0) out["user_epoch"] = wanted.user->epoch;
  if (tenant.epoch != 0) out["tenant_epoch"] = tenant.epoch;
  return out;
}

store::Mutation opaque_row(const tenant::Tenant& tenant, const NewAccessToken& wanted, std::string_view token,
                           Millis now, Millis expires) {
  return store::insert("oauth_access_tokens",
                       {{"hash", token_hash(token)},
                        {"client_id", wanted.client->client_id},
                        {"user_id", wanted.user ? wanted.user->user_id : std::string()},
                        {"audience", wanted.api ? wanted.api->identifier : std::string()},
                        {"sid", wanted.sid},
                        {"grant_id", wanted.grant_id},
                        {"scope", join(wanted.scopes)},
                        {"legacy", !wanted.client->oidc_conformant},
                        {"user_epoch", wanted.user ? wanted.user->epoch : 0},
                        {"tenant_epoch", static_cast<std::int64_t>(tenant.epoch)},
                        {"issued_at", now},
                        {"expires_at", expires}});
}

Task<AccessToken> read_opaque(const tenant::Here& here, std::string_view issuer, std::string token,
                              Millis now) {
  store::Plan plan;
  plan.table = "oauth_access_tokens";
  plan.where = store::equals("hash", token_hash(token));
  CO_TRY(const std::optional<store::Row> row, co_await here.store->get(std::move(plan)));
  if (!row) co_return bad_token("unknown");
  AccessToken out;
  out.client_id = row->text("client_id");
  out.user_id = row->text("user_id");
  out.audience = row->text("audience");
  out.sid = row->text("sid");
  out.grant_id = row->text("grant_id");
  out.scopes = scopes_of(row->text("scope"));
  out.legacy = row->boolean("legacy");
  out.opaque = true;
  out.user_epoch = row->integer("user_epoch");
  out.tenant_epoch = static_cast<std::uint64_t>(row->integer("tenant_epoch"));
  out.issued_at = row->integer("issued_at");
  out.expires_at = row->integer("expires_at");
  if (out.expires_at <= now) co_return bad_token("expired");
  out.claims["iss"] = issuer;
  out.claims["sub"] = out.user_id.empty() ? out.client_id + "@clients" : out.user_id;
  out.claims["aud"] = out.audience.empty() ? std::string(issuer) + "userinfo" : out.audience;
  out.claims["azp"] = out.client_id;
  out.claims["scope"] = join(out.scopes);
  out.claims["iat"] = out.issued_at / 1000;
  out.claims["exp"] = out.expires_at / 1000;
  co_return out;
}

AccessToken of_claims(const jose::Claims& claims) {
  AccessToken out;
  out.client_id = claims.text("azp");
  const std::string_view sub = claims.sub();
  if (sub != out.client_id + "@clients") out.user_id = sub;
  const auto audiences = claims.aud();
  if (!audiences.empty()) out.audience = audiences.front();
  out.sid = claims.text("sid");
  const std::string_view jti = claims.text("jti");
  if (const auto dot = jti.find('.'); dot != std::string_view::npos) out.grant_id = jti.substr(0, dot);
  out.scopes = scopes_of(claims.text("scope"));
  out.user_epoch = integer_member(claims.all, "user_epoch").value_or(0);
  out.tenant_epoch = static_cast<std::uint64_t>(integer_member(claims.all, "tenant_epoch").value_or(0));
  out.issued_at = claims.iat() * 1000;
  out.expires_at = claims.exp() * 1000;
  out.claims = claims.all;
  return out;
}

Task<AccessToken> read_jwt(const tenant::Here& here, std::string_view issuer, std::string token, Millis now) {
  jose::Expectation expected;
  expected.issuer = issuer;
  expected.any_audience = true;  // the caller asks for its own
  expected.typ = kAccessTokenType;
  expected.now = now / 1000;
  expected.leeway = 0;  // our own clock made it
  const jose::KeyFinder find = [&here](std::string_view kid, std::optional<jose::Alg>) {
    return here->verifying_key(kid);
  };
  CO_TRY(const jose::Claims claims, jose::verify_jwt(token, find, expected));
  AccessToken out = of_claims(claims);
  std::vector<std::string> ids = ids_of(claims.all);
  CO_TRY(const bool dead, co_await any_revoked(*here.store, std::move(ids)));
  if (dead) co_return bad_token("revoked");
  co_return out;
}

}  // namespace

std::int64_t plain_lifetime(const tenant::Client& client, bool browser) {
  if (!client.oidc_conformant) return 86'400;
  return browser ? 7'200 : 3'600;
}

Result<MadeAccessToken> make_access_token(const tenant::Tenant& tenant, const tenant::Vault& vault,
                                          std::string_view issuer, const NewAccessToken& wanted,
                                          Random& random, Millis now) {
  MadeAccessToken out;
  out.expires_in = !wanted.api      ? plain_lifetime(*wanted.client, wanted.browser)
                   : wanted.browser ? wanted.api->token_lifetime_for_web
                                    : wanted.api->token_lifetime;
  if (!wanted.api || wanted.api->signing_alg == "opaque") {
    out.token = random.alphanumeric(kOpaqueLength);
    out.row = opaque_row(tenant, wanted, out.token, now, now + out.expires_in * 1000);
    return out;
  }
  TRY(out.key, api_key(tenant, vault, *wanted.api));
  std::string jti = wanted.grant_id.empty() ? random.token(12) : wanted.grant_id + "." + random.token(12);
  out.claims = jwt_claims(tenant, issuer, wanted, std::move(jti), now / 1000, out.expires_in);
  return out;
}

bool for_audience(const AccessToken& token, std::string_view audience) {
  const Json* aud = token.claims.if_contains("aud");
  if (!aud) return false;
  if (aud->is_string()) return view(aud->get_string()) == audience;
  if (!aud->is_array()) return false;
  for (const Json& one : aud->get_array())
    if (one.is_string() && view(one.get_string()) == audience) return true;
  return false;
}

Task<AccessToken> read_access_token(const tenant::Here& here, std::string_view issuer, std::string token,
                                    Millis now) {
  if (token.empty() || token.size() > 8192) co_return bad_token("size");
  const bool jwt = token.find('.') != std::string::npos;
  Task<AccessToken> reading =
      jwt ? read_jwt(here, issuer, std::move(token), now) : read_opaque(here, issuer, std::move(token), now);
  Result<AccessToken> read = co_await reading;
  if (!read.ok()) co_return read;
  if (read->tenant_epoch < here->epoch) co_return bad_token("tenant_epoch");
  const tenant::Client* client = here->client(read->client_id);
  if (!client || !client->enabled) co_return bad_token("client");
  co_return read;
}

}  // namespace mandate::oauth
