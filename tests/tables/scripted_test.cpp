// Tables with scripts, through their doors, with real Node: the tutorial's two scripts and every kind of answer.
#include "tables/scripted.h"

#include <gmock/gmock.h>

#include "tests/tables/world.h"

namespace mandate::tables::test {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class Scripted : public World {
 protected:
  /// `longest`: how long a script may take. Generous: a test whose script answers never waits for it.
  explicit Scripted(std::chrono::milliseconds longest = std::chrono::seconds(30)) : wall(longest) {
    router = std::make_unique<http::Router>();
    mount(*router, Deps{tenants, bearers, tables, script.get(), store.clock(), store.log(), store.metrics()});
  }
  ~Scripted() override {
    host->stop();
    loop.run_until([this] { return script_lines.idle(); });
  }

  void with_script(const std::string& name, const std::string& source, std::string_view table = "Items") {
    service.tables.at(ascii_lower(table)).scripts[name] = {source, ++version};
    publish();
  }
  Reply ask(http::Method method, std::string_view target, const Headers& headers, std::string_view body = {}) {
    http::Request request;
    request.method = method;
    request.target = target;
    const std::size_t question = std::min(target.find('?'), target.size());
    request.path = percent_decode(target.substr(0, question));
    if (question < target.size()) request.query = target.substr(question + 1);
    for (const auto& [name, value] : headers) request.headers.add(name, value);
    request.body = body;
    request.host = kHost;
    request.id = "request-1";
    auto response = run(loop, router->answer(request));
    EXPECT_TRUE(response.ok());
    return response.ok() ? Reply{response->status, std::move(response->headers), std::move(response->body)} : Reply{};
  }
  Reply insert(std::string_view body, const Headers& h = v2()) { return ask(http::Method::post, "/tables/Items", h, body); }
  Reply read(std::string_view query = "", const Headers& h = v2()) { return ask(http::Method::get, "/tables/Items" + std::string(query), h); }
  std::vector<ScriptLine> lines() {
    std::vector<ScriptLine> out;
    // Lines are written behind the callers' backs: ask until they are there.
    for (int i = 0; i < 200 && out.empty(); ++i) {
      auto kept = run(loop, ScriptLog::last(store.store(), "", "", 100));
      if (kept.ok()) out = *std::move(kept);
    }
    return out;
  }

  const std::chrono::milliseconds wall;
  std::uint64_t version = 0;
  ScriptLog script_lines{store.clock(), store.log(), store.metrics()};
  std::unique_ptr<scripts::Host> host = scripts::make_host({.children = 1, .node = "node", .limits = {.wall = wall, .cpu = std::chrono::milliseconds(1000)}, .run_as = {}}, store.log(), store.metrics());
  std::unique_ptr<Script> script = make_table_scripts(*host, tables, script_lines);
  std::unique_ptr<http::Router> router;
};

/// Scripts that have little time: only for those that would never answer.
struct ScriptedBriefly : Scripted {
  ScriptedBriefly() : Scripted(std::chrono::milliseconds(500)) {}
};

TEST_F(Scripted, TheTutorialsScriptsStampAndFilter) {
  with_script("insert", "function insert(item, user, request) { item.userId = user.userId; request.execute(); }");
  with_script("read", "function read(query, user, request) { query.where({ userId: user.userId }); request.execute(); }");
  EXPECT_EQ(insert(R"({"id":"a1","text":"milk"})", as("Custom:ana")).text("userId"), "Custom:ana");
  EXPECT_EQ(insert(R"({"id":"b1","text":"bread"})", as("Custom:ben")).status, 201);
  EXPECT_EQ(read("", as("Custom:ana")).json().as_array().size(), 1U);
  EXPECT_EQ(read("?$filter=" + percent_encode("text eq 'milk' or text eq 'bread'"), as("Custom:ben")).json().as_array().size(), 1U);
  EXPECT_EQ(ask(http::Method::get, "/tables/Items/a1", as("Custom:ana")).status, 200);
  EXPECT_EQ(ask(http::Method::get, "/tables/Items/a1", as("Custom:ben")).status, 404);
}

TEST_F(Scripted, ATableWithoutAScriptForTheOperationGoesStraightToStorage) {
  with_script("insert", "function insert(item, user, request) { request.respond(400, { error: 'never' }); }");
  EXPECT_EQ(insert("{}").status, 400);
  EXPECT_EQ(read().status, 200);
}

TEST_F(Scripted, ScriptsAnswerForThemselves) {
  with_script("insert", "function insert(item, user, request) { request.respond(statusCodes.BAD_REQUEST, { error: 'too short' }); }");
  const Reply refused = insert(R"({"text":"x"})");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.body, R"({"error":"too short"})");
  with_script("insert", "function insert(item, user, request) { var e = new Error('not yours'); e.statusCode = 403; request.respond(e); }");
  EXPECT_EQ(insert("{}", v1()).status, 403);
  EXPECT_EQ(insert("{}", v1()).body, R"({"code":403,"error":"Error: not yours"})");
}

