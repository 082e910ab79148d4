// mssql in table scripts, from the client's request to the rows, with real Node.
#include "tables/mssql.h"

#include <gmock/gmock.h>

#include "tables/scripted.h"
#include "tests/tables/world.h"

namespace mandate::tables::test {
namespace {

using ::testing::HasSubstr;

class MssqlScripts : public World {
 protected:
  MssqlScripts() {
    scripted_router = std::make_unique<http::Router>();
    mount(*scripted_router, Deps{tenants, bearers, tables, script.get(), store.clock(), store.log(), store.metrics()});
    service.tables.at("items").columns = {{"text", "string"}, {"n", "number"}, {"due", "datetime"}};
    publish();
    for (const char* item : {R"({"id":"a","text":"milk","n":1,"due":"2020-01-01T00:00:00.000Z"})", R"({"id":"b","text":"Bread","n":2})"}) EXPECT_EQ(post("/tables/Items", item).status, 201);
  }
  ~MssqlScripts() override {
    host->stop();
    loop.run_until([this] { return script_lines.idle(); });
  }

  /// What a read gets whose script is `body`.
  Reply answer_of(const std::string& body, std::string_view query = "") {
    service.tables.at("items").scripts["read"] = {"function read(query, user, request) { " + body + " }", ++version};
    publish();
    http::Request request;
    request.method = http::Method::get;
    request.target = "/tables/Items";
    request.path = "/tables/Items";
    request.query = std::string(query);
    request.headers.add("ZUMO-API-VERSION", "2.0.0");
    request.host = kHost;
    request.id = "request-1";
    auto response = run(loop, scripted_router->answer(request));
    EXPECT_TRUE(response.ok());
    return response.ok() ? Reply{response->status, std::move(response->headers), std::move(response->body)} : Reply{};
  }
  std::string log() {
    std::string out;
    for (int i = 0; i < 200 && out.empty(); ++i) {
      auto kept = run(loop, ScriptLog::last(store.store(), "", "", 100));
      if (!kept.ok()) break;
      for (const ScriptLine& line : *kept) out += line.level + " " + line.source + " " + line.text + "\n";
    }
    return out;
  }

  std::uint64_t version = 0;
  ScriptLog script_lines{store.clock(), store.log(), store.metrics()};
  std::unique_ptr<scripts::Host> host = scripts::make_host({.children = 1, .node = "node", .limits = {.wall = std::chrono::milliseconds(5000), .cpu = std::chrono::milliseconds(2000)}, .run_as = {}}, store.log(), store.metrics());
  std::unique_ptr<Script> script = make_table_scripts(*host, tables, script_lines);
  std::unique_ptr<http::Router> scripted_router;
};

TEST_F(MssqlScripts, AScriptAsksForRowsOfItsService) {
  const Reply reply = answer_of(R"(mssql.query('SELECT id, text, n * 10 AS ten, due FROM default.Items WHERE text = ? ORDER BY id', ['MILK'], {
    success: function (rows) { rows[0].isDate = rows[0].due instanceof Date; request.respond(200, rows); } });)");
  EXPECT_EQ(reply.body, R"([{"id":"a","text":"milk","ten":10,"due":"2020-01-01T00:00:00.000Z","isDate":true}])");
}

TEST_F(MssqlScripts, WhatItWritesIsSeenBySync) {
  const std::string before = get("/tables/Items/a").text("updatedAt");
  EXPECT_EQ(answer_of("mssql.query(\"UPDATE Items SET text = 'cheese' WHERE id = 'a'\", { success: function () { request.respond(200, 'done'); } });").status, 200);
  const Reply row = get("/tables/Items/a");
  EXPECT_EQ(row.text("text"), "cheese");
  EXPECT_GT(row.text("updatedAt"), before);
  EXPECT_EQ(ids("/tables/Items?$filter=" + percent_encode("updatedAt gt datetimeoffset'" + before + "'") + "&$orderby=updatedAt"), "b a");
}

TEST_F(MssqlScripts, TheNightlyPurgeTakesAwayWhatIsMarkedAsDeleted) {
  EXPECT_EQ(del("/tables/Items/a").status, 200);
  EXPECT_EQ(answer_of("mssql.query('DELETE FROM Items WHERE __deleted = 1 AND DATEADD(minute, 1, SYSDATETIMEOFFSET()) > __updatedAt; SELECT COUNT(*) AS n FROM Items', { success: function (rows) { request.respond(200, rows); } });").body, R"([{"n":1}])");
}

