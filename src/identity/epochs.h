// The epochs a token was made under: what a password change, a block or a restore reaches it by (TK-10).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/json.h"

namespace mandate::identity {

struct Epochs {
  std::uint64_t tenant = 0;
  std::int64_t user = 0;
};

/// "tenant.user", the text of kEpochClaim (identity/bearer.h).
std::string to_text(const Epochs& epochs);

/// What kEpochClaim says; empty when the claim is absent or has a spelling that is not ours.
std::optional<Epochs> epochs_of(const JsonObject& claims);

}  // namespace mandate::identity