TEST_F(Scripted, AReadByIdThatGivesMoreThanOneRowIs500) {
  (void)insert(R"({"id":"1","n":1})");
  with_script("read", "function read(query, user, request) { request.execute({ success: function (results) { results.push({ id: '2' }); request.respond(); } }); }");
  EXPECT_EQ(ask(http::Method::get, "/tables/Items/1", v2()).status, 500);
}

TEST_F(Scripted, HooksInTheTablesOwnFileStandAroundAnOperation) {
  with_script("hooks", "export function beforeInsert(ctx) { ctx.item.stamped = ctx.user.level; }\nexport async function afterRead(ctx) { for (const row of [ctx.result].flat()) row.seen = true; }");
  EXPECT_EQ(insert(R"({"id":"1"})").text("stamped"), "anonymous");
  const Json rows = read("?$select=id").json();
  ASSERT_EQ(rows.as_array().size(), 1U);
  EXPECT_EQ(to_json(rows.as_array()[0]), R"({"id":"1","seen":true})");
  EXPECT_EQ(ask(http::Method::delete_, "/tables/Items/1", v2()).status, 200) << "without a hook it is done there and then";
  with_script("insert", "function insert(item, user, request) { item.by = 'script'; request.execute(); }");
  const Reply both = insert(R"({"id":"2"})");
  EXPECT_EQ(both.text("by"), "script");
  EXPECT_EQ(both.text("stamped"), "(none)") << "the script is the operation's own";
}

TEST_F(Scripted, ResultsMayBeChangedBeforeTheyLeave) {
  (void)insert(R"({"id":"1","n":1})");
  (void)insert(R"({"id":"2","n":2})");
  with_script("read", "function read(query, user, request) { request.execute({ success: function (results) { results.forEach(function (row) { row.twice = row.n * 2 }); request.respond(); } }); }");
  const Json rows = read("?$orderby=id&$select=id,n").json();
  ASSERT_EQ(rows.as_array().size(), 2U);
  EXPECT_EQ(to_json(rows.as_array()[1].at("twice")), "4");
  const Json counted = read("?$inlinecount=allpages&$top=1").json();
  EXPECT_EQ(to_json(counted.at("count")), "2");
  EXPECT_EQ(counted.at("results").as_array().size(), 1U);
}

// The policy "script": whoever wrote it sees both rows and decides.
// What unscripted lists of V3 and V4 have (docs/adr/0013): links that go on behind the last row, 410.
TEST_F(Scripted, PagesOfAReadScriptGoOnBehindTheLastRow) {
  service.tables.at("items").page_size = 2;
  publish();
  for (const char* id : {"a", "b", "c", "d", "e"}) (void)insert(R"({"id":")" + std::string(id) + R"(","n":1})");
  // It leaves rows out, puts others in front, and reads another table while a page is asked for.
  with_script("read", R"(function read(query, user, request) {
    query.where({ n: 1 });
    tables.getTable('Items').read({ success: function (all) {
      request.execute({ success: function (results) { results[0] = { id: 'of ' + all.length }; request.respond(); } });
    } });
  })");
  for (const std::string_view version : {"v3", "v4"}) {
    const auto page = [&](std::string_view query) { return ask(http::Method::get, "/" + std::string(version) + "/tables/Items?" + std::string(query), {}).object(); };
    const auto link = [](const JsonObject& page) {
      const std::string whole(text_member(page, "nextLink").value_or(""));
      return whole.substr(whole.find('?') + 1);
    };
    const JsonObject first = page("$orderby=updatedAt,id&$select=id&$count=true");
    EXPECT_EQ(to_json(first.at("items")), R"([{"id":"of 5"},{"id":"b"}])") << version;
    EXPECT_EQ(first.at("count"), 5);
    std::string next = link(first);
    EXPECT_NE(next.find("$skiptoken="), std::string::npos) << next;
    // A row of the first page moves behind all others: by $skip the third row would be passed over.
    (void)ask(http::Method::patch, "/tables/Items/a", v2(), R"({"text":"moved"})");
    const JsonObject second = page(next);
    EXPECT_EQ(to_json(second.at("items")), R"([{"id":"of 5"},{"id":"d"}])") << version;
    next = link(second);
    const JsonObject third = page(next);
    EXPECT_EQ(to_json(third.at("items")), R"([{"id":"of 5"}])") << version;
    EXPECT_EQ(link(third), "");
    for (const char* id : {"a", "b", "c", "d", "e"}) (void)ask(http::Method::patch, "/tables/Items/" + std::string(id), v2(), R"({"text":"in order"})");
  }
  with_script("read", "function read(query, user, request) { query.orderByDescending('updatedAt'); request.execute({ success: function () { request.respond(); } }); }");
  const JsonObject own = ask(http::Method::get, "/v3/tables/Items?$select=id", {}).object();
  const std::string_view whole = text_member(own, "nextLink").value_or("");
  EXPECT_EQ(whole.find("$skiptoken="), std::string_view::npos) << "the order is the script's";
  EXPECT_NE(whole.find("$skip=2"), std::string_view::npos) << whole;
}

