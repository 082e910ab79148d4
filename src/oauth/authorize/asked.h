// One authorization request on its way through the checks.
#pragma once

#include <string>
#include <vector>

#include "identity/login/auth_request.h"
#include "tenant/tenants.h"

namespace mandate::oauth {

enum class Mode { query, fragment, form_post, web_message };

/// `request` is what the browser sent (or what was stored of it); the rest is what the checks made of it,
/// under the configuration of this moment. Stored requests pass the checks again when they are resumed
/// (OA-9).
struct Asked {
  tenant::Here here;
  std::string issuer;
  identity::AuthRequest request;
  std::string
      code_challenge_method;  ///< only of a fresh request; a stored one holds an S256 challenge or none
  bool fresh = true;

  const tenant::Client* client = nullptr;
  bool code = false, token = false, id_token = false;
  Mode mode = Mode::query;
  std::vector<std::string> scopes;
  const tenant::Api* api = nullptr;
  bool prompt_none = false, prompt_login = false, prompt_consent = false;

  bool legacy() const { return client && !client->oidc_conformant; }
  bool front_channel_tokens() const { return token || id_token; }
};

/// The checks, each in its own file. The first two decide whether the browser may be sent anywhere: their
/// errors are pages.
Result<void> check_client(Asked& asked);
Result<void> check_redirect_uri(Asked& asked);
/// "The connection was not found" is a page too (identity-wire 1.1).
Result<void> check_connection(Asked& asked);
/// The errors of these go to the redirect URI.
Result<void> check_response_type(Asked& asked);
Result<void> check_response_mode(Asked& asked);
Result<void> check_state(Asked& asked);
Result<void> check_pkce(Asked& asked);
Result<void> check_audience(Asked& asked);
Result<void> check_scope(Asked& asked);
Result<void> check_prompt(Asked& asked);
Result<void> check_nonce(Asked& asked);
Result<void> check_acr(Asked& asked);

/// Before this passes, an error is a page; after it, an answer to the client.
Result<void> check_where(Asked& asked);
/// All others, in order.
Result<void> check_what(Asked& asked);

}  // namespace mandate::oauth
