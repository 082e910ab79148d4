// Counting wrong passwords and locking out (AC-4). Stored, so a restart forgets nothing.
#pragma once

#include "base/clock.h"
#include "store/store.h"

namespace mandate::identity {

struct LockoutRule {
  std::int64_t most_failures = 10;
  Millis window = 24 * 3'600'000LL;  ///< failures older than this are forgotten
  Millis first_lock = 15 * 60'000LL; ///< doubles with every further round, up to `longest_lock`
  Millis longest_lock = 24 * 3'600'000LL;
};
inline constexpr LockoutRule kAccountRule{};
/// Many people may share an address, so the second rule bites later: it is against spraying.
inline constexpr LockoutRule kAddressRule{.most_failures = 100, .window = 3'600'000};

/// The time that locks go by: the wall clock at the start, moved on by the monotonic one, so that setting the clock
/// neither opens a lock nor makes one (RL-6). Thread-safe.
class LockTime {
 public:
  explicit LockTime(const Clock& clock) : clock_(clock), wall_(clock.now_ms()), steady_(clock.steady()) {}
  Millis now() const {
    return wall_ + std::chrono::duration_cast<std::chrono::milliseconds>(clock_.steady() - steady_).count();
  }

 private:
  const Clock& clock_;
  Millis wall_;
  std::chrono::steady_clock::time_point steady_;
};

/// True when `subject` is locked at `now`. A lock that ends later than any rule allows was written under another clock;
/// it then ends the longest lock from now at most.
Task<bool> locked(store::Store& store, std::string subject, Millis now);

/// For a batch that goes only while `subject` is not locked at `now`.
store::Mutation expect_unlocked(const std::string& subject, Millis now, Code otherwise);

/// Counts one failure, together with `also` (audit rows) in one batch. True when this one closed the lock;
/// too_many_attempts when it was closed already. Attempts at the same moment are counted one after the other.
Task<bool> count_failure(store::Store& store, std::string subject, LockoutRule rule, Millis now, std::vector<store::Mutation> also,
                         std::vector<store::Mutation> when_locked);

/// The mutations that go first in the batch of a success: fails the batch with too_many_attempts when the lock closed
/// while the password was being checked, else forgets the failures.
void forgive(store::Batch& batch, const std::string& subject, Millis now);

/// Subjects are kept as hashes: the table tells nobody which addresses were tried.
std::string account_subject(std::string_view connection, std::string_view account);
/// The address, or the /64 of an IPv6 address.
std::string address_subject(std::string_view peer);

}  // namespace mandate::identity
