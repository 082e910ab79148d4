// Access tokens: opaque ones kept by hash, JWTs for APIs (identity-wire 4.4, RFC 9068).
#pragma once

#include "oauth/issuer.h"

namespace mandate::oauth {

/// typ of our JWT access tokens, so that none passes for an id_token (TK-4).
inline constexpr std::string_view kAccessTokenType = "at+jwt";

/// An access token to be made. `may_issue` has spoken.
struct NewAccessToken {
  const tenant::Client* client = nullptr;
  const tenant::Api* api = nullptr;      ///< null = about the person only: opaque
  const identity::User* user = nullptr;  ///< null = the client itself
  std::string sid, grant_id;
  std::vector<std::string> scopes;
  std::string_view gty;  ///< "client-credentials", "password"; empty = none
  bool browser = false;  ///< given through the front channel: the shorter life
};

/// Not yet signed or stored: the caller signs off the loop when the key asks for it, and files the row with
/// its effect.
struct MadeAccessToken {
  std::string token;             ///< opaque; empty for a JWT until signed
  std::optional<jose::Key> key;  ///< JWT: sign `claims` with it
  JsonObject claims;
  std::optional<store::Mutation> row;  ///< opaque: kept by hash
  std::int64_t expires_in = 0;         ///< seconds
};

/// server_error when the tenant lacks the API's key.
Result<MadeAccessToken> make_access_token(const tenant::Tenant& tenant, const tenant::Vault& vault,
                                          std::string_view issuer, const NewAccessToken& wanted,
                                          Random& random, Millis now);

/// Seconds an access token without an API lives: 24 h for legacy clients (identity-wire 4.4), 1 h for others.
std::int64_t plain_lifetime(const tenant::Client& client, bool browser);

/// True when the token's audience is `api` or, for /userinfo, `issuer` + "userinfo".
bool for_audience(const AccessToken& token, std::string_view audience);

}  // namespace mandate::oauth
