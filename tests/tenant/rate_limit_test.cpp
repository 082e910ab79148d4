#include <gtest/gtest.h>

#include "tenant/rate_limit.h"

namespace mandate::tenant {
namespace {

using namespace std::chrono_literals;

TEST(RateLimiter, LetsThroughWhatTheBucketHoldsAndThenRefuses) {
  ManualClock clock;
  RateLimiter limiter(clock);
  for (int i = 0; i < 10; ++i) {
    const auto answer = limiter.take("delegation", "ip|user", 10);
    EXPECT_TRUE(answer.allowed) << i;
    EXPECT_EQ(answer.remaining, 9 - i);
    EXPECT_EQ(answer.limit, 10);
    EXPECT_EQ(answer.retry_after, 0);
  }
  const auto refused = limiter.take("delegation", "ip|user", 10);
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.remaining, 0);
  EXPECT_EQ(refused.retry_after, 6);
  EXPECT_EQ(refused.reset, clock.now_seconds() + 60);
}

TEST(RateLimiter, RefillsEvenly) {
  ManualClock clock;
  RateLimiter limiter(clock);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(limiter.take("b", "k", 10).allowed);
  clock.advance(5999ms);
  EXPECT_FALSE(limiter.take("b", "k", 10).allowed);
  clock.advance(1ms);
  EXPECT_TRUE(limiter.take("b", "k", 10).allowed);
  EXPECT_FALSE(limiter.take("b", "k", 10).allowed);
  clock.advance(60s);
  EXPECT_EQ(limiter.take("b", "k", 10).remaining, 9);
  clock.advance(24h);
  EXPECT_EQ(limiter.take("b", "k", 10).remaining, 9) << "no more than a bucket is saved up";
}

TEST(RateLimiter, KeepsKeysAndBucketsApart) {
  ManualClock clock;
  RateLimiter limiter(clock);
  EXPECT_TRUE(limiter.take("b", "k", 1).allowed);
  EXPECT_FALSE(limiter.take("b", "k", 1).allowed);
  EXPECT_TRUE(limiter.take("b", "other", 1).allowed);
  EXPECT_TRUE(limiter.take("c", "k", 1).allowed);
  EXPECT_TRUE(limiter.take("bk", "", 1).allowed);
}

TEST(RateLimiter, ForgetsTheLeastRecentlyUsedFirst) {
  ManualClock clock;
  RateLimiter limiter(clock, 3);
  for (const char* key : {"a", "b", "c"}) EXPECT_TRUE(limiter.take("x", key, 1).allowed);
  EXPECT_FALSE(limiter.take("x", "a", 1).allowed);  // a is now the most recent
  EXPECT_TRUE(limiter.take("x", "d", 1).allowed);   // b makes room
  EXPECT_FALSE(limiter.take("x", "a", 1).allowed);
  EXPECT_FALSE(limiter.take("x", "c", 1).allowed);
  EXPECT_TRUE(limiter.take("x", "b", 1).allowed);
}

TEST(RateLimiter, AClockThatStandsStillNeverGivesMore) {
  ManualClock clock;
  RateLimiter limiter(clock);
  int allowed = 0;
  for (int i = 0; i < 1000; ++i) allowed += limiter.take("b", "k", 7).allowed;
  EXPECT_EQ(allowed, 7);
}

TEST(RateLimiter, ThreadsTogetherGetNoMoreThanTheBucket) {
  ManualClock clock;
  RateLimiter limiter(clock);
  std::atomic<int> allowed = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) allowed += limiter.take("b", "k", 50).allowed;
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(allowed, 50);
}

TEST(RateLimiter, HeadersTellClients) {
  http::Response response(200);
  add_rate_headers(response, {true, 10, 9, 1'700'000'006, 0});
  EXPECT_EQ(response.headers.get("X-RateLimit-Limit"), "10");
  EXPECT_EQ(response.headers.get("X-RateLimit-Remaining"), "9");
  EXPECT_EQ(response.headers.get("X-RateLimit-Reset"), "1700000006");
  EXPECT_FALSE(response.headers.has("Retry-After"));
  add_rate_headers(response, {false, 10, 0, 1'700'000'060, 6});
  EXPECT_EQ(response.headers.get("Retry-After"), "6");
}

}  // namespace
}  // namespace mandate::tenant
