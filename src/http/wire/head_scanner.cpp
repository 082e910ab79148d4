#include <cstring>

#include "http/wire/head.h"

namespace mandate::http::wire {

HeadScanner::Step HeadScanner::scan(std::string_view bytes, const HeadLimits& limits) {
  for (;;) {
    const char* from = bytes.data() + seen_;
    const auto* feed = static_cast<const char*>(std::memchr(from, '\n', bytes.size() - seen_));
    const std::size_t stop = feed ? static_cast<std::size_t>(feed - bytes.data()) : bytes.size();
    const std::size_t length = stop - line_;
    if (first_end_ == 0 && length > limits.request_line) return refuse(414);
    if (first_end_ != 0 && stop - first_end_ > limits.header_bytes) return refuse(431);
    // A CR anywhere but right before the LF; the last byte so far may still be that one.
    const auto* carriage = static_cast<const char*>(std::memchr(from, '\r', stop - seen_));
    if (carriage && static_cast<std::size_t>(carriage - bytes.data()) + 1 < stop) return refuse(400);
    if (!feed) {
      // Look at a final CR again when its successor is here.
      seen_ = carriage ? stop - 1 : stop;
      return Step::incomplete;
    }
    if (length == 0 || bytes[stop - 1] != '\r') return refuse(400);
    line_ = seen_ = stop + 1;
    if (first_end_ == 0) {
      if (length > 1) first_end_ = line_;
      else if (begin_ == 0) begin_ = line_;  // RFC 9112 §2.2: one empty line before the request line
      else return refuse(400);
    } else if (length == 1) {
      return Step::complete;
    } else if (++fields_ > limits.header_fields) {
      return refuse(431);
    }
  }
}

}  // namespace mandate::http::wire
