// The last lines that table scripts wrote with console.log and its sisters, for `mandate script logs`.
#pragma once

#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace mandate::tenant {

/// In memory and bounded: the oldest lines go first. Thread-safe.
class ScriptLog {
 public:
  struct Line {
    std::uint64_t number = 0;  ///< grows by one with each line
    Millis time = 0;
    std::string tenant, service, source;  ///< source: "table/TodoItem.insert.js"
    std::string level, text;              ///< text ≤ 10,000 bytes, whole characters
  };

  explicit ScriptLog(const Clock& clock, std::size_t lines = 2000) : clock_(clock), most_(lines) {}

  void write(std::string_view tenant, std::string_view service, std::string_view source, std::string_view level, std::string_view text);
  /// Lines of this tenant with a number > `after`, oldest first; empty `service` or `source` = any.
  std::vector<Line> read(std::string_view tenant, std::string_view service, std::string_view source, std::uint64_t after) const;

 private:
  const Clock& clock_;
  const std::size_t most_;
  mutable std::mutex mutex_;
  std::deque<Line> lines_;
  std::uint64_t last_ = 0;
};

}  // namespace mandate::tenant
