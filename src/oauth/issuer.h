// Where tokens are made and where our own tokens are read again. Nothing here decides: may_issue has spoken
// before.
#pragma once

#include "identity/sessions.h"
#include "identity/users.h"
#include "jose/jwt.h"
#include "tenant/tenants.h"

namespace mandate::oauth {

/// The key that signs id_tokens for `client`: its secret for HS256 (identity-wire 4.3), the tenant's current
/// key otherwise. server_error when the client has no secret or the tenant no such key.
Result<jose::Key> id_token_key(const tenant::Tenant& tenant, const tenant::Client& client,
                               const tenant::Vault& vault);

/// Tenants with it give the whole profile of identity-wire 4.1 to legacy clients, in id_tokens and at /userinfo; others
/// only what the scopes name (0.8).
inline constexpr std::string_view kLegacyProfileFlag = "enable_legacy_profile";

struct IdToken {
  const identity::User* user = nullptr;
  const identity::Session* session = nullptr;  ///< adds auth_time, sid, amr for conformant clients
  std::vector<std::string> scopes;
  std::string nonce, access_token, code;  ///< give at_hash, c_hash when not empty
  std::string azp;                        ///< delegation: the calling client
  std::int64_t lifetime_seconds = 36'000;
  bool full_profile = false;  ///< the tenant's enable_legacy_profile: what it says only legacy clients get
  std::uint64_t tenant_epoch = 0;  ///< with the user's, in identity::kEpochClaim unless both are zero
};
/// Claims of identity-wire 4.2 (conformant) or 4.3 (legacy) for this client. iss, sub, aud, iat, exp always
/// win (DG-10).
JsonObject id_token_claims(const tenant::Client& client, std::string_view issuer, const IdToken& token,
                           std::int64_t now);
Result<std::string> sign_id_token(const tenant::Here& here, const tenant::Client& client,
                                  const tenant::Vault& vault, std::string_view issuer, const IdToken& token,
                                  std::int64_t now);

/// An id_token of ours that was issued to `client`, verified with the algorithm configured for that client,
/// never the token's own (identity-wire 2.3 #6). invalid_token.
Result<jose::Claims> verify_id_token(const tenant::Here& here, const tenant::Client& client,
                                     const tenant::Vault& vault, std::string_view issuer,
                                     std::string_view token, std::int64_t now);

/// A refresh token as the store keeps it.
struct RefreshToken {
  std::string family, client_id, user_id, sid, connection, audience, device;
  std::vector<std::string> scopes;
  bool offline_consent = false;  ///< survives the logout from its session; the session's own end ends none
  std::int64_t user_epoch = 0;
  std::uint64_t tenant_epoch = 0;
  Millis created_at = 0, used_at = 0, expires_at = 0;  ///< expires_at 0 = never
};
/// The live refresh token of that text and client; invalid_grant when unknown, another client's, revoked,
/// rotated out or expired. Does not consume it: /delegation leaves it valid (identity-wire 2.1).
Task<RefreshToken> find_refresh_token(const tenant::Here& here, std::string token, std::string client_id,
                                      Millis now);

/// What one of our own access tokens says, opaque or JWT, after every check but scope; invalid_token.
struct AccessToken {
  std::string client_id, user_id, audience, sid, grant_id;
  std::vector<std::string> scopes;
  bool legacy = false;  ///< opaque token of a legacy client: full profile at /userinfo
  bool opaque = false;
  std::int64_t user_epoch = 0;  ///< compare with the user's: older is void (may_issue does, check_user too)
  std::uint64_t tenant_epoch = 0;  ///< already compared
  Millis issued_at = 0, expires_at = 0;
  JsonObject claims;
};
Task<AccessToken> read_access_token(const tenant::Here& here, std::string_view issuer, std::string token,
                                    Millis now);

}  // namespace mandate::oauth