TEST_F(MssqlScripts, TextInTheSqlOfACallerCannotReachOtherTables) {
  const Reply reply = answer_of(R"(var name = "x' UNION SELECT password_hash FROM users --";
    mssql.query("SELECT text FROM Items WHERE text = '" + name + "'", { error: function (e) { request.respond(400, { error: e.message }); } });)");
  EXPECT_EQ(reply.status, 400);
  EXPECT_THAT(reply.body, HasSubstr("Invalid object name 'users' (line 1, column "));
  EXPECT_THAT(log(), HasSubstr("error /table/Items.read.js mssql: Invalid object name 'users' (line 1, column "));
}

TEST_F(MssqlScripts, AnErrorNobodyHandlesFailsTheRequest) {
  EXPECT_EQ(answer_of("mssql.query('DROP TABLE Items');").status, 500);
  EXPECT_EQ(get("/tables/Items/a").status, 200);
  EXPECT_THAT(log(), HasSubstr("mssql: 'DROP' is not supported"));
}

TEST_F(MssqlScripts, TransactionsEndAsTheScriptSaysOrWithIt) {
  const std::string moved = R"(mssql.open({ success: function (c) {
    c.beginTransaction(function () { c.query("UPDATE Items SET n = n - 1 WHERE id = 'b'", function () { c.query("UPDATE Items SET n = n + 1 WHERE id = 'a'", function () { END; }); }); });
  } });)";
  const auto with = [&](std::string end) {
    std::string out = moved;
    out.replace(out.find("END"), 3, end);
    return answer_of(out);
  };
  EXPECT_EQ(with("c.rollback(function () { request.respond(200, 'back'); })").status, 200);
  EXPECT_EQ(with("request.respond(200, 'left open')").status, 200);
  EXPECT_EQ(to_json(get("/tables/Items/a").object().at("n")), "1");
  EXPECT_EQ(with("c.commit(function (e) { request.respond(200, String(e)); })").body, "\"null\"");
  EXPECT_EQ(to_json(get("/tables/Items/a").object().at("n")), "2");
  EXPECT_EQ(to_json(get("/tables/Items/b").object().at("n")), "1");
}

TEST_F(MssqlScripts, AskingInAWrongWayIsAnErrorOfTheScript) {
  Mssql calls(tables, script_lines, "/table/Items.read.js");
  OperationContext context;
  context.here = tenants.here;
  context.service = &context.here.config->services.at("default");
  const auto ask = [&](std::string method, Json arguments) {
    auto done = run(loop, calls.invoke(context, std::move(method), std::move(arguments)));
    return done.ok() ? to_json(*done) : std::string(name(done.error().code)) + ": " + done.error().hint;
  };
  EXPECT_EQ(ask("mssql.query", JsonObject{}), "bad_request: The SQL must be a text.");
  EXPECT_EQ(ask("mssql.query", JsonObject{{"sql", "SELECT ?"}}), "bad_request: There are more question marks in the SQL than values.");
  EXPECT_EQ(ask("mssql.query", JsonObject{{"sql", "SELECT 1"}, {"values", JsonArray{1}}}), "bad_request: There are more values than question marks in the SQL.");
  EXPECT_EQ(ask("mssql.query", JsonObject{{"sql", "SELECT ?"}, {"values", JsonArray{JsonObject{}}}}), "bad_request: A value of an SQL text is no text, number, truth value, date or null.");
  EXPECT_EQ(ask("mssql.query", JsonObject{{"sql", "SELECT 1"}, {"connection", 9}}), "bad_request: The connection is closed.");
  EXPECT_EQ(ask("mssql.drop", JsonObject{{"connection", 1}}), "bad_request: The connection is closed.");
  for (std::size_t i = 1; i <= Mssql::kMostConnections; ++i) EXPECT_EQ(ask("mssql.open", {}), "{\"connection\":" + std::to_string(i) + "}");
  EXPECT_THAT(ask("mssql.open", {}), HasSubstr("16 connections open"));
  EXPECT_EQ(ask("mssql.drop", JsonObject{{"connection", 1}}), "bad_request: There is no 'mssql.drop'.");
  EXPECT_EQ(ask("mssql.query", JsonObject{{"sql", "SELECT ?, ? AS d"}, {"values", JsonArray{1.5, JsonArray{7}}}, {"connection", 2}}),
            R"({"sets":[{"meta":[{"name":"","type":"number","sqlType":"float","size":53,"nullable":true},{"name":"d","type":"date","sqlType":"datetimeoffset","size":34,"nullable":true}],"rows":[[1.5,[7]]]}],"touched":1})");
}

}  // namespace
}  // namespace mandate::tables::test
