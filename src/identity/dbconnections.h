// Sign-up for apps that bring their own form (identity-wire 1.11). Internal to the room.
#pragma once

#include "identity/mount.h"

namespace mandate::identity {

/// POST /dbconnections/signup, and its preflight. Form or JSON.
Task<http::Response> post_signup(const Deps& deps, http::Request& request);

/// GET /user/ssodata: who was here last, for widgets on the hosted page (identity-wire 1.13).
Task<http::Response> get_ssodata(const Deps& deps, http::Request& request);

}  // namespace mandate::identity
