// Limits over several nodes: what they tell each other, and how far they may be wrong.
#include <gtest/gtest.h>

#include "store/fault.h"
#include "tenant/objects.h"
#include "tenant/shared_rates.h"
#include "tests/support/temp_store.h"
#include "tests/support/test_loop.h"

namespace mandate::tenant {
namespace {

using namespace std::chrono_literals;

/// Any store will do: the rows are all that is shared.
class SharedRatesTest : public ::testing::Test {
 protected:
  struct Node {
    Node(ManualClock& clock, store::Store& store, std::string name, std::string_view secret = "shared")
        : limiter(clock, 100'000, secret), rates(limiter, store, std::move(name), clock) {}
    RateLimiter limiter;
    SharedRates rates;
    int allowed = 0;
    void take(int times, int per_minute, std::string_view key = "192.0.2.1") {
      for (int i = 0; i < times; ++i) allowed += limiter.take("login", key, per_minute).allowed;
    }
  };
  void exchange(Node& node) {
    const auto done = test::run(loop, node.rates.exchange());
    EXPECT_TRUE(done.ok()) << done.error().detail;
  }
  /// What every node hears half a second later.
  void moment() {
    for (int twice = 0; twice < 2; ++twice) {
      clock.advance(SharedRates::kEvery);
      for (Node* node : {&a, &b, &c}) exchange(*node);
    }
  }
  int allowed() const { return a.allowed + b.allowed + c.allowed; }
  std::int64_t rows() {
    store::Plan plan;
    plan.table = "rate_news";
    auto found = test::run(loop, store::rows(temp.store(), plan));
    return found.ok() ? static_cast<std::int64_t>(found->size()) : -1;
  }

  test::TestLoop loop;
  test::TempStore temp{{kMigrations}};
  ManualClock& clock = temp.clock();
  Node a{clock, temp.store(), "a"}, b{clock, temp.store(), "b"}, c{clock, temp.store(), "c"};
};

TEST_F(SharedRatesTest, WhatOneNodeLetThroughIsGoneOnTheOthersWithinAMoment) {
  moment();
  a.take(10, 10);
  EXPECT_EQ(a.allowed, 10);
  moment();
  b.take(10, 10);
  c.take(10, 10);
  EXPECT_EQ(b.allowed + c.allowed, 0);
}

TEST_F(SharedRatesTest, TheErrorIsWithinWhatIsPromised) {
  constexpr int kLimit = 600;
  moment();
  // Each node is asked 40 times in a quarter of a second, for a minute: 28,800 requests.
  constexpr int kAsked = 40;
  for (int quarter = 0; quarter < 240; ++quarter) {
    for (Node* node : {&a, &b, &c}) node->take(kAsked, kLimit);
    clock.advance(SharedRates::kEvery);
    for (Node* node : {&a, &b, &c}) exchange(*node);
  }
  // The bucket's content, a minute's refill, and the error of three nodes: what one lets through in kHeardWithin is 2.4 quarters.
  constexpr double kError = 2 * (kLimit / 16.0 + kAsked * 2.4);
  EXPECT_LE(allowed(), 2 * kLimit + kError);
  EXPECT_GE(allowed(), 2 * kLimit - kError) << "no stricter than the limit either";
}

TEST_F(SharedRatesTest, AllAtOnceIsPaidBack) {
  moment();
  for (Node* node : {&a, &b, &c}) node->take(20, 10);
  EXPECT_EQ(allowed(), 30) << "nobody can have heard yet";
  moment();
  // Twenty too many: two minutes of refill pass before the next.
  clock.advance(60s);
  moment();
  for (Node* node : {&a, &b, &c}) node->take(1, 10);
  EXPECT_EQ(allowed(), 30);
  clock.advance(66s);
  moment();
  a.take(1, 10);
  EXPECT_EQ(allowed(), 31);
}

TEST_F(SharedRatesTest, OneThatStartsAnewHearsTheLastMinute) {
  moment();
  a.take(60, 60);
  moment();
  clock.advance(20s);
  Node d(clock, temp.store(), "d");
  exchange(d);
  d.take(60, 60);
  EXPECT_NEAR(d.allowed, 20, 1);
}

TEST_F(SharedRatesTest, OtherKeysAndOtherSecretsAreApart) {
  Node stranger(clock, temp.store(), "stranger", "another secret");
  moment();
  a.take(10, 10);
  moment();
  exchange(stranger);
  b.take(10, 10, "192.0.2.2");
  EXPECT_EQ(b.allowed, 10);
  stranger.take(10, 10);
  EXPECT_EQ(stranger.allowed, 10);
}

TEST_F(SharedRatesTest, NothingIsWrittenForThoseWhoStayFarBelow) {
  moment();
  for (int i = 0; i < 30; ++i) {
    a.take(5, 6000);  // 20 a second where 100 refill
    moment();
  }
  EXPECT_EQ(rows(), 0);
}

TEST_F(SharedRatesTest, WhatCouldNotBeToldIsToldLater) {
  moment();
  store::FaultStore refusing(temp.store());
  Node d(clock, refusing, "d");
  d.take(10, 10);
  refusing.fail(1);
  EXPECT_FALSE(test::run(loop, d.rates.exchange()).ok());
  exchange(d);
  exchange(a);
  a.take(10, 10);
  EXPECT_EQ(a.allowed, 0);
}

TEST_F(SharedRatesTest, OldRowsGo) {
  for (int i = 0; i < 5; ++i) {
    a.take(10, 10);
    moment();
    clock.advance(60s);
  }
  EXPECT_EQ(rows(), 5);
  EXPECT_TRUE(test::run(loop, sweep_rate_news(temp.store())).ok());
  EXPECT_EQ(rows(), 2);
}

TEST(RateNews, ARowReadsAsItWasWritten) {
  const std::vector<RateLimiter::Taken> taken{{0xfedcba9876543210, 3, 60}, {1, 2'000'000, 1'000'000'000}};
  const auto back = rate_news_of(rate_news_text(taken));
  ASSERT_EQ(back.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(back[i].bucket, taken[i].bucket);
    EXPECT_EQ(back[i].count, taken[i].count);
    EXPECT_EQ(back[i].per_minute, taken[i].per_minute);
  }
  EXPECT_TRUE(rate_news_of("").empty());
  EXPECT_EQ(rate_news_of("x 1 1;;1 2;1 -1 5;1 1 0;99999999999999999 1 1;1 1 1 1;a 1 1").size(), 1U) << "only the last is one";
}

}  // namespace
}  // namespace mandate::tenant
