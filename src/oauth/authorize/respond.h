// The end of an authorization: through the gate, and what was asked for goes to the client.
#pragma once

#include "oauth/authorize/asked.h"
#include "oauth/deps.h"

namespace mandate::oauth {

/// Code and tokens for this person and session, sent as the request wants. Refusals of the gate go to the
/// client too. `status` is that of a redirect.
Task<http::Response> respond(const Deps& deps, const http::Request& request, const Asked& asked,
                             const identity::User& user, const identity::Session& session, int status);

}  // namespace mandate::oauth
