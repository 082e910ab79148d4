// Batches, expectations, owners, stamps, watching, deadlines.
#include <thread>

#include "tests/conformance/store_fixture.h"

namespace mandate::store {
namespace {

class StoreWrites : public StoreConformance {
 protected:
  void SetUp() override {
    table("item", {{"id", Type::text, true}, {"owner", Type::text}, {"n", Type::integer}, {"at", Type::integer}});
  }
  static Mutation item(std::string id, std::int64_t n = 0, std::string owner = "ann") {
    return insert("item", {{"id", std::move(id)}, {"owner", std::move(owner)}, {"n", n}, {"at", Stamp{}}});
  }
  std::int64_t n_of(const std::string& id) {
    auto row = get("item", equals("id", id));
    return row ? row->integer("n") : -1;
  }
  static Mutation expecting(Mutation m, Mutation::Expect expect, Code otherwise) {
    m.expect = expect;
    m.otherwise = otherwise;
    return m;
  }
};

TEST_P(StoreWrites, AViolatedUniqueIndexIsAConflictAndLeavesTheRowAlone) {
  must(item("a", 1));
  auto again = write(item("a", 2));
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, Code::conflict);
  EXPECT_EQ(n_of("a"), 1);
}

TEST_P(StoreWrites, ABatchHappensWhollyOrNotAtAll) {
  must(item("taken"));
  auto done = write_all({item("one"), update("item", equals("id", "taken"), {{"n", std::int64_t{5}}}), item("taken")});
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(n_of("one"), -1);
  EXPECT_EQ(n_of("taken"), 0);
}

TEST_P(StoreWrites, AnUnmetExpectationUndoesTheBatchWithItsOwnCode) {
  must(item("a"));
  must(item("b"));
  using E = Mutation::Expect;
  struct Case {
    ExprPtr where;
    E expect;
    bool ok;
  };
  const Case cases[] = {{equals("id", "a"), E::one, true},  {nullptr, E::one, false},        {equals("id", "x"), E::one, false},
                        {nullptr, E::at_least_one, true},   {equals("id", "x"), E::at_least_one, false},
                        {equals("id", "x"), E::none, true}, {equals("id", "a"), E::none, false}, {equals("id", "x"), E::anything, true}};
  for (const Case& c : cases) {
    must(update("item", nullptr, {{"n", std::int64_t{0}}}));
    for (const bool in_company : {false, true}) {
      std::vector<Mutation> batch;
      if (in_company) batch.push_back(update("item", equals("id", "b"), {{"owner", "bob"}}));
      batch.push_back(expecting(update("item", c.where, {{"n", std::int64_t{9}}}), c.expect, Code::invalid_grant));
      auto done = write_all(std::move(batch));
      EXPECT_EQ(done.ok(), c.ok);
      if (done.ok()) continue;
      EXPECT_EQ(done.error().code, Code::invalid_grant);
      EXPECT_NE(n_of("a"), 9);
      EXPECT_EQ(get("item", equals("id", "b"))->text("owner"), "ann");
    }
    must(update("item", nullptr, {{"owner", "ann"}}));
  }
}

TEST_P(StoreWrites, ACheckLetsABatchThroughOrStopsItAndTouchesNothing) {
  must(item("a", 1));
  must(item("b", 1));
  using E = Mutation::Expect;
  struct Case {
    ExprPtr where;
    E expect;
    bool ok;
  };
  const Case cases[] = {{equals("id", "a"), E::one, true},   {equals("id", "x"), E::one, false},  {equals("n", std::int64_t{1}), E::one, false},
                        {nullptr, E::at_least_one, true},    {equals("id", "x"), E::at_least_one, false},
                        {equals("id", "x"), E::none, true},  {equals("id", "a"), E::none, false}, {nullptr, E::anything, true}};
  const std::atomic<std::uint64_t>* changes = store().changes("item");
  for (const Case& c : cases) {
    const std::uint64_t before = changes ? changes->load() : 0;
    const auto alone = write(check("item", c.where, c.expect, Code::invalid_grant));
    EXPECT_EQ(alone.ok(), c.ok);
    if (alone.ok()) EXPECT_TRUE((*alone)[0].rows.empty());
    if (changes) EXPECT_EQ(changes->load(), before);
    table("note", {{"id", Type::text, true}});
    const auto in_company = write_all({insert("note", {{"id", "n"}}), check("item", c.where, c.expect, Code::invalid_grant), remove("note", nullptr)});
    EXPECT_EQ(in_company.ok(), c.ok);
    if (!c.ok) EXPECT_EQ(in_company.error().code, Code::invalid_grant);
    if (c.ok) EXPECT_EQ((*in_company)[1].count, (*alone)[0].count);
    EXPECT_FALSE(get("note", nullptr).has_value());
  }
  EXPECT_EQ(n_of("a"), 1);
  EXPECT_EQ(n_of("b"), 1);
}

TEST_P(StoreWrites, ReturningGivesTheRowsAsTheyAreNow) {
  Mutation m = item("a", 3);
  m.returning = {"*"};
  auto made = write(std::move(m));
  ASSERT_TRUE(made.ok());
  ASSERT_EQ(made->front().rows.size(), 1U);
  EXPECT_EQ(made->front().rows[0].text("id"), "a");
  EXPECT_EQ(made->front().rows[0].integer("at"), tried_->clock().now_ms());
  m = update("item", equals("id", "a"), {{"n", std::int64_t{4}}});
  m.returning = {"n"};
  auto changed = write(std::move(m));
  EXPECT_EQ(changed->front().rows.at(0).integer("n"), 4);
  m = remove("item", equals("id", "a"));
  m.returning = {"id", "n"};
  auto gone = write(std::move(m));
  EXPECT_EQ(gone->front().rows.at(0).text("id"), "a");
  EXPECT_EQ(gone->front().count, 1);
}

TEST_P(StoreWrites, ReturningHoldsForColumnsThatAreCalledLikeARowsNumber) {
  std::vector<ColumnSpec> columns{{"id", Type::text, true}};
  for (const char* name : {"rowid", "oid", "_rowid_"}) {
    // Each comes into a table that has taken inserts before.
    table("numbered", columns);
    columns.push_back({name, Type::integer});
    for (const std::string id : {"a", "b"}) {
      Mutation m = insert("numbered", {{"id", id + name}});
      m.returning = {"*"};
      ASSERT_EQ(write(std::move(m))->front().rows.at(0).text("id"), id + name);
    }
    table("numbered", columns);
    for (const std::int64_t number : {7, 8}) {
      Mutation m = insert("numbered", {{"id", std::to_string(number) + name}, {name, number}});
      m.returning = {"*"};
      auto made = write(std::move(m));
      ASSERT_TRUE(made.ok());
      EXPECT_EQ(made->front().rows.at(0).text("id"), std::to_string(number) + name);
      EXPECT_EQ(made->front().rows.at(0).integer(name), number);
    }
  }
}

TEST_P(StoreWrites, UpsertMakesOrChanges) {
  must(upsert("item", {"id"}, {{"id", "a"}, {"n", std::int64_t{1}}, {"owner", "ann"}}));
  must(upsert("item", {"id"}, {{"id", "a"}, {"n", std::int64_t{2}}}));
  EXPECT_EQ(n_of("a"), 2);
  EXPECT_EQ(get("item", equals("id", "a"))->text("owner"), "ann");
  must(upsert("item", {"id"}, {{"id", "a"}}));
}

TEST_P(StoreWrites, AnOwnerSeesAndTouchesOnlyOwnRows) {
  must(item("a1", 1, "ann"));
  must(item("b1", 2, "bob"));
  const Owner ann{"owner", "ann"};
  Plan plan;
  plan.table = "item";
  plan.owner = ann;
  plan.where = make(Op::or_, {make(Op::eq, {literal(std::int64_t{1}), literal(std::int64_t{1})}), equals("owner", "bob")});
  plan.count = true;
  std::vector<std::string> seen;
  auto listed = wait(store().list(plan, [&](const RowView& row) { return seen.emplace_back(row.text(0)), true; }));
  ASSERT_TRUE(listed.ok());
  EXPECT_EQ(seen, std::vector<std::string>{"a1"});
  EXPECT_EQ(listed->total, 1);

  for (Mutation m : {update("item", nullptr, {{"n", std::int64_t{9}}, {"OWNER", "bob"}}), remove("item", equals("id", "b1")),
                     upsert("item", {"id"}, {{"id", "b1"}, {"n", std::int64_t{9}}})}) {
    m.owner = ann;
    auto done = write(std::move(m));
    ASSERT_TRUE(done.ok()) << done.error().detail;
  }
  EXPECT_EQ(n_of("b1"), 2);
  EXPECT_EQ(n_of("a1"), 9);
  EXPECT_EQ(get("item", equals("id", "a1"))->text("owner"), "ann");

  Mutation stolen = item("a2", 1, "bob");
  stolen.owner = ann;
  must(std::move(stolen));
  EXPECT_EQ(get("item", equals("id", "a2"))->text("owner"), "ann");
}

TEST_P(StoreWrites, StampsGrowInCommitOrderAlsoWhenTheClockGoesBackAndAfterARestart) {
  must(item("a"));
  must(item("b"));
  auto at = [&](const char* id) { return get("item", equals("id", id))->integer("at"); };
  EXPECT_EQ(at("a"), tried_->clock().now_ms());
  EXPECT_EQ(at("b"), at("a") + 1);
  tried_->clock().advance(-std::chrono::hours(24));
  must(item("c"));
  EXPECT_EQ(at("c"), at("b") + 1);
  tried_->reopen();
  must(item("d"));
  EXPECT_EQ(at("d"), at("c") + 1);
  tried_->clock().advance(std::chrono::hours(48));
  must(item("e"));
  EXPECT_EQ(at("e"), tried_->clock().now_ms());
}

TEST_P(StoreWrites, AReaderThatSawAStampHasSeenEverySmallerOne) {
  constexpr int kWriters = 3, kEach = 60;
  std::atomic<int> running{kWriters};
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w)
    writers.emplace_back([&, w] {
      test::TestLoop loop;
      for (int i = 0; i < kEach; ++i) {
        Batch batch;
        batch.add(item("w" + std::to_string(w) + "-" + std::to_string(i)));
        EXPECT_TRUE(test::run(loop, store().mutate(std::move(batch))).ok());
      }
      --running;
    });
  std::int64_t highest = 0, seen = 0;
  while (running > 0 || seen < kWriters * kEach) {
    const bool all_written = running == 0;  // asked before the read: the last row may be committed right after it
    Plan plan;
    plan.table = "item";
    plan.where = make(Op::gt, {column("at"), literal(highest)});
    plan.order.push_back({column("at"), false});
    auto fresh = wait(rows(store(), std::move(plan)));
    ASSERT_TRUE(fresh.ok());
    for (const Row& row : *fresh) {
      ASSERT_GT(row.integer("at"), highest);
      highest = row.integer("at");
      ++seen;
    }
    if (fresh->empty() && all_written && seen < kWriters * kEach) break;
  }
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(seen, kWriters * kEach);
}

