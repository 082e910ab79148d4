#include "oauth/token/pkce.h"

#include <algorithm>

#include "base/base64.h"
#include "base/crypto.h"
#include "base/secret.h"

namespace mandate::oauth {

bool well_formed_verifier(std::string_view text) {
  return text.size() >= 43 && text.size() <= 128 && std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                  c == '.' || c == '_' || c == '~';
         });
}

Result<void> check_verifier(std::string_view challenge, std::string_view verifier) {
  if (challenge.empty() && verifier.empty()) return {};
  const bool right = !challenge.empty() && well_formed_verifier(verifier) &&
                     secret_equal(base64url(sha256(verifier)), challenge);
  if (!right) return Error(Code::invalid_grant, "Failed to verify code verifier", "pkce");
  return {};
}

}  // namespace mandate::oauth
