// Which passwords are good enough (AC-9; NIST SP 800-63B §3.1.1: length and known ones, no composition rules).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "http/response.h"

namespace mandate::identity {

inline constexpr std::size_t kShortestPassword = 8;   ///< characters
inline constexpr std::size_t kLongestPassword = 256;  ///< bytes; every one counts

enum class PasswordFault { too_short, too_long, bad_characters, common, user_data };

/// The first fault of `password`, if any. `about` are the person's own words: e-mail, user name, names.
std::optional<PasswordFault> password_fault(std::string_view password, std::span<const std::string> about);

/// True for a password from the lists that attackers try first, also with other case, digits for letters and digits or
/// signs at the end.
bool common_password(std::string_view password);

/// A sentence for the person.
std::string_view sentence(PasswordFault fault);

/// 400 in the shape the SDKs read (identity-wire 0.6): name PasswordStrengthError, PasswordDictionaryError or
/// PasswordNoUserInfoError, code invalid_password; for the first `description` is an object with rules.
http::Response password_fault_response(PasswordFault fault);

}  // namespace mandate::identity
