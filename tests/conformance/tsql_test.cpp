// The SQL of scripts over each engine: the same text gives the same rows (mobile-backend-wire 5.5).
#include "tables/catalogue.h"
#include "tables/tsql/run.h"
#include "tests/conformance/store_fixture.h"

namespace mandate::tables::tsql {
namespace {

using store::EngineUnderTest;
using store::engines_under_test;

class SqlOnEngines : public store::StoreConformance {
 protected:
  SqlOnEngines() {
    const auto migrated = tried_->migratable().migrate(tables::kMigrations);
    EXPECT_TRUE(migrated.ok()) << migrated.error().detail;
    auto config = std::make_shared<tenant::Tenant>();
    config->name = "demo";
    config->revision = 1;
    tenant::Service service;
    service.name = "myservice";
    tenant::Table items;
    items.name = "Items";
    items.columns = {{"text", "string"}, {"n", "number"}, {"done", "boolean"}, {"due", "datetime"}, {"more", "json"}};
    items.soft_delete = true;
    service.tables["items"] = items;
    tenant::Table numbered;
    numbered.name = "Numbered";
    numbered.columns = {{"text", "string"}};
    numbered.integer_id = true;
    service.tables["numbered"] = numbered;
    tenant::Table notes;
    notes.name = "Notes";
    notes.columns = {{.name = "body", .required = true, .max_length = 5},
                     {.name = "level", .type = "enum", .usual = "low", .values = {"low", "high"}},
                     {.name = "day", .type = "date"},
                     {.name = "item", .references = "Items", .as = "of", .on_delete = "cascade"}};
    service.tables["notes"] = notes;
    config->services["myservice"] = service;
    context.here = {config, &store()};
    context.service = &config->services.at("myservice");
    context.principal.level = identity::Level::admin;
  }

  /// Rows by "; ", cells by ","; statements by " | "; or the error.
  std::string sql(std::string text, std::vector<Value> values = {}, std::shared_ptr<Session> session = nullptr) {
    if (!session) session = std::make_shared<Session>();
    auto done = wait(run(tables, context, std::move(text), std::move(values), session));
    if (!done.ok()) return std::string(name(done.error().code)) + ": " + done.error().hint + done.error().detail;
    std::string out;
    for (const ResultSet& set : done->sets) {
      if (!out.empty()) out += " | ";
      std::string rows;
      for (const Json& row : set.rows) {
        if (!rows.empty()) rows += "; ";
        std::string cells = to_json(row);
        rows += cells.substr(1, cells.size() - 2);
      }
      out += rows;
    }
    return done->sets.empty() ? std::to_string(done->touched) + " rows" : out;
  }
  void fill() {
    ASSERT_EQ(sql("INSERT INTO items (id, text, n, done, due) VALUES ('a', 'Milk', 3, 1, '2020-01-01'), ('b', 'milk  ', 1.5, 0, '2020-02-01T10:00:00Z'), ('c', N'äpfel', NULL, NULL, NULL), ('d', NULL, -2, 1, '2021-01-01')"), "4 rows");
  }

