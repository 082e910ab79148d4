// Text cut to a length that a row, an answer or a log line can bear.
#pragma once

#include <cstddef>
#include <string_view>

namespace mandate {

/// The first `most` bytes of UTF-8 at most, never half a character. Text that is no UTF-8 may come out shorter.
inline std::string_view cut(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  return text.substr(0, most);
}

}  // namespace mandate