TEST_P(StoreWrites, ManyBatchesInFlightEachGetTheirOwnAnswer) {
  constexpr int kCount = 300;
  must(item("dup"));
  int good = 0, refused = 0, answered = 0;
  for (int i = 0; i < kCount; ++i) {
    Batch batch;
    batch.add(i % 3 == 0 ? item("dup") : item("x" + std::to_string(i)));
    if (i % 5 == 0) batch.add(expecting(remove("item", equals("id", "absent")), Mutation::Expect::one, Code::not_found));
    spawn(store().mutate(std::move(batch)), [&, i](Result<Outcome> r) {
      ++answered;
      if (i % 3 == 0) EXPECT_EQ(r.error().code, Code::conflict);
      else if (i % 5 == 0) EXPECT_EQ(r.error().code, Code::not_found);
      r.ok() ? ++good : ++refused;
    });
  }
  loop_.run_until([&] { return answered == kCount; });
  Plan plan;
  plan.table = "item";
  EXPECT_EQ(static_cast<int>(texts(plan).size()), good + 1);
  EXPECT_EQ(good + refused, kCount);
}

TEST_P(StoreWrites, AWatcherHearsOfItsTablesUntilItLetsGo) {
  table("other", {{"id", Type::text}});
  std::vector<std::string> heard;
  auto watch = store().watch({"item"}, [&](std::string_view t) { heard.emplace_back(t); });
  must(insert("other", {{"id", "x"}}));
  must(update("item", equals("id", "absent"), {{"n", std::int64_t{1}}}));
  must(item("a"));
  loop_.run_until([&] { return !heard.empty(); });
  EXPECT_EQ(heard, std::vector<std::string>{"item"});
  watch.reset();
  must(item("b"));
  must(item("c"));
  EXPECT_EQ(heard.size(), 1U);
}

