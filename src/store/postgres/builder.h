// Makes indexes of large tables without keeping who reads and writes them: CREATE INDEX CONCURRENTLY, one after the other, on a
// thread and a connection of its own. What fails for a passing reason is tried again, later each time.
#pragma once

#include <condition_variable>
#include <thread>

#include "store/postgres/core.h"

namespace mandate::store::postgres {

class Builder {
 public:
  explicit Builder(Core& core);
  /// Ends the wait for what is being made; the server makes it to its end.
  ~Builder();

  /// Makes these of the table behind the caller's back, beside those that it was asked for before. Thread-safe.
  void add(const std::string& tenant, const std::string& table, std::vector<IndexSpec> indexes);
  /// What of this table has not begun is not made. Gives what was still to be made.
  std::vector<IndexSpec> forget(const std::string& tenant, const std::string& table);

 private:
  using Place = std::pair<std::string, std::string>;  ///< tenant, table
  struct Wanted {
    std::vector<IndexSpec> indexes;
    int failures = 0;
    std::chrono::steady_clock::time_point due{};
  };

  void work();
  /// The first of what is due; nullopt at the end.
  std::optional<Place> next(Wanted& wanted);
  bool is_wanted(const Place& place, const IndexSpec& spec);
  /// `done`: nobody needs to come back to these. `postponed`: why the others are tried again.
  void settle(const Place& place, const std::vector<IndexSpec>& done, const Result<void>& postponed);

  Core& core_;
  Gauge& waiting_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Place, Wanted> wanted_;
  bool over_ = false;
  int wake_;  ///< eventfd: the end
  std::thread thread_;
};

}  // namespace mandate::store::postgres
