// Proof key for code exchange. RFC 7636.
#pragma once

#include <string_view>

#include "base/result.h"

namespace mandate::oauth {

/// code-verifier = 43*128unreserved
bool well_formed_verifier(std::string_view text);

/// Success when `verifier` belongs to the S256 `challenge`, or both are empty. invalid_grant: a verifier
/// without a challenge, a challenge without a verifier, a wrong or malformed one (OA-6).
Result<void> check_verifier(std::string_view challenge, std::string_view verifier);

}  // namespace mandate::oauth
