// Rate limits over several nodes, without a round trip for any request.
//
// Every kEvery a node writes one row with what it took from its buckets and the others have not heard, if anything, and
// reads the rows of the others; what they took goes out of its buckets too. A bucket is told of when a sixteenth of what
// it holds was taken (each single one below 32 a minute).
//
// The error: in any minute n nodes together let through at most
//     the limit + (n − 1) × (a sixteenth of the limit + what one node lets through in kHeardWithin)
// and never more than n × the limit. What was let through too much is paid back: the buckets go below zero. A node that
// cannot reach the store limits by what it knows.
#pragma once

#include <chrono>
#include <string>

#include "store/store.h"
#include "tenant/rate_limit.h"

namespace mandate::tenant {

/// On one loop, one call at a time.
class SharedRates {
 public:
  static constexpr std::chrono::milliseconds kEvery{250};
  /// Two of them and two round trips.
  static constexpr std::chrono::milliseconds kHeardWithin{600};

  /// `node`: another name with every start. `system`: the store that lists the tenants.
  SharedRates(RateLimiter& limiter, store::Store& system, std::string node, const Clock& clock);

  /// Tells and listens once: a write when there is something to tell, and a read. The first time hears what the last
  /// minute brought, so that a restart forgets nothing.
  Task<void> exchange();

 private:
  Task<void> tell();
  Task<void> listen();

  RateLimiter& limiter_;
  store::Store& system_;
  const std::string node_;
  const Clock& clock_;
  bool begun_ = false;
  Millis heard_ = 0;  ///< the Stamp of the last row read
};

/// Removes what no bucket remembers any more; two minutes by the rows' own time. Any node may.
Task<void> sweep_rate_news(store::Store& system);

/// The text of a row, and back; what cannot be read is left out. "bucket count per_minute;…", the bucket in hexadecimal.
std::string rate_news_text(const std::vector<RateLimiter::Taken>& taken);
std::vector<RateLimiter::Taken> rate_news_of(std::string_view text);

}  // namespace mandate::tenant
