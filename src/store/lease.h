// A duty that one node at a time has: jobs, sweeps. Kept as one row of the store that all nodes share.
//
// No clock of one node is ever compared with another's. A holder renews the row; who wants the lease takes it when the
// row has stood still for longer than the lease's length on the watcher's own monotonic clock. The holder counts from
// before it sent the renewal, the watcher from after it saw it, so the holder has always given up first.
#pragma once

#include <chrono>
#include <string>

#include "base/clock.h"
#include "store/store.h"

namespace mandate::store {

/// On one loop; one call of keep() or give_back() at a time. Ask held() before every step of the work: a process that was
/// stopped and goes on finds out there. Where a step that slips through between the asking and its commit would do
/// harm, put fenced() first in its batch.
class Lease {
 public:
  /// `holder` names this node, another name with every start. `length`: how long the work rests at most when the holder
  /// dies, plus a quarter, plus the pause between two calls of keep().
  Lease(std::string name, std::string holder, std::chrono::milliseconds length, const Clock& clock);

  /// Takes, renews or watches, whichever is due; true when held. To be called at least three times in `length`; costs a
  /// round trip when it watches, and when a third of the length has passed since the last renewal.
  Task<bool> keep(Store& store);
  /// Whether nobody else can have it yet, by this node's own clock.
  bool held() const { return clock_.steady() < until_; }
  /// A mutation that fails its batch with `otherwise` unless the lease is ours at the commit. The batch must go to the
  /// store that keep() was given.
  Mutation fenced(Code otherwise = Code::conflict) const;
  /// The number of this holding: greater than that of any holder before.
  std::int64_t fence() const { return fence_; }
  /// Lets the next one begin at once; without it they wait until the row has stood still for long enough.
  Task<void> give_back(Store& store);

 private:
  using Moment = std::chrono::steady_clock::time_point;
  struct Seen {
    std::string holder;
    std::int64_t fence = 0, beat = 0;
    bool operator==(const Seen&) const = default;
  };
  ExprPtr mine() const;
  Task<bool> renew(Store& store, Moment now);
  Task<bool> take(Store& store, Moment now, Seen from);
  Task<bool> make(Store& store, Moment now);
  bool got(Moment since, std::int64_t fence);

  const std::string name_, holder_;
  const std::chrono::milliseconds length_;
  const Clock& clock_;
  Moment until_ = Moment::min();
  std::int64_t fence_ = 0, beat_ = 0;
  Seen seen_;               ///< somebody else's row as it stood last time
  Moment seen_at_ = Moment::min();
};

}  // namespace mandate::store
