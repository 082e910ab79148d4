// Any provider that speaks OAuth 2.0 with authorization codes: the base that presets stand on.
// RFC 6749 §4.1 as a client, RFC 7636 (S256), RFC 9207 (iss).
#pragma once

#include "http/fetch.h"
#include "identity/connections/connection.h"

namespace mandate::identity {

/// What a connection's options say, with a preset's defaults filled in.
struct OAuth2Settings {
  std::string authorization_url, token_url, profile_url;
  std::string emails_url;   ///< GitHub only
  std::string client_id;
  Secret client_secret;
  std::string scope;
  std::string issuer;       ///< what `iss` must be when the provider sends it; empty = same origin as authorization_url
  bool pkce = true;
  bool basic = false;       ///< client secret by HTTP Basic instead of in the form
  std::string id_member = "sub";                         ///< of the profile: the person's id
  std::map<std::string, std::string, std::less<>> upstream_params;  ///< added to the authorization request
};

/// Strategy "oauth2". Options: authorization_url, token_url, profile_url, client_id, client_secret (sealed), scope (text or
/// list), issuer, pkce, token_auth ("client_secret_post", "client_secret_basic"), id_member, upstream_params (object);
/// the spellings authorizationURL, tokenURL, userInfoURL are understood too.
class OAuth2 : public Strategy {
 public:
  OAuth2(http::Fetch& fetch, const tenant::Vault& vault, Random& random)
      : fetch_(fetch), vault_(vault), random_(random) {}

  Task<std::string> start(tenant::Here here, const tenant::Connection& connection, const AuthRequest& login,
                          const http::Request& request) const override;
  Task<Profile> finish(tenant::Here here, const tenant::Connection& connection, const JsonObject& state,
                       const http::Params& answer, const http::Request& request) const override;

 protected:
  /// server_error when something needed is missing.
  virtual Result<OAuth2Settings> settings(const tenant::Connection& connection) const;
  /// What the token's owner looks like. The base asks profile_url and reads the names of OpenID Connect.
  virtual Task<Profile> fetch_profile(OAuth2Settings settings, std::string access_token, Deadline deadline) const;

  /// Reads the options over `settings`, and the sealed secret.
  Result<OAuth2Settings> read_options(const tenant::Connection& connection, OAuth2Settings settings) const;
  /// GET with the token; the JSON of a 200. invalid_token for 401 and 403, upstream_error otherwise.
  Task<Json> get_json(std::string url, std::string access_token, std::string accept, Deadline deadline) const;

 private:
  Task<std::string> exchange(OAuth2Settings settings, std::string code, std::string verifier, std::string redirect_uri,
                             Deadline deadline) const;

  http::Fetch& fetch_;
  const tenant::Vault& vault_;
  Random& random_;
};

/// The id member as text: a text of 1 to 255 printable bytes, or a whole number where `number_allowed`.
/// invalid_token otherwise: no account is made for a person without a proper id (SE-6).
Result<std::string> upstream_id(const Json* value, bool number_allowed);

/// The redirect URI to register at providers: {iss}login/callback.
std::string callback_url(const tenant::Tenant& tenant, const http::Request& request);

}  // namespace mandate::identity