  Log log{tried_->clock(), Level::error, [](std::string_view) {}};
  Metrics metrics;
  SeededRandom random;
  Tables tables{tried_->clock(), random, log, metrics};
  OperationContext context;
};

TEST_P(SqlOnEngines, ConditionsThatTheStoreHelpsWithLeaveTheSameRows) {
  fill();
  const std::pair<const char*, const char*> cases[] = {
      {"SELECT id FROM items WHERE text = 'MILK'", R"("a"; "b")"},
      {"SELECT id FROM items WHERE text = 'milk ' AND n > 2", R"("a")"},
      {"SELECT id FROM items WHERE text IN ('x', N'Äpfel')", R"("c")"},
      {"SELECT id FROM items WHERE text LIKE '%il%'", R"("a"; "b")"},
      {"SELECT id FROM items WHERE text NOT LIKE 'm%'", R"("c")"},
      {"SELECT id FROM items WHERE id = 'A'", ""},
      {"SELECT id FROM items WHERE id IN ('a', 'd')", R"("a"; "d")"},
      {"SELECT id FROM items WHERE n = 3", R"("a")"},
      {"SELECT id FROM items WHERE n = '1.5'", R"("b")"},
      {"SELECT id FROM items WHERE 0 > n", R"("d")"},
      {"SELECT id FROM items WHERE n BETWEEN -2 AND 2", R"("b"; "d")"},
      {"SELECT id FROM items WHERE done = 1", R"("a"; "d")"},
      {"SELECT id FROM items WHERE done = 0 OR done IS NULL", R"("b"; "c")"},
      {"SELECT id FROM items WHERE done = 'true'", R"("a"; "d")"},
      {"SELECT id FROM items WHERE done <> 1", R"("b")"},
      {"SELECT id FROM items WHERE due >= '2020-02-01 10:00'", R"("b"; "d")"},
      {"SELECT id FROM items WHERE due < DATEADD(year, 1, '2020-01-01')", R"("a"; "b")"},
      {"SELECT id FROM items WHERE text IS NOT NULL AND NOT (n = 3)", R"("b")"},
      {"SELECT id FROM items ORDER BY text", R"("d"; "c"; "a"; "b")"},
      {"SELECT TOP 2 id FROM items ORDER BY n DESC", R"("a"; "b")"},
      {"SELECT TOP 2 id FROM items ORDER BY n", R"("c"; "d")"},
      {"SELECT TOP 1 id FROM items", R"("a")"},
      {"SELECT id FROM items ORDER BY id OFFSET 1 ROWS FETCH NEXT 2 ROWS ONLY", R"("b"; "c")"},
      {"SELECT COUNT(*) FROM items", "4"},
      {"SELECT COUNT(*) FROM items WHERE n > 0", "2"},
      {"SELECT COUNT(*) FROM items WHERE text = 'milk'", "2"},
      {"SELECT n / 2, 7 / 2, text + '!' FROM items WHERE id IN ('a', 'c')", R"(1.5,3,"Milk!"; null,3,"äpfel!")"},
      {"SELECT LEN(text) FROM items WHERE id = 'b'", "4"},
      {"SELECT due FROM items WHERE id = 'a'", "[1577836800000]"},
      {"SELECT done, COUNT(*) FROM items GROUP BY done ORDER BY done", "null,1; false,1; true,2"},
      {"SELECT a.id, b.id FROM items a JOIN items b ON a.text = b.text AND a.id < b.id", R"("a","b")"},
      {"SELECT a.id FROM items a LEFT JOIN items b ON b.n = a.n * 2 WHERE b.id IS NULL", R"("a"; "c"; "d")"},
      {"SELECT DISTINCT text FROM items WHERE n > 0", R"("Milk")"},
  };
  for (const auto& [text, gives] : cases) EXPECT_EQ(sql(text), gives) << text;
}

TEST_P(SqlOnEngines, WritesAreStampedLikeAnyOther) {
  fill();
  const std::string before = sql("SELECT __updatedAt, __version FROM items WHERE id = 'a'");
  EXPECT_EQ(sql("UPDATE items SET n = n + 1 WHERE text = 'milk'; SELECT @@ROWCOUNT"), "2");
  EXPECT_NE(sql("SELECT __updatedAt, __version FROM items WHERE id = 'a'"), before);
  EXPECT_EQ(sql("SELECT id, n FROM items WHERE n > 2 ORDER BY n"), R"("b",2.5; "a",4)");
  EXPECT_EQ(sql("SELECT COUNT(*) FROM items a JOIN items b ON a.__updatedAt = b.__updatedAt AND a.id <> b.id"), "0") << "each row has a stamp of its own";
  EXPECT_EQ(sql("UPDATE a SET text = b.text FROM items a JOIN items b ON b.id = 'a' WHERE a.id = 'd'"), "1 rows");
  EXPECT_EQ(sql("SELECT text FROM items WHERE id = 'd'"), R"("Milk")");
  EXPECT_EQ(sql("UPDATE TOP (1) items SET text = NULL, done = 0, due = '2022-02-02', more = '{\"a\":[1]}'"), "1 rows");
  EXPECT_EQ(sql("SELECT text, done, due, more FROM items WHERE id = 'a'"), R"(null,false,[1643760000000],"{\"a\":[1]}")");
  EXPECT_EQ(sql("DELETE FROM items WHERE n < 0"), "1 rows");
  EXPECT_EQ(sql("SELECT id FROM items"), R"("a"; "b"; "c")");
  EXPECT_EQ(sql("INSERT INTO items (text, n) SELECT text, n * 10 FROM items WHERE n IS NOT NULL"), "2 rows");
  EXPECT_EQ(sql("SELECT LEN(id), n, __deleted FROM items WHERE n > 20 ORDER BY n"), "36,25,false; 36,40,false");
}

TEST_P(SqlOnEngines, WholeNumberIdsAreGivenAndToldBack) {
  EXPECT_EQ(sql("INSERT INTO Numbered (text) VALUES ('x'), ('y'); SELECT SCOPE_IDENTITY() AS id"), "2");
  EXPECT_EQ(sql("INSERT INTO myservice.Numbered (text) VALUES ('z'); SELECT @@IDENTITY"), "3");
  EXPECT_EQ(sql("SELECT * FROM numbered WHERE id >= 2"), R"(2,"y"; 3,"z")");
  EXPECT_EQ(sql("UPDATE numbered SET text = 'w' WHERE id = 3"), "1 rows");
  EXPECT_EQ(sql("DELETE FROM numbered WHERE id < 3; SELECT id, text FROM numbered"), R"(3,"w")");
}

TEST_P(SqlOnEngines, WhatCannotBeWrittenIsRefusedAndNothingHappens) {
  fill();
  EXPECT_EQ(sql("INSERT INTO items (id) VALUES ('z'), ('a')"), "conflict: A row with the same id, or the same value in a unique column, exists already.");
  EXPECT_EQ(sql("INSERT INTO items (id) VALUES ('z'), ('z')"), "conflict: A row with the id 'z' exists already in table 'Items'.");
  EXPECT_EQ(sql("INSERT INTO items (id, due) VALUES ('z', 'soon')"), "bad_request: Conversion failed when converting the nvarchar value 'soon' to data type datetimeoffset.");
  EXPECT_EQ(sql("UPDATE items SET n = text"), "bad_request: Conversion failed when converting the nvarchar value 'Milk' to data type float.");
  EXPECT_EQ(sql("INSERT INTO items (id) VALUES ('a?b')"), "bad_request: A row's id has characters that no id may have, or is too long.");
  EXPECT_EQ(sql("SELECT COUNT(*), MAX(n) FROM items"), "4,3");
  EXPECT_EQ(sql("SELECT * FROM mandate_columns"), "bad_request: Invalid object name 'mandate_columns' (line 1, column 15).");
}

TEST_P(SqlOnEngines, WhatIsDeclaredOfColumnsHoldsForSqlToo) {
  fill();
  EXPECT_EQ(sql("INSERT INTO notes (id, body, day, item) VALUES ('n1', 'short', '2020-05-06T07:08:09Z', 'a')"), "1 rows");
  EXPECT_EQ(sql("SELECT body, level, day, item FROM notes WHERE level = 'LOW'"), R"("short","low",[1588723200000],"a")");
  EXPECT_EQ(sql("UPDATE notes SET level = 'high'; SELECT COUNT(*) FROM notes WHERE level = 'high'"), "1");
  EXPECT_EQ(sql("UPDATE notes SET body = 'longer'"), "bad_request: The property 'body' is longer than 5 characters.");
  EXPECT_EQ(sql("UPDATE notes SET body = NULL"), "bad_request: The property 'body' is required.");
  EXPECT_EQ(sql("INSERT INTO notes (item) VALUES ('a')"), "bad_request: The property 'body' is required.");
  EXPECT_EQ(sql("UPDATE notes SET level = 'middle'").substr(0, 33), "bad_request: The property 'level'");
  EXPECT_EQ(sql("INSERT INTO notes (body, item) VALUES ('x', 'nobody')"), "bad_request: A row refers to a row that does not exist.");
  EXPECT_EQ(sql("BEGIN TRAN; INSERT INTO items (id) VALUES ('new'); INSERT INTO notes (body, item) VALUES ('x', 'new'); COMMIT; SELECT COUNT(*) FROM notes"), "2");
  EXPECT_EQ(sql("DELETE FROM items WHERE id IN ('a', 'new'); SELECT COUNT(*) FROM notes"), "0") << "they go with it";
}

TEST_P(SqlOnEngines, ATransactionIsSeenByItselfUntilItIsCommitted) {
  fill();
  const auto mine = std::make_shared<Session>();
  ASSERT_TRUE(begin(*mine).ok());
  EXPECT_EQ(sql("UPDATE items SET n = 100 WHERE id = 'a'; DELETE FROM items WHERE id = 'b'; INSERT INTO items (id, n) VALUES ('e', 5)", {}, mine), "1 rows");
  EXPECT_EQ(sql("UPDATE items SET n = n + 1 WHERE n >= 5; SELECT @@ROWCOUNT", {}, mine), "2");
  EXPECT_EQ(sql("SELECT id, n FROM items WHERE n > 3 ORDER BY id", {}, mine), R"("a",101; "e",6)");
  EXPECT_EQ(sql("SELECT COUNT(*) FROM items", {}, mine), "4");
  EXPECT_EQ(sql("SELECT TOP 1 id FROM items ORDER BY n DESC", {}, mine), R"("a")");
  EXPECT_EQ(sql("SELECT id FROM items WHERE n > 3 OR id = 'b'"), R"("b")") << "nobody else sees it";
  ASSERT_TRUE(wait(commit(tables, context, mine)).ok());
  EXPECT_EQ(sql("SELECT id, n FROM items"), R"("a",101; "c",null; "d",-2; "e",6)");
}

TEST_P(SqlOnEngines, ATransactionThatIsRolledBackDidNothing) {
  fill();
  EXPECT_EQ(sql("BEGIN TRANSACTION; DELETE FROM items; INSERT INTO items (id) VALUES ('a'); ROLLBACK TRAN; SELECT COUNT(*) FROM items"), "4");
  EXPECT_EQ(sql("BEGIN TRAN; DELETE FROM items WHERE id = 'a'; INSERT INTO items (id, n) VALUES ('a', 9); COMMIT TRAN; SELECT id, n, text FROM items WHERE id = 'a'"), R"("a",9,null)");
  EXPECT_EQ(sql("COMMIT"), "bad_request: There is no transaction to commit.");
}

TEST_P(SqlOnEngines, ATransactionWhoseRowsOthersChangedIsUndoneAsAWhole) {
  fill();
  const auto mine = std::make_shared<Session>();
  ASSERT_TRUE(begin(*mine).ok());
  sql("UPDATE items SET n = 1 WHERE id = 'a'; INSERT INTO items (id) VALUES ('f')", {}, mine);
  EXPECT_EQ(sql("UPDATE items SET n = 2 WHERE id = 'a'"), "1 rows");
  const auto committed = wait(commit(tables, context, mine));
  ASSERT_FALSE(committed.ok());
  EXPECT_EQ(committed.error().code, Code::conflict);
  EXPECT_EQ(sql("SELECT n FROM items WHERE id IN ('a', 'f')"), "2");
  EXPECT_FALSE(mine->in_transaction);
}

TEST_P(SqlOnEngines, ManyRowsAreReadChangedAndCountedWithinTheLimits) {
  std::string insert = "INSERT INTO items (id, n, text) VALUES ('r0', 0, 'x')";
  for (int i = 1; i < 600; ++i) insert += ", ('r" + std::to_string(i) + "', " + std::to_string(i) + ", 'x')";
  ASSERT_EQ(sql(insert), "600 rows");
  EXPECT_EQ(sql("SELECT SUM(n), AVG(n) FROM items WHERE text = 'X'"), "179700,299.5");
  EXPECT_EQ(sql("SELECT COUNT(*) FROM items a JOIN items b ON a.n = b.n + 1"), "599") << "more than the loop does itself";
  EXPECT_EQ(sql("UPDATE items SET done = 1 WHERE n % 2 = 0"), "300 rows");
  EXPECT_EQ(sql("DELETE TOP (100) FROM items WHERE done = 1; SELECT COUNT(*) FROM items WHERE done = 1"), "200");
  EXPECT_EQ(sql("INSERT INTO items (n) SELECT a.n FROM items a CROSS JOIN (SELECT TOP 20 id FROM items) b"), "payload_too_large: The SQL changes more than 5000 rows at once. TOP (n) makes smaller steps.");
}

ON_EVERY_ENGINE(SqlOnEngines);

}  // namespace
}  // namespace mandate::tables::tsql
