// The old SDKs' spellings: /oauth/ro and /tokeninfo (identity-wire 1.18, 1.14). Behind the switches of 0.8.
#pragma once

#include "http/request.h"
#include "http/response.h"
#include "oauth/deps.h"

namespace mandate::oauth::wire {

/// POST /oauth/ro: a password becomes tokens. The answer is one flat object of texts (0.3 #5).
Task<http::Response> oauth_ro(const Deps& deps, http::Request& request);

/// GET|POST /tokeninfo: an id_token becomes its person's full profile.
Task<http::Response> tokeninfo(const Deps& deps, http::Request& request);

}  // namespace mandate::oauth::wire
