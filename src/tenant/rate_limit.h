// Token buckets by name and key, and the header trio that tells clients about them (identity-wire 0.7).
//
// Each node has buckets of its own and asks nobody. Where several nodes serve, they tell each other every moment what
// they took (shared_rates.h), and each takes it out of its own buckets as well; the error is stated there.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "http/response.h"

namespace mandate::tenant {

/// Thread-safe, bounded in memory: the least recently used buckets are forgotten first. Buckets are known by a keyed hash
/// of their names, so that neither memory nor store tells which addresses came.
class RateLimiter {
 public:
  /// `secret`: the key of the hash, the same on all nodes that share; of any length.
  explicit RateLimiter(const Clock& clock, std::size_t most_buckets = 100'000, std::string_view secret = {});
  ~RateLimiter();
  struct Answer {
    bool allowed = true;
    int limit = 0, remaining = 0;
    std::int64_t reset = 0;   ///< epoch seconds when the bucket is full again
    int retry_after = 0;      ///< seconds; 0 when allowed
  };
  /// Takes one from the bucket (`bucket`, `key`), which holds `per_minute` and refills evenly.
  Answer take(std::string_view bucket, std::string_view key, int per_minute);

  /// So much was let through by one node; what nodes tell each other.
  struct Taken {
    std::uint64_t bucket = 0;
    int count = 0, per_minute = 0;
  };
  /// From now on what is taken is noted for others. Until then nothing is.
  void share() { shared_ = true; }
  /// What the others have not heard, at most so many buckets: those from which a sixteenth of what they hold, and at least
  /// one, was taken and has not refilled. Counts as told from now on.
  std::vector<Taken> untold(std::size_t most);
  /// They could not be told.
  void not_told(const std::vector<Taken>& taken);
  /// Another node let it through, so long ago.
  void heard(const Taken& taken, std::chrono::milliseconds ago = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  std::atomic<bool> shared_{false};
};

/// X-RateLimit-Limit, -Remaining, -Reset; Retry-After too when refused.
void add_rate_headers(http::Response& response, const RateLimiter::Answer& answer);

}  // namespace mandate::tenant
