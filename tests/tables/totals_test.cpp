// Totals are counted once for a state of a table, and not all the time when it changes all the time (docs/adr/0013).
#include "tables/totals.h"
#include "tests/tables/world.h"

namespace mandate::tables::test {
namespace {

using namespace std::chrono_literals;

class TotalsOfLists : public World {
 protected:
  std::string counted() { return store.metrics().prometheus_text(); }
  /// How often the rows of a table were counted.
  static double times(const std::string& metrics) {
    const std::string line = "mandate_tables_totals_total{from=\"count\"} ";
    const std::size_t at = metrics.find(line);
    return at == std::string::npos ? -1 : std::atof(metrics.c_str() + at + line.size());
  }
};

TEST_F(TotalsOfLists, PagesThatFollowEachOtherShareOne) {
  for (const char* id : {"a", "b", "c"}) post("/tables/items", std::string(R"({"id":")") + id + R"(","x":1})");
  for (int skip = 0; skip < 3; ++skip)
    EXPECT_EQ(get("/tables/items?$inlinecount=allpages&$top=1&$skip=" + std::to_string(skip)).object().at("count"), 3);
  EXPECT_EQ(times(counted()), 1);
  get("/tables/items?$inlinecount=allpages&$filter=x%20eq%201");
  get("/tables/items?$inlinecount=allpages&$filter=x%20eq%202");
  EXPECT_EQ(times(counted()), 3);
}

TEST_F(TotalsOfLists, AreExactAfterEveryWrite) {
  for (int i = 1; i <= 5; ++i) {
    post("/tables/items", "{}");
    EXPECT_EQ(get("/tables/items?$inlinecount=allpages").object().at("count"), i);
  }
  const std::string id = post("/tables/items", "{}").text("id");
  del("/tables/items/" + id);
  EXPECT_EQ(get("/tables/items?$inlinecount=allpages").object().at("count"), 5);
  EXPECT_EQ(get("/tables/items?$inlinecount=allpages&__includeDeleted=true").object().at("count"), 6);
}

/// A store whose counts take their time on a clock of the test's.
class Slow final : public store::Store {
 public:
  explicit Slow(ManualClock& clock) : clock_(clock) {}
  store::Capabilities capabilities() const override { return {}; }
  Task<std::optional<store::Row>> get(store::Plan) override { co_return std::optional<store::Row>(); }
  Task<Listed> list(store::Plan, std::function<bool(const store::RowView&)>) override {
    clock_.advance(cost);
    Listed out;
    out.total = ++counts;
    co_return out;
  }
  Task<store::Outcome> mutate(store::Batch) override { co_return store::Outcome{}; }
  Task<void> ensure_table(std::string, std::vector<store::ColumnSpec>) override { co_return ok(); }
  Task<void> ensure_indexes(std::string, std::vector<store::IndexSpec>) override { co_return ok(); }
  Task<void> drop_table(std::string) override { co_return ok(); }
  Task<std::vector<store::ColumnSpec>> describe(std::string) override { co_return std::vector<store::ColumnSpec>{}; }
  Task<std::string> check() override { co_return std::string(); }
  std::unique_ptr<Watch> watch(std::vector<std::string>, std::function<void(std::string_view)>) override { return nullptr; }
  const std::atomic<std::uint64_t>* changes(std::string_view) override { return tells ? &state : nullptr; }

  std::chrono::milliseconds cost{0};
  std::int64_t counts = 0;
  std::atomic<std::uint64_t> state{0};
  bool tells = true;

 private:
  ManualClock& clock_;
};

class CountingOften : public testing::Test {
 protected:
  std::int64_t ask(std::string table = "t") {
    store::Plan plan;
    plan.table = std::move(table);
    auto rows = run(loop, totals.of(slow, std::move(plan)));
    return rows.ok() ? *rows : -1;
  }
  mandate::test::TestLoop loop;
  ManualClock clock;
  Metrics metrics;
  Totals totals{clock, metrics};
  Slow slow{clock};
};

TEST_F(CountingOften, ATableThatStandsStillIsCountedOnce) {
  EXPECT_EQ(ask(), 1);
  clock.advance(1h);
  EXPECT_EQ(ask(), 1);
  EXPECT_EQ(ask("another"), 2);
}

TEST_F(CountingOften, ACheapTotalIsNeverOld) {
  slow.cost = 5ms;
  for (int i = 1; i <= 3; ++i, ++slow.state) EXPECT_EQ(ask(), i);
}

TEST_F(CountingOften, ADearTotalMayBeTenTimesAsOldAsItCost) {
  slow.cost = 40ms;
  EXPECT_EQ(ask(), 1);
  ++slow.state;
  EXPECT_EQ(ask(), 1);
  clock.advance(359ms);
  EXPECT_EQ(ask(), 1);
  clock.advance(2ms);
  EXPECT_EQ(ask(), 2);
}

TEST_F(CountingOften, NoTotalIsOlderThanTwoSeconds) {
  slow.cost = 700ms;
  EXPECT_EQ(ask(), 1);
  ++slow.state;
  clock.advance(1299ms);
  EXPECT_EQ(ask(), 1);
  clock.advance(1ms);
  EXPECT_EQ(ask(), 2);
}

TEST_F(CountingOften, AnEngineThatCannotTellIsAskedAgain) {
  slow.tells = false;
  EXPECT_EQ(ask(), 1);
  EXPECT_EQ(ask(), 2);
  slow.cost = 40ms;
  EXPECT_EQ(ask(), 3);
  EXPECT_EQ(ask(), 3);
}

}  // namespace
}  // namespace mandate::tables::test
