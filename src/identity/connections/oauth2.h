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
  std::string check_url;    ///< GitHub only: says whose client a token is
  std::string client_id;
  Secret client_secret;
  std::string scope;
  std::string issuer;       ///< what `iss` must be when the provider sends it; empty = same origin as authorization_url
  bool issuer_needed = false;                            ///< the provider says that it always sends `iss` (RFC 9207)
  bool pkce = true;
  bool basic = false;       ///< client secret by HTTP Basic instead of in the form
  bool client_flow = false; ///< access tokens that an app got by itself are taken, though nobody says for whom they were made
  std::string id_member = "sub";                         ///< of the profile: the person's id
  std::map<std::string, std::string, std::less<>> upstream_params;  ///< added to the authorization request
};

/// Strategy "oauth2". Options: authorization_url, token_url, profile_url, client_id, client_secret (sealed), scope (text or
/// list), issuer, pkce, token_auth ("client_secret_post", "client_secret_basic"), id_member, upstream_params (object),
/// client_flow; the spellings authorizationURL, tokenURL, userInfoURL are understood too.
class OAuth2 : public Strategy {
 public:
  OAuth2(http::Fetch& fetch, const tenant::Vault& vault, Random& random, const Clock& clock)
      : fetch_(fetch), vault_(vault), random_(random), clock_(clock) {}

  Task<std::string> start(tenant::Here here, const tenant::Connection& connection, const AuthRequest& login,
                          const http::Request& request) const override;
  Task<Profile> finish(tenant::Here here, const tenant::Connection& connection, const JsonObject& state,
                       const http::Params& answer, const http::Request& request) const override;
  Task<Profile> verify(tenant::Here here, const tenant::Connection& connection, JsonObject given, Deadline deadline) const override;
  Task<ProviderTokens> refresh(tenant::Here here, const tenant::Connection& connection, std::string refresh_token,
                               Deadline deadline) const override;

 protected:
  /// server_error when something needed is missing.
  virtual Result<OAuth2Settings> settings(const tenant::Connection& connection) const;
  /// What the token's owner looks like. The base asks profile_url and reads the names of OpenID Connect.
  virtual Task<Profile> fetch_profile(OAuth2Settings settings, std::string access_token, Deadline deadline) const;
  /// That an access token an app posted was made for this client. The base cannot know: access_denied unless the
  /// connection says that it is taken all the same.
  virtual Task<void> check_audience(OAuth2Settings settings, std::string access_token, Deadline deadline) const;

  /// Reads the options over `settings`, and the sealed secret. Says nothing of what is missing.
  Result<OAuth2Settings> read_options(const tenant::Connection& connection, OAuth2Settings settings) const;
  /// The authorization request, with its state filed; `nonce` goes with it when not empty.
  Task<std::string> begin(tenant::Here here, std::string connection_name, OAuth2Settings settings, AuthRequest login,
                          std::string redirect_uri, std::string nonce) const;
  /// The callback's code became tokens; the errors of finish().
  Task<ProviderTokens> take_code(OAuth2Settings settings, const JsonObject& state, const http::Params& answer, Deadline deadline) const;
  /// refresh() of a connection whose settings are known.
  Task<ProviderTokens> ask_refresh(OAuth2Settings settings, std::string refresh_token, Deadline deadline) const;
  /// POST to token_url with the client's own proof.
  Task<ProviderTokens> ask_tokens(OAuth2Settings settings, std::vector<std::pair<std::string, std::string>> fields, Deadline deadline) const;
  /// GET; with the token unless that is empty. The JSON of a 200. invalid_token for 401, 403 and 404, upstream_error otherwise.
  Task<Json> get_json(std::string url, std::string access_token, std::string accept, Deadline deadline) const;

  http::Fetch& fetch_;
  const tenant::Vault& vault_;
  Random& random_;
  const Clock& clock_;
};

/// The redirect URI to register at providers: {iss}login/callback.
std::string callback_url(const tenant::Tenant& tenant, const http::Request& request);

}  // namespace mandate::identity
