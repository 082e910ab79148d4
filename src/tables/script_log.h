// Lines of scripts, kept for `mandate script logs`. No call ever waits for them.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "store/pieces.h"

namespace mandate::tables {

struct ScriptLine {
  Millis at = 0;
  std::string service;
  std::string source;  ///< "/table/TodoItem.insert.js"
  std::string level;   ///< log, info, warn, error
  std::string text;
};

/// Thread-safe. Lines go to the server's log at once and to table script_logs behind the callers' backs, many in one
/// transaction. When the store is slower than the scripts talk, the newest lines are dropped and counted.
class ScriptLog {
 public:
  /// `place`: a number that differs from node to node, so that two of them seldom want the same line number.
  ScriptLog(const Clock& clock, Log& log, Metrics& metrics, std::uint64_t place = 0);

  /// On a loop; the store must live as long as that loop.
  void add(store::Store& store, ScriptLine line);

  /// Nothing is on its way to a store: what a shutdown waits for, after the last script.
  bool idle() const;

  /// The last `limit` lines, oldest first; of one service or source when they are not empty.
  static Task<std::vector<ScriptLine>> last(store::Store& store, std::string service, std::string source, std::int64_t limit);

  /// The lines of a service that goes.
  static store::Bunch forgetting(const std::string& service);

  static constexpr std::size_t kMostWaiting = 2000;
  static constexpr std::int64_t kMostKept = 10'000;

 private:
  struct Waiting {
    std::deque<ScriptLine> lines;
    bool writing = false;
    std::size_t since_trim = 0;
  };
  Task<void> write(store::Store& store);
  Task<void> trim(store::Store& store);
  Task<void> keep(store::Store& store, std::vector<ScriptLine> lines);
  std::int64_t next_sequence();

  const Clock& clock_;
  const std::int64_t place_;  ///< among the thousand line numbers of a millisecond
  Log& log_;
  Counter &lines_, &dropped_;
  mutable std::mutex mutex_;
  std::map<store::Store*, Waiting> waiting_;
  std::int64_t last_sequence_ = 0;
};

}  // namespace mandate::tables
