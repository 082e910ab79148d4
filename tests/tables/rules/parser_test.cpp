#include "tables/rules/parser.h"

#include <gtest/gtest.h>

namespace mandate::tables::rules {
namespace {

std::string parsed(std::string_view text) {
  const auto rule = parse(text);
  return rule.ok() ? to_text(**rule) : rule.error().hint;
}

TEST(RuleText, BindsAndTighterThanOrAndNotTighterThanBoth) {
  EXPECT_EQ(parsed("a == 1 || b == 2 && !c"), "((a == 1) || ((b == 2) && !(c)))");
  EXPECT_EQ(parsed("a == 1 or b == 2 and not c"), "((a == 1) || ((b == 2) && !(c)))");
  EXPECT_EQ(parsed("(a == 1 || b == 2) && c"), "(((a == 1) || (b == 2)) && c)");
}

TEST(RuleText, KnowsPathsTextsNumbersAndLists) {
  EXPECT_EQ(parsed(R"(user.claims["https://x/y"] == 'it''s')"), R"((user.claims['https://x/y'] == 'it\'s'))");
  EXPECT_EQ(parsed(R"(status in ["a", 1, -2.5, user.id])"), "(status in ['a', 1, -2.5, user.id])");
  EXPECT_EQ(parsed("title startsWith 'x'"), "startsWith(title, 'x')");
  EXPECT_EQ(parsed("contains(lower(title), 'x')"), "contains(lower(title), 'x')");
}

TEST(RuleText, IsRefusedWhereItIsWrong) {
  EXPECT_EQ(parsed(""), "expected a value, found the end (at index 0)");
  EXPECT_EQ(parsed("a = 1"), "'=' sets nothing here: compare with '==' (at index 2)");
  EXPECT_EQ(parsed("a == 'x"), "a text that does not end (at index 5)");
  EXPECT_EQ(parsed("a == 1 b"), "expected the end, found 'b' (at index 7)");
  EXPECT_EQ(parsed("exec(a)"), "there is no function 'exec' (at index 0)");
  EXPECT_EQ(parsed("a == 1; drop table x"), "a character that means nothing here (at index 6)");
  EXPECT_EQ(parsed("length(a, b) > 1"), "'length' takes one value (at index 0)");
}

TEST(RuleText, HasBounds) {
  EXPECT_FALSE(parse(std::string(9000, ' ')).ok());
  EXPECT_FALSE(parse(std::string(300, '(') + "a" + std::string(300, ')')).ok());
  EXPECT_FALSE(parse(std::string(4000, '!') + "a").ok());
  std::string wide = "a";
  for (int i = 0; i < 500; ++i) wide += "||a";
  EXPECT_FALSE(parse(wide).ok());
}

TEST(RuleText, IsWrittenAsItWouldBeReadAgain) {
  for (std::string_view text : {"a == 1.0 && b != null", "!(a in ['x', 'y']) || user.roles contains 'admin'", "endsWith(list.title, 'x') && a <= -3 && true",
                                R"(user.claims['a b'].c == "q'\\\"")"}) {
    const auto rule = parse(text);
    ASSERT_TRUE(rule.ok()) << text;
    EXPECT_EQ(parsed(to_text(**rule)), to_text(**rule)) << text;
  }
}

}  // namespace
}  // namespace mandate::tables::rules
