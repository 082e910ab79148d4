#include "import/rows.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <fstream>

#include "tests/support/temp_store.h"

namespace mandate::cli {
namespace {

class ImportedFile : public testing::Test {
 protected:
  std::string write(const std::string& name, std::string_view text) {
    const std::string path = dir.path() + "/" + name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  /// Rows as JSON with their lines in front, or what is wrong.
  std::string read(const std::string& path, const RowsOptions& options = {}) {
    auto rows = open_rows(path, options);
    if (!rows.ok()) return rows.error().hint;
    types = (*rows)->types();
    std::string out;
    FileRow row;
    for (;;) {
      const auto more = (*rows)->next(row);
      if (!more.ok()) return out + more.error().hint;
      if (!*more) return out;
      out += std::to_string(row.line) + to_json(row.item) + "\n";
    }
  }
  void sqlite(const std::string& path, const std::string& sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
    sqlite3_close(db);
  }

  test::TempDir dir;
  std::map<std::string, std::string> types;
};

TEST_F(ImportedFile, CsvHasItsNamesInTheHeaderAndItsTypesInAllItsRows) {
  EXPECT_EQ(read(write("a.csv", "\xEF\xBB\xBFId, text ,n,when,note\r\na,milk,1,2014-05-06T07:08:09Z,\r\nb,\"\",2.5,2014-05-06 07:08:10,x\r\n")),
            R"(2{"id":"a","text":"milk","n":"1","when":"2014-05-06T07:08:09Z","note":null})" "\n"
            R"(3{"id":"b","text":"","n":"2.5","when":"2014-05-06 07:08:10","note":"x"})" "\n");
  EXPECT_EQ(types.at("n"), "number");
  EXPECT_EQ(types.at("when"), "datetime");
  EXPECT_EQ(types.at("text"), "string");
}

TEST_F(ImportedFile, ColumnsAreRenamedLeftOutAndDeclared) {
  RowsOptions options;
  options.renamed = {{"due date", "due"}};
  options.left_out = {"SECRET"};
  options.types = {{"done", "boolean"}};
  options.null_word = "NULL";
  EXPECT_EQ(read(write("a.csv", "id;Due Date;secret;done\na;NULL;x;1\nb;\"NULL\";y;0\n"), options),
            "2{\"id\":\"a\",\"due\":null,\"done\":\"1\"}\n3{\"id\":\"b\",\"due\":\"NULL\",\"done\":\"0\"}\n");
  EXPECT_EQ(types.at("done"), "boolean");
}

TEST_F(ImportedFile, ColumnsThatAreToBeRenamedOrLeftOutMustBeThere) {
  RowsOptions options;
  options.left_out = {"secrets"};
  EXPECT_EQ(read(write("a.csv", "id,secret\na,x\n"), options), "the file has no column 'secrets' to leave out");
  options.left_out = {"Secret"};
  options.renamed = {{"due", "at"}};
  EXPECT_EQ(read(write("a.csv", "id, secret ,when\na,x,y\n"), options), "the file has no column 'due' to rename");
  options.renamed.clear();
  EXPECT_EQ(read(write("a.csv", "id, secret ,when\na,x,y\n"), options), "2{\"id\":\"a\",\"when\":\"y\"}\n");
}

TEST_F(ImportedFile, ExcelsWordAboutItsDelimiterIsNoHeader) {
  EXPECT_EQ(read(write("a.csv", "sep=;\r\nid;text\r\na;x,y\r\n")), "3{\"id\":\"a\",\"text\":\"x,y\"}\n");
}

TEST_F(ImportedFile, WhatIsWrongWithTextIsFoundBeforeTheFirstRow) {
  EXPECT_EQ(read(write("a.csv", "id,n\na,1\nb,2,3\n")), "line 3: 3 fields where there are 2 columns");
  EXPECT_EQ(read(write("b.csv", "id,n,N\n")), "the column 'N' is there twice: rename one, or leave it out");
  EXPECT_EQ(read(write("c.csv", "id,,n\n")), "column 2 has no name in the header");
  EXPECT_EQ(read(write("d.csv", "")), "the file is empty");
  EXPECT_NE(read(dir.path() + "/none.csv").find("none.csv: No such file"), std::string::npos);
  EXPECT_NE(read(dir.path()).find("is no file"), std::string::npos);
}

TEST_F(ImportedFile, BcpHasNoNamesAndWritesEmptyTextsAsNul) {
  const std::string path = write("a.bcp", std::string_view("a\tmilk \"2\"\t\0\t\r\nb\t\t1\t0x01\r\n", 26));
  EXPECT_NE(read(path).find("--header"), std::string::npos);
  RowsOptions options;
  options.header = "id,text,note,bytes";
  EXPECT_EQ(read(path, options), "1{\"id\":\"a\",\"text\":\"milk \\\"2\\\"\",\"note\":\"\",\"bytes\":null}\n2{\"id\":\"b\",\"text\":null,\"note\":\"1\",\"bytes\":\"0x01\"}\n");
}

TEST_F(ImportedFile, PackagesOfSqlServerAreRefusedWithTheWayOut) {
  EXPECT_NE(read(write("a.bacpac", "PK\3\4whatever")).find("bcp -c"), std::string::npos);
}

TEST_F(ImportedFile, JsonLinesKeepTheirTypes) {
  EXPECT_EQ(read(write("a.txt", "{\"id\":\"a\",\"n\":1,\"list\":[true]}\r\n\n  {\"ID\":\"b\",\"n\":null}")),
            "1{\"id\":\"a\",\"n\":1,\"list\":[true]}\n3{\"id\":\"b\",\"n\":null}\n");
  EXPECT_NE(read(write("a.json", "[{\"id\":1}]\n")).find("line 1: a list"), std::string::npos);
  EXPECT_NE(read(write("d.json", "[\n{\"id\":1}\n]\n")).find("line 1: a list"), std::string::npos);
  EXPECT_NE(read(write("b.jsonl", "{\"id\":1}\n{\"id\":\n")).find("line 2: no JSON"), std::string::npos);
  EXPECT_EQ(read(write("c.jsonl", "7\n")), "line 1: no object");
}

TEST_F(ImportedFile, SqliteFilesOfTheOldServerKeepTruthsDatesAndTheVersionsClientsSaw) {
  const std::string path = dir.path() + "/old.sqlite";
  sqlite(path,
         "CREATE TABLE [TodoItem] ([id] TEXT PRIMARY KEY, [text] TEXT NULL, [complete] INTEGER NULL, [n] REAL NULL, createdAt TEXT NOT NULL, updatedAt TEXT NOT NULL,"
         " version TEXT NOT NULL DEFAULT 1, deleted INTEGER NOT NULL DEFAULT 0);"
         "CREATE TABLE [__types] ([table] TEXT, [name] TEXT, [type] TEXT);"
         "INSERT INTO [__types] VALUES ('TodoItem','id','string'),('TodoItem','complete','boolean'),('TodoItem','n','number'),('TodoItem','createdAt','date'),"
         "('TodoItem','deleted','boolean'),('Other','n','string');"
         "INSERT INTO TodoItem VALUES ('a','milk',1,2.5,'2014-05-06T07:08:09.123Z','2014-05-06T07:08:10.456Z','3',0), ('b',NULL,0,NULL,'x','y','12',1)");
  RowsOptions options;
  options.source_table = "todoitem";
  EXPECT_EQ(read(path, options),
            R"(1{"id":"a","text":"milk","complete":true,"n":2.5,"createdAt":"2014-05-06T07:08:09.123Z","updatedAt":"2014-05-06T07:08:10.456Z","version":"Mw==","deleted":false})" "\n"
            R"(2{"id":"b","text":null,"complete":false,"n":null,"createdAt":"x","updatedAt":"y","version":"MTI=","deleted":true})" "\n");
  EXPECT_EQ(types.at("n"), "number");
  options.source_table = "none\"; DROP TABLE TodoItem; --";
  EXPECT_NE(read(path, options).find("no such table"), std::string::npos);
}

TEST_F(ImportedFile, SqliteFilesAreReadWhileTheirServerWrites) {
  const std::string path = dir.path() + "/live.sqlite";
  sqlite(path, "CREATE TABLE t (id TEXT PRIMARY KEY, n); WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM c WHERE i<1000) INSERT INTO t SELECT 'r'||i, i FROM c");
  RowsOptions options;
  options.source_table = "t";
  auto rows = open_rows(path, options);
  ASSERT_TRUE(rows.ok()) << rows.error().hint;
  FileRow row;
  ASSERT_TRUE(*(*rows)->next(row));
  sqlite(path, "INSERT INTO t VALUES ('new', 1001); DELETE FROM t WHERE n = 500; UPDATE t SET n = -1 WHERE n = 900");
  int count = 1, changed = 0;
  for (; *(*rows)->next(row); ++count)
    if (row.item.at("n") == Json(-1)) ++changed;
  EXPECT_EQ(count, 1000);
  EXPECT_EQ(changed, 1);
  EXPECT_EQ(row.item.at("id"), Json("new"));
}

TEST_F(ImportedFile, SqliteTablesOfEveryKeyAreReadWhole) {
  const std::string path = dir.path() + "/keys.sqlite";
  const std::string numbers = "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM c WHERE i<901) ";
  sqlite(path, "CREATE TABLE one (id TEXT PRIMARY KEY COLLATE NOCASE, n) WITHOUT ROWID;" + numbers + "INSERT INTO one SELECT hex(i), i FROM c;" +
                   "CREATE TABLE two (id INT, part TEXT, PRIMARY KEY (part, id)) WITHOUT ROWID;" + numbers + "INSERT INTO two SELECT i, i % 7 FROM c;" +
                   "CREATE TABLE three (rowid TEXT, id INTEGER PRIMARY KEY);" + numbers + "INSERT INTO three SELECT 'same', i - 450 FROM c;"
                   "CREATE TABLE wide (id INTEGER PRIMARY KEY, t);" + numbers + "INSERT INTO wide SELECT i, hex(zeroblob(5000)) FROM c;"
                   "CREATE TABLE none (rowid, oid, _rowid_, id)");
  for (const std::string_view table : {"one", "two", "three", "wide"}) {
    RowsOptions options;
    options.source_table = table;
    const std::string all = read(path, options);
    EXPECT_EQ(std::ranges::count(all, '\n'), 901) << table;
    EXPECT_NE(all.find("\n901{"), std::string::npos) << table;
  }
  RowsOptions options;
  options.source_table = "none";
  EXPECT_NE(read(path, options).find("no primary key"), std::string::npos);
}

TEST_F(ImportedFile, SqliteFilesDoNothingButHaveRows) {
  const std::string path = dir.path() + "/hostile.sqlite";
  sqlite(path, "CREATE VIEW endless AS WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM c) SELECT i AS id FROM c;"
               "CREATE VIEW __types AS SELECT 't' AS \"table\", * FROM (WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM c) SELECT i AS name, 'x' AS type FROM c);"
               "CREATE TABLE t (id, n); INSERT INTO t VALUES ('a', 1), ('b', 9e999), ('c', 3);"
               "CREATE TABLE big (id, t AS (hex(zeroblob(20000000)))); INSERT INTO big VALUES ('a')");
  RowsOptions options;
  options.source_table = "endless";
  EXPECT_NE(read(path, options).find("but a view"), std::string::npos);
  options.source_table = "t";
  EXPECT_EQ(read(path, options), "1{\"id\":\"a\",\"n\":1}\nrow 2: 'n' is no finite number");
  options.source_table = "big";
  EXPECT_NE(read(path, options).find("too big"), std::string::npos) << read(path, options).substr(0, 100);
}

TEST_F(ImportedFile, AFileThatOnlyBeginsLikeSqliteIsRefused) {
  RowsOptions options;
  options.source_table = "t";
  EXPECT_NE(read(write("a.db", std::string_view("SQLite format 3\0garbage", 23)), options).find("a database"), std::string::npos);
}

}  // namespace
}  // namespace mandate::cli
