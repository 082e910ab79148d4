// What another node, or whoever wrote into the table, says was taken under rate limits: never more than it says, never less
// than nothing, and what we write is read back.
#include <cstdlib>

#include "tenant/shared_rates.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mandate::tenant;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::vector<RateLimiter::Taken> taken = rate_news_of(text);
  if (taken.size() > size / 6 + 1) std::abort();  // "0 1 1;"
  for (const RateLimiter::Taken& each : taken)
    if (each.count <= 0 || each.per_minute <= 0) std::abort();
  const std::vector<RateLimiter::Taken> again = rate_news_of(rate_news_text(taken));
  if (again.size() != taken.size()) std::abort();
  for (std::size_t i = 0; i < taken.size(); ++i)
    if (again[i].bucket != taken[i].bucket || again[i].count != taken[i].count || again[i].per_minute != taken[i].per_minute) std::abort();
  // The buckets bear it.
  const mandate::ManualClock clock;
  RateLimiter limiter(clock, 64);
  limiter.share();
  for (const RateLimiter::Taken& each : taken) limiter.heard(each, std::chrono::milliseconds(each.bucket % 60'000));
  (void)limiter.take("token", "somebody", 30);
  (void)limiter.untold(100);
  return 0;
}
