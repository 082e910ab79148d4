// What the SQL of scripts may not say, and that the refusal names the word and its place (SC-4, DA-7, DA-8).
#include "tests/tables/tsql/bench.h"

namespace mandate::tables::tsql::test {
namespace {

std::string refusal(std::string_view sql) { return Bench().run(sql); }

TEST(SqlRefusals, NameTheWordAndItsPlace) {
  const std::pair<const char*, const char*> cases[] = {
      {"DROP TABLE people", "'DROP' is not supported: SELECT, INSERT, UPDATE and DELETE are (line 1, column 1)."},
      {"CREATE TABLE x (a int)", "'CREATE' is not supported: SELECT, INSERT, UPDATE and DELETE are (line 1, column 1)."},
      {"SELECT 1;\n  EXEC sp_who", "'EXEC' is not supported: SELECT, INSERT, UPDATE and DELETE are (line 2, column 3)."},
      {"DECLARE @x int", "'DECLARE' is not supported: SELECT, INSERT, UPDATE and DELETE are (line 1, column 1)."},
      {"TRUNCATE TABLE people", "'TRUNCATE' is not supported: SELECT, INSERT, UPDATE and DELETE are (line 1, column 1)."},
      {"MERGE people", "'MERGE' is not supported: SELECT, INSERT, UPDATE and DELETE are (line 1, column 1)."},
      {"WITH x AS (SELECT 1) SELECT * FROM x", "'WITH' is not supported: SELECT, INSERT, UPDATE and DELETE are (line 1, column 1)."},
      {"SELECT * FROM sys.tables", "The schema 'sys' is not this service's (line 1, column 15)."},
      {"SELECT * FROM otherservice.people", "The schema 'otherservice' is not this service's (line 1, column 15)."},
      {"SELECT * FROM INFORMATION_SCHEMA.TABLES", "The schema 'INFORMATION_SCHEMA' is not this service's (line 1, column 15)."},
      {"SELECT * FROM users", "Invalid object name 'users' (line 1, column 15)."},
      {"SELECT * FROM t_myservice__people", "Invalid object name 't_myservice__people' (line 1, column 15)."},
      {"SELECT secret FROM people", "Invalid column name 'secret' (line 1, column 8)."},
      {"SELECT * FROM people WITH (TABLOCKX)", "NOLOCK is expected, not 'TABLOCKX' (line 1, column 28)."},
      {"SELECT * INTO x FROM people", "'INTO' is not supported here (line 1, column 10)."},
      {"SELECT ROW_NUMBER() OVER (ORDER BY id) FROM people", "The function 'ROW_NUMBER' is not supported (line 1, column 8)."},
      {"SELECT COUNT(*) OVER () FROM people", "'OVER' is not supported here (line 1, column 17)."},
      {"SELECT * FROM OPENROWSET('x')", "Incorrect syntax near '(' (line 1, column 25)."},
      {"SELECT xp_cmdshell('dir')", "The function 'xp_cmdshell' is not supported (line 1, column 8)."},
      {"SELECT @x", "Variables ('@x') are not supported: use question marks (line 1, column 8)."},
      {"SELECT @@SERVERNAME", "'@@SERVERNAME' is not supported (line 1, column 8)."},
      {"SELECT * FROM people FOR XML AUTO", "'FOR' is not supported here (line 1, column 22)."},
      {"SELECT 1 EXCEPT SELECT 2", "'EXCEPT' is not supported here (line 1, column 10)."},
      {"SELECT 'open", "A text is not closed (line 1, column 8)."},
      {"SELECT 1 /* open", "A comment is not closed (line 1, column 10)."},
      {"SELECT", "The SQL ends too early (line 1, column 7)."},
      {"", "The SQL is empty (line 1, column 1)."},
      {"SELECT id FROM people WHERE active", "An expression stands where a condition is expected (line 1, column 29)."},
      {"SELECT 1 = 1 OR 2 = 2", "A condition stands where a value is expected (line 1, column 14)."},
      {"SELECT id FROM people WHERE name = (1 = 1)", "A condition stands where a value is expected (line 1, column 39)."},
      {"UPDATE people SET id = 'x'", "The column 'id' cannot be written (line 1, column 19)."},
      {"UPDATE people SET __updatedAt = GETDATE()", "The column '__updatedAt' cannot be written (line 1, column 19)."},
      {"UPDATE people SET nothing = 1", "Invalid column name 'nothing' (line 1, column 19)."},
      {"INSERT INTO orders (id, total) VALUES (1, 2)", "The ids of table 'orders' are given by the server (line 1, column 21)."},
      {"INSERT INTO people (name, NAME) VALUES ('a', 'b')", "Column 'NAME' is given twice (line 1, column 27)."},
      {"INSERT INTO people (name, age) VALUES ('a')", "There are more or fewer values than columns (line 1, column 1)."},
      {"UPDATE people SET name = 'x' OUTPUT inserted.id", "'OUTPUT' is not supported here (line 1, column 30)."},
      {"SELECT CAST(1 AS xml)", "The data type 'xml' is not supported (line 1, column 18)."},
      {"SELECT LEFT('a')", "The function 'LEFT' takes another number of arguments (line 1, column 8)."},
      {"SELECT DATEADD(eon, 1, GETDATE())", "'eon' is no part of a date (line 1, column 16)."},
      {"SELECT \x01", "There is a character that SQL does not know (line 1, column 8)."},
  };
  for (const auto& [sql, text] : cases) EXPECT_EQ(refusal(sql), text) << sql;
}

TEST(SqlRefusals, TheServicesNameIsASchemaWhateverWordItIs) {
  auto script = parse("SELECT default.items.id FROM default.items JOIN [default].other ON 1 = 1", "default");
  ASSERT_TRUE(script.ok()) << script.error().hint;
  EXPECT_EQ(tables_of(script->statements[0]), (std::vector<std::string>{"items", "other"}));
}

TEST(SqlRefusals, SizesHaveLimits) {
  const Limits limits;
  EXPECT_EQ(refusal("SELECT '" + std::string(limits.bytes, 'x') + "'"), "The SQL text is longer than 65536 bytes.");
  EXPECT_NE(refusal("SELECT " + std::string(200, '(') + "1" + std::string(200, ')')).find("too deep"), std::string::npos);
  std::string sum = "SELECT 1";
  for (int i = 0; i < 200; ++i) sum += " + 1";
  EXPECT_NE(refusal(sum).find("too deep"), std::string::npos);
  std::string nots = "SELECT 1 WHERE ";
  for (int i = 0; i < 200; ++i) nots += "NOT ";
  EXPECT_NE(refusal(nots + "1 = 1").find("too deep"), std::string::npos);
  std::string signs = "SELECT ";
  for (int i = 0; i < 5000; ++i) signs += "- ";
  EXPECT_NE(refusal(signs + "1").find("too deep"), std::string::npos);
  std::string many = "SELECT 1";
  for (int i = 0; i < 101; ++i) many += "; SELECT 1";
  EXPECT_NE(refusal(many).find("more than 100 statements"), std::string::npos);
  std::string wide = "SELECT 1 WHERE 1 = 1";
  for (int i = 0; i < 3000; ++i) wide += " AND 1 = 1";
  EXPECT_EQ(refusal(wide), "1") << "length is no depth";
}

TEST(SqlRefusals, SubselectsWithinOneAnotherHaveALimit) {
  std::string sql = "SELECT 1";
  for (int i = 0; i < 100; ++i) sql = "SELECT (" + sql + ")";
  EXPECT_NE(refusal(sql).find("too deep"), std::string::npos);
}

}  // namespace
}  // namespace mandate::tables::tsql::test
