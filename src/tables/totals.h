// How many rows a condition has, counted seldom (docs/adr/0013).
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/task.h"
#include "store/store.h"

namespace mandate::tables {

/// Thread-safe. A total is counted once for each state of a table: pages that follow each other, and clients that ask the
/// same, share it. Where counting takes longer than kCheap and the table changes all the while, a total may be as old as
/// kShare times what it cost, but not older than kOldest: counting then takes a part of the time, not all of it. A total that
/// is cheap to count is never old.
class Totals {
 public:
  static constexpr std::chrono::milliseconds kCheap{5}, kOldest{2000};
  static constexpr int kShare = 10;

  Totals(const Clock& clock, Metrics& metrics);

  /// Rows of the plan without its limit and offset, by itself: the plan's order, select and page do not matter.
  /// Everything else that decides which rows there are is in its `where` and `owner`.
  Task<std::int64_t> of(store::Store& store, store::Plan plan);

 private:
  struct Total {
    std::int64_t rows = 0;
    std::uint64_t state = 0;   ///< Store::changes when the counting began; meaningless without
    std::chrono::steady_clock::time_point begun{};
    std::chrono::steady_clock::duration cost{};
  };
  using Key = std::pair<const store::Store*, std::string>;
  static constexpr std::size_t kKept = 2000;

  const Clock& clock_;
  Counter &counted_, &kept_hits_;
  std::mutex mutex_;
  std::map<Key, Total> totals_;
};

}  // namespace mandate::tables
