#include "tenant/rate_limit.h"

#include <cmath>
#include <list>

namespace mandate::tenant {

namespace {

struct Bucket {
  std::string name;
  double tokens = 0;
  std::chrono::steady_clock::time_point filled;
};

/// Neighbours that do not wait for one another.
struct Shard {
  std::mutex mutex;
  std::list<Bucket> recent;  ///< most recently used first
  std::unordered_map<std::string_view, std::list<Bucket>::iterator> by_name;  ///< views into `recent`
};

constexpr std::size_t kShards = 16;

}  // namespace

struct RateLimiter::Impl {
  Impl(const Clock& c, std::size_t most)
      : clock(c), shards(most < 64 * kShards ? 1 : kShards), most_per_shard(std::max<std::size_t>(1, most / shards.size())) {}

  const Clock& clock;
  std::vector<Shard> shards;
  std::size_t most_per_shard;
};

RateLimiter::RateLimiter(const Clock& clock, std::size_t most_buckets) : impl_(std::make_unique<Impl>(clock, most_buckets)) {}
RateLimiter::~RateLimiter() = default;

RateLimiter::Answer RateLimiter::take(std::string_view bucket, std::string_view key, int per_minute) {
  const double capacity = std::max(1, per_minute);
  std::string name(bucket);
  name += '\0';
  name += key;
  Shard& shard = impl_->shards[std::hash<std::string_view>{}(name) % impl_->shards.size()];
  const auto now = impl_->clock.steady();

  const std::lock_guard lock(shard.mutex);
  auto found = shard.by_name.find(name);
  if (found == shard.by_name.end()) {
    if (shard.recent.size() >= impl_->most_per_shard) {
      shard.by_name.erase(shard.recent.back().name);
      shard.recent.pop_back();
    }
    shard.recent.push_front({std::move(name), capacity, now});
    found = shard.by_name.emplace(shard.recent.front().name, shard.recent.begin()).first;
  } else {
    shard.recent.splice(shard.recent.begin(), shard.recent, found->second);
  }

  Bucket& b = *found->second;
  const double elapsed = std::chrono::duration<double>(now - b.filled).count();
  b.tokens = std::min(capacity, b.tokens + std::max(0.0, elapsed) * capacity / 60.0);
  b.filled = now;

  Answer answer;
  answer.limit = static_cast<int>(capacity);
  // A hair of tolerance: 60 s of refill in floating point must be a whole bucket again.
  answer.allowed = b.tokens > 1 - 1e-9;
  if (answer.allowed) b.tokens = std::max(0.0, b.tokens - 1);
  answer.remaining = static_cast<int>(b.tokens + 1e-9);
  const double seconds_per_token = 60.0 / capacity;
  answer.reset = impl_->clock.now_seconds() + static_cast<std::int64_t>(std::ceil((capacity - b.tokens) * seconds_per_token - 1e-9));
  if (!answer.allowed) answer.retry_after = std::max(1, static_cast<int>(std::ceil((1 - b.tokens) * seconds_per_token - 1e-9)));
  return answer;
}

void add_rate_headers(http::Response& response, const RateLimiter::Answer& answer) {
  response.headers.set("X-RateLimit-Limit", std::to_string(answer.limit));
  response.headers.set("X-RateLimit-Remaining", std::to_string(answer.remaining));
  response.headers.set("X-RateLimit-Reset", std::to_string(answer.reset));
  if (!answer.allowed) response.headers.set("Retry-After", std::to_string(answer.retry_after));
}

}  // namespace mandate::tenant
