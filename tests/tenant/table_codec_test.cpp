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

}  // namespace
}  // namespace mandate::tenant
