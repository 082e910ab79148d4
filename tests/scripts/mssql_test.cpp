// mobile-backend-wire 5.5: what scripts know as mssql, and what the parent is asked.
#include "tests/scripts/support.h"

namespace mandate::scripts::test {
namespace {

class Mssql : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { bench = new Bench({.wall = std::chrono::milliseconds(3000), .cpu = std::chrono::milliseconds(2000)}); }
  static void TearDownTestSuite() {
    delete bench;
    bench = nullptr;
  }
  std::string outcome(const std::string& body) { return bench->outcome("function insert(item, user, request) { " + body + " }", kInsert, binding); }
  void will_answer(std::string_view method, std::string_view text) { binding->answers[std::string(method)].emplace_back(json(text)); }
  std::string asked() const {
    std::string out;
    for (const auto& each : binding->asked) out += (out.empty() ? "" : "\n") + each.method + " " + to_json(each.arguments);
    return out;
  }

  static Bench* bench;
  std::shared_ptr<FakeBinding> binding = std::make_shared<FakeBinding>();
};
Bench* Mssql::bench = nullptr;

constexpr std::string_view kTwoRows = R"({"sets":[{"meta":[{"name":"id","type":"text"},{"name":"","type":"date"}],"rows":[["a",[5]],["b",null]]}],"touched":2})";

TEST_F(Mssql, RowsComeAsObjectsAndDatesAsDates) {
  will_answer("mssql.query", kTwoRows);
  EXPECT_EQ(outcome(R"(mssql.query('SELECT id, d FROM t WHERE x = ?', 7, { success: function (rows) {
    request.respond(200, [rows, rows[0].Column1 instanceof Date, rows[0].Column1.getTime()]); } });)"),
            R"({"answer":{"status":200,"body":[[{"id":"a","Column1":"1970-01-01T00:00:00.005Z"},{"id":"b","Column1":null}],true,5]}})");
  EXPECT_EQ(asked(), R"(mssql.query {"sql":"SELECT id, d FROM t WHERE x = ?","values":[7]})");
}

TEST_F(Mssql, RawResultsHaveTheirColumns) {
  will_answer("mssql.query", kTwoRows);
  EXPECT_EQ(outcome("mssql.queryRaw('SELECT 1', { success: function (r) { request.respond(200, [r.meta[0].name, r.rows[1]]); } });"), R"({"answer":{"status":200,"body":["id",["b",null]]}})");
}

TEST_F(Mssql, SuccessIsCalledForEachResultAndOnceWithoutAny) {
  will_answer("mssql.query", R"({"sets":[{"meta":[{"name":"n"}],"rows":[[1]]},{"meta":[{"name":"n"}],"rows":[]}]})");
  will_answer("mssql.query", R"({"sets":[],"touched":3})");
  EXPECT_EQ(outcome(R"(var seen = [];
    mssql.query('SELECT 1; SELECT 2', { success: function (rows) { seen.push(rows.length); } });
    mssql.query('UPDATE t SET a = 1', { success: function (rows) { seen.push(rows); request.respond(200, seen); } });)"),
            R"({"answer":{"status":200,"body":[1,0,[]]}})");
}

TEST_F(Mssql, ValuesAreGivenAsTheyAre) {
  (void)outcome("mssql.query('x', [1, 2.5, 'a', true, null, undefined, new Date(9), Buffer.from('hi')], { success: function () {} }); request.respond(200);");
  EXPECT_EQ(asked(), R"(mssql.query {"sql":"x","values":[1,2.5,"a",true,null,null,[9],"aGk="]})");
  for (const char* bad : {"mssql.query(5)", "mssql.query('x', [{}])", "mssql.query('x', [NaN])", "mssql.query('x', [new Date('no')])", "mssql.query('x', [function () {}])", "mssql.query('x', [1], 5)"})
    EXPECT_EQ(outcome(std::string(bad) + ";").find("server_error"), 0U) << bad;
}

TEST_F(Mssql, ErrorsReachTheirHandlersOrFailTheRequest) {
  binding->answers["mssql.query"].emplace_back(Error(Code::bad_request, "'DROP' is not supported (line 1, column 1)."));
  EXPECT_EQ(outcome("mssql.query('DROP TABLE t', { error: function (e) { request.respond(400, { error: e.message }); } });"), R"({"answer":{"status":400,"body":{"error":"'DROP' is not supported (line 1, column 1)."}}})");
  binding->answers["mssql.query"].emplace_back(Error(Code::bad_request, "no"));
  EXPECT_EQ(outcome("mssql.query('DROP TABLE t');").find("server_error"), 0U);
}

TEST_F(Mssql, PromisesWorkWithoutHandlers) {
  will_answer("mssql.query", kTwoRows);
  const std::string script = "async function insert(item, user, request) { var rows = await mssql.query('SELECT 1'); request.respond(200, rows.length); }";
  EXPECT_EQ(bench->outcome(script, kInsert, binding), R"({"answer":{"status":200,"body":2}})");
}

TEST_F(Mssql, AConnectionSaysOneThingAfterAnother) {
  will_answer("mssql.open", R"({"connection":3})");
  will_answer("mssql.begin", "{}");
  will_answer("mssql.query", R"({"sets":[]})");
  will_answer("mssql.query", kTwoRows);
  will_answer("mssql.commit", "{}");
  will_answer("mssql.close", "{}");
  EXPECT_EQ(outcome(R"(mssql.open({ success: function (connection) {
    var seen = [];
    connection.beginTransaction(function (error) { seen.push(['begun', error]); });
    connection.query('INSERT', [1], function (error, rows, more) { seen.push([error, rows, more]); });
    connection.queryRaw('SELECT', function (error, result) { seen.push(result.rows.length); });
    connection.commit({ success: function () { seen.push('committed'); } });
    connection.close(function () { request.respond(200, seen); });
    try { connection.query('late'); } catch (error) { seen.push(error.message); }
  } });)"),
            R"({"answer":{"status":200,"body":["The connection is closed.",["begun",null],[null,[],false],2,"committed"]}})");
  EXPECT_EQ(asked(), "mssql.open {}\nmssql.begin {\"connection\":3}\nmssql.query {\"sql\":\"INSERT\",\"values\":[1],\"connection\":3}\nmssql.query {\"sql\":\"SELECT\",\"values\":[],\"connection\":3}\n"
                     "mssql.commit {\"connection\":3}\nmssql.close {\"connection\":3}");
}

TEST_F(Mssql, ColumnsMayHaveAnyName) {
  will_answer("mssql.query", R"({"sets":[{"meta":[{"name":"__proto__"}],"rows":[["x"]]}]})");
  EXPECT_EQ(outcome("mssql.query('SELECT 1', { success: function (rows) { request.respond(200, [Object.keys(rows[0]), ({}).x === undefined]); } });"), R"({"answer":{"status":200,"body":[["__proto__"],true]}})");
}

}  // namespace
}  // namespace mandate::scripts::test
