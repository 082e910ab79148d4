// The grants of this room. Higher rooms hand in more (token/grant.h).
#pragma once

#include <memory>
#include <vector>

#include "oauth/deps.h"
#include "oauth/token/grant.h"

namespace mandate::oauth {

std::unique_ptr<Grant> authorization_code_grant(const Deps& deps);
std::unique_ptr<Grant> refresh_token_grant(const Deps& deps);
std::unique_ptr<Grant> client_credentials_grant(const Deps& deps);
/// `with_realm`: the password-realm extension, which names its connection.
std::unique_ptr<Grant> password_grant(const Deps& deps, bool with_realm);

}  // namespace mandate::oauth
