#include "tables/odata/parser.h"

#include <gtest/gtest.h>

namespace mandate::tables::odata {
namespace {

std::string parsed(std::string_view text) {
  auto tree = parse_filter(text);
  return tree.ok() ? to_text(*tree) : tree.error().hint;
}

TEST(Parser, AcceptsWhatTheOriginalsAccepted) {
  for (std::string_view text :
       {"not (x eq 1)", "not(x eq 1)", "not x", "x", "(x eq 1) eq true", "startswith(a, 'b') eq true", "x eq -1", "x eq 1L", "x eq 1l",
        "x eq 1.5f", "x eq 1.5F", "x eq 1.5m", "x eq 1M", "x eq 1.5d", "x eq 1D", "x eq 1.50", "x eq 1e21", "x eq 1e+21", "x eq 1E+21",
        "x eq 1E21d", "x eq 1.5e3f", "x eq 007", "x eq 9007199254740993", "d eq datetime'2012-01-01T00:00:00Z'",
        "d eq datetime'2012-01-01T00:00:00.123Z'", "d eq datetimeoffset'2012-01-01T00:00:00.0000000+00:00'",
        "d eq datetimeoffset'2012-01-01T00:00:00+02:00'", "d eq datetimeoffset'2012-01-01T00:00:00.000Z'", "s eq 'O''Neil'", "s eq ''",
        "a/b eq 1", "a_b eq 1", "datetime eq 1", "null eq a", "1 eq 1", "true", "replace(a,'b','c') eq 'x'", "substring(a,1)",
        "substring(a,1,2)", "a gt 1 and b lt 2 or c eq 3", "  x\teq\n1  ", "@a eq 1", "((x))", "- -x eq 1", "-x eq 1", "x eq 1e06f"})
    EXPECT_TRUE(parse_filter(text).ok()) << text << ": " << parsed(text);
}

TEST(Parser, AcceptsTheLiteralsThatEveryClientSends) {
  for (std::string_view text :
       {"g eq guid'0F8FAD5B-D9CB-469F-A165-70867728950E'", "b eq X'0A'", "b eq binary'0A'", "t eq time'10:00:00'",
        "d eq datetime'2012-01-01'", "d eq datetime'2012-01-01T00:00'", "d eq datetime'2012-01-01T00:00:00'", "d eq datetime'2012-01-01T00:00:00.5Z'",
        "d eq datetime'2012-01-01T00:00:00.1234567Z'", "d eq datetime'2012-01-01T00:00:00+02:00'"})
    EXPECT_TRUE(parse_filter(text).ok()) << text << ": " << parsed(text);
}

TEST(Parser, RefusesWhatTheOriginalsRefused) {
  for (std::string_view text :
       {"x EQ 1", "StartsWith(a,'b')", "contains(a,'b')", "x in (1,2)", "any(x)", "tags/any(t: t eq 1)", "x eq .5", "x eq 1.", "x has 1",
        "cast(x,Edm.Date)", "isof(x)", "now()", "date(d)", "fractionalseconds(d)", "d eq datetimeoffset'garbage'", "s eq 'a", "s eq \"a\"",
        "a.b eq 1", "\xC3\xA9 eq 1", "", "  ", "replace(replace(a,'b','c'),'d','e') eq 'x'", "replace(a,'b',c) eq 'x'", "round(x,2)", "x eq",
        "x eq 1)", "((x eq 1)", "x eq 1e400", "and", "x eq and", "not", "x eq 1x", "x y", "f(", "length()", "length(a,)", "a/'b'", "'a'/b",
        "x eq 1;drop", "x eq 1--", "x eq b'", "X'0' eq a", "foo'bar' eq 1", "a/length(b)"})
    EXPECT_FALSE(parse_filter(text).ok()) << text << " became " << parsed(text);
}

TEST(Parser, SaysWhatWasWrongAndWhere) {
  EXPECT_EQ(parsed("x EQ 1"), "Syntax error (at index 2)");
  EXPECT_EQ(parsed("x eq"), "Syntax error (at index 4)");
  EXPECT_EQ(parsed("s eq 'a"), "Unterminated string literal (at index 7)");
  EXPECT_EQ(parsed("1 eq any(x)"), "Unknown identifier 'any' (at index 5)");
  EXPECT_EQ(parsed("round(x,2)"), "Function 'round' requires 1 parameter.");
  EXPECT_EQ(parsed("substring(x)"), "Function 'substring' requires 2 or 3 parameters.");
}

TEST(Parser, BindsAsTheGrammarSays) {
  EXPECT_EQ(parsed("a gt 1 and b lt 2 or c eq 3"), "(((a gt 1) and (b lt 2)) or (c eq 3))");
  EXPECT_EQ(parsed("not x eq 1"), "(not (x) eq 1)");
  EXPECT_EQ(parsed("1 add 2 mul 3 eq 7"), "((1 add (2 mul 3)) eq 7)");
  EXPECT_EQ(parsed("a sub b sub c eq 0"), "(((a sub b) sub c) eq 0)");
  EXPECT_EQ(parsed("a or b or c"), "(a or b or c)");
  EXPECT_EQ(parsed("((a or b) or c) or (d and (e and f))"), "(a or b or c or (d and e and f))");
  EXPECT_EQ(parsed("a/b eq 1"), "(b eq 1)");
  EXPECT_EQ(parsed("x eq -1"), "(x eq -1)");
}

TEST(Parser, ReadsALostPlusAsThePlusItWas) {
  EXPECT_EQ(parsed("x eq 1E 3"), "(x eq 1000.0)");
  EXPECT_EQ(parsed("d eq datetimeoffset'2012-01-01T02:00:00.0000000 02:00'"), "(d eq datetime'2012-01-01T00:00:00.000Z')");
}

TEST(Parser, ReadsTheDotlessIOfATurkishPhoneInFunctionsAndOperatorsOnly) {
  EXPECT_EQ(parsed("\xC4\xB1ndexof(a,'b') eq 1"), "(indexof(a,'b') eq 1)");
  EXPECT_EQ(parsed("tr\xC4\xB1m(a) eq 'b'"), "(trim(a) eq 'b')");
  EXPECT_EQ(parsed("ce\xC4\xB1l\xC4\xB1ng(a) eq 1"), "(ceiling(a) eq 1)");
  EXPECT_EQ(parsed("a d\xC4\xB1v 2 eq 1"), "((a div 2) eq 1)");
  EXPECT_FALSE(parse_filter("t\xC4\xB1tle eq 'x'").ok());
}

TEST(Parser, AnEscapedQuoteIsOneQuote) {
  auto tree = parse_filter("s eq 'O''Neil'");
  ASSERT_TRUE(tree.ok());
  EXPECT_EQ(std::get<std::string>((*tree)->args[1]->value), "O'Neil");
}

TEST(Parser, TextOfATreeParsesToTheSameTree) {
  for (std::string_view text : {"a gt 1 and b lt 2.5 or not (c eq 'it''s')", "substring(a,1,2) eq 'x'", "-(a add 1) lt -5", "d ge datetime'2012-01-01T00:00:00.123Z'",
                                "x eq null", "true", "x eq 1.0", "x eq 1e300"}) {
    const std::string once = parsed(text);
    EXPECT_EQ(parsed(once), once) << text;
  }
}

std::string nested(std::size_t levels) { return std::string(levels, '(') + "x eq 1" + std::string(levels, ')'); }

TEST(Parser, StopsOneBeyondEachLimit) {
  EXPECT_TRUE(parse_filter(nested(250)).ok());
  EXPECT_FALSE(parse_filter(nested(251)).ok());
  std::string nots;
  for (int i = 0; i < 250; ++i) nots += "not ";
  EXPECT_TRUE(parse_filter(nots + "x").ok());
  EXPECT_FALSE(parse_filter("not " + nots + "x").ok());
  std::string chain = "x";
  for (int i = 1; i < 1000; ++i) chain += " or x";
  EXPECT_TRUE(parse_filter(chain).ok());  // wide is not deep
  const std::string quoted = "s eq '" + std::string((16 << 10) - 7, 'a') + "'";
  EXPECT_EQ(quoted.size(), 16U << 10);
  EXPECT_TRUE(parse_filter(quoted).ok());
  EXPECT_FALSE(parse_filter(quoted + " ").ok());
  Limits few;
  few.nodes = 3;
  EXPECT_TRUE(parse_filter("x eq 1", few).ok());
  EXPECT_FALSE(parse_filter("not (x eq 1)", few).ok());
  std::string order = "a";
  for (int i = 1; i < 32; ++i) order += ",a";
  EXPECT_TRUE(parse_order(order).ok());
  EXPECT_FALSE(parse_order(order + ",a").ok());
}

TEST(Parser, ReadsOrderings) {
  auto order = parse_order("a desc, b asc,length(c)");
  ASSERT_TRUE(order.ok());
  EXPECT_EQ(to_text(*order), "a desc,b,length(c)");
  for (std::string_view text : {"", "a,", ",a", "a descending", "a desc b", "rating x"}) EXPECT_FALSE(parse_order(text).ok()) << text;
}

TEST(Parser, ReadsSelections) {
  EXPECT_EQ(*parse_select("a, b"), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(parse_select("*")->empty());
  for (std::string_view text : {"a b", "a,", "a;b", "1a", "a,b\"", "year rating"}) EXPECT_FALSE(parse_select(text).ok()) << text;
}

TEST(Query, EqualityOfAnObjectIsEveryMember) {
  auto tree = equality_of(JsonObject{{"userId", "x'y"}, {"done", false}, {"n", nullptr}});
  ASSERT_TRUE(tree.ok());
  EXPECT_EQ(to_text(*tree), "((userId eq 'x''y') and (done eq false) and (n eq null))");
  EXPECT_FALSE(equality_of(JsonObject{{"a", JsonArray{}}}).ok());
  Query query;
  narrow(query, *tree);
  narrow(query, *parse_filter("a eq 1"));
  EXPECT_EQ(to_text(query.filter), "(" + to_text(*tree) + " and (a eq 1))");
}

}  // namespace
}  // namespace mandate::tables::odata
