// The front channel: /authorize, /authorize/resume, /authorize/consent (identity-wire 1.1, 1.8; OIDC Core
// §3).
#pragma once

#include "http/request.h"
#include "http/response.h"
#include "oauth/deps.h"

namespace mandate::oauth {

/// GET|POST /authorize. Checks, then a person and consent, then the answer; what is missing is asked for
/// elsewhere and comes back at /authorize/resume.
Task<http::Response> authorize(const Deps& deps, http::Request& request);

/// GET /authorize/resume?state=…: the login steps wrote what they learnt; decide again.
Task<http::Response> resume(const Deps& deps, http::Request& request);

/// POST /authorize/consent: the person said yes or no.
Task<http::Response> consent(const Deps& deps, http::Request& request);

}  // namespace mandate::oauth
