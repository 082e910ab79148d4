// GET /health, /ok, /test: is the door open. Says nothing about the inside (AD-3).
#pragma once

#include "http/router.h"

namespace mandate::server {

void mount_health(http::Routes& routes);

}  // namespace mandate::server
