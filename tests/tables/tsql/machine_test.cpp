// The SQL of the tutorials, over rows in memory (mobile-backend-wire 5.5).
#include "tests/tables/tsql/bench.h"

namespace mandate::tables::tsql::test {
namespace {

struct Case {
  const char* sql;
  const char* gives;
};

void expect_all(std::initializer_list<Case> cases) {
  for (const Case& each : cases) {
    Bench bench;
    EXPECT_EQ(bench.run(each.sql), each.gives) << each.sql;
  }
}

TEST(Sql, SelectsColumnsRowsAndExpressions) {
  expect_all({
      {"SELECT name FROM people", "Ann; bob; Cid"},
      {"select * from people where id = 'a'", "a,Ann,30,1,1970-01-01 00:00:00.000 +00:00"},
      {"SELECT p.* FROM people AS p WHERE age < 25", "b,bob,20,0,1970-01-02 00:00:00.000 +00:00"},
      {"SELECT name AS n, age * 2 [double age] FROM people WHERE age IS NOT NULL", "Ann,60; bob,40"},
      {"SELECT [name] FROM [dbo].[people] WHERE \"id\" = N'c'", "Cid"},
      {"SELECT name FROM myservice.people WITH (NOLOCK) WHERE active = 1 ORDER BY name DESC", "Cid; Ann"},
      {"SELECT 1 + 1, 'it''s', NULL -- a comment\n", "2,it's,null"},
      {"SELECT /* a /* nested */ comment */ 5", "5"},
      {"SELECT total = 3", "3"},
      {"SELECT DISTINCT active FROM people ORDER BY active", "0; 1"},
      {"SELECT TOP 2 name FROM people ORDER BY name", "Ann; bob"},
      {"SELECT TOP (50) PERCENT name FROM people", "Ann; bob"},
      {"SELECT TOP 1 WITH TIES active FROM people ORDER BY active DESC", "1; 1"},
      {"SELECT name FROM people ORDER BY 1 OFFSET 1 ROWS FETCH NEXT 1 ROWS ONLY", "bob"},
      {"SELECT id FROM people ORDER BY age", "c; b; a"},
      {"SELECT id FROM people ORDER BY age DESC, id", "a; b; c"},
      {"SELECT 1; SELECT 2", "1 | 2"},
      {"SELECT __deleted, createdAt FROM people WHERE id = 'a'", "null,null"},
  });
}

TEST(Sql, ConditionsHaveThreeAnswers) {
  expect_all({
      {"SELECT id FROM people WHERE age > 10", "a; b"},
      {"SELECT id FROM people WHERE NOT (age > 25)", "b"},
      {"SELECT id FROM people WHERE age = NULL", "(nothing)"},
      {"SELECT id FROM people WHERE age IS NULL OR age = 20", "b; c"},
      {"SELECT id FROM people WHERE age IN (20, NULL)", "b"},
      {"SELECT id FROM people WHERE age NOT IN (20, NULL)", "(nothing)"},
      {"SELECT id FROM people WHERE age NOT IN (20)", "a"},
      {"SELECT id FROM people WHERE age BETWEEN 20 AND 29.5", "b"},
      {"SELECT id FROM people WHERE age NOT BETWEEN 20 AND 29.5", "a"},
      {"SELECT id FROM people WHERE age <> 20", "a"},
      {"SELECT id FROM people WHERE age !> 20", "b"},
      {"SELECT id FROM people WHERE 1 = 1 AND NOT EXISTS (SELECT 1 FROM orders WHERE person = people.id)", "c"},
      {"SELECT id FROM people WHERE id IN (SELECT person FROM orders WHERE total > 6)", "a; b"},
      {"SELECT id FROM people WHERE id NOT IN (SELECT person FROM orders)", "(nothing)"},
      {"SELECT id FROM people WHERE ((active = 1))", "a; c"},
  });
}

TEST(Sql, TextsAreComparedWithoutCaseAndTrailingBlanks) {
  expect_all({
      {"SELECT id FROM people WHERE name = 'BOB'", "b"},
      {"SELECT id FROM people WHERE name = 'bob   '", "b"},
      {"SELECT id FROM people WHERE name > 'AZ'", "b; c"},
      {"SELECT id FROM people WHERE id = 'A'", "(nothing)"},
      {"SELECT COUNT(*) FROM people WHERE 'é' = 'E'", "0"},
      {"SELECT id FROM people WHERE name LIKE 'B%'", "b"},
      {"SELECT id FROM people WHERE name LIKE '_i_'", "c"},
      {"SELECT id FROM people WHERE name LIKE '[a-b]%'", "a; b"},
      {"SELECT id FROM people WHERE name NOT LIKE '[^c]%'", "c"},
      {"SELECT id FROM orders WHERE note LIKE '%50!%%' ESCAPE '!'", "3"},
      {"SELECT id FROM orders WHERE note LIKE '%[%]%'", "3"},
      {"SELECT COUNT(DISTINCT x.n) FROM (SELECT 'a' AS n UNION ALL SELECT 'A ' UNION ALL SELECT 'b') x", "2"},
      {"SELECT 'a' UNION SELECT 'A' UNION SELECT 'b'", "a; b"},
      {"SELECT LEN('ab  '), LEN('  ab'), LEN(N'äö')", "2,4,2"},
  });
}

TEST(Sql, NumbersAndNullsComputeAsInTSql) {
  expect_all({
      {"SELECT 7 / 2, -7 / 2, 7 / 2.0, 7 % 3, -7 % 3", "3,-3,3.5,1,-1"},
      {"SELECT age / 4 FROM people WHERE id = 'a'", "7.5"},
      {"SELECT 1 + NULL, NULL + 'a', 'a' + 'b', 1 + '2'", "null,null,ab,3"},
      {"SELECT 1 / 0", "Divide by zero error encountered."},
      {"SELECT 'a' + 1", "Conversion failed when converting the nvarchar value 'a' to data type int."},
      {"SELECT 9223372036854775807 + 1", "Arithmetic overflow error for data type int."},
      {"SELECT -(-5), - 5 + 3, +4", "5,-2,4"},
      {"SELECT ROUND(2.675, 2), ROUND(-2.5, 0), ROUND(1234, -2), ROUND(2.79, 1, 1), ABS(-4), FLOOR(-1.5), CEILING(1.2), SIGN(-3)", "2.68,-3,1200,2.7,4,-2,2,-1"},
      {"SELECT POWER(2, 10), SQRT(16)", "1024,4"},
      {"SELECT ISNULL(NULL, 5), ISNULL('x', 'y'), COALESCE(NULL, NULL, 3, 1 / 0), NULLIF(1, 1), NULLIF(1, 2)", "5,x,3,null,1"},
      {"SELECT CASE WHEN 1 = 2 THEN 'a' WHEN NULL = NULL THEN 'b' ELSE 'c' END, CASE 3 WHEN 1 THEN 'x' WHEN 3 THEN 'y' END, CASE 1 WHEN 2 THEN 1 END", "c,y,null"},
      {"SELECT CASE WHEN 1 = 1 THEN 1 ELSE 2.5 END / 2", "0.5"},
      {"SELECT IIF(2 > 1, 'yes', 'no')", "yes"},
  });
}

TEST(Sql, TextFunctions) {
  expect_all({
      {"SELECT SUBSTRING('hello', 2, 3), SUBSTRING('hello', 0, 3), SUBSTRING('hello', 9, 1), SUBSTRING('hello', -1, 3)", "ell,he,,h"},
      {"SELECT CHARINDEX('L', 'hello'), CHARINDEX('l', 'hello', 4), CHARINDEX('z', 'hello'), CHARINDEX('l', 'hello', 5)", "3,4,0,0"},
      {"SELECT LOWER('ÄB'), UPPER('äb'), LTRIM('  a '), RTRIM(' a  ') + '|', LEFT('hello', 2), RIGHT('hello', 3)", "äb,ÄB,a , a|,he,llo"},
      {"SELECT REPLACE('Hello hello', 'HELLO', 'x'), REPLACE('äbäb', 'ÄB', '-'), REPLACE('abc', '', 'x')", "x x,--,abc"},
      {"SELECT CONCAT('a', NULL, 1, 'b'), REPLICATE('ab', 3)", "a1b,ababab"},
      {"SELECT LEN(REPLICATE('abcdefghij', 200000))", "The SQL makes a text longer than a megabyte."},
      {"SELECT LEN(NEWID()), LEN(CAST(NEWID() AS uniqueidentifier))", "36,36"},
      {"SELECT UPPER(NULL), LEN(NULL)", "null,null"},
  });
}

TEST(Sql, Dates) {
  expect_all({
      {"SELECT GETDATE(), GETUTCDATE(), SYSDATETIMEOFFSET()", "2020-05-01 12:00:00.000 +00:00,2020-05-01 12:00:00.000 +00:00,2020-05-01 12:00:00.000 +00:00"},
      {"SELECT DATEADD(day, -1, GETDATE()), DATEADD(MONTH, 1, '2020-01-31'), DATEADD(yy, -1, '2020-02-29')", "2020-04-30 12:00:00.000 +00:00,2020-02-29 00:00:00.000 +00:00,2019-02-28 00:00:00.000 +00:00"},
      {"SELECT DATEDIFF(day, '2019-12-31T23:59:59', '2020-01-01'), DATEDIFF(year, '2019-12-31', '2020-01-01'), DATEDIFF(hour, '2020-01-01', '2020-01-01T02:59:00Z')", "1,1,2"},
      {"SELECT YEAR(GETDATE()), MONTH(GETDATE()), DAY(GETDATE()), DATEPART(hour, GETDATE()), DATEPART(weekday, GETDATE()), DATENAME(month, GETDATE())", "2020,5,1,12,6,May"},
      {"SELECT DATEPART(week, '2020-01-05'), DATEPART(quarter, '2020-12-01'), DATEPART(dayofyear, '2020-12-31')", "2,4,366"},
      {"SELECT id FROM people WHERE born >= '1970-01-02'", "b"},
      {"SELECT id FROM people WHERE born < DATEADD(hour, 1, '19700101')", "a"},
      {"SELECT CONVERT(nvarchar, GETDATE(), 120), CONVERT(varchar(10), GETDATE(), 103), CAST(GETDATE() AS date)", "2020-05-01 12:00:00,01/05/2020,2020-05-01 00:00:00.000 +00:00"},
      {"SELECT CAST('1/31/2020' AS datetime), CAST('2020-01-31 10:00:00 +02:00' AS datetimeoffset)", "2020-01-31 00:00:00.000 +00:00,2020-01-31 08:00:00.000 +00:00"},
      {"SELECT CONVERT(datetime, '31/01/2020', 103), CONVERT(datetime, '31.1.2020 10:00', 104), CONVERT(datetime, '01/31/2020', 101)", "2020-01-31 00:00:00.000 +00:00,2020-01-31 10:00:00.000 +00:00,2020-01-31 00:00:00.000 +00:00"},
      {"SELECT CAST('never' AS datetime)", "Conversion failed when converting the nvarchar value 'never' to data type datetimeoffset."},
      {"SELECT GETDATE() + 1", "2020-05-02 12:00:00.000 +00:00"},
  });
}

TEST(Sql, Casts) {
  expect_all({
      {"SELECT CAST('12' AS int) + 1, CAST(2.9 AS int), CAST('2.5' AS float), CAST(5 AS bit), CAST('false' AS bit)", "13,2,2.5,1,0"},
      {"SELECT CAST(1.005 AS decimal(10, 1)), CAST(12345 AS nvarchar(3)), CONVERT(int, '7'), CAST(1.5 AS varchar(max))", "1,123,7,1.5"},
      {"SELECT CAST('x' AS int)", "Conversion failed when converting the nvarchar value 'x' to data type int."},
  });
}

TEST(Sql, GroupsAndAggregates) {
  expect_all({
      {"SELECT COUNT(*), COUNT(note), SUM(total), MIN(total), MAX(note) FROM orders", "4,3,23.5,1,x"},
      {"SELECT COUNT(*) FROM people WHERE 1 = 0", "0"},
      {"SELECT SUM(total), AVG(total), MIN(total) FROM orders WHERE 1 = 0", "null,null,null"},
      {"SELECT AVG(id), AVG(total) FROM orders WHERE id < 3", "1,7.5"},
      {"SELECT person, COUNT(*) AS n FROM orders GROUP BY person ORDER BY n DESC, person", "a,2; null,1; b,1"},
      {"SELECT person FROM orders GROUP BY person HAVING SUM(total) > 7 ORDER BY person", "a; b"},
      {"SELECT YEAR(born), COUNT(*) FROM people GROUP BY YEAR(born) ORDER BY 1", "null,1; 1970,2"},
      {"SELECT COUNT(DISTINCT person) FROM orders", "2"},
      {"SELECT person FROM orders GROUP BY person ORDER BY MAX(total) DESC", "a; b; null"},
      {"SELECT name, COUNT(*) FROM people GROUP BY active", "Column 'name' is in neither an aggregate function nor GROUP BY (line 1, column 8)."},
      {"SELECT id FROM people WHERE COUNT(*) > 1", "An aggregate function cannot stand here (line 1, column 29)."},
      {"SELECT SUM(name) FROM people", "Operand data type nvarchar is invalid for this aggregate function (line 1, column 8)."},
  });
}

TEST(Sql, Joins) {
  expect_all({
      {"SELECT p.name, o.total FROM people p INNER JOIN orders o ON o.person = p.id ORDER BY o.id", "Ann,10; Ann,5; bob,7.5"},
      {"SELECT p.id, o.id FROM people p LEFT OUTER JOIN orders o ON o.person = p.id AND o.total > 6 ORDER BY p.id", "a,1; b,3; c,null"},
      {"SELECT p.id, o.id FROM people p RIGHT JOIN orders o ON o.person = p.id ORDER BY o.id", "a,1; a,2; b,3; null,4"},
      {"SELECT p.id, o.id FROM people p FULL JOIN orders o ON o.person = p.id ORDER BY p.id, o.id", "null,4; a,1; a,2; b,3; c,null"},
      {"SELECT COUNT(*) FROM people CROSS JOIN orders", "12"},
      {"SELECT p.id, o.id FROM people p, orders o WHERE p.id = o.person AND o.total = 5", "a,2"},
      {"SELECT p.id FROM people p LEFT JOIN orders o ON o.person = p.id WHERE o.id IS NULL", "c"},
      {"SELECT a.id, b.id FROM people a JOIN people b ON a.age > b.age", "a,b"},
      {"SELECT p.name, (SELECT COUNT(*) FROM orders o WHERE o.person = p.id) AS n FROM people p", "Ann,2; bob,1; Cid,0"},
      {"SELECT x.n FROM (SELECT person, COUNT(*) AS n FROM orders GROUP BY person) AS x WHERE x.n > 1", "2"},
      {"SELECT p.id FROM people p JOIN (SELECT person AS w FROM orders) x ON x.w = p.id GROUP BY p.id HAVING COUNT(*) = 2", "a"},
      {"SELECT (SELECT id FROM people)", "A subselect gave more than one row (line 1, column 8)."},
      {"SELECT id FROM people UNION ALL SELECT person FROM orders WHERE person IS NOT NULL ORDER BY id DESC", "c; b; b; a; a; a"},
      {"SELECT id FROM people p JOIN orders o ON p.id = o.person", "Ambiguous column name 'id' (line 1, column 8)."},
  });
}

TEST(Sql, ManyRowsAreJoinedByTheirIndexAndGiveTheSame) {
  Bench bench;
  for (int i = 0; i < 500; ++i) {
    bench.add("people", {"p" + std::to_string(i), std::string("n"), double(i), true, {}});
    bench.add("orders", {std::int64_t(100 + i), "P" + std::to_string(i), 1.0, {}});
  }
  EXPECT_EQ(bench.run("SELECT COUNT(*) FROM people p JOIN orders o ON o.person = p.name + SUBSTRING(p.id, 2, 9)"), "0");
  EXPECT_EQ(bench.run("SELECT COUNT(*) FROM people p JOIN orders o ON UPPER(p.id) = o.person"), "503");
  EXPECT_EQ(bench.run("SELECT COUNT(*) FROM people p WHERE EXISTS (SELECT 1 FROM orders o WHERE o.id = p.age + 100)"), "502");
  EXPECT_EQ(bench.run("SELECT COUNT(*) FROM people, orders"), "The SQL gives more than 10000 rows in its joins.");
}

TEST(Sql, QuestionMarksAreValues) {
  Bench bench;
  EXPECT_EQ(bench.run("SELECT id FROM people WHERE name = ? AND age > ?", {std::string("ANN"), std::int64_t(5)}), "a");
  EXPECT_EQ(bench.run("SELECT ? + 1, ?", {std::int64_t(2), Value()}), "3,null");
  EXPECT_EQ(bench.run("SELECT id FROM people WHERE name = ?", {std::string("x' OR 1 = 1 --")}), "(nothing)");
  EXPECT_EQ(bench.run("SELECT id FROM people WHERE born > ?", {Moment{5}}), "b");
  EXPECT_EQ(bench.run("SELECT TOP (?) id FROM people", {std::int64_t(1)}), "a");
}

TEST(Sql, GlobalsAreThoseOfTheConnection) {
  Bench bench;
  EXPECT_EQ(bench.run("SELECT SCOPE_IDENTITY(), @@IDENTITY AS last, @@ROWCOUNT"), "7,7,3");
  EXPECT_EQ(bench.names, (std::vector<std::string>{"", "last", ""}));
}

TEST(Sql, WhatItKeepsInMemoryHasAnEnd) {
  Bench bench;
  bench.bytes = 16 << 10;
  for (int i = 0; i < 60; ++i) bench.add("people", {"p" + std::to_string(i), "n" + std::to_string(i), double(i), true, {}});
  for (const char* sql : {"SELECT REPLICATE(name, 5000) FROM people", "SELECT COUNT(*) FROM people GROUP BY REPLICATE(name, 5000)", "SELECT COUNT(DISTINCT REPLICATE(name, 5000)) FROM people",
                          "SELECT COUNT(*) FROM people a JOIN people b ON REPLICATE(b.name, 5000) = a.name"})
    EXPECT_EQ(bench.run(sql), "The SQL works on too much data.") << sql;
  EXPECT_EQ(bench.run("SELECT COUNT(*) FROM people p WHERE EXISTS (SELECT REPLICATE(o.name, 5000) FROM people o WHERE o.id = p.id)"), "63") << "let go of each time";
}

TEST(Sql, LongTextsCountAgainstTheTimeOfAStatement) {
  Bench bench;
  bench.until = std::chrono::steady_clock::now();
  EXPECT_EQ(bench.run("SELECT LEN('ab')"), "2");
  EXPECT_EQ(bench.run("SELECT LEN(REPLACE(REPLICATE('ab', 500000), 'b', 'c'))"), "The SQL took too long.");
}

TEST(Sql, AStatementEndsAtItsTime) {
  Bench bench;
  for (int i = 0; i < 3000; ++i) bench.add("people", {"p" + std::to_string(i), std::string("n"), {}, true, {}});
  bench.until = std::chrono::steady_clock::now();
  EXPECT_EQ(bench.run("SELECT COUNT(*) FROM people WHERE name LIKE '%x%'"), "The SQL took too long.");
}

}  // namespace
}  // namespace mandate::tables::tsql::test
