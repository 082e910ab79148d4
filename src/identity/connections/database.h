// Database connections: people whose passwords we keep. What their settings say.
#pragma once

#include <string>
#include <string_view>

#include "tenant/tenant.h"

namespace mandate::identity {

struct DatabaseOptions {
  bool disable_signup = false;
  bool requires_username = false;
};
DatabaseOptions database_options(const tenant::Connection& connection);

/// Success when it could be an e-mail address: one '@', something on both sides, a domain of labels, at most 254 bytes.
/// A mail that arrives is the only real proof.
bool plausible_email(std::string_view text);

/// A user name: 1 to 128 characters, no '@', so that nobody takes an address for a name.
bool plausible_username(std::string_view text);

}  // namespace mandate::identity
