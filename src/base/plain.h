// Text of others on a terminal: it may say anything, and do nothing.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace mandate {

/// The text with everything that a terminal would obey, or that changes the direction of what is read, written out as \u009b: C0, DEL,
/// C1 and the marks of bidirectional text. Bytes that are no UTF-8 of C1 pass: they are the caller's business.
inline std::string plain(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned code = 0, size = 0;
    if (at(i) < 0x20 || at(i) == 0x7F) code = at(i), size = 1;
    if (at(i) == 0xC2 && at(i + 1) >= 0x80 && at(i + 1) < 0xA0) code = at(i + 1), size = 2;
    if (at(i) == 0xE2 && (at(i + 1) == 0x80 || at(i + 1) == 0x81)) {
      const unsigned mark = 0x2000U + ((at(i + 1) & 0x3FU) << 6U) + (at(i + 2) & 0x3FU);
      if ((mark >= 0x2028 && mark <= 0x202E) || (mark >= 0x2066 && mark <= 0x2069)) code = mark, size = 3;
    }
    if (size == 0) {
      out += text[i];
      continue;
    }
    char escaped[8];
    std::snprintf(escaped, sizeof escaped, "\\u%04x", code);
    out += escaped;
    i += size - 1;
  }
  return out;
}

}  // namespace mandate
