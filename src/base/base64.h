// Base64 in both alphabets (RFC 4648 §4, §5) and hex.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mandate {

/// base64url without padding, the form of JOSE.
std::string base64url(std::string_view bytes);
void append_base64url(std::string& out, std::string_view bytes);
/// Strict: alphabet of §5 only, no padding, no blanks, unused bits zero. nullopt otherwise.
std::optional<std::string> base64url_decode(std::string_view text);

/// Standard base64 with padding.
std::string base64(std::string_view bytes);
/// Lenient: either alphabet, padding optional. For what old clients send (identity-wire 0.7, mobile-backend-wire 4.6).
std::optional<std::string> base64_any_decode(std::string_view text);

std::string to_hex(std::string_view bytes);
std::optional<std::string> from_hex(std::string_view text);

}  // namespace mandate
