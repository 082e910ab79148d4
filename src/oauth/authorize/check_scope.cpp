#include "oauth/authorize/asked.h"
#include "oauth/scopes.h"

namespace mandate::oauth {

/// Unknown scopes are left out, never an error (identity-wire 0.3 #11). Legacy clients mean openid when they
/// say nothing, and an id_token cannot be had without it.
Result<void> check_scope(Asked& asked) {
  std::vector<std::string> words = scopes_of(asked.request.scope);
  if (words.empty() && asked.legacy()) words.emplace_back("openid");
  if (asked.id_token && !has_scope(words, "openid")) words.insert(words.begin(), "openid");
  asked.scopes = grantable_scopes(words, *asked.client, asked.api);
  return ok();
}

}  // namespace mandate::oauth
