// How well a login proved the person: the authentication context classes we can reach (OIDC Core §2, acr).
#pragma once

#include <string_view>

namespace mandate::oauth::acr {

/// A password, or whatever another provider asked for. Every login is one of these until there is a second factor.
inline constexpr std::string_view kOneFactor = "urn:mandate:acr:one-factor";

}  // namespace mandate::oauth::acr
