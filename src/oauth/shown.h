// What a stranger sent, cut to a length that an answer and a log line can bear.
#pragma once

#include <string>
#include <string_view>

namespace mandate::oauth {

/// At most `most` bytes of UTF-8, never half a character; "…" marks what was cut.
inline std::string shown(std::string_view text, std::size_t most = 100) {
  if (text.size() <= most) return std::string(text);
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  return std::string(text.substr(0, most)) + "…";
}

}  // namespace mandate::oauth
