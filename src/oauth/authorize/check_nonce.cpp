#include "oauth/authorize/asked.h"

namespace mandate::oauth {

/// A conformant client that takes an id_token from the front channel binds it to itself (OIDC Core §3.2.2.1).
Result<void> check_nonce(Asked& asked) {
  constexpr std::size_t kLongest = 2000;
  if (asked.request.nonce.size() > kLongest)
    return Error(Code::invalid_request, "The nonce parameter is too long.", "nonce");
  if (asked.id_token && !asked.legacy() && asked.request.nonce.empty())
    return Error(Code::invalid_request, "Missing required parameter: nonce", "nonce");
  return ok();
}

}  // namespace mandate::oauth
