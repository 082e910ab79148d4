// The doors of the oauth room.
#pragma once

#include <memory>
#include <vector>

#include "http/router.h"
#include "oauth/deps.h"
#include "oauth/migrations.h"
#include "oauth/token/grant.h"

namespace mandate::oauth {

/// Hangs up every endpoint of the room. `grants` are grant types of higher rooms (delegation: token
/// exchange).
void mount(http::Routes& routes, const Deps& deps, std::vector<std::unique_ptr<Grant>> grants = {});

}  // namespace mandate::oauth
