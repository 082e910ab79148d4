// How a person looks to apps: the rules for the fields that are always there (identity-wire 4.1).
#pragma once

#include "identity/users.h"

namespace mandate::identity {

/// Full name, else given and family name, else e-mail, user name, nickname.
std::string name_of(const User& user);
/// The provider's login name, else the part of the e-mail before '@', else the id after the last bar.
std::string nickname_of(const User& user);
/// The provider's picture, else gravatar's, which draws initials for those it does not know.
std::string picture_of(const User& user);

/// `url` when it is http or https with a host, else empty: `javascript:` and friends never get in (SE-4).
std::string safe_link(std::string_view url);
/// Names that an upstream extra must not take.
bool reserved_profile_name(std::string_view name);

}  // namespace mandate::identity
