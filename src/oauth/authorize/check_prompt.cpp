#include "oauth/authorize/asked.h"
#include "oauth/scopes.h"

namespace mandate::oauth {

/// OIDC Core §3.1.2.1. Words we do not know are for the provider.
Result<void> check_prompt(Asked& asked) {
  const std::vector<std::string> words = scopes_of(asked.request.prompt);
  asked.prompt_none = has_scope(words, "none");
  asked.prompt_login = has_scope(words, "login") || has_scope(words, "select_account");
  asked.prompt_consent = has_scope(words, "consent");
  if (asked.prompt_none && words.size() > 1)
    return Error(Code::invalid_request, "prompt 'none' cannot be combined.", "prompt");
  return ok();
}

}  // namespace mandate::oauth
