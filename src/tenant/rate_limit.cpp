#include "tenant/rate_limit.h"

#include <sodium.h>

#include <cmath>
#include <cstring>
#include <list>

#include "base/crypto.h"

namespace mandate::tenant {

namespace {

struct Bucket {
  std::uint64_t id = 0;
  double capacity = 1, tokens = 1;  ///< below zero when several nodes let through more than it held
  std::chrono::steady_clock::time_point filled;
  double untold = 0;    ///< taken here and not told to the other nodes
  bool queued = false;  ///< stands in its shard's `untold`

  void refill(std::chrono::steady_clock::time_point now, double holds) {
    capacity = holds;
    const double elapsed = std::chrono::duration<double>(now - filled).count();
    tokens = std::min(capacity, tokens + std::max(0.0, elapsed) * capacity / 60.0);
    filled = now;
  }
  /// What has refilled needs no telling.
  void forget_refilled() { untold = std::min(untold, capacity - tokens); }
  bool worth_telling() const { return untold >= std::max(1.0, capacity / 16) - 1e-9; }
};

/// Neighbours that do not wait for one another.
struct Shard {
  std::mutex mutex;
  std::list<Bucket> recent;  ///< most recently used first
  std::unordered_map<std::uint64_t, std::list<Bucket>::iterator> by_id;
  std::vector<std::uint64_t> untold;

  Bucket& bucket(std::uint64_t id, double capacity, std::chrono::steady_clock::time_point now, std::size_t most) {
    auto found = by_id.find(id);
    if (found == by_id.end()) {
      if (recent.size() >= most) {
        by_id.erase(recent.back().id);
        recent.pop_back();
      }
      recent.push_front({id, capacity, capacity, now, 0, false});
      found = by_id.emplace(id, recent.begin()).first;
    } else {
      recent.splice(recent.begin(), recent, found->second);
    }
    found->second->refill(now, capacity);
    return *found->second;
  }
  void note(Bucket& b) {
    if (b.queued || !b.worth_telling()) return;
    b.queued = true;
    untold.push_back(b.id);
  }
};

constexpr std::size_t kShards = 16;

}  // namespace

struct RateLimiter::Impl {
  Impl(const Clock& c, std::size_t most, std::string_view secret)
      : clock(c), shards(most < 64 * kShards ? 1 : kShards), most_per_shard(std::max<std::size_t>(1, most / shards.size())) {
    const std::string digest = sha256(secret);
    std::memcpy(key.data(), digest.data(), key.size());
  }

  std::uint64_t id_of(std::string_view bucket, std::string_view name) const {
    thread_local std::string text;
    text.assign(bucket);
    text += '\0';
    text += name;
    std::uint64_t id = 0;
    static_assert(sizeof id == crypto_shorthash_BYTES);
    crypto_shorthash(reinterpret_cast<unsigned char*>(&id), reinterpret_cast<const unsigned char*>(text.data()), text.size(), key.data());
    return id;
  }
  Shard& shard_of(std::uint64_t id) { return shards[id % shards.size()]; }

  const Clock& clock;
  std::array<unsigned char, crypto_shorthash_KEYBYTES> key;
  std::vector<Shard> shards;
  std::size_t most_per_shard;
};

RateLimiter::RateLimiter(const Clock& clock, std::size_t most_buckets, std::string_view secret)
    : impl_(std::make_unique<Impl>(clock, most_buckets, secret)) {}
RateLimiter::~RateLimiter() = default;

RateLimiter::Answer RateLimiter::take(std::string_view bucket, std::string_view key, int per_minute) {
  const double capacity = std::max(1, per_minute);
  const std::uint64_t id = impl_->id_of(bucket, key);
  Shard& shard = impl_->shard_of(id);
  const auto now = impl_->clock.steady();

  const std::lock_guard lock(shard.mutex);
  Bucket& b = shard.bucket(id, capacity, now, impl_->most_per_shard);
  Answer answer;
  answer.limit = static_cast<int>(capacity);
  // A hair of tolerance: 60 s of refill in floating point must be a whole bucket again.
  answer.allowed = b.tokens > 1 - 1e-9;
  if (answer.allowed) {
    b.tokens = std::max(0.0, b.tokens - 1);
    if (shared_.load(std::memory_order_relaxed)) {
      b.untold += 1;
      b.forget_refilled();
      shard.note(b);
    }
  }
  answer.remaining = std::max(0, static_cast<int>(b.tokens + 1e-9));
  const double seconds_per_token = 60.0 / capacity;
  answer.reset = impl_->clock.now_seconds() + static_cast<std::int64_t>(std::ceil((capacity - b.tokens) * seconds_per_token - 1e-9));
  if (!answer.allowed) answer.retry_after = std::max(1, static_cast<int>(std::ceil((1 - b.tokens) * seconds_per_token - 1e-9)));
  return answer;
}

std::vector<RateLimiter::Taken> RateLimiter::untold(std::size_t most) {
  std::vector<Taken> out;
  for (Shard& shard : impl_->shards) {
    const std::lock_guard lock(shard.mutex);
    while (!shard.untold.empty() && out.size() < most) {
      const auto found = shard.by_id.find(shard.untold.back());
      shard.untold.pop_back();
      if (found == shard.by_id.end()) continue;  // forgotten meanwhile
      Bucket& b = *found->second;
      b.queued = false;
      const int count = static_cast<int>(b.untold + 1e-9);
      b.untold = std::max(0.0, b.untold - count);
      if (count > 0) out.push_back({b.id, count, static_cast<int>(b.capacity)});
    }
  }
  return out;
}

void RateLimiter::not_told(const std::vector<Taken>& taken) {
  for (const Taken& each : taken) {
    Shard& shard = impl_->shard_of(each.bucket);
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.by_id.find(each.bucket);
    if (found == shard.by_id.end()) continue;
    Bucket& b = *found->second;
    b.refill(impl_->clock.steady(), b.capacity);
    b.untold += each.count;
    b.forget_refilled();
    shard.note(b);
  }
}

void RateLimiter::heard(const Taken& taken, std::chrono::milliseconds ago) {
  const double capacity = std::max(1, taken.per_minute);
  const double left = taken.count - std::chrono::duration<double>(ago).count() * capacity / 60.0;
  if (left <= 0) return;
  Shard& shard = impl_->shard_of(taken.bucket);
  const auto now = impl_->clock.steady();
  const std::lock_guard lock(shard.mutex);
  Bucket& b = shard.bucket(taken.bucket, capacity, now, impl_->most_per_shard);
  // A minute's debt at most, whatever is told: then it is as if the bucket had been emptied twice.
  b.tokens = std::max(-capacity, b.tokens - left);
}

void add_rate_headers(http::Response& response, const RateLimiter::Answer& answer) {
  response.headers.set("X-RateLimit-Limit", std::to_string(answer.limit));
  response.headers.set("X-RateLimit-Remaining", std::to_string(answer.remaining));
  response.headers.set("X-RateLimit-Reset", std::to_string(answer.reset));
  if (!answer.allowed) response.headers.set("Retry-After", std::to_string(answer.retry_after));
}

}  // namespace mandate::tenant