TEST_F(Scripted, ADeletedRowIs410ToThoseWhoKnowThatWhoeverReads) {
  (void)insert(R"({"id":"a","n":1})");
  (void)ask(http::Method::delete_, "/tables/Items/a", v2());
  for (const char* source : {"function read(query, user, request) { request.execute(); }",
                             "function read(query, user, request) { request.execute({ success: function (results) { results.forEach(function (r) { r.seen = 1; }); request.respond(); } }); }"}) {
    with_script("read", source);
    for (const char* version : {"/v3", "/v4"}) {
      EXPECT_EQ(ask(http::Method::get, std::string(version) + "/tables/Items/a", {}).status, 410) << source;
      EXPECT_EQ(ask(http::Method::get, std::string(version) + "/tables/Items/b", {}).status, 404) << source;
      EXPECT_EQ(ask(http::Method::get, std::string(version) + "/tables/Items/a?__includedeleted=true", {}).status, 200) << source;
    }
    EXPECT_EQ(ask(http::Method::get, "/tables/Items/a", v2()).status, 404) << source;
  }
  with_script("read", "");
  with_script("hooks", "export function afterRead(ctx) { for (const row of [ctx.result].flat()) if (row) row.seen = true; }");
  EXPECT_EQ(ask(http::Method::get, "/v4/tables/Items/a", {}).status, 410);
}

TEST_F(Scripted, AConflictScriptIsAskedWithBothRows) {
  service.tables.at("items").sync.conflicts = "script";
  const std::string old = insert(R"({"id":"1","text":"read"})").text("version");
  (void)ask(http::Method::patch, "/tables/Items/1", v2(), R"({"text":"theirs"})");
  const Headers stale = v2({{"If-Match", "\"" + old + "\""}});
  publish();
  EXPECT_EQ(ask(http::Method::patch, "/tables/Items/1", stale, R"({"text":"ours"})").status, 412) << "there is no such script yet";

  with_script("conflict", "function conflict(item, server, user, request) { item.text = server.text + '+' + item.text; request.execute(); }");
  const Reply merged = ask(http::Method::patch, "/tables/Items/1", stale, R"({"text":"ours"})");
  EXPECT_EQ(merged.status, 200) << merged.body;
  EXPECT_EQ(merged.text("text"), "theirs+ours");
  EXPECT_EQ(read("?$select=text").body, R"([{"text":"theirs+ours"}])");

  with_script("conflict", "function conflict(item, server, user, request) { request.respond(409, { kept: server.text, sent: item === undefined ? request.operation : item.text }); }");
  const Reply refused = ask(http::Method::patch, "/tables/Items/1", stale, R"({"text":"ours"})");
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(refused.body, R"({"kept":"theirs+ours","sent":"ours"})");
  EXPECT_EQ(ask(http::Method::delete_, "/tables/Items/1", stale).body, R"({"kept":"theirs+ours","sent":"del"})");

  EXPECT_EQ(ask(http::Method::put, "/v4/tables/Items/1", {{"If-Match", "\"" + old + "\""}, {"If-None-Match", "*"}}, R"({"id":"1","text":"ours"})").status, 412)
      << "what the client asks for beside the version is not the script's to settle";

  with_script("conflict", "function conflict(item, server, user, request) { throw new Error('undecided'); }");
  EXPECT_EQ(ask(http::Method::patch, "/tables/Items/1", stale, R"({"text":"ours"})").status, 500);
  EXPECT_EQ(ask(http::Method::patch, "/tables/Items/1", v2(), R"({"text":"last"})").status, 200) << "without a version nobody is asked";
}

