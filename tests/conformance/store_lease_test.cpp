// Of all nodes one has the duty, whatever dies, sleeps or loses its answers. Each node's clock is its own.
#include "store/lease.h"
#include "tests/conformance/store_fixture.h"

namespace mandate::store {
namespace {

using namespace std::chrono_literals;

class StoreLease : public StoreConformance {
 protected:
  struct Node {
    explicit Node(std::string name) : lease("sweep", std::move(name), 10s, clock) {}
    ManualClock clock;
    Lease lease;
  };
  bool keep(Node& node) {
    const Result<bool> held = wait(node.lease.keep(store()));
    EXPECT_TRUE(held.ok()) << held.error().detail;
    EXPECT_EQ(held.ok() && *held, node.lease.held());
    return held.ok() && *held;
  }
  /// Both look once a second, as the house does.
  void seconds(int n, std::vector<Node*> nodes) {
    for (int i = 0; i < n; ++i)
      for (Node* node : nodes) {
        node->clock.advance(1s);
        (void)keep(*node);
      }
  }
  bool may_write(Node& node, const std::string& id) {
    std::vector<Mutation> batch;
    batch.push_back(node.lease.fenced(Code::forbidden));
    batch.push_back(insert("work", {{"id", id}}));
    const auto done = write_all(std::move(batch));
    if (!done.ok()) EXPECT_EQ(done.error().code, Code::forbidden);
    return done.ok();
  }
  void SetUp() override { table("work", {{"id", Type::text, true}}); }
  Node a{"a"}, b{"b"};
};

TEST_P(StoreLease, TheFirstHasItAndKeepsItAsLongAsItRenews) {
  EXPECT_TRUE(keep(a));
  EXPECT_FALSE(keep(b));
  for (int i = 0; i < 60; ++i) {
    seconds(1, {&a, &b});
    EXPECT_TRUE(a.lease.held()) << i;
    EXPECT_FALSE(b.lease.held()) << i;
  }
  EXPECT_TRUE(may_write(a, "of a"));
  EXPECT_FALSE(may_write(b, "of b"));
}

TEST_P(StoreLease, OneThatDiesIsFollowedAfterItsLengthAndAQuarter) {
  EXPECT_TRUE(keep(a));
  EXPECT_FALSE(keep(b));
  seconds(12, {&b});
  EXPECT_FALSE(b.lease.held());
  seconds(1, {&b});
  EXPECT_TRUE(b.lease.held());
  EXPECT_GT(b.lease.fence(), a.lease.fence());
}

TEST_P(StoreLease, OneThatSleptFindsOutByItsOwnClockAndTheStoreRefusesItsWork) {
  EXPECT_TRUE(keep(a));
  EXPECT_FALSE(keep(b));
  seconds(13, {&b});
  ASSERT_TRUE(b.lease.held());
  // Its clock stood as well, as when a whole machine sleeps: only the store knows.
  EXPECT_TRUE(a.lease.held());
  EXPECT_FALSE(may_write(a, "late"));
  // Its clock went on, as when the process alone was stopped: it knows by itself.
  a.clock.advance(13s);
  EXPECT_FALSE(a.lease.held());
  EXPECT_FALSE(keep(a));
  EXPECT_TRUE(may_write(b, "in time"));
}

TEST_P(StoreLease, WallClocksThatDisagreeChangeNothing) {
  a.clock.set(1'000'000);
  b.clock.set(4'000'000'000'000);
  EXPECT_TRUE(keep(a));
  for (int i = 0; i < 30; ++i) {
    seconds(1, {&a, &b});
    EXPECT_FALSE(b.lease.held());
  }
}

TEST_P(StoreLease, OneThatGivesBackIsFollowedAtOnce) {
  EXPECT_TRUE(keep(a));
  EXPECT_TRUE(wait(a.lease.give_back(store())).ok());
  EXPECT_FALSE(a.lease.held());
  EXPECT_TRUE(keep(b));
  EXPECT_FALSE(may_write(a, "after it gave back"));
}

TEST_P(StoreLease, OfManyWhoAskAtOnceOneGetsIt) {
  std::vector<std::unique_ptr<Node>> nodes;
  int done = 0, held = 0;
  for (int i = 0; i < 10; ++i) nodes.push_back(std::make_unique<Node>("node " + std::to_string(i)));
  for (int round = 0; round < 2; ++round, done = held = 0) {
    for (const auto& node : nodes) spawn(node->lease.keep(store()), [&](Result<bool> got) {
        EXPECT_TRUE(got.ok()) << got.error().detail;
        held += got.ok() && *got;
        ++done;
      });
    loop_.run_until([&] { return done == 10; });
    EXPECT_EQ(held, 1) << round;
    // All have seen the row stand still: the second time they all may try.
    for (const auto& node : nodes) (void)keep(*node);
    for (const auto& node : nodes) node->clock.advance(13s);
  }
}

ON_EVERY_ENGINE(StoreLease);

}  // namespace
}  // namespace mandate::store
