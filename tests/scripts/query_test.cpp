// mobile-backend-wire 5.4: the query object. Expected texts are those of npm azure-query-js 0.1.0, run on the same calls.
#include "tests/scripts/support.h"

namespace mandate::scripts::test {
namespace {

class Query : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { bench = new Bench; }
  static void TearDownTestSuite() {
    delete bench;
    bench = nullptr;
  }
  /// What `text` gives for a fresh query of table T; the message when it throws.
  std::string give(const std::string& text) {
    Result<Json> result = bench->run("function insert(item, user, request) { var q = tables.getTable('T').where({}); var out; try { out = " + text + " } catch (e) { out = 'THROWS ' + e.message } request.respond(200, out) }", kInsert);
    if (!result.ok()) return result.error().detail;
    const Json& body = result->at("answer").at("body");
    return body.is_string() ? std::string(view(body.as_string())) : to_json(body);
  }
  static Bench* bench;
};
Bench* Query::bench = nullptr;

TEST_F(Query, EveryFormOfWhereBecomesOData) {
  const std::pair<const char*, const char*> table[] = {
      {"where({ title: \"O'Neil\", year: 2001 })", "((title eq 'O''Neil') and (year eq 2001))"},
      {"where({ a: 1e21, b: -2, c: true, d: null, e: 1.5 })", "(((((a eq 1e%2B21) and (b eq -2)) and (c eq true)) and (d eq null)) and (e eq 1.5))"},
      {"where({ a: 1 }).where({ b: 2 })", "((a eq 1) and (b eq 2))"},
      {"where(function (a) { return this.x > a && this.y === 'b' || !this.z }, 5)", "(((x gt 5) and (y eq 'b')) or not (z))"},
      {"where(function () { return this.x.substr(1, 2) == 'a' && this.x.substring(1, 3) == \"b\" })", "((substring(x,1,2) eq 'a') and (substring(x,1,3) eq 'b'))"},
      {"where(function () { return this.d.getFullYear() == 2000 && this.d.getMonth() == 1 && this.d.getYear() == 90 && this.d.getDate() == 3 })",
       "((((year(d) eq 2000) and ((month(d) sub 1) eq 1)) and ((year(d) sub 1900) eq 90)) and (day(d) eq 3))"},
      {"where(function () { return this.d.getUTCFullYear() != 2000 })", "(year(d) ne 2000)"},
      {"where(function () { return this.a + 'x' == 'bx' && -this.n < 0 })", "(((a add 'x') eq 'bx') and ((0 sub n) lt 0))"},
      {"where(function () { return (this.a - 1) * 2 / 3 % 4 >= 5 })", "(((((a sub 1) mul 2) div 3) mod 4) ge 5)"},
      {"where(function (ids) { return this.id in ids }, [1, 'b', null])", "(((id eq 1) or (id eq 'b')) or (id eq null))"},
      {"where(function (ids) { return this.id in ids }, [])", "(true eq false)"},
      {"where(function () { return this.id in [1, 2] })", "((id eq 1) or (id eq 2))"},
      {"where(function () { return Math.floor(this.a) == 1 && Math.ceil(this.a) == 2 && Math.round(this.a) == 1 })", "(((floor(a) eq 1) and (ceiling(a) eq 2)) and (round(a) eq 1))"},
      {"where(function () { return this.s.length == 2 && this.s.concat('q') == 'z' && this.s.indexOf('x') != -1 && this.s.replace('a', 'b') == 'c' })",
       "((((length(s) eq 2) and (concat(s,'q') eq 'z')) and (indexof(s,'x') ne -1)) and (replace(s,'a','b') eq 'c'))"},
      {"where(function () { return this.s.toUpperCase() == 'A' && this.s.toLowerCase().trim() == 'a' })", "((toupper(s) eq 'A') and (trim(tolower(s)) eq 'a'))"},
      {"where(function (p) { /* a comment */ 'use strict'; return this.a == p.b.c; // more\n }, { b: { c: 4 } })", "(a eq 4)"},
      {"where(function () { return this.a == null && this.b === undefined && this.c <= 0x10 && this.d != 'it\\'s' })", "((((a eq null) and (b eq null)) and (c le 16)) and (d ne 'it''s'))"},
      {"where(\"a eq ? and b eq ?\", 'x?y', new Date(0))", "(a eq 'x%3Fy' and b eq datetime'1970-01-01T00:00:00.000Z')"},
      {"where(\"a eq 'why?' and b eq ?\", 1)", "(a eq 'why%3F' and b eq 1)"},
  };
  for (const auto& [call, filter] : table) EXPECT_EQ(give(std::string("q.") + call + ".toOData()"), std::string("/T?$filter=") + filter) << call;
}

TEST_F(Query, TheOtherMethodsBuildTheRest) {
  const std::pair<const char*, const char*> table[] = {
      {"where({})", "/T"},
      {"orderBy('a', 'b').orderByDescending('c').orderBy('d')", "/T?$orderby=a,b,c desc,d"},
      {"orderBy('a,b desc')", "/T?$orderby=a,b desc"},
      {"select('a', 'b').select('c').skip(0).take(5).includeTotalCount()", "/T?$top=5&$select=a,b,c&$inlinecount=allpages"},
      {"select('a,b')", "/T?$select=a,b"},
      {"select(function () { return { a: this.a } })", "/T"},
      {"skip(1).skip(2).take(3).take(4)", "/T?$skip=2&$top=4"},
  };
  for (const auto& [call, text] : table) EXPECT_EQ(give(std::string("q.") + call + ".toOData()"), text) << call;
}

TEST_F(Query, EveryMethodGivesBackTheSameObject) {
  EXPECT_EQ(give("[q.where({ a: 1 }), q.select('a'), q.orderBy('a'), q.orderByDescending('b'), q.skip(1), q.take(1), q.includeTotalCount(), q.setComponents(q.getComponents())].every(function (x) { return x === q })"), "true");
}

TEST_F(Query, ComponentsCanBeReadAndSet) {
  EXPECT_EQ(give("q.where({ a: 1 }).orderBy('x').orderByDescending('y').select('s').skip(2).take(3).getComponents()"),
            R"~({"filters":"(a eq 1)","selections":["s"],"projection":null,"ordering":{"x":true,"y":false},"orderClauses":[{"name":"x","ascending":true},{"name":"y","ascending":false}],"skip":2,"take":3,"table":"T","context":null,"includeTotalCount":false,"version":7})~");
  EXPECT_EQ(give("q.setComponents({ filters: null, ordering: { z: false }, take: 2 }).toOData()"), "/T?$orderby=z desc&$top=2");
}

TEST_F(Query, WhatCannotBeTranslatedThrows) {
  for (const char* call : {
           "where()", "where(5)", "where([1])", "where({ 'a eq 1 or b': 1 })", "where({ a: {} })", "where({ a: [1] })", "where({ a: NaN })", "where(function () { return foo(this.a) })", "where(function () { return this.a.foo() })",
           "where(function () { return this.a.constructor() })", "where(function () { return Math.max(this.a) })", "where(function () { var x = 1; return x })", "where(function () { return this })", "where(function (a) { return this.x == a })",
           "where(function () { return this.a = 1 })", "where(function () { return this.a == 1 ? 2 : 3 })", "where(() => true)", "where(function () { return this.a in 5 })", "where(function () { return this['a'] })", "where(function () { return `x` })",
           "where('a eq ?')", "where('a eq 1', 2)", "orderBy('a b c')", "orderBy('a;b')", "orderBy(5)", "select('a b')", "select(5)", "skip(-1)", "skip('1')", "take(1.5)", "take(NaN)", "setComponents(null)", "setComponents({ filters: {} })"})
    EXPECT_THAT(give(std::string("q.") + call + ".toOData()"), ::testing::StartsWith("THROWS ")) << call;
}

TEST_F(Query, TheRequestsOwnQueryIsNarrowedNotReplaced) {
  const std::string context = R"({"operation":"read","table":"T","query":{"filter":"a eq 1 or b eq 2","orderBy":"x desc,y","select":"a,b","skip":3,"top":9,"inlineCount":true},"user":{"level":"anonymous"}})";
  EXPECT_EQ(bench->outcome("function read(query, user, request) { query.where({ c: 3 }).orderBy('z'); request.execute(); }", context),
            R"~({"execute":{"query":{"filter":"((a eq 1 or b eq 2) and (c eq 3))","orderBy":"x desc,y,z","select":"a,b","skip":3,"top":9,"inlineCount":true}}})~");
  EXPECT_EQ(bench->outcome("function read(query, user, request) { request.respond(200, query.id) }", R"({"operation":"read","table":"T","query":{"id":"7"},"user":{}})"), R"({"answer":{"status":200,"body":"7"}})");
}

TEST_F(Query, AProjectionRunsOverEachRow) {
  auto binding = std::make_shared<FakeBinding>();
  binding->answers["request.execute"].push_back(json(R"({"results":[{"a":1,"b":2},{"a":3,"b":4}]})"));
  EXPECT_EQ(bench->outcome("function read(query, user, request) { query.select(function () { return { sum: this.a + this.b } }); request.execute(); }", kRead, binding), R"({"default":{"results":[{"sum":3},{"sum":7}]}})");
}

}  // namespace
}  // namespace mandate::scripts::test