TEST_F(Scripted, MomentsOfItemsAreDatesAsTheTypesOfTheirColumnsSay) {
  service.tables.at("items").columns = {{.name = "due", .type = "datetime"}, {.name = "note"}, {.name = "day", .type = "date"}, {.name = "more", .type = "json"}};
  const std::string kTell = "function tell(item) { var out = {}; Object.keys(item).forEach(function (k) { var v = item[k]; out[k] = v instanceof Date ? v.getTime() : v === null ? 'null' : typeof v; }); return out; }\n";
  with_script("insert", kTell + "function insert(item, user, request) { if (request.parameters.tell) request.respond(200, tell(item)); else request.execute(); }");
  const auto told = [&](std::string_view body, const Headers& h = v2()) { return ask(http::Method::post, "/tables/Items?tell=1", h, body).body; };
  EXPECT_EQ(told(R"({"id":"2012-02-29T01:02:03Z","due":"2012-02-29T01:02:03Z","note":"2012-02-29T01:02:03Z","day":"2012-02-29","more":"2012-02-29T01:02:03Z","NEW":"2012-02-29T01:02:03.0040000Z","text":"2012-02-29","when":null})"),
            R"({"id":"string","due":1330477323000,"note":"string","day":"string","more":"string","NEW":1330477323004,"text":"string","when":"null"})");
  EXPECT_EQ(told(R"({"DUE":"2012-02-29T03:02:03.5+02:00","new":"2012-02-29T03:02:03+02:00","old":"/Date(5)/"})"), R"({"DUE":1330477323500,"new":"string","old":"string"})") << "a new column gets dates of the one form only";
  EXPECT_EQ(told(R"({"due":"/Date(1330477323000+0200)/","old":"/Date(-5)/"})", v1()), R"({"due":1330477323000,"old":-5})");
  EXPECT_EQ(told(R"({"due":"2012-02-31T01:02:03Z","new":"2012-13-01T01:02:03Z"})"), R"({"due":"string","new":"string"})") << "days that there are not";

  // A column that holds text has texts, whoever made it.
  (void)insert(R"({"id":"1","free":"words","when":"2012-02-29T01:02:03Z"})");
  EXPECT_EQ(told(R"({"free":"2012-02-29T01:02:03Z","when":"2012-02-29T01:02:03Z"})"), R"({"free":"string","when":1330477323000})");
  EXPECT_EQ(insert(R"({"id":"2","free":"2012-02-29T01:02:03Z","note":"2012-02-29T01:02:03Z","due":"2012-02-29T01:02:03Z"})").status, 201);
  const JsonObject kept = ask(http::Method::get, "/tables/Items/2", v2()).object();
  EXPECT_EQ(text_member(kept, "free"), "2012-02-29T01:02:03Z");
  EXPECT_EQ(text_member(kept, "note"), "2012-02-29T01:02:03Z");
  EXPECT_EQ(text_member(kept, "due"), "2012-02-29T01:02:03.000Z");
}

