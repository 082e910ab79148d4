#include <algorithm>

#include "base/base64.h"
#include "base/crypto.h"
#include "oauth/authorize/asked.h"
#include "oauth/token/pkce.h"

namespace mandate::oauth {

/// RFC 7636 as OAuth 2.1 wants it: public clients must, with S256; "plain" only from confidential clients of
/// the old kind, and then kept as the S256 challenge it amounts to (OA-6).
Result<void> check_pkce(Asked& asked) {
  std::string& challenge = asked.request.code_challenge;
  const std::string_view method = asked.code_challenge_method;
  if (challenge.empty()) {
    if (!method.empty())
      return Error(Code::invalid_request, "code_challenge_method without code_challenge.", "pkce");
    if (asked.code && !asked.client->confidential())
      return Error(Code::invalid_request, "Public clients must use PKCE: code_challenge is missing.", "pkce");
    return ok();
  }
  if (!asked.fresh || method == "S256") {
    const bool sha256_sized = challenge.size() == 43 && base64url_decode(challenge).has_value();
    return sha256_sized ? ok()
                        : Result<void>(Error(Code::invalid_request, "code_challenge is malformed.", "pkce"));
  }
  const bool may_be_plain =
      asked.legacy() && asked.client->confidential() && (method.empty() || method == "plain");
  if (!may_be_plain) return Error(Code::invalid_request, "code_challenge_method must be S256.", "pkce");
  if (!well_formed_verifier(challenge))
    return Error(Code::invalid_request, "code_challenge is malformed.", "pkce");
  challenge = base64url(sha256(challenge));
  return ok();
}

}  // namespace mandate::oauth
