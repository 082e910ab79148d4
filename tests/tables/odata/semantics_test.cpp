// What filters and orders mean, over HTTP in both dialects (mobile-backend-wire 3.2, 3.3).
#include "tests/tables/world.h"

namespace mandate::tables::test {
namespace {

class Semantics : public World {
 protected:
  Semantics() {
    post("/tables/items", R"({"id":"1","s":"American","n":3,"x":1,"b":true,"d":"2012-02-29T13:14:15.678Z","pad":" x ","pc":"100%"})");
    post("/tables/items", R"({"id":"2","s":"am\u00e9lie","n":-7.5,"x":2,"b":false,"d":"1999-12-31T23:59:59.000Z","pad":"y","pc":"1000"})");
    post("/tables/items", R"({"id":"3","s":"Zebra","n":2.5,"x":1,"b":null})");
  }
  std::string of(std::string_view text) {
    const std::string now = ids(filter("items", text)), old = ids(filter("items", text), v1());
    EXPECT_EQ(now, old) << text;
    return now;
  }
};

TEST_F(Semantics, AcceptedTextsAreAnsweredAndRefusedOnesAre400InBothDialects) {
  for (std::string_view text :
       {"not (x eq 1)", "not x", "x", "(x eq 1) eq true", "startswith(s, 'b') eq true", "x eq -1", "x eq 1.5f", "x eq 1e+21", "x eq 007", "x eq 9007199254740993",
        "d eq datetime'2012-01-01T00:00:00Z'", "d ge datetimeoffset'2012-01-01T00:00:00.0000000+00:00'", "s eq 'O''Neil'", "s/x eq 1", "null eq s", "1 eq 1", "true",
        "replace(s,'b','c') eq 'x'", "substring(s,1,2) eq 'me'", "id eq guid'0F8FAD5B-D9CB-469F-A165-70867728950E'", "s eq X'0A'"})
    of(text);
  for (std::string_view text : {"x EQ 1", "StartsWith(s,'b')", "contains(s,'b')", "x in (1,2)", "x eq .5", "x eq 1.", "cast(x,Edm.Int32)", "s eq 'a", "a.b eq 1", "round(x,2)",
                                "x eq", "x eq 1)", "((x eq 1)", "d eq datetimeoffset'garbage'"}) {
    EXPECT_EQ(get(filter("items", text)).status, 400) << text;
    EXPECT_EQ(get(filter("items", text), v1()).status, 400) << text;
  }
}

TEST_F(Semantics, TextComparesWithoutCaseInDictionaryOrder) {
  EXPECT_EQ(of("s eq 'AMERICAN'"), "1");
  EXPECT_EQ(of("s eq 'amelie'"), "");  // accents count
  EXPECT_EQ(of("s lt 'american'"), "2");
  EXPECT_EQ(ids("/tables/items?$orderby=s"), "2 1 3");
  EXPECT_EQ(ids("/tables/items?$orderby=s%20desc"), "3 1 2");
  EXPECT_EQ(of("startswith(s,'AM')"), "1 2");
  EXPECT_EQ(of("endswith(s,'BRA')"), "3");
  EXPECT_EQ(of("substringof('ERIC',s)"), "1");
}

TEST_F(Semantics, WildcardsInValuesAreOnlyCharacters) {
  EXPECT_EQ(of("substringof('%',pc)"), "1");
  EXPECT_EQ(of("startswith(pc,'100_')"), "");
  EXPECT_EQ(of("substringof('[0-9]',pc)"), "");
}

TEST_F(Semantics, TextFunctionsMeanWhatTheyMeant) {
  EXPECT_EQ(of("indexof(s,'E') eq 2"), "1");
  EXPECT_EQ(of("indexof(s,'q') eq -1"), "1 2 3");
  EXPECT_EQ(of("length(s) eq 6"), "2");
  EXPECT_EQ(of("length(pad) eq 3"), "1");
  EXPECT_EQ(of("trim(pad) eq 'x'"), "1");
  EXPECT_EQ(of("substring(s,1) eq 'ebra'"), "3");
  EXPECT_EQ(of("substring(s,1,2) eq 'eb'"), "3");
  EXPECT_EQ(of("substring(s,99) eq ''"), "1 2 3");
  EXPECT_EQ(of("concat(s,'!') eq 'zebra!'"), "3");
  EXPECT_EQ(of("concat(pad,s) eq null"), "3");
  EXPECT_EQ(of("replace(s,'ebra','oo') eq 'Zoo'"), "3");
  EXPECT_EQ(of("toupper(s) eq 'ZEBRA' and tolower(s) eq 'zebra'"), "3");
}

TEST_F(Semantics, DatePartsAreThoseOfUtc) {
  EXPECT_EQ(of("year(d) eq 2012 and month(d) eq 2 and day(d) eq 29 and hour(d) eq 13 and minute(d) eq 14 and second(d) eq 15"), "1");
  EXPECT_EQ(of("(month(d) sub 1) eq 11"), "2");
  EXPECT_EQ(of("d ge datetime'2012-02-29T13:14:15.678Z'"), "1");
  EXPECT_EQ(of("d eq datetimeoffset'2012-02-29T15:14:15.678+02:00'"), "1");
}

TEST_F(Semantics, NumbersAreFloats) {
  EXPECT_EQ(of("n div 2 eq 1.5"), "1");
  EXPECT_EQ(of("3 div 2 eq 1"), "1 2 3");
  EXPECT_EQ(of("n mod 2 eq -1.5"), "2");
  EXPECT_EQ(of("round(n) eq 3"), "1 3");
  EXPECT_EQ(of("round(n) eq -8"), "2");
  EXPECT_EQ(of("floor(n) eq -8 or ceiling(n) eq 3"), "1 2 3");
  EXPECT_EQ(of("-n gt 0"), "2");
  EXPECT_EQ(of("n add 1 mul 2 eq 5"), "1");
  EXPECT_EQ(of("n eq '3'"), "1");
}

TEST_F(Semantics, BooleansAndNulls) {
  EXPECT_EQ(of("b"), "1");
  EXPECT_EQ(of("not b"), "2");
  EXPECT_EQ(of("b eq false"), "2");
  EXPECT_EQ(of("b eq 1"), "1");
  EXPECT_EQ(of("b eq null"), "3");
  EXPECT_EQ(of("null eq b"), "3");
  EXPECT_EQ(of("b ne null"), "1 2");
  EXPECT_EQ(of("1 eq 0"), "");
  EXPECT_EQ(of("x"), "1 3");
}

TEST_F(Semantics, TypesThatDoNotGoTogetherAre400) {
  for (std::string_view text : {"d eq 5", "n eq 'text'", "b eq 'perhaps'", "d eq 'soon'", "s and b", "s add 1 eq 2", "year(s) eq 1", "length(b) eq 1", "n eq d", "not s", "d"}) {
    EXPECT_EQ(get(filter("items", text)).status, 400) << text;
    const Reply old = get(filter("items", text), v1());
    EXPECT_EQ(old.status, 400) << text;
    EXPECT_EQ(old.text("error"), "Error: Bad request");
  }
}

TEST_F(Semantics, WhatLooksLikeSqlIsText) {
  for (std::string_view text : {"s eq '''; drop table t--'", "s eq 'x'' or ''1''=''1'", "id eq '1'' --'", "s eq '\"'", "substringof('\\', s)"}) EXPECT_EQ(of(text), "") << text;
  EXPECT_EQ(ids("/tables/items"), "1 2 3");
}

}  // namespace
}  // namespace mandate::tables::test