TEST_F(Scripted, MomentsOfRowsAreDatesWhereverScriptsMeetThem) {
  service.tables.at("items").columns = {{.name = "due", .type = "datetime"}, {.name = "note"}, {.name = "day", .type = "date"}};
  publish();
  (void)insert(R"({"id":"a","due":"2012-02-29T01:02:03Z","note":"2012-02-29T01:02:03Z","day":"2012-02-29","when":"2012-02-29T01:02:04Z"})");
  const std::string kTell = "function tell(row) { return Object.keys(row).sort().filter(function (k) { return row[k] instanceof Date; }).join(); }\n";
  with_script("read", kTell + "function read(query, user, request) { request.execute({ success: function (rows) { rows.forEach(function (row) { row.dates = tell(row); }); request.respond(); } }); }");
  EXPECT_EQ(ask(http::Method::get, "/tables/Items/a", v2()).text("dates"), "createdAt,due,updatedAt,when");
  EXPECT_EQ(ask(http::Method::get, "/tables/Items/a", v1()).text("dates"), "due,when");
  EXPECT_EQ(ask(http::Method::get, "/tables/Items/a?__systemProperties=updatedAt", v1()).text("dates"), "__updatedAt,due,when");
  EXPECT_EQ(ask(http::Method::get, "/tables/Items/a", v2()).text("when"), "2012-02-29T01:02:04.000Z");
  EXPECT_EQ(read("?$select=WHEN,note").body, R"([{"WHEN":"2012-02-29T01:02:04.000Z","note":"2012-02-29T01:02:03Z","dates":"WHEN"}])");
  with_script("read", "");

  // What a write gives back, what stands in its way, what other tables have.
  with_script("update", kTell + R"(function update(item, user, request) {
    if (request.parameters.other) return tables.getTable('Items').where({ due: new Date(Date.UTC(2012, 1, 29, 1, 2, 3)) }).read({ success: function (rows) {
      tables.getTable('Items').lookup('a', { success: function (row) {
        row.due = new Date(row.due.getTime() + 1);
        tables.getTable('Items').update(row, { success: function (after) { request.respond(200, { rows: rows.length, read: tell(rows[0]), found: tell(row), after: after.due.getTime() }); } });
      } });
    } });
    request.execute({ success: function () { item.text = tell(item); request.respond(); }, conflict: function (server) { request.respond(200, { text: 'met ' + tell(server) + ' ' + (server.due - item.due) }); } });
  })");
  const auto change = [&](std::string_view query, const Headers& h) { return ask(http::Method::patch, "/tables/Items/a" + std::string(query), h, R"({"due":"2012-02-29T01:02:03Z"})"); };
  EXPECT_EQ(change("", v2()).text("text"), "createdAt,due,updatedAt,when");
  EXPECT_EQ(change("", v1()).text("text"), "due");
  EXPECT_EQ(change("", v2({{"If-Match", "\"AAAA\""}})).text("text"), "met createdAt,due,updatedAt,when 0");
  EXPECT_EQ(change("", v1({{"If-Match", "\"AAAA\""}})).text("text"), "met __createdAt,__updatedAt,due,when 0");
  EXPECT_EQ(change("?other=1", v2()).body, R"({"rows":1,"read":"createdAt,due,updatedAt,when","found":"createdAt,due,updatedAt,when","after":1330477323001})");
}

TEST_F(Scripted, HooksAndConflictScriptsHaveDatesToo) {
  service.tables.at("items").sync.conflicts = "script";
  with_script("hooks", "export function beforeInsert(ctx) { ctx.item.year = ctx.item.due.getUTCFullYear(); }\nexport function afterRead(ctx) { for (const row of [ctx.result].flat()) row.ms = row.due.getTime(); }");
  const std::string old = insert(R"({"id":"1","due":"2012-02-29T01:02:03Z"})").text("version");
  const JsonObject row = ask(http::Method::get, "/tables/Items/1", v2()).object();
  EXPECT_EQ(row.at("year"), 2012);
  EXPECT_EQ(row.at("ms"), 1330477323000);
  (void)ask(http::Method::patch, "/tables/Items/1", v2(), R"({"due":"2012-02-29T01:02:04Z"})");
  with_script("conflict", "function conflict(item, server, user, request) { item.due = new Date(Math.max(item.due, server.due) + 1); request.execute(); }");
  EXPECT_EQ(ask(http::Method::patch, "/tables/Items/1", v2({{"If-Match", "\"" + old + "\""}}), R"({"due":"2012-02-29T01:02:03Z"})").text("due"), "2012-02-29T01:02:04.001Z");
}

TEST_F(Scripted, AConflictScriptIsAskedAboutAJsonPatchToo) {
  service.tables.at("items").sync.conflicts = "script";
  const std::string old = insert(R"({"id":"1","text":"read","n":1})").text("version");
  (void)ask(http::Method::patch, "/tables/Items/1", v2(), R"({"text":"theirs"})");
  publish();
  const Headers stale{{"Content-Type", "application/json-patch+json"}, {"If-Match", "\"" + old + "\""}};
  const std::string_view patch = R"([{"op":"replace","path":"/text","value":"ours"}])";
  EXPECT_EQ(ask(http::Method::patch, "/v3/tables/Items/1", stale, patch).status, 412) << "there is no such script yet";

  with_script("conflict", "function conflict(item, server, user, request) { item.text = server.text + '+' + item.text; request.execute(); }");
  const Reply merged = ask(http::Method::patch, "/v3/tables/Items/1", stale, patch);
  EXPECT_EQ(merged.status, 200) << merged.body;
  EXPECT_EQ(merged.text("text"), "theirs+ours");
  EXPECT_EQ(merged.object().at("n"), 1);

  with_script("conflict", R"(function conflict(item, server, user, request) {
    item.text = server.text + '+' + item.text;
    if (server.text === 'third') return request.execute();
    tables.getTable('Items').update({ id: '1', text: 'third' }, { success: function () { request.execute(); } });
  })");
  const Reply again = ask(http::Method::patch, "/v3/tables/Items/1", stale, patch);
  EXPECT_EQ(again.status, 200) << again.body;
  EXPECT_EQ(again.text("text"), "third+ours");
}

