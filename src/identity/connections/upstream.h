// What the files of providers share: how their answers are read, doubted and blamed. Internal to the folder.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "identity/connections/oauth2.h"

namespace mandate::identity {

inline constexpr std::string_view kAgent = "mandate";

/// invalid_token: an answer that makes nobody a person (SE-6).
Error not_to_trust(std::string detail);
/// upstream_error: the provider does not work.
Error not_working(std::string detail);

/// A provider's own words are shown to people and logged: printable ASCII, one line, not long.
std::string tamed(std::string_view text);

/// The first of `names` that is a text with something in it; else empty.
std::string text_of(const JsonObject& object, std::initializer_list<std::string_view> names);

/// The id member as text: a text of 1 to 255 printable bytes, or a whole number where `number_allowed`.
/// invalid_token otherwise: no account is made for a person without a proper id (SE-6).
Result<std::string> upstream_id(const Json* value, bool number_allowed);

/// A person by the names of OpenID Connect Core §5.1. invalid_token without a proper id in `id_member`.
Result<Profile> profile_of(const JsonObject& claims, std::string_view id_member);

/// `token_url`'s answer, JSON or the form encoding that some providers still use. invalid_token: the code or token was
/// not taken; upstream_error for everything else that is no access token.
Result<ProviderTokens> tokens_of(const http::Fetched& answer, Millis now);

/// An authentication token of Windows Live (mobile-backend-wire 4.2): HS256 with SHA-256(client secret + "JWTSig"), `uid`.
Result<Profile> live_profile(std::string_view token, const Secret& client_secret, std::int64_t now);

}  // namespace mandate::identity
