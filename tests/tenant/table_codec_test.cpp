#include <gtest/gtest.h>

#include "tenant/codec/codec.h"

namespace mandate::tenant {
namespace {

JsonObject object_of(std::string_view text) { return parse_json(text)->get_object(); }

TEST(TableInAFile, KeepsItsDialectAndPages) {
  Problems problems;
  const Table table = read_table("Movies", object_of(R"({"dialect":"v4","page_size":25,"max_top":5000})"), "tables.Movies", problems);
  EXPECT_TRUE(problems.empty());
  EXPECT_EQ(table.dialect, "v4");
  EXPECT_EQ(table.page_size, 25);
  EXPECT_EQ(table.max_top, 5000);
  const JsonObject written = write_table(table);
  EXPECT_EQ(*text_member(written, "dialect"), "v4");
  EXPECT_EQ(*integer_member(written, "page_size"), 25);
  EXPECT_EQ(*integer_member(written, "max_top"), 5000);
}

TEST(TableInAFile, RefusesADialectNobodySpeaksAndPagesWithoutEnd) {
  for (const char* text : {R"({"dialect":"v5"})", R"({"page_size":-1})", R"({"page_size":128001})", R"({"max_top":512001})", R"({"max_top":"many"})"}) {
    Problems problems;
    (void)read_table("Movies", object_of(text), "tables.Movies", problems);
    EXPECT_FALSE(problems.empty()) << text;
  }
}

TEST(TableInAFile, KeepsWhatItDeclares) {
  constexpr std::string_view kText = R"({"permissions":"authenticated","columns":{"title":{"type":"string","required":true,"unique":true,"max_length":20},
    "state":{"type":"enum","index":true,"default":"open","values":["open","done"]},"due":"date",
    "listId":{"type":"string","references":"lists","as":"list","on_delete":"set null"}},
    "unique":[["title","due"]],"indexes":[["due","userId"]],"rules":{"read":"title == user.id","check":"due != null"},"user_id_column":"userId"})";
  Problems problems;
  const Table table = read_table("Todos", object_of(kText), "tables.Todos", problems);
  EXPECT_TRUE(problems.empty()) << problems.error().hint;
  ASSERT_EQ(table.columns.size(), 4U);
  EXPECT_TRUE(table.columns[0].required);
  EXPECT_EQ(table.columns[1].values, (std::vector<std::string>{"open", "done"}));
  EXPECT_EQ(table.columns[3].on_delete, "set null");
  EXPECT_EQ(table.indexes.size(), 2U);
  EXPECT_EQ(table.rules.check, "due != null");
  Problems again;
  const JsonObject written = write_table(table);
  EXPECT_EQ(write_table(read_table("Todos", written, "", again)), written);
  EXPECT_TRUE(again.empty());
}

TEST(TableInAFile, PerUserIsOneSwitch) {
  Problems problems;
  EXPECT_EQ(read_table("T", object_of(R"({"per_user":true})"), "", problems).user_id_column, "userId");
  EXPECT_EQ(read_table("T", object_of(R"({"per_user":true,"user_id_column":"owner"})"), "", problems).user_id_column, "owner");
  EXPECT_EQ(read_table("T", object_of(R"({"per_user":false})"), "", problems).user_id_column, "");
  EXPECT_TRUE(problems.empty());
  (void)read_table("T", object_of(R"({"per_user":false,"user_id_column":"owner"})"), "", problems);
  EXPECT_FALSE(problems.empty());
}

TEST(TableInAFile, ARelationIsCalledAsItsColumn) {
  Problems problems;
  const Table table = read_table("T", object_of(R"({"columns":{"list_id":{"references":"a"},"ownerId":{"references":"b"},"x":{"references":"c","as":"other"}}})"), "", problems);
  EXPECT_TRUE(problems.empty()) << problems.error().hint;
  for (const TableColumn& column : table.columns) EXPECT_EQ(column.as, column.name == "x" ? "other" : column.name == "list_id" ? "list" : "owner");
}

TEST(TableInAFile, RefusesDeclarationsThatSayNothing) {
  for (const char* text :
       {R"({"columns":{"a":"enum"}})", R"({"columns":{"a":{"type":"enum"}}})", R"({"columns":{"a":{"type":"enum","values":["x","X"]}}})",
        R"({"columns":{"a":{"type":"date","max_length":3}}})", R"({"columns":{"a":{"type":"json","unique":true}}})", R"({"columns":{"a":{"kind":"string"}}})",
        R"({"columns":{"deleted":"boolean"}})", R"({"columns":{"a":{"references":"lists"}}})", R"({"columns":{"aId":{"references":"lists","type":"date"}}})",
        R"({"columns":{"aId":{"references":"lists","required":true,"on_delete":"set null"}}})", R"({"columns":{"aId":{"references":"lists","on_delete":"ignore"}}})",
        R"({"columns":{"a":"string","aId":{"references":"lists"}}})", R"({"columns":{"a":{"on_delete":"cascade"}}})", R"({"unique":[["nosuch"]]})",
        R"({"columns":{"a":"string"},"unique":["a"]})", R"({"columns":{"a":"string"},"unique":[["a","A"]]})", R"({"columns":{"a":"json"},"indexes":[["a"]]})",
        R"({"columns":{"userId":"number"},"per_user":true})", R"({"rules":{"write":"true"}})", R"({"rules":{"read":true}})"}) {
    Problems problems;
    (void)read_table("T", object_of(text), "tables.T", problems);
    EXPECT_FALSE(problems.empty()) << text;
  }
}

TEST(TableInAFile, KeepsWhatItPromisesToOfflineClients) {
  Problems problems;
  const JsonObject body = object_of(R"({"soft_delete":true,"permissions":"admin","conflicts":"newest","newest_by":"changedAt","keep_deleted_days":0})");
  const Table table = read_table("Items", body, "tables.Items", problems);
  EXPECT_TRUE(problems.empty()) << problems.error().hint;
  EXPECT_EQ(table.sync.conflicts, "newest");
  EXPECT_EQ(table.sync.newest_by, "changedAt");
  EXPECT_EQ(table.sync.keep_deleted_days, 0);
  EXPECT_EQ(write_table(table), body);
  EXPECT_FALSE(write_table(Table{}).contains("keep_deleted_days"));
  for (const char* text : {R"({"conflicts":"mine"})", R"({"conflicts":"newest"})", R"({"newest_by":"at"})", R"({"conflicts":"newest","newest_by":"updatedAt"})",
                           R"({"keep_deleted_days":-1})", R"({"keep_deleted_days":"long"})"}) {
    Problems found;
    (void)read_table("Items", object_of(text), "tables.Items", found);
    EXPECT_FALSE(found.empty()) << text;
  }
}

}  // namespace
}  // namespace mandate::tenant
