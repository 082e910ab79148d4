// Who is calling, as far as a token tells.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/json.h"

namespace mandate::identity {

/// Levels of mobile-backend-wire 4.7 and 4.8; a caller has the highest it proved.
enum class Level { anonymous, application, authenticated, admin };

struct Principal {
  Level level = Level::anonymous;
  std::string user_id;    ///< empty unless authenticated
  std::string provider;   ///< part of the id before ':' or '|'
  std::string client_id;  ///< the client the token was made for, when it says so
  /// The token's; null without one. Shared, because a request hands its caller on more than once.
  std::shared_ptr<const JsonObject> claims;

  /// What getIdentities() of a script gives, where the token carries it; else null.
  std::shared_ptr<const JsonObject> identities;

  /// Null when the token does not have it.
  const Json* claim(std::string_view name) const { return claims ? claims->if_contains(name) : nullptr; }
};

}  // namespace mandate::identity
