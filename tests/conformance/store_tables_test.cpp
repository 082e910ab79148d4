// Apps' tables, migrations, single-use objects.
#include "store/single_use.h"
#include "tests/conformance/store_fixture.h"

namespace mandate::store {
namespace {

class StoreTables : public StoreConformance {};

TEST_P(StoreTables, ATableIsMadeWidenedDescribedAndDropped) {
  EXPECT_TRUE(wait(store().describe("todo"))->empty());
  table("todo", {{"id", Type::text, true}, {"done", Type::boolean}});
  table("todo", {{"id", Type::integer},
                 {"due", Type::date, false, true},
                 {"DONE", Type::text},
                 {"tags", Type::json},
                 {"price", Type::real}});
  auto columns = wait(store().describe("todo"));
  ASSERT_TRUE(columns.ok());
  std::vector<std::string> names;
  for (const auto& c : *columns) names.push_back(c.name);
  EXPECT_EQ(names, (std::vector<std::string>{"id", "done", "due", "tags", "price"}));
  EXPECT_EQ((*columns)[0].type, Type::text);
  EXPECT_TRUE((*columns)[0].unique);
  EXPECT_EQ((*columns)[1].type, Type::boolean);
  EXPECT_EQ((*columns)[2].type, Type::date);
  EXPECT_TRUE((*columns)[2].index);
  EXPECT_EQ((*columns)[3].type, Type::json);
  ASSERT_TRUE(wait(store().drop_table("todo")).ok());
  ASSERT_TRUE(wait(store().drop_table("todo")).ok());
  EXPECT_TRUE(wait(store().describe("todo"))->empty());
}

TEST_P(StoreTables, AReadingEndsAtItsBytesAndSaysSo) {
  table("t", {{"id", Type::integer, true}, {"text", Type::text}});
  for (std::int64_t id = 0; id < 5; ++id) must(insert("t", {{"id", id}, {"text", std::string(1000, 'x')}}));
  Plan plan;
  plan.table = "t";
  plan.order.push_back({column("id", Type::integer), false});
  plan.count = true;
  const auto given = [&](std::size_t most) {
    plan.most_bytes = most;
    auto listed = wait(store().list(plan, [](const RowView&) { return true; }));
    EXPECT_TRUE(listed.ok());
    EXPECT_EQ(listed->total, 5);
    EXPECT_EQ(listed->cut, listed->rows < 5);
    return listed->rows;
  };
  EXPECT_EQ(given(0), 5);
  EXPECT_EQ(given(1 << 20), 5);
  EXPECT_EQ(given(1), 1) << "the first row always comes";
  EXPECT_EQ(given(2500), 3);
}

TEST_P(StoreTables, TwoAtOnceBothSucceed) {
  int answered = 0;
  for (int i = 0; i < 8; ++i)
    spawn(store().ensure_table("t", {{"id", Type::text, true}, {"c" + std::to_string(i % 2), Type::text}}), [&](Result<void> r) {
      EXPECT_TRUE(r.ok()) << r.error().detail;
      ++answered;
    });
  loop_.run_until([&] { return answered == 8; });
  EXPECT_EQ(wait(store().describe("t"))->size(), 3U);
}

TEST_P(StoreTables, StatementsSurviveANewColumn) {
  table("t", {{"id", Type::text, true}});
  must(insert("t", {{"id", "a"}}));
  EXPECT_EQ(get("t", equals("id", "a"))->size(), 1U);
  table("t", {{"extra", Type::text}});
  must(insert("t", {{"id", "b"}, {"extra", "x"}}));
  EXPECT_EQ(get("t", equals("id", "b"))->text("extra"), "x");
  EXPECT_TRUE(get("t", equals("id", "a"))->null("extra"));
  ASSERT_TRUE(wait(store().drop_table("t")).ok());
  table("t", {{"other", Type::text}, {"id", Type::text}});
  must(insert("t", {{"id", "c"}, {"other", "y"}}));
  EXPECT_EQ(get("t", equals("id", "c"))->text("other"), "y");
}

TEST_P(StoreTables, NamesWithQuotesAreNamesAndReservedOnesAreRefused) {
  const std::string odd = "we\"ird; DROP TABLE x --";
  table(odd, {{"a\"b", Type::text}});
  must(insert(odd, {{"a\"b", "v"}}));
  EXPECT_EQ(get(odd, equals("a\"b", "v"))->text("a\"b"), "v");
  for (const char* name : {"sqlite_master", "mandate_stamps", ""})
    EXPECT_EQ(wait(store().ensure_table(name, {{"x", Type::text}})).error().code, Code::invalid_request) << name;
}

TEST_P(StoreTables, AnInternalTableIsNotDropped) {
  ASSERT_TRUE(wait(store().drop_table("single_use")).ok());
  EXPECT_TRUE(wait(put(store(), "code", {"h", {}, tried_->clock().now_ms() + 1})).ok());
}

TEST_P(StoreTables, ValuesComeBackAsTheyWent) {
  table("v", {{"id", Type::text, true}, {"t", Type::text}, {"i", Type::integer}, {"r", Type::real}, {"b", Type::boolean}});
  const std::string odd("nul\0 ' \" \xF0\x9F\x98\x80", 13);
  must(insert("v", {{"id", "a"}, {"t", odd}, {"i", INT64_MIN}, {"r", 0.1}, {"b", true}}));
  auto row = get("v", equals("id", "a"));
  EXPECT_EQ(row->text("t"), odd);
  EXPECT_EQ(row->integer("i"), INT64_MIN);
  EXPECT_EQ(row->real("r"), 0.1);
  EXPECT_TRUE(row->boolean("b"));
  // Noncharacters are text like any other, also next to a NUL.
  for (const std::string& noncharacter : {std::string("\xEF\xBF\xBF"), std::string("\xEF\xBF\xBF" "0\0" "1", 6), std::string("\xEF\xBF\xBF" "1")}) {
    must(upsert("v", {"id"}, {{"id", "c"}, {"t", noncharacter}}));
    EXPECT_EQ(get("v", equals("t", noncharacter))->text("t"), noncharacter);
  }
  must(insert("v", {{"id", "b"}, {"t", ""}}));
  row = get("v", equals("id", "b"));
  EXPECT_FALSE(row->null("t"));
  EXPECT_TRUE(row->null("i"));
}

TEST_P(StoreTables, MigrationsRunOnceInOrderAndANewerSchemaIsRefused) {
  const Migration first{"todo", "0001_a", "CREATE TABLE m (id TEXT NOT NULL PRIMARY KEY);"};
  const Migration second{"todo", "0002_b", "ALTER TABLE m ADD COLUMN n BIGINT; UPDATE m SET n = 2;"};
  const Migration one[] = {first}, two[] = {first, second};
  ASSERT_TRUE(tried_->migratable().migrate(one).ok());
  ASSERT_TRUE(tried_->migratable().migrate(one).ok());
  must(insert("m", {{"id", "one"}}));
  ASSERT_TRUE(tried_->migratable().migrate(two).ok());
  EXPECT_EQ(get("m", equals("id", "one"))->integer("n"), 2);
  auto older = tried_->migratable().migrate(one);
  ASSERT_FALSE(older.ok());
  EXPECT_EQ(older.error().code, Code::conflict);
  EXPECT_NE(older.error().hint.find("0002_b"), std::string::npos) << older.error().hint;
}

TEST_P(StoreTables, AStepThatFailsHalfwayLeavesNothing) {
  const Migration bad[] = {{"todo", "0001_a", "CREATE TABLE half (id TEXT); INSERT INTO nowhere VALUES (1);"}};
  EXPECT_FALSE(tried_->migratable().migrate(bad).ok());
  const Migration good[] = {{"todo", "0001_a", "CREATE TABLE half (id TEXT);"}};
  EXPECT_TRUE(tried_->migratable().migrate(good).ok());
}

TEST_P(StoreTables, ASoundStoreHasNothingToReport) {
  table("t", {{"id", Type::text, true}});
  must(insert("t", {{"id", "a"}}));
  auto report = wait(store().check());
  ASSERT_TRUE(report.ok()) << report.error().detail;
  EXPECT_EQ(*report, "");
}

class SingleUseObjects : public StoreConformance {
 protected:
  Millis now() { return tried_->clock().now_ms(); }
  void file(std::string bound_to = {}) {
    JsonObject payload;
    payload["n"] = 1;
    ASSERT_TRUE(wait(put(store(), "code", {"handle", payload, now() + 60'000}, std::move(bound_to))).ok());
  }
  Result<JsonObject> taken(Kind kind = "code", std::string handle = "handle", std::string bound_to = {}) {
    return wait(take(store(), kind, std::move(handle), std::move(bound_to), now(), Code::invalid_grant));
  }
};

TEST_P(SingleUseObjects, IsTakenOnce) {
  file();
  auto first = taken();
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(integer_member(*first, "n"), 1);
  EXPECT_EQ(taken().error().code, Code::invalid_grant);
}

TEST_P(SingleUseObjects, AnotherKindBindingOrHandleGetsNothingAndLeavesIt) {
  file("client");
  EXPECT_FALSE(taken("ticket", "handle", "client").ok());
  EXPECT_FALSE(taken("code", "Handle", "client").ok());
  EXPECT_FALSE(taken("code", "handle", "other").ok());
  EXPECT_FALSE(taken("code", "handle").ok());
  EXPECT_TRUE(taken("code", "handle", "client").ok());
}

TEST_P(SingleUseObjects, ExpiresAndIsSweptAndPeekLooksOnly) {
  file();
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(wait(peek(store(), "code", "handle", "", now()))->has_value());
  tried_->clock().advance(std::chrono::seconds(60));
  EXPECT_FALSE(wait(peek(store(), "code", "handle", "", now()))->has_value());
  EXPECT_FALSE(taken().ok());
  auto swept = write(sweep_single_use(now()));
  EXPECT_EQ(swept->front().count, 1);
}

TEST_P(SingleUseObjects, OfManyTakersAtOnceOneWins) {
  file();
  int won = 0, answered = 0;
  for (int i = 0; i < 50; ++i)
    spawn(take(store(), "code", "handle", "", now(), Code::invalid_grant), [&](Result<JsonObject> r) {
      ++answered;
      won += r.ok();
    });
  loop_.run_until([&] { return answered == 50; });
  EXPECT_EQ(won, 1);
}

TEST_P(SingleUseObjects, IsNotSpentWhenItsEffectFails) {
  file();
  auto done =
      write_all({take_single_use("code", "handle", "", now(), Code::invalid_grant), insert("single_use", {{"key", "x"}})});
  EXPECT_FALSE(done.ok());
  EXPECT_TRUE(taken().ok());
}

ON_EVERY_ENGINE(StoreTables);
ON_EVERY_ENGINE(SingleUseObjects);

}  // namespace
}  // namespace mandate::store
