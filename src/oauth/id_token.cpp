// id_tokens: keys, claims, signing, reading back (identity-wire 4.2, 4.3).
#include <algorithm>
#include <array>

#include "base/base64.h"
#include "identity/bearer.h"
#include "identity/epochs.h"
#include "oauth/acr.h"
#include "oauth/issuer.h"
#include "oauth/scopes.h"
#include "oauth/signing.h"

namespace mandate::oauth {
namespace {

constexpr std::array<std::string_view, 23> kReserved = {
    "iss",     "sub",       "aud", "exp", "iat", "nbf",   "jti",    "azp", "scope", "act",   "may_act",
    "at_hash", "auth_time", "sid", "amr", "acr", "nonce", "c_hash", "uid", "ver",   "roles", "client_id", identity::kEpochClaim};

bool reserved(std::string_view name) { return std::ranges::find(kReserved, name) != kReserved.end(); }

Result<jose::Key> hmac_key(const tenant::Client& client, const tenant::ClientSecret& secret,
                           const tenant::Vault& vault) {
  TRY(const Secret text, vault.unseal(secret.sealed, tenant::sealed::client_secret(client.client_id)));
  if (!client.secret_encoded) return jose::Key::hmac(client.alg, text.reveal());
  const auto bytes = base64_any_decode(text.reveal());
  if (!bytes || bytes->empty())
    return Error(Code::server_error, {}, "the secret of " + client.client_id + " is not base64");
  return jose::Key::hmac(client.alg, *bytes);
}

/// Attribute names among the scopes of a legacy client: "openid name email" puts exactly these into the
/// token.
JsonObject legacy_claims(const identity::User& user, const std::vector<std::string>& scopes) {
  if (has_scope(scopes, "profile")) return identity::legacy_profile(user);
  std::vector<std::string> attributes;
  for (const std::string& scope : scopes) {
    if (scope == "openid" || scope == "offline_access" || scope == "passthrough") continue;
    attributes.push_back(scope);
    if (scope == "email") attributes.emplace_back("email_verified");
  }
  return attributes.empty() ? JsonObject{} : identity::legacy_profile(user, attributes);
}

JsonArray texts(const std::vector<std::string>& values) {
  JsonArray out;
  for (const std::string& v : values) out.emplace_back(v);
  return out;
}

}  // namespace

Result<jose::Key> id_token_key(const tenant::Tenant& tenant, const tenant::Client& client,
                               const tenant::Vault& vault) {
  if (jose::symmetric(client.alg)) {
    for (const tenant::ClientSecret& secret : client.secrets)
      if (secret.expires_at == 0 && !secret.sealed.empty()) return hmac_key(client, secret, vault);
    return Error(Code::server_error, {},
                 "client " + client.client_id + " signs with its secret but has none");
  }
  const tenant::SigningKey* key = tenant.signing_key(client.alg);
  if (!key)
    return Error(Code::server_error, {}, "the tenant has no " + std::string(jose::name(client.alg)) + " key");
  return key->key;
}

JsonObject id_token_claims(const tenant::Client& client, std::string_view issuer, const IdToken& token,
                           std::int64_t now) {
  JsonObject out;
  out["iss"] = issuer;
  out["sub"] = token.user->user_id;
  out["aud"] = client.client_id;
  out["iat"] = now;
  out["exp"] = now + token.lifetime_seconds;
  if (!token.azp.empty()) out["azp"] = token.azp;
  // Absent reads as zero, so that most tokens stay as short as old browsers need them (TK-10).
  if (token.user->epoch != 0 || token.tenant_epoch != 0)
    out[identity::kEpochClaim] = identity::to_text({token.tenant_epoch, token.user->epoch});
  if (!token.nonce.empty()) out["nonce"] = token.nonce;
  if (!token.access_token.empty() && client.oidc_conformant)
    out["at_hash"] = half_hash(client.alg, token.access_token);
  if (!token.code.empty()) out["c_hash"] = half_hash(client.alg, token.code);
  if (token.session && client.oidc_conformant) {
    out["auth_time"] = token.session->auth_time / 1000;
    out["sid"] = token.session->id;
    out["acr"] = acr::kOneFactor;
    if (!token.session->amr.empty()) out["amr"] = texts(token.session->amr);
  }
  const JsonObject about = client.oidc_conformant || !token.full_profile
                               ? identity::standard_claims(*token.user, token.scopes)
                               : legacy_claims(*token.user, token.scopes);
  for (const auto& [name, value] : about)
    if (!reserved(name)) out.insert_or_assign(name, value);
  return out;
}

Result<std::string> sign_id_token(const tenant::Here& here, const tenant::Client& client,
                                  const tenant::Vault& vault, std::string_view issuer, const IdToken& token,
                                  std::int64_t now) {
  TRY(const jose::Key key, id_token_key(*here, client, vault));
  IdToken dated = token;
  dated.tenant_epoch = here->epoch;
  dated.full_profile = here->flag(kLegacyProfileFlag);
  return jose::sign_jwt(key, id_token_claims(client, issuer, dated, now));
}

Result<jose::Claims> verify_id_token(const tenant::Here& here, const tenant::Client& client,
                                     const tenant::Vault& vault, std::string_view issuer,
                                     std::string_view token, std::int64_t now) {
  const std::vector<std::string> audiences = {client.client_id};
  jose::Expectation expected;
  expected.issuer = issuer;
  expected.audiences = audiences;
  expected.typ = "JWT";
  expected.now = now;
  if (!jose::symmetric(client.alg)) {
    const jose::KeyFinder find = [&](std::string_view kid, std::optional<jose::Alg>) -> const jose::Key* {
      const tenant::SigningKey* current = here->signing_key(client.alg);
      const jose::Key* key = kid.empty() ? (current ? &current->key : nullptr) : here->verifying_key(kid);
      return key && key->alg() == client.alg ? key : nullptr;
    };
    return jose::verify_jwt(token, find, expected);
  }
  Result<jose::Claims> claims = Error(Code::invalid_token, "invalid id_token", "no secret");
  for (const tenant::ClientSecret& secret : client.secrets) {
    if (secret.expires_at != 0 && secret.expires_at <= now * 1000) continue;
    const Result<jose::Key> key = hmac_key(client, secret, vault);
    if (!key.ok()) continue;
    claims = jose::verify_jwt(token, *key, expected);
    if (claims.ok()) break;
  }
  return claims;
}

}  // namespace mandate::oauth
