// What a token of the old runtime says of its person at the provider: urn:microsoft:credentials (mobile-backend-wire 4.1, 4.8).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"

namespace mandate::identity {

inline constexpr std::string_view kCredentialsClaim = "urn:microsoft:credentials";

/// `json` as version 2 of the claim: AES-256-CBC, base64, key and IV by one round of MD5 from the master key. Hides, does
/// not protect: the reader is an old runtime that knows nothing better.
std::string encrypt_credentials(std::string_view master_key, std::string_view json);
/// Absent when it is not ours or was made with another key.
std::optional<JsonObject> decrypt_credentials(std::string_view master_key, std::string_view text);

/// The key by which scripts know a provider: "facebook", "google", "twitter", "microsoft", "aad", else its own name in
/// lower case. `user_id` is the service's: "Facebook:123".
std::string identity_key(std::string_view user_id);

/// What getIdentities() of a script gives for a token with these claims: {facebook:{userId,accessToken}} for version 2, the
/// claim as it is for older ones; absent when the claim is.
std::optional<JsonObject> identities_in(const JsonObject& claims, std::string_view user_id, std::string_view master_key);

}  // namespace mandate::identity