TEST_F(Scripted, AJsonPatchSaysNothingOfRowsThatAScriptHides) {
  (void)insert(R"({"id":"1","text":"secret","n":1})");
  const Headers v3{{"Content-Type", "application/json-patch+json"}};
  const auto answered = [&](std::string_view body, const Headers& headers) { return ask(http::Method::patch, "/v3/tables/Items/1", headers, body).status; };
  const std::string_view right = R"([{"op":"test","path":"/text","value":"secret"},{"op":"replace","path":"/n","value":2}])", wrong = R"([{"op":"test","path":"/text","value":"other"}])";
  EXPECT_EQ(answered(right, v3), 200);
  EXPECT_EQ(answered(wrong, v3), 409);
  with_script("update", "function update(item, user, request) { if (user.level === 'admin' || item.n === 3) request.execute(); else request.respond(404); }");
  for (const std::string_view each : {right, wrong, std::string_view(R"([{"op":"copy","from":"/text","path":"/m"}])"), std::string_view(R"([{"op":"move","from":"/text","path":"/m"}])"), std::string_view(R"([{"op":"add","path":"/text/a","value":1}])"),
                                      std::string_view(R"([{"op":"replace","path":"/version","value":"AA"}])")})
    EXPECT_EQ(answered(each, v3), 400) << each;
  EXPECT_EQ(answered(R"([{"op":"replace","path":"/n","value":2}])", v3), 404) << "as the script says";
  EXPECT_EQ(answered(R"([{"op":"replace","path":"/n","value":3},{"op":"remove","path":"/text"}])", v3), 200);
  Headers master = v3;
  master.emplace_back("X-ZUMO-MASTER", kMasterKey);
  EXPECT_EQ(answered(R"([{"op":"test","path":"/n","value":3},{"op":"replace","path":"/n","value":4}])", master), 200);
}

TEST_F(Scripted, AnExpansionIsRefusedWhereAScriptReads) {
  with_script("read", "function read(query, user, request) { request.execute({ success: function (results) { request.respond(200, results); } }); }");
  const Reply refused = ask(http::Method::get, "/v4/tables/Items?$expand=list", {});
  EXPECT_EQ(refused.status, 400) << refused.body;
  EXPECT_EQ(ask(http::Method::get, "/v4/tables/Items", {}).status, 200);
}

TEST_F(Scripted, AConflictScriptWhoseRowChangesMeanwhileIsAskedAgain) {
  service.tables.at("items").sync.conflicts = "script";
  const std::string old = insert(R"({"id":"1","text":"read"})").text("version");
  (void)ask(http::Method::patch, "/tables/Items/1", v2(), R"({"text":"theirs"})");
  with_script("conflict", R"(function conflict(item, server, user, request) {
    item.text = server.text + '+' + item.text;
    if (server.text === 'third') return request.execute();
    tables.getTable('Items').update({ id: '1', text: 'third' }, { success: function () { request.execute(); } });
  })");
  const Reply merged = ask(http::Method::patch, "/tables/Items/1", v2({{"If-Match", "\"" + old + "\""}}), R"({"text":"ours"})");
  EXPECT_EQ(merged.status, 200) << merged.body;
  EXPECT_EQ(merged.text("text"), "third+ours");
}

TEST_F(Scripted, UpdatesKeepTheirVersionCheckThroughTheScript) {
  (void)insert(R"({"id":"1","text":"a"})");
  with_script("update", "function update(item, user, request) { item.seen = true; request.execute(); }");
  const Headers stale = v2({{"If-Match", "\"AAAAAAAAAAE=\""}});
  EXPECT_EQ(ask(http::Method::patch, "/tables/Items/1", stale, R"({"text":"b"})").status, 412);
  const Reply good = ask(http::Method::patch, "/tables/Items/1", v2(), R"({"text":"b"})");
  EXPECT_EQ(good.status, 200);
  EXPECT_EQ(to_json(good.object().at("seen")), "true");
  with_script("update", "function update(item, user, request) { request.execute({ conflict: function (server) { item.text = server.text + '+' + item.text; item.version = server.version; request.execute({ success: function () { request.respond(); } }); } }); }");
  const Reply merged = ask(http::Method::patch, "/tables/Items/1", stale, R"({"text":"c"})");
  EXPECT_EQ(merged.status, 200) << merged.body;
  EXPECT_EQ(merged.text("text"), "b+c");
}

