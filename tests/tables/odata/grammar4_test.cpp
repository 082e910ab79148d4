// What V3 and V4 may write (mobile-backend-wire 3.4, 9.4), and where it ends (security 0.2).
#include <gtest/gtest.h>

#include "tables/odata/edm.h"
#include "tables/odata/parser.h"

namespace mandate::tables::odata {
namespace {

Result<Tree> parse(std::string_view text) { return parse_filter(text, kDatasyncLimits, Grammar::v4); }
std::string parsed(std::string_view text) {
  auto tree = parse(text);
  return tree.ok() ? to_text(*tree) : tree.error().hint;
}

TEST(Grammar4, TakesWhateverTheOldOneTakes) {
  for (std::string_view text :
       {"not (x eq 1)", "x", "(x eq 1) eq true", "startswith(a, 'b') eq true", "x eq -1", "x eq 1L", "x eq 1.5f", "x eq 1e+21", "x eq 007", "d eq datetime'2012-01-01T00:00:00Z'",
        "d eq datetimeoffset'2012-01-01T00:00:00+02:00'", "s eq 'O''Neil'", "a/b eq 1", "null eq a", "replace(a,'b','c') eq 'x'", "g eq guid'0F8FAD5B-D9CB-469F-A165-70867728950E'",
        "b eq X'0A'", "t eq time'10:00:00'", "a gt 1 and b lt 2 or c eq 3", "- -x eq 1"}) {
    auto old = parse_filter(text);
    ASSERT_TRUE(old.ok()) << text;
    EXPECT_EQ(parsed(text), to_text(*old));
  }
}

TEST(Grammar4, ReadsWhatDatasyncClientsWrite) {
  EXPECT_EQ(parsed("(updatedAt gt cast(2020-01-01T00:00:00.000Z,Edm.DateTimeOffset))"), "(updatedAt gt cast(datetime'2020-01-01T00:00:00.000Z',Edm.DateTimeOffset))");
  EXPECT_EQ(parsed("d ge cast(1960-01-01,Edm.Date)"), "(d ge cast(1960-01-01,Edm.Date))");
  EXPECT_EQ(parsed("t lt cast(13:20:05.25,Edm.TimeOfDay)"), "(t lt cast(13:20:05.250,Edm.TimeOfDay))");
  EXPECT_EQ(parsed("g eq cast(0F8FAD5B-D9CB-469F-A165-70867728950E,Edm.Guid)"), "(g eq cast('0f8fad5b-d9cb-469f-a165-70867728950e',Edm.Guid))");
  EXPECT_EQ(parsed("g eq a1b2c3d4-0000-4000-8000-00805f9b34fb"), "(g eq 'a1b2c3d4-0000-4000-8000-00805f9b34fb')");
  EXPECT_EQ(parsed("cast(x,'Edm.Int32') eq 1"), "(cast(x,Edm.Int32) eq 1)");
  EXPECT_EQ(parsed("id in ('a', 'b' ,null)"), "(id in ('a','b',null))");
  EXPECT_EQ(parsed("not(id in ('a')) and x in (1,2.0)"), "(not ((id in ('a'))) and (x in (1,2.0)))");
  EXPECT_EQ(parsed("contains(tolower(title),'the') and (duration divby 60) gt 2"), "(contains(tolower(title),'the') and ((duration div (60 mul 1.0)) gt 2))");
  EXPECT_EQ(parsed("geo.distance(p,geography'SRID=4326;POINT(-97.1 38)') lt 1.5"), "(geo.distance(p,geography'POINT(-97.1 38)') lt 1.5)");
  EXPECT_EQ(parsed("span gt duration'P1DT26H3M0.5S' or span lt -duration'PT1S'"), "((span gt duration'P2DT2H3M0.500S') or (span lt duration'-PT1S'))");
  EXPECT_EQ(parsed("kind eq My.Kinds'Blue' and raw eq binary'_-8'"), "((kind eq 'Blue') and (raw eq '/+8='))");
  EXPECT_EQ(parsed("date(d) eq 2020-02-29 and time(d) le 23:59 and now() gt mindatetime()"), "((date(d) eq 2020-02-29) and (time(d) le 23:59:00.000) and (now() gt mindatetime()))");
}

TEST(Grammar4, LetterCaseOfWordsDoesNotCount) {
  EXPECT_EQ(parsed("Not(X EQ 1) AND StartsWith(Title,'A') Or B Eq TRUE And c NE Null"), "((not ((X eq 1)) and startswith(Title,'A')) or ((B eq true) and (c ne null)))");
  EXPECT_EQ(parsed("Cast(2020-01-01,edm.date) Lt D"), "(cast(2020-01-01,edm.date) lt D)");
  auto order = parse_order("a DESC,b Asc", {}, Grammar::v4);
  ASSERT_TRUE(order.ok());
  EXPECT_EQ(to_text(*order), "a desc,b");
}

TEST(Grammar4, QuotesThatAreNotDoubledInsideInAreText) {
  auto tree = parse("title in ('Schindler's List','It''s','','x', 'y' )");
  ASSERT_TRUE(tree.ok()) << tree.error().hint;
  std::vector<std::string> texts;
  for (std::size_t i = 1; i < (*tree)->args.size(); ++i) texts.push_back(std::get<std::string>((*tree)->args[i]->value));
  EXPECT_EQ(texts, (std::vector<std::string>{"Schindler's List", "It's", "", "x", "y"}));
  EXPECT_FALSE(parse("title eq 'Schindler's List'").ok());
  EXPECT_FALSE(parse("title in ('a') and title eq 'b'c'").ok());  // only inside the brackets
  EXPECT_EQ(parsed(parsed("title in ('a'',''b','c')")), parsed("title in ('a'',''b','c')"));
}

TEST(Grammar4, ALostPlusIsPutRight) {
  EXPECT_EQ(parsed("d gt 2020-01-01T02:00:00 02:00"), "(d gt datetime'2020-01-01T00:00:00.000Z')");
  EXPECT_EQ(parsed("d gt 2020-01-01T02:00:00+02:00"), "(d gt datetime'2020-01-01T00:00:00.000Z')");
  EXPECT_EQ(parsed("x eq 1E 3"), "(x eq 1000.0)");
  EXPECT_EQ(parsed("x eq 1E+3"), "(x eq 1000.0)");
}

TEST(Grammar4, RefusesWhatHasNoMeaning) {
  for (std::string_view text :
       {"", "x in ()", "x in 1", "x in (1", "x in (1,)", "x in ('a'", "(year - 1900) ge 100", "duration fizz", "cast(x)", "cast(x,Date)", "cast(x,Edm.Nothing)", "cast(x,Edm.Date", "isof(x,Edm.Int32)",
        "tags/any(t: t eq 1)", "any(x)", "x has 1", "a.b eq 1", "geo.length(x) lt 1", "geometry'POINT(1 2)' eq x", "p eq geography'POINT(1)'", "p eq geography'POINT(181 0)'",
        "p eq geography'LINESTRING(1 2,3 4)'", "2020-02-30 lt d", "2020-1-1 lt d", "25:00 lt t", "12:00:99 lt t", "d lt 2020-01-01T25:00:00Z", "d lt 2020-01-01T00:00:00+2", "duration'P' eq x",
        "duration'P1Y' eq x", "duration'PT' eq x", "duration'P1DT' eq x", "duration'1h' eq x", "x eq .5", "x eq 1.", "now(1) eq d", "contains(a) eq b", "divby eq 1", "x in (1) in (2"})
    EXPECT_FALSE(parse(text).ok()) << text << " became " << parsed(text);
}

TEST(Grammar4, StopsOneBeyondEachLimit) {
  const auto list = [](int members) {
    std::string text = "x in (0";
    for (int i = 1; i < members; ++i) text += "," + std::to_string(i);
    return text + ")";
  };
  EXPECT_TRUE(parse(list(50)).ok());
  EXPECT_EQ(parsed(list(51)), "The query asks for too many values with 'in'.");
  const auto chain = [](int conditions) {  // of 3 nodes each, and one for the chain
    std::string text = "x eq 0";
    for (int i = 1; i < conditions; ++i) text += " or x eq " + std::to_string(i);
    return text;
  };
  EXPECT_TRUE(parse(chain(66) + " or x").ok());
  EXPECT_FALSE(parse(chain(66) + " or x or x").ok());
  const std::string quoted = "s eq '" + std::string((8 << 10) - 7, 'a') + "'";
  EXPECT_TRUE(parse(quoted).ok());
  EXPECT_FALSE(parse(quoted + " ").ok());
  const auto nested = [](int depth) {
    std::string text;
    for (int i = 0; i < depth; ++i) text += "cast(";
    text += "x";
    for (int i = 0; i < depth; ++i) text += ",Edm.String)";
    return text + " eq 'a'";
  };
  EXPECT_TRUE(parse(nested(32)).ok());
  EXPECT_FALSE(parse(nested(33)).ok());
  std::string brackets = "x in (" + std::string(249, '(') + "1" + std::string(249, ')') + ")";
  EXPECT_TRUE(parse(brackets).ok());
  EXPECT_FALSE(parse("(" + brackets + ")").ok());
}

TEST(Edm, WhatIsReadIsWrittenTheSame) {
  const auto same = [](Edm edm, std::string_view text) {
    const Meaning meaning{edm, {"Low", "High"}};
    const auto value = read_as(meaning, text);
    return value ? write_as(meaning, *value) : "(none)";
  };
  for (const auto& [edm, text] : std::initializer_list<std::pair<Edm, const char*>>{
           {Edm::date, "2020-02-29"}, {Edm::date, "0001-01-01"}, {Edm::time, "00:00:00.000"}, {Edm::time, "23:59:59.999"}, {Edm::duration, "PT0S"}, {Edm::duration, "P1DT2H3M4.005S"},
           {Edm::duration, "-PT30M"}, {Edm::duration, "P3D"}, {Edm::guid, "0f8fad5b-d9cb-469f-a165-70867728950e"}, {Edm::enumeration, "High"}, {Edm::moment, "2020-01-01T12:00:00.123Z"},
           {Edm::point, R"({"type":"Point","coordinates":[1.5,-2]})"}})
    EXPECT_EQ(same(edm, text), text);
  EXPECT_EQ(same(Edm::enumeration, "HIGH"), "High");
  EXPECT_EQ(same(Edm::date, "2020-02-29T13:00:00Z"), "2020-02-29");
  EXPECT_EQ(same(Edm::time, "7:00"), "(none)");
  EXPECT_EQ(same(Edm::guid, "0f8fad5b"), "(none)");
  EXPECT_EQ(same(Edm::enumeration, "Middle"), "(none)");
  EXPECT_EQ(same(Edm::point, R"({"type":"LineString","coordinates":[[1,2]]})"), "(none)");
  EXPECT_EQ(write_as({Edm::enumeration, {"Low"}}, store::Value(std::int64_t{7})), "");
}

}  // namespace
}  // namespace mandate::tables::odata
