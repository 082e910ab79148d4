// What is SQLite's own: files, locks, budgets, damage. What every engine must do is in tests/conformance.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <thread>

#include "tests/support/temp_store.h"
#include "tests/support/test_loop.h"

namespace mandate::store {
namespace {

using test::run;
using test::TempStore;

struct SqliteTest : testing::Test {
  test::TestLoop loop;

  static Result<Outcome> write(test::TestLoop& loop, Store& store, Mutation m) {
    Batch batch;
    batch.add(std::move(m));
    return run(loop, store.mutate(std::move(batch)));
  }
  Result<std::optional<Row>> read(Store& store, std::string table, ExprPtr where) {
    Plan plan;
    plan.table = std::move(table);
    plan.where = std::move(where);
    return run(loop, store.get(std::move(plan)));
  }
  static void fill(test::TestLoop& loop, Store& store, const std::string& table, int count, const std::string& text) {
    ASSERT_TRUE(run(loop, store.ensure_table(table, {{"id", Type::integer, true}, {"text", Type::text}})).ok());
    Batch batch;
    for (int i = 0; i < count; ++i) batch.add(insert(table, {{"id", std::int64_t{i}}, {"text", text + std::to_string(i)}}));
    auto done = run(loop, store.mutate(std::move(batch)));
    ASSERT_TRUE(done.ok()) << done.error().detail;
  }
  /// Joins so many rows to themselves by text that no budget suffices.
  static Plan endless(const std::string& table) {
    Plan plan;
    plan.table = table;
    std::vector<ExprPtr> parts;
    for (int i = 0; i < 50; ++i)
      parts.push_back(make(Op::eq, {call(Function::replace, {column("text"), literal(std::string("x")), literal(std::to_string(i))}, Type::text),
                                    literal(std::string("never"))}));
    plan.where = make(Op::or_, std::move(parts));
    return plan;
  }
};

TEST_F(SqliteTest, FilesArePrivateToTheirOwner) {
  TempStore temp;
  for (const char* suffix : {"", "-wal", "-shm", ".lock"}) {
    struct stat info {};
    ASSERT_EQ(::stat((temp.path() + suffix).c_str(), &info), 0) << suffix;
    EXPECT_EQ(info.st_mode & 0777, 0600U) << suffix;
  }
}

TEST_F(SqliteTest, AFileOrDirectoryOpenToOthersIsRefused) {
  TempStore temp;
  temp.close();
  ::chmod(temp.path().c_str(), 0644);
  auto opened = open_sqlite({.path = temp.path(), .clock = &temp.clock()}, temp.log(), temp.metrics());
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, Code::forbidden);
  EXPECT_NE(opened.error().hint.find("chmod 0600"), std::string::npos) << opened.error().hint;
  ::chmod(temp.path().c_str(), 0600);
  const std::string directory = std::filesystem::path(temp.path()).parent_path();
  ::chmod(directory.c_str(), 0755);
  EXPECT_EQ(open_sqlite({.path = temp.path(), .clock = &temp.clock()}, temp.log(), temp.metrics()).error().code, Code::forbidden);
  ::chmod(directory.c_str(), 0700);
  temp.reopen();
}

TEST_F(SqliteTest, ASecondOpenerOfTheSameDirectoryIsRefused) {
  TempStore temp;
  auto second = open_sqlite({.path = temp.path(), .clock = &temp.clock()}, temp.log(), temp.metrics());
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, Code::conflict);
  EXPECT_NE(second.error().hint.find("in use"), std::string::npos);
  temp.close();
  EXPECT_TRUE(open_sqlite({.path = temp.path(), .clock = &temp.clock()}, temp.log(), temp.metrics()).ok());
}

TEST_F(SqliteTest, ADirectoryThatCannotBeWrittenIsRefusedInOneLine) {
  TempStore temp;
  auto opened = open_sqlite({.path = "/proc/mandate/mandate.db", .clock = &temp.clock()}, temp.log(), temp.metrics());
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, Code::read_only);
  EXPECT_EQ(opened.error().hint.find('\n'), std::string::npos);
  EXPECT_NE(opened.error().hint.find("/proc/mandate"), std::string::npos);
}

TEST_F(SqliteTest, AScanLeavesTheLoopAndStillAnswers) {
  TempStore temp({}, {.loop_steps = 2000});
  fill(loop, temp.store(), "big", 3000, "row ");
  Plan plan;
  plan.table = "big";
  plan.where = call(Function::endswith, {column("text"), literal(std::string("99"))}, Type::boolean);
  plan.count = true;
  for (int i = 0; i < 2; ++i) {
    int seen = 0;
    auto listed = run(loop, temp.store().list(plan, [&](const RowView&) { return ++seen, true; }));
    ASSERT_TRUE(listed.ok()) << listed.error().detail;
    EXPECT_EQ(seen, 30);
    EXPECT_EQ(listed->total, 30);
  }
  EXPECT_NE(temp.metrics().prometheus_text().find("mandate_store_scans_total 2"), std::string::npos);
  EXPECT_TRUE(read(temp.store(), "big", equals("id", std::int64_t{7})).ok());
}