TEST_F(Scripted, DeleteAndUndeleteRunTheirScripts) {
  (void)insert(R"({"id":"1"})");
  with_script("delete", "function del(id, user, request) { if (id === '1') request.execute(); else request.respond(403); }");
  with_script("update", "function update(item, user, request) { if (request.undelete) request.execute(); else request.respond(403); }");
  EXPECT_EQ(ask(http::Method::delete_, "/tables/Items/2", v2()).status, 403);
  EXPECT_LT(ask(http::Method::delete_, "/tables/Items/1", v2()).status, 300);
  EXPECT_EQ(ask(http::Method::get, "/tables/Items/1", v2()).status, 404);
  EXPECT_EQ(ask(http::Method::post, "/tables/Items/1", v2()).status, 201);
  EXPECT_EQ(ask(http::Method::get, "/tables/Items/1", v2()).status, 200);
}

TEST_F(Scripted, ADeleteByFilterDoesNotGoRoundADeleteScript) {
  (void)insert(R"({"id":"1","n":1})");
  with_script("delete", "function del(id, user, request) { request.execute(); }");
  const Reply refused = ask(http::Method::delete_, "/tables/Items?$filter=" + percent_encode("n eq 1"), v2());
  EXPECT_EQ(refused.status, 405);
  EXPECT_EQ(refused.header("Allow"), "GET, POST");
  EXPECT_EQ(ask(http::Method::get, "/tables/Items/1", v2()).status, 200);
  const Headers owner = v2({{"X-ZUMO-MASTER", std::string(kMasterKey)}});
  EXPECT_EQ(ask(http::Method::delete_, "/tables/Items?noScript=true&$filter=" + percent_encode("n eq 1"), owner).status, 204);
  EXPECT_EQ(ask(http::Method::get, "/tables/Items/1", v2()).status, 404);
}

TEST_F(Scripted, AVersionInTheBodyDoesNotBeatThatOfTheHeader) {
  const std::string now = insert(R"({"id":"1","text":"a"})").text("version");
  with_script("update", "function update(item, user, request) { request.execute(); }");
  const std::string body = R"({"text":"b","version":")" + now + "\"}";
  EXPECT_EQ(ask(http::Method::patch, "/tables/Items/1", v2({{"If-Match", "\"AAAAAAAAAAE=\""}}), body).status, 412);
  EXPECT_EQ(ask(http::Method::patch, "/tables/Items/1", v2(), R"({"text":"b","version":"AAAAAAAAAAE="})").status, 409);
  EXPECT_EQ(ask(http::Method::patch, "/tables/Items/1", v2(), body).status, 200);
}

TEST_F(Scripted, SystemPropertiesOfAClientAreRefusedBeforeTheScriptRuns) {
  (void)insert(R"({"id":"1","text":"a"})");
  with_script("update", "function update(item, user, request) { item.updatedAt = 'mine'; request.execute(); }");
  with_script("insert", "function insert(item, user, request) { request.respond(200, {}); }");
  for (const std::string& name : {"updatedAt", "createdAt", "deleted"}) {
    const Reply reply = ask(http::Method::patch, "/tables/Items/1", v2(), R"({"text":"b",")" + name + R"(":"x"})");
    EXPECT_EQ(reply.status, 400);
    EXPECT_EQ(reply.text("error"), "Cannot update item with property '" + name + "' as it is reserved");
    EXPECT_EQ(insert("{\"" + name + "\":true}").status, 400);
  }
  EXPECT_EQ(ask(http::Method::patch, "/tables/Items/1", v2(), R"({"text":"b"})").status, 200) << "what a script writes back is passed over";
}

TEST_F(Scripted, ADuplicateIsTheDefaultErrorOrTheHandlers) {
  (void)insert(R"({"id":"1"})");
  with_script("insert", "function insert(item, user, request) { request.execute(); }");
  EXPECT_EQ(insert(R"({"id":"1"})").status, 409);
  with_script("insert", "function insert(item, user, request) { request.execute({ error: function (e) { request.respond(e.statusCode === 409 ? 200 : 500, { had: true }) } }); }");
  EXPECT_EQ(insert(R"({"id":"1"})").body, R"({"had":true})");
}

