// Token buckets by name and key, and the header trio that tells clients about them (identity-wire 0.7).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "http/response.h"

namespace mandate::tenant {

/// Thread-safe, bounded in memory: the least recently used buckets are forgotten first.
class RateLimiter {
 public:
  explicit RateLimiter(const Clock& clock, std::size_t most_buckets = 100'000);
  ~RateLimiter();
  struct Answer {
    bool allowed = true;
    int limit = 0, remaining = 0;
    std::int64_t reset = 0;   ///< epoch seconds when the bucket is full again
    int retry_after = 0;      ///< seconds; 0 when allowed
  };
  /// Takes one from the bucket (`bucket`, `key`), which holds `per_minute` and refills evenly.
  Answer take(std::string_view bucket, std::string_view key, int per_minute);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// X-RateLimit-Limit, -Remaining, -Reset; Retry-After too when refused.
void add_rate_headers(http::Response& response, const RateLimiter::Answer& answer);

}  // namespace mandate::tenant