TEST_F(SqliteTest, AStatementThatTakesTooLongIsATimeoutAndTheLoopGoesOn) {
  TempStore temp({}, {.loop_steps = 2000, .statement_limit = std::chrono::milliseconds(20)});
  fill(loop, temp.store(), "big", 20'000, "row ");
  std::optional<Result<Store::Listed>> slow;
  spawn(temp.store().list(endless("big"), [](const RowView&) { return true; }), [&](auto r) { slow.emplace(std::move(r)); });
  auto quick = read(temp.store(), "big", equals("id", std::int64_t{7}));
  EXPECT_TRUE(quick.ok() && quick->has_value());
  loop.run_until([&] { return slow.has_value(); });
  ASSERT_FALSE(slow->ok());
  EXPECT_EQ(slow->error().code, Code::timeout);
}

TEST_F(SqliteTest, AMutationThatTakesTooLongIsATimeoutThatLeavesNothingAndFailsAlone) {
  TempStore temp({}, {.statement_limit = std::chrono::milliseconds(50)});
  fill(loop, temp.store(), "big", 5'000, "row ");
  fill(loop, temp.store(), "good", 1, "row ");
  std::optional<Result<Outcome>> slow, before, after;
  const auto start = [&](Mutation m, std::optional<Result<Outcome>>& into) {
    Batch batch;
    batch.add(std::move(m));
    spawn(temp.store().mutate(std::move(batch)), [&into](Result<Outcome> r) { into.emplace(std::move(r)); });
  };
  start(insert("good", {{"id", std::int64_t{10}}}), before);
  start(update("big", make(Op::not_, {endless("big").where}), {{"text", "gone"}}), slow);
  start(insert("good", {{"id", std::int64_t{11}}}), after);
  loop.run_until([&] { return slow && before && after; });
  ASSERT_FALSE(slow->ok());
  EXPECT_EQ(slow->error().code, Code::timeout);
  EXPECT_TRUE(before->ok());
  EXPECT_TRUE(after->ok());
  EXPECT_FALSE(read(temp.store(), "big", equals("text", std::string("gone")))->has_value());
  EXPECT_TRUE(read(temp.store(), "good", equals("id", std::int64_t{10}))->has_value());
  EXPECT_TRUE(read(temp.store(), "good", equals("id", std::int64_t{11}))->has_value());
}

TEST_F(SqliteTest, AReadSeesWhatAnotherLoopWasToldIsWritten) {
  TempStore temp;
  fill(loop, temp.store(), "t", 1, "x");
  EXPECT_TRUE(read(temp.store(), "t", equals("id", std::int64_t{0})).ok());  // this loop's tick has not ended: a snapshot is open
  std::thread([&] {
    test::TestLoop other;
    EXPECT_TRUE(write(other, temp.store(), insert("t", {{"id", std::int64_t{5}}})).ok());
  }).join();
  EXPECT_TRUE(read(temp.store(), "t", equals("id", std::int64_t{5}))->has_value());
}

TEST_F(SqliteTest, AThreadWithoutALoopMayReadAndWriteAndBlocks) {
  TempStore temp;
  fill(loop, temp.store(), "t", 1, "x");
  std::thread([&] {
    Batch batch;
    batch.add(insert("t", {{"id", std::int64_t{5}}}));
    std::optional<bool> written, seen;
    spawn(temp.store().mutate(std::move(batch)), [&](Result<Outcome> r) { written = r.ok(); });
    Plan plan;
    plan.table = "t";
    plan.where = equals("id", std::int64_t{5});
    spawn(temp.store().get(plan), [&](Result<std::optional<Row>> r) { seen = r.ok() && r->has_value(); });
    EXPECT_EQ(written, true);
    EXPECT_EQ(seen, true);
  }).join();
}

TEST_F(SqliteTest, ADroppedRequestDoesNotDisturbItsWrite) {
  TempStore temp;
  fill(loop, temp.store(), "t", 1, "x");
  {
    Batch batch;
    batch.add(insert("t", {{"id", std::int64_t{5}}}));
    struct Started {
      Task<Outcome> task;
    };
    auto started = std::make_unique<Started>(Started{temp.store().mutate(std::move(batch))});
    started->task.await_suspend(std::noop_coroutine()).resume();
  }  // gone before the writer answered
  EXPECT_TRUE(write(loop, temp.store(), insert("t", {{"id", std::int64_t{6}}})).ok());
  EXPECT_TRUE(read(temp.store(), "t", equals("id", std::int64_t{5}))->has_value());
}

TEST_F(SqliteTest, AFullDiskRefusesWritesKeepsReadingAndRecovers) {
  TempStore temp({}, {.max_pages = 60});
  fill(loop, temp.store(), "t", 10, "x");
  const std::string large(20'000, 'x');
  Result<Outcome> full{Outcome{}};
  for (std::int64_t id = 100; full.ok() && id < 200; ++id) full = write(loop, temp.store(), insert("t", {{"id", id}, {"text", large}}));
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.error().code, Code::read_only);
  EXPECT_TRUE(read(temp.store(), "t", equals("id", std::int64_t{3}))->has_value());
  EXPECT_NE(temp.metrics().prometheus_text().find("mandate_store_read_only 1"), std::string::npos);
  ASSERT_TRUE(write(loop, temp.store(), remove("t", make(Op::ge, {column("id"), literal(std::int64_t{100})}))).ok());
  EXPECT_TRUE(write(loop, temp.store(), insert("t", {{"id", std::int64_t{300}}, {"text", large}})).ok());
  EXPECT_NE(temp.metrics().prometheus_text().find("mandate_store_read_only 0"), std::string::npos);
}

TEST_F(SqliteTest, AFlippedByteAnywhereIsAnErrorNeverAnAnswerAndCheckNamesTheTable) {
  TempStore temp;
  fill(loop, temp.store(), "good", 500, "some text that fills pages ");
  fill(loop, temp.store(), "bad", 500, "PLANTED text that fills pages ");
  temp.close();  // the last close copies the WAL into the file
  std::string bytes;
  {
    std::ifstream in(temp.path(), std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(in), {});
  }
  const std::size_t at = bytes.find("PLANTED text that fills pages 250");
  ASSERT_NE(at, std::string::npos);
  {
    std::fstream file(temp.path(), std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(at));
    file.put('p');
  }
  temp.reopen();
  auto damaged = read(temp.store(), "bad", equals("text", std::string("none")));
  ASSERT_FALSE(damaged.ok());
  EXPECT_EQ(damaged.error().code, Code::corrupt);
  EXPECT_TRUE(read(temp.store(), "good", equals("id", std::int64_t{250}))->has_value());
  EXPECT_TRUE(write(loop, temp.store(), insert("good", {{"id", std::int64_t{1000}}})).ok());

  // A batch that meets the damage fails alone, its neighbours of the same commit succeed.
  int answered = 0;
  for (int i = 0; i < 10; ++i) {
    Batch batch;
    batch.add(i == 4 ? update("bad", nullptr, {{"text", "y"}}) : insert("good", {{"id", std::int64_t{2000 + i}}}));
    spawn(temp.store().mutate(std::move(batch)), [&, i](Result<Outcome> r) {
      ++answered;
      EXPECT_EQ(r.ok(), i != 4);
      if (!r.ok()) EXPECT_EQ(r.error().code, Code::corrupt);
    });
  }
  loop.run_until([&] { return answered == 10; });

  auto report = run(loop, temp.store().check());
  ASSERT_TRUE(report.ok());
  EXPECT_NE(report->find("bad: "), std::string::npos) << *report;
  EXPECT_EQ(report->find("good: "), std::string::npos) << *report;
}

TEST_F(SqliteTest, AClockThatJumpsLeavesOrderAndDataAlone) {
  TempStore temp;
  fill(loop, temp.store(), "t", 1, "x");
  ASSERT_TRUE(run(loop, temp.store().ensure_table("s", {{"id", Type::integer, true}, {"at", Type::integer}})).ok());
  using namespace std::chrono;
  std::int64_t id = 0;
  for (auto step : {milliseconds(hours(1)), milliseconds(-hours(1)), milliseconds(hours(24 * 3650)), milliseconds(-hours(24)), milliseconds(0)}) {
    temp.clock().advance(step);
    ASSERT_TRUE(write(loop, temp.store(), insert("s", {{"id", id++}, {"at", Stamp{}}})).ok());
  }
  Plan plan;
  plan.table = "s";
  plan.order.push_back({column("id"), false});
  auto all = run(loop, rows(temp.store(), plan));
  ASSERT_TRUE(all.ok());
  for (std::size_t i = 1; i < all->size(); ++i) EXPECT_GT((*all)[i].integer("at"), (*all)[i - 1].integer("at"));
}

TEST_F(SqliteTest, CommitsAreCountedByTableBeforeTheyAreAcknowledged) {
  TempStore temp;
  fill(loop, temp.store(), "asked", 1, "text");
  fill(loop, temp.store(), "other", 1, "text");
  const std::atomic<std::uint64_t>* asked = temp.store().changes("asked");
  ASSERT_NE(asked, nullptr);
  std::uint64_t before = *asked;
  ASSERT_TRUE(write(loop, temp.store(), update("asked", equals("id", std::int64_t{0}), {{"text", "new"}})).ok());
  EXPECT_GT(*asked, before);
  before = *asked;
  ASSERT_TRUE(write(loop, temp.store(), update("other", equals("id", std::int64_t{0}), {{"text", "new"}})).ok());
  ASSERT_TRUE(write(loop, temp.store(), update("asked", equals("id", std::int64_t{7}), {{"text", "new"}})).ok());
  EXPECT_EQ(*asked, before) << "another table, and a change that touched no row";
  EXPECT_EQ(temp.store().changes("asked"), asked);
}

}  // namespace
}  // namespace mandate::store