TEST_F(Scripted, TablesOfTheServiceAreReachedWithAdministratorsRights) {
  tenant::Table& audit = add_table("Audit");
  audit.permissions = {"admin", "admin", "admin", "admin", ""};
  with_script("insert", R"(function insert(item, user, request) {
    var audit = tables.getTable('Audit');
    audit.insert({ what: item.text }, { success: function () {
      audit.where({ what: item.text }).includeTotalCount().read({ success: function (rows) { request.respond(200, { total: rows.totalCount, what: rows[0].what }); } });
    } }); })");
  EXPECT_EQ(insert(R"({"text":"milk"})").body, R"({"total":1,"what":"milk"})");
  EXPECT_EQ(ask(http::Method::get, "/tables/Audit", v2()).status, 401);
}

TEST_F(Scripted, AScriptsReadHasNoPageLimit) {
  for (int i = 0; i < 60; ++i) (void)post("/tables/Items", "{\"n\":" + std::to_string(i) + "}");
  with_script("insert", "function insert(item, user, request) { tables.current.read({ success: function (rows) { request.respond(200, rows.length); } }); }");
  EXPECT_EQ(insert("{}").body, "60");
  with_script("read", "function read(query, user, request) { query.take(55); request.execute(); }");
  EXPECT_EQ(read().json().as_array().size(), 55U);
  with_script("read", "function read(query, user, request) { request.execute(); }");
  EXPECT_EQ(read().json().as_array().size(), 50U);
}

TEST_F(Scripted, AThrowingScriptIsAGeneric500AndALineInTheLog) {
  with_script("insert", "function insert(item, user, request) {\n  throw new Error('secret detail');\n}");
  const Reply reply = insert("{}", v1());
  EXPECT_EQ(reply.status, 500);
  EXPECT_THAT(reply.body, HasSubstr("\"error\":\"Error: Internal Server Error\""));
  EXPECT_THAT(reply.body, ::testing::Not(HasSubstr("secret")));
  const auto kept = lines();
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(kept[0].source, "/table/Items.insert.js");
  EXPECT_EQ(kept[0].level, "error");
  EXPECT_EQ(kept[0].text, "Error: secret detail\n    at insert (/table/Items.insert.js:2:9)");
}

TEST_F(Scripted, ConsoleLinesAreKept) {
  with_script("read", "function read(query, user, request) { console.warn('who: %s', user.level); request.execute(); }");
  EXPECT_EQ(read().status, 200);
  const auto kept = lines();
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(kept[0].level, "warn");
  EXPECT_EQ(kept[0].text, "who: anonymous");
}

TEST_F(Scripted, AnEndlessLoopIs500) {
  with_script("insert", "function insert() { for (;;) {} }");
  EXPECT_EQ(insert("{}").status, 500);
}

TEST_F(ScriptedBriefly, SilenceIs503) {
  with_script("insert", "function insert() {}");
  const Reply silent = insert("{}");
  EXPECT_EQ(silent.status, 503);
  EXPECT_FALSE(silent.header("Retry-After").empty());
}

TEST_F(Scripted, AChangedIdInAnUpdateIs500) {
  (void)insert(R"({"id":"1"})");
  with_script("update", "function update(item, user, request) { item.id = '2'; request.execute(); }");
  EXPECT_EQ(ask(http::Method::patch, "/tables/Items/1", v2(), R"({"text":"b"})").status, 500);
}

TEST_F(Scripted, NobodysRowsAreReachedByAnInjectedFilter) {
  with_script("insert", "function insert(item, user, request) { item.userId = user.userId; request.execute(); }");
  with_script("read", "function read(query, user, request) { query.where({ userId: user.userId }); request.execute(); }");
  (void)insert(R"({"id":"a1","text":"milk"})", as("Custom:ana"));
  for (const char* filter : {"1 eq 1 or 1 eq 1", "(1 eq 1) or (1 eq 1)", "userId ne 'x' or true", "not (userId eq 'Custom:ben')"})
    EXPECT_EQ(read("?$filter=" + percent_encode(filter), as("Custom:ben")).body, "[]") << filter;
  EXPECT_EQ(read("?$filter=" + percent_encode("1 eq 1) or (1 eq 1"), as("Custom:ben")).status, 400);
  const auto odd = as("Custom:x' or userId ne '");
  EXPECT_EQ(read("", odd).body, "[]");
}

}  // namespace
}  // namespace mandate::tables::test