TEST_P(StoreWrites, APassedDeadlineIsATimeoutAndChangesNothing) {
  Batch batch;
  batch.add(item("late"));
  batch.deadline = std::chrono::steady_clock::now() - std::chrono::seconds(1);
  auto late = wait(store().mutate(std::move(batch)));
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code, Code::timeout);
  EXPECT_EQ(n_of("late"), -1);
  Plan plan;
  plan.table = "item";
  plan.deadline = std::chrono::steady_clock::now() - std::chrono::seconds(1);
  EXPECT_EQ(wait(store().get(plan)).error().code, Code::timeout);
}

TEST_P(StoreWrites, PagesAreCutOutOfTheOrderAndCountedWhole) {
  for (int i = 0; i < 25; ++i) must(item("i" + std::to_string(100 + i), i));
  Plan plan;
  plan.table = "item";
  plan.where = make(Op::ge, {column("n", Type::integer), literal(std::int64_t{5})});
  plan.order.push_back({column("n"), true});
  plan.limit = 3;
  plan.offset = 2;
  plan.count = true;
  std::vector<std::int64_t> seen;
  auto listed = wait(store().list(plan, [&](const RowView& row) { return seen.push_back(row.integer(2)), true; }));
  ASSERT_TRUE(listed.ok());
  EXPECT_EQ(seen, (std::vector<std::int64_t>{22, 21, 20}));
  EXPECT_EQ(listed->total, 20);
  EXPECT_EQ(listed->rows, 3);
  seen.clear();
  listed = wait(store().list(plan, [&](const RowView& row) { return seen.push_back(row.integer(2)), false; }));
  EXPECT_EQ(listed->rows, 1);
  plan.offset = 1;
  auto second = wait(store().get(plan));
  ASSERT_TRUE(second.ok());
  EXPECT_EQ((**second).integer("n"), 23);
}

ON_EVERY_ENGINE(StoreWrites);

}  // namespace
}  // namespace mandate::store
