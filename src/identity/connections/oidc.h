// Any provider of OpenID Connect: discovery, keys, nonce, id_token. OIDC Core §3.1, Discovery §4, RFC 8414, RFC 9207.
#pragma once

#include <memory>

#include "identity/connections/oauth2.h"
#include "identity/connections/oidc_provider.h"

namespace mandate::identity {

/// Strategy "oidc". Options: issuer (needed: https, or http on loopback; exactly as the provider writes it), client_id,
/// client_secret (sealed), scope (default "openid profile email"), client_ids (list: the provider's ids of this app's
/// other clients, whose id_tokens are taken in the client flow), userinfo (true: also asked, and its sub compared),
/// token_auth (default: what discovery says, basic first), pkce, upstream_params, client_flow (access tokens alone too).
/// A person is oidc|{connection}|{sub}.
class Oidc final : public OAuth2 {
 public:
  Oidc(http::Fetch& fetch, const tenant::Vault& vault, Random& random, const Clock& clock)
      : OAuth2(fetch, vault, random, clock), providers_(fetch, clock) {}

  Task<std::string> start(tenant::Here here, const tenant::Connection& connection, const AuthRequest& login,
                          const http::Request& request) const override;
  Task<Profile> finish(tenant::Here here, const tenant::Connection& connection, const JsonObject& state,
                       const http::Params& answer, const http::Request& request) const override;
  Task<Profile> verify(tenant::Here here, const tenant::Connection& connection, JsonObject given, Deadline deadline) const override;
  Task<ProviderTokens> refresh(tenant::Here here, const tenant::Connection& connection, std::string refresh_token,
                               Deadline deadline) const override;

 private:
  /// The options, with what the provider's document says filled in.
  Task<OAuth2Settings> discovered(const tenant::Connection& connection, Deadline deadline) const;
  /// The id_token's claims as a person; with `userinfo` what is said there comes first.
  Task<Profile> person(const tenant::Connection& connection, OAuth2Settings settings, JsonObject claims, std::string access_token,
                       Deadline deadline) const;

  mutable OidcProviders providers_;
};

}  // namespace mandate::identity
