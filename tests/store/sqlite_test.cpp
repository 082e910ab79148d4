// What is SQLite's own: files, locks, budgets, statements. What every engine must do is in tests/conformance.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/support/temp_store.h"
#include "tests/support/test_loop.h"

namespace mandate::store {
namespace {

using test::run;
using test::TempStore;

struct SqliteTest : testing::Test {
  test::TestLoop loop;
  TempStore temp;

  Result<Outcome> write(Mutation m) {
    Batch batch;
    batch.add(std::move(m));
    return run(loop, temp.store().mutate(std::move(batch)));
  }
  Result<std::optional<Row>> read(std::string table, ExprPtr where) {
    Plan plan;
    plan.table = std::move(table);
    plan.where = std::move(where);
    return run(loop, temp.store().get(std::move(plan)));
  }
};

TEST_F(SqliteTest, AWrittenRowIsReadBackAtOnceAndAfterARestart) {
  ASSERT_TRUE(run(loop, temp.store().ensure_table("todo", {{"id", Type::text, true}, {"title"}, {"n", Type::real}})).ok());
  auto made = write(insert("todo", {{"id", "a"}, {"title", "milk"}, {"n", 1.5}}));
  ASSERT_TRUE(made.ok()) << made.error().detail;
  EXPECT_EQ(made->front().count, 1);
  auto row = read("todo", equals("id", "a"));
  ASSERT_TRUE(row.ok() && *row);
  EXPECT_EQ((**row).text("title"), "milk");
  temp.reopen();
  row = read("todo", equals("id", "a"));
  ASSERT_TRUE(row.ok() && *row);
  EXPECT_EQ((**row).real("n"), 1.5);
}

}  // namespace
}  // namespace mandate::store
