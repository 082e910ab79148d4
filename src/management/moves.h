// The move of a running house's data to another engine. The wiring brings the implementation.
#pragma once

#include <string>

#include "base/json.h"

namespace mandate::management {

/// Thread-safe; nothing here waits.
class Moves {
 public:
  virtual ~Moves() = default;
  /// Begins, on a thread of its own. `from` must be where this house's data is; `schema` is PostgreSQL's. conflict when a
  /// move is under way, invalid_request for a place that cannot be read or is not this house's.
  virtual Result<void> start(const std::string& from, const std::string& to, const std::string& schema) = 0;
  /// {"state":"none|moving|moved|failed","lines":[…],"next":N,"problem":"…"}: what was said from line `after` on.
  virtual JsonObject progress(std::size_t after) const = 0;
};

}  // namespace mandate::management
