// The suite every engine must pass. To add an engine: a factory here, nothing else.
#pragma once

#include <gtest/gtest.h>

#include <set>

#include "tests/support/temp_store.h"
#include "tests/support/test_loop.h"

namespace mandate::store {

/// One engine under test with its clock.
class Tried {
 public:
  virtual ~Tried() = default;
  virtual Store& store() = 0;
  virtual Migratable& migratable() = 0;
  virtual ManualClock& clock() = 0;
  /// As a restart of the server.
  virtual void reopen() = 0;
};

struct EngineUnderTest {
  std::string name;
  std::function<std::unique_ptr<Tried>()> make;
};
std::vector<EngineUnderTest> engines_under_test();

class StoreConformance : public testing::TestWithParam<EngineUnderTest> {
 protected:
  test::TestLoop loop_;
  std::unique_ptr<Tried> tried_ = GetParam().make();

  Store& store() { return tried_->store(); }

  template <class T>
  Result<T> wait(Task<T> task) {
    return test::run(loop_, std::move(task));
  }
  void table(std::string name, std::vector<ColumnSpec> columns) {
    auto made = wait(store().ensure_table(std::move(name), std::move(columns)));
    ASSERT_TRUE(made.ok()) << made.error().detail;
  }
  Result<Outcome> write(Mutation m) {
    std::vector<Mutation> one;
    one.push_back(std::move(m));
    return write_all(std::move(one));
  }
  Result<Outcome> write_all(std::vector<Mutation> mutations) {
    Batch batch;
    batch.mutations = std::move(mutations);
    return wait(store().mutate(std::move(batch)));
  }
  void must(Mutation m) {
    auto done = write(std::move(m));
    ASSERT_TRUE(done.ok()) << done.error().detail;
  }
  std::optional<Row> get(std::string table, ExprPtr where) {
    Plan plan;
    plan.table = std::move(table);
    plan.where = std::move(where);
    auto row = wait(store().get(std::move(plan)));
    EXPECT_TRUE(row.ok()) << row.error().detail;
    return row.ok() ? *row : std::nullopt;
  }
  /// The text column `column` of every row of the plan, in order.
  std::vector<std::string> texts(Plan plan, std::string_view column = "id") {
    auto listed = wait(rows(store(), std::move(plan)));
    EXPECT_TRUE(listed.ok()) << listed.error().detail;
    std::vector<std::string> out;
    if (listed.ok())
      for (const Row& row : *listed) out.emplace_back(row.text(column));
    return out;
  }
};

#define ON_EVERY_ENGINE(suite)                                                            \
  INSTANTIATE_TEST_SUITE_P(Engines, suite, testing::ValuesIn(engines_under_test()),       \
                           [](const testing::TestParamInfo<EngineUnderTest>& engine) { return engine.param.name; })

}  // namespace mandate::store
