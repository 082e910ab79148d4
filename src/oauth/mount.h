// The doors of the oauth room.
#pragma once

#include <memory>
#include <vector>

#include "http/router.h"
#include "oauth/deps.h"
#include "identity/bearer.h"
#include "identity/connections/connection.h"
#include "oauth/migrations.h"
#include "oauth/token/grant.h"

namespace mandate::oauth {

/// Hangs up every endpoint of the room. `grants` are grant types of higher rooms (delegation: token
/// exchange).
void mount(http::Routes& routes, const Deps& deps, std::vector<std::unique_ptr<Grant>> grants = {});

/// Hangs up the doors by which people log in to mobile services: /login/{provider}, /.auth/*, /crossdomain/*
/// (mobile-backend-wire 4.5, 4.6). All must outlive the routes.
void mount_service_login(http::Routes& routes, const Deps& deps, identity::Bearers& bearers,
                         const identity::Strategies& strategies);

/// POST /login with a JSON body, for identity::mount, which owns the path.
http::Handler post_json_login(const Deps& deps, identity::Bearers& bearers, const identity::Strategies& strategies);

}  // namespace mandate::oauth
