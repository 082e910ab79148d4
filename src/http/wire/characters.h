// The character classes of RFC 9110 §5.6.2 and RFC 9112.
#pragma once

#include <array>
#include <string_view>

namespace mandate::http::wire {

inline constexpr std::array<bool, 256> kTokenCharacters = [] {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = true;
  return table;
}();

inline bool is_token(std::string_view text) {
  for (char c : text)
    if (!kTokenCharacters[static_cast<unsigned char>(c)]) return false;
  return !text.empty();
}

/// VCHAR, SP, HTAB and obs-text: what a field value may hold.
inline bool is_field_value(std::string_view text) {
  bool fits = true;  // without a way out of the loop, so that it runs over many bytes at once
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    fits &= ((byte >= 0x20) | (byte == '\t')) & (byte != 0x7F);
  }
  return fits;
}

inline std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

inline int hex_digit(char c) {
  return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

}  // namespace mandate::http::wire
