// The line between a node and its database breaks at any moment: in the middle of a batch, after a COMMIT before its
// answer, for good. What was asked happens once or not at all, and other nodes notice nothing (RL-12, RL-24).
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <random>

#include "tests/fault/flaky_line.h"
#include "tests/fault/load.h"
#include "store/postgres/postgres.h"
#include "tests/support/postgres_server.h"
#include "tests/support/test_loop.h"

namespace mandate::test {
namespace {

using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

class OverALine : public testing::Test {
 protected:
  OverALine() { prepare_tables(direct); }
  ~OverALine() override {
    line.stall(false);
    a.reset(), b.reset();
    shared_postgres().drop_database(direct);
  }
  std::string over(const FlakyLine& line) const {
    const std::string port = ":" + std::to_string(shared_postgres().port()) + "/";
    std::string url = direct;
    return url.replace(url.find(port), port.size(), ":" + std::to_string(line.port()) + "/");
  }
  void expect_in_order() {
    a.reset(), b.reset();
    EXPECT_EQ(anomalies(direct, shared), "");
  }

  const std::string direct = shared_postgres().create_database();
  FlakyLine line{shared_postgres().port()};
  Shared shared;
  std::unique_ptr<Node> a, b;
};

/// How often the line breaks; more under ./dev long.
int breaks() {
  const char* wanted = std::getenv("MANDATE_LINE_BREAKS");
  return wanted ? std::atoi(wanted) : 50;
}

TEST_F(OverALine, EveryCommitWithoutAnAnswerIsResolvedAndNothingHappensTwice) {
  FlakyLine other(shared_postgres().port());
  a = std::make_unique<Node>(over(line), shared, NodeOptions{.name = "a"});
  b = std::make_unique<Node>(over(other), shared, NodeOptions{.name = "b"});
  std::mt19937 chance(7);
  const FlakyLine::Break ways[] = {FlakyLine::Break::swallow, FlakyLine::Break::reset, FlakyLine::Break::half,
                                   FlakyLine::Break::garble};
  const auto begin = Steady::now();
  for (int i = 0; i < breaks(); ++i) {
    FlakyLine& which = i % 2 ? line : other;
    if (i % 10 == 9) {
      which.stall(true);
      std::this_thread::sleep_for(milliseconds(chance() % 300));
      which.stall(false);
    }
    which.break_all(ways[chance() % 4]);
    ASSERT_TRUE(a->writes(5) && b->writes(5)) << "after break " << i;
    std::this_thread::sleep_for(milliseconds(chance() % 50));
  }
  a->stop(), b->stop();
  double doubts = 0;
  for (const Node* node : {a.get(), b.get()}) {
    const Node::Figures f = node->figures(begin);
    doubts += node->counter("mandate_store_commits_in_doubt_total");
    std::printf("# %d connections broken; %d acknowledged, %d refused, %d left open, %.0f in doubt, slowest %lld ms\n",
                line.broken() + other.broken(), f.acknowledged, f.refused, f.unknown,
                node->counter("mandate_store_commits_in_doubt_total"), static_cast<long long>(f.slowest.count()));
    EXPECT_LE(f.slowest, seconds(10));
    for (const auto& [code, times] : f.codes) EXPECT_TRUE(code == "timeout" || code == "overloaded") << code;
  }
  EXPECT_GT(doubts, 0) << "no answer of a COMMIT was ever lost: the test is about nothing";
  expect_in_order();
}

TEST_F(OverALine, ALostAnswerIsAnAnswerWhereTheCommitAloneTellsIt) {
  TestLoop loop;
  ManualClock clock;
  SystemRandom random;
  Log log(clock, Level::error, [](std::string_view) {});
  Metrics metrics;
  store::PostgresOptions options;
  options.url = over(line);
  options.schema = "lost";
  options.clock = &clock;
  options.random = &random;
  auto opened = store::open_postgres(options, log, metrics);
  ASSERT_TRUE(opened.ok()) << opened.error().detail;
  const std::unique_ptr<store::Store> house = (*opened)->tenant("demo");
  ASSERT_TRUE(run(loop, house->ensure_table("thing", {{"id", store::Type::text, true}, {"n", store::Type::integer}})).ok());
  const auto write = [&](std::vector<store::Mutation> mutations) {
    store::Batch batch;
    batch.mutations = std::move(mutations);
    return run(loop, house->mutate(std::move(batch)));
  };
  const auto raise = [](std::int64_t from, std::vector<std::string> returning) {
    store::Mutation m = store::update("thing", store::both(store::equals("id", "a"), store::equals("n", from)), {{"n", from + 1}});
    m.expect = store::Mutation::Expect::one;
    m.returning = std::move(returning);
    return m;
  };
  const auto none = store::check("thing", store::equals("id", "x"), store::Mutation::Expect::none, Code::conflict);
  ASSERT_TRUE(write({store::insert("thing", {{"id", "a"}, {"n", std::int64_t{0}}})}).ok());
  line.break_all(FlakyLine::Break::swallow);
  const auto told = write({raise(0, {}), none, store::insert("thing", {{"id", "b"}, {"n", std::int64_t{0}}})});
  ASSERT_TRUE(told.ok()) << told.error().detail;
  EXPECT_EQ((*told)[0].count, 1);
  EXPECT_EQ((*told)[1].count, 0);
  EXPECT_EQ((*told)[2].count, 1);
  line.break_all(FlakyLine::Break::swallow);
  const auto wanted_rows = write({raise(1, {"n"}), none});
  ASSERT_FALSE(wanted_rows.ok());
  EXPECT_EQ(wanted_rows.error().code, Code::timeout);
  EXPECT_TRUE(write({raise(2, {}), none}).ok()) << "it was done all the same, and once";
}

TEST_F(OverALine, ACommitWhoseAnswerComesAsNoiseIsNotRepeated) {
  a = std::make_unique<Node>(over(line), shared, NodeOptions{.name = "a", .loops = 1});
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(a->writes(5));
    line.break_all(FlakyLine::Break::garble);
  }
  ASSERT_TRUE(a->writes(5));
  expect_in_order();
}

TEST_F(OverALine, ANodeThatIsCutOffLeavesTheOthersAloneAndComesBack) {
  a = std::make_unique<Node>(over(line), shared, NodeOptions{.name = "a", .deadline = milliseconds(1000)});
  b = std::make_unique<Node>(direct, shared, NodeOptions{.name = "b"});
  ASSERT_TRUE(a->writes(50) && b->writes(50));
  const auto begin = Steady::now();
  line.stall(true);
  std::this_thread::sleep_for(seconds(4));
  line.stall(false);
  EXPECT_TRUE(a->writes(50));
  line.cut(true);
  std::this_thread::sleep_for(seconds(2));
  line.cut(false);
  EXPECT_TRUE(a->writes(50));
  const Node::Figures cut_off = a->figures(begin), other = b->figures(begin);
  std::printf("# cut off: %d left open, slowest %lld ms; the other: %d acknowledged, %d left open, slowest %lld ms\n",
              cut_off.unknown, static_cast<long long>(cut_off.slowest.count()), other.acknowledged, other.unknown,
              static_cast<long long>(other.slowest.count()));
  EXPECT_LE(cut_off.slowest, milliseconds(1500));
  EXPECT_EQ(other.unknown, 0);
  EXPECT_LE(other.slowest, seconds(1));
  expect_in_order();
}

TEST_F(OverALine, ANodeWhoseDatabaseDoesNotAnswerCanBeStopped) {
  a = std::make_unique<Node>(over(line), shared, NodeOptions{.name = "a", .deadline = milliseconds(500)});
  ASSERT_TRUE(a->writes(20));
  line.stall(true);
  std::this_thread::sleep_for(milliseconds(600));  // so that the feed has asked too
  const auto begin = Steady::now();
  a.reset();
  // A connection that was being made when the line fell silent is waited for: five seconds a host, libpq's own limit.
  EXPECT_LE(Steady::now() - begin, seconds(6));
}

}  // namespace
}  // namespace mandate::test
