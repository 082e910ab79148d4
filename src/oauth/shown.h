// What a stranger sent, cut to a length that an answer and a log line can bear.
#pragma once

#include <string>
#include <string_view>

#include "base/text.h"

namespace mandate::oauth {

/// At most `most` bytes of UTF-8, never half a character; "…" marks what was cut.
inline std::string shown(std::string_view text, std::size_t most = 100) {
  if (text.size() <= most) return std::string(text);
  return std::string(cut(text, most)) + "…";
}

}  // namespace mandate::oauth
