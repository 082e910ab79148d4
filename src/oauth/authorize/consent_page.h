// The page that asks a person what somebody else's client may do.
#pragma once

#include "http/response.h"
#include "identity/users.h"
#include "oauth/authorize/asked.h"

namespace mandate::oauth {

/// Plain HTML without script; the form goes to /authorize/consent.
http::Response consent_page(const Asked& asked, const identity::User& user, std::string_view csrf);

}  // namespace mandate::oauth
