// Apps for Mobile Apps' Node server (mobile-backend-wire 5.10): what their main file says, and what their code does.
#include "base/base64.h"
#include "tests/scripts/service_bench.h"

namespace mandate::scripts::test {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::string_view kApp = R"(
var express = require('express'), azureMobileApps = require('azure-mobile-apps');
var app = express(), mobile = azureMobileApps({ homePage: true });
mobile.tables.import('./tables');
mobile.tables.initialize().then(function () { app.use(mobile); app.listen(process.env.PORT || 3000); });
)";

/// Gives requests to other servers no answer until it is told one.
class Held final : public Binding {
 public:
  explicit Held(std::shared_ptr<FakeBinding> given) : given_(std::move(given)) {}
  Task<Json> invoke(std::string_view method, Json arguments) override {
    const bool outwards = method == "http.fetch";
    Task<Json> asking = given_->invoke(method, std::move(arguments));
    Result<Json> answer = co_await asking;
    if (outwards) answer = co_await outside;
    co_return answer;
  }
  void console(std::string_view level, std::string_view text) override { given_->console(level, text); }

  Signal<Json> outside;

 private:
  const std::shared_ptr<FakeBinding> given_;
};

class Mobile : public ServiceTest {
 protected:
  /// A folder with the usual main file.
  void app(Files given) {
    const auto apis = given.lower_bound("api/");
    const bool some = apis != given.end() && apis->first.starts_with("api/");
    given.emplace("app.js", std::string(kApp) + (some ? "mobile.api.import('./api');" : ""));
    files(std::move(given));
  }
  /// A file of a table: `code` between its first and last line.
  static std::string table(std::string_view code) { return "var table = module.exports = require('azure-mobile-apps').table();\n" + std::string(code); }

  std::string ask(std::string kind, JsonObject context) {
    Call out;
    out.realm = realm;
    out.name = "/" + kind + "/app.js";
    out.kind = std::move(kind);
    out.context = to_json(context);
    out.bundle = bundle;
    out.environment = environment;
    return text_of(mandate::test::run(bench->loop, bench->host->run(std::move(out), held ? std::shared_ptr<Binding>(held) : binding)));
  }
  std::string describe() { return ask("describe", {{"app", "app.js"}}); }
  /// One act on table T; members of `more` before the usual ones.
  std::string act(std::string_view operation, JsonObject more = {}) {
    JsonObject context = std::move(more);
    const auto usual = [&](std::string_view name, Json value) {
      if (!context.contains(name)) context[name] = std::move(value);
    };
    usual("operation", Json(operation));
    usual("script", "app.js");
    usual("app", true);
    usual("dialect", "v2");
    usual("table", "T");
    usual("parameters", JsonObject());
    usual("user", json(R"({"level":"authenticated","userId":"sid:ana"})"));
    usual("asked", json(R"({"method":"get","path":"/","url":"/","base":"/tables/T","headers":{"host":"h"},"protocol":"https"})"));
    if (operation == "insert" || operation == "update") usual("item", json(operation == "insert" ? R"({"text":"milk"})" : R"({"id":"7","text":"milk"})"));
    if (operation == "read") usual("query", json(R"({"filter":"","orderBy":"","select":""})"));
    if (operation == "update" || operation == "del") usual("id", "7");
    return ask("hooks", std::move(context));
  }
  std::string api(std::string_view method, JsonObject more = {}) {
    JsonObject context{{"app", "app.js"}, {"name", "hello"}, {"method", method}, {"path", "/"}, {"url", "/"}, {"base", "/api/hello"}, {"headers", JsonObject()}, {"user", JsonObject()}, {"proved", JsonObject()}};
    for (auto& [key, value] : more) context[key] = value;
    return ask("api", std::move(context));
  }
  void answers(std::string method, std::string_view answer) { binding->answers[std::move(method)].push_back(json(answer)); }
  std::shared_ptr<Held> held;  ///< instead of `binding`
  std::string asked(std::size_t i = 0) { return i < binding->asked.size() ? binding->asked[i].method + " " + to_json(binding->asked[i].arguments) : "nothing"; }
};

TEST_F(Mobile, TellsItsTablesAndApisWithTheirSettings) {
  app({{"tables/T.js", table("table.columns = { text: 'string', at: 'date' }; table.dynamicSchema = false; table.softDelete = true; table.perUser = true;\n"
                             "table.access = 'authenticated'; table.read.access = 'anonymous'; table.delete.access = 'disabled'; table.maxTop = 5; table.seed = [{ id: '1' }];\n"
                             "table.indexes = ['text', ['text', 'at']]; table.insert(function (context) { return context.execute(); });")},
       {"tables/below/Json.json", R"({"autoIncrement":true,"authorize":true,"update":{"disable":true}})"},
       {"tables/Plain.js", "module.exports = { name: 'Renamed', databaseTableName: 'other' };"},
       {"api/hello.js", "module.exports = { get: function () {}, post: [function () {}, function () {}], text: 'no verb', access: 'authenticated' }; module.exports.get.access = 'anonymous';"}});
  EXPECT_EQ(describe(), R"({"tables":[{"name":"Renamed","code":[],"databaseTableName":"other"},)"
                        R"({"name":"T","code":["insert"],"levels":{"read":"public","insert":"authenticated","update":"authenticated","delete":"disabled","undelete":"authenticated"},)"
                        R"("dynamicSchema":false,"softDelete":true,"perUser":true,"maxTop":5,"userIdColumn":"userId","columns":{"text":"string","at":"date"},"indexes":[["text"],["text","at"]],"seed":[{"id":"1"}]},)"
                        R"({"name":"Json","code":[],"levels":{"read":"authenticated","insert":"authenticated","update":"disabled","delete":"authenticated","undelete":"authenticated"},"autoIncrement":true}],)"
                        R"("apis":[{"name":"hello","levels":{"get":"public","post":"authenticated"}}],"made":true})");
}

TEST_F(Mobile, JsonBesideATablesFileIsMergedIntoIt) {
  app({{"tables/T.js", table("table.insert(function (context) { return context.execute(); });")}, {"tables/T.json", R"({"softDelete":true,"insert":{"access":"disabled"}})"}});
  const std::string told = describe();
  EXPECT_THAT(told, HasSubstr(R"("insert":"disabled")"));
  EXPECT_THAT(told, HasSubstr(R"("softDelete":true)"));
  EXPECT_THAT(told, HasSubstr(R"("code":["insert"])"));
}

TEST_F(Mobile, TablesAndMiddlewareOfTheMainFileCount) {
  files({{"app.js", "var mobile = require('azure-mobile-apps')({ pageSize: 7 }); mobile.tables.add('T', { columns: { a: 'number' } }); mobile.api.add('inline', { get: function () {} });\n"
                    "mobile.use('/api', function (req, res, next) { next(); });"}});
  EXPECT_EQ(describe(), R"({"tables":[{"name":"T","code":[],"pageSize":7,"columns":{"a":"number"}}],"apis":[{"name":"inline","levels":{"get":"public"}}],"made":true})");
  files({{"app.js", "var mobile = require('azure-mobile-apps')(); mobile.use(function (req, res, next) { next(); }); mobile.tables.add('T');"}}, "2");
  EXPECT_THAT(describe(), HasSubstr(R"("code":["read","insert","update","delete","undelete"])"));
}

TEST_F(Mobile, AMainFileMayBeAnEsModule) {
  files({{"package.json", R"({"type":"module"})"}, {"app.js", "import azureMobileApps from 'azure-mobile-apps';\nconst mobile = azureMobileApps();\nmobile.tables.add('T', { softDelete: true, insert: context => context.execute() });\nawait mobile.tables.initialize();"}});
  EXPECT_EQ(describe(), R"({"tables":[{"name":"T","code":["insert"],"softDelete":true}],"apis":[],"made":true})");
  answers("request.execute", R"({"item":{"id":"1"}})");
  EXPECT_EQ(act("insert"), R"({"default":{"item":{"id":"1"}}})");
}

TEST_F(Mobile, WhatIsWrongNamesTheFile) {
  app({{"tables/T.js", "\nthrow new Error('not today')"}});
  EXPECT_THAT(describe(), ::testing::AllOf(StartsWith("server_error: Error: not today\n    at "), HasSubstr("/tables/T.js:2:7")));
  files({{"app.js", "console.log('nothing here')"}}, "2");
  EXPECT_EQ(describe(), R"({"tables":[],"apis":[],"made":false})");
}

TEST_F(Mobile, WhatAnAppDoesWhenItsTablesAreInitializedIsPartOfIt) {
  files({{"app.js", "var app = require('express')(), mobile = require('azure-mobile-apps')(); mobile.tables.add('T');\n"
                    "mobile.tables.initialize().then(function () { app.use(function (req, res, next) { res.set('X-Late', '1'); next(); }); app.use(mobile); app.listen(3000); });"}});
  EXPECT_THAT(describe(), HasSubstr(R"("code":["read","insert","update","delete","undelete"])"));
  answers("request.execute", R"({"results":[]})");
  EXPECT_EQ(act("read"), R"({"default":{"results":[]},"headers":[["X-Late","1"]]})");
  files({{"app.js", "var mobile = require('azure-mobile-apps')();\nmobile.tables.initialize().then(function () { nosuch(); });"}}, "2");
  EXPECT_THAT(describe(), StartsWith("server_error: ReferenceError: nosuch is not defined\n    at /app.js:2:"));
}

TEST_F(Mobile, WhatIsAddedATurnLaterIsThereForTheFirstRequestToo) {
  files({{"app.js", "var mobile = require('azure-mobile-apps')();\nsetTimeout(function () { mobile.tables.add('T', { read: function (context) { context.query.where({ open: true }); return context.execute(); } }); }, 0);"}});
  answers("request.execute", R"({"results":[]})");
  EXPECT_EQ(act("read"), R"({"default":{"results":[]}})");
  EXPECT_THAT(asked(), HasSubstr("(open eq true)"));
  EXPECT_THAT(describe(), HasSubstr(R"("code":["read"])"));
}

TEST_F(Mobile, AnOperationWhoseCodeIsNotThereAnyMoreIsNotDoneWithoutIt) {
  files({{"app.js", "var mobile = require('azure-mobile-apps')(); if (process.env.WITH) mobile.tables.add('T', { read: function (context) { return context.execute(); } });"}});
  EXPECT_THAT(act("read"), StartsWith("server_error: Error: The app did not add the table 'T' when it was loaded, as it did when it was deployed."));
  app({{"tables/T.js", table("table.read(function (context) { return context.execute(); });")}});
  bundle = std::make_shared<const Bundle>(Bundle{"2", bundle->files});
  EXPECT_THAT(act("update"), StartsWith("server_error: Error: The app has no code for update of the table 'T', as it had when it was deployed."));
  EXPECT_TRUE(binding->asked.empty());
}

TEST_F(Mobile, ATableWhoseCodeIsNotThereIsReachedByNoOtherCodeEither) {
  environment = std::make_shared<const std::string>(R"({"env":{},"config":{},"coded":["other"]})");
  app({{"tables/T.js", table("table.read(function (context) { return context.tables('Other').read(); });")}});
  EXPECT_THAT(act("read"), StartsWith("server_error: Error: The app did not add the table 'Other' when it was loaded, as it did when it was deployed."));
  EXPECT_TRUE(binding->asked.empty());
}

TEST_F(Mobile, OnlyLevelsThatAreSaidAreToldAndWhatIsTrueEnoughIsTrue) {
  app({{"tables/T.js", table("table.read.access = 'authenticated'; table.perUser = 1; table.softDelete = 'yes'; table.dynamicSchema = 0;")}});
  EXPECT_THAT(describe(), HasSubstr(R"({"name":"T","code":[],"levels":{"read":"authenticated"},"dynamicSchema":false,"softDelete":true,"perUser":true,"userIdColumn":"userId"})"));
}

TEST_F(Mobile, MiddlewareThatOnlySomeAddressesMeetCounts) {
  const auto with = [&](std::string_view line, std::string version) {
    files({{"app.js", "var express = require('express'), app = express(), mobile = require('azure-mobile-apps')(); mobile.tables.add('T'); mobile.api.add('hello', { get: function () {} });\n" + std::string(line) + "\napp.use(mobile); app.get('*', function () {});"}}, std::move(version));
    return describe();
  };
  const std::string all = R"("code":["read","insert","update","delete","undelete"])", none = R"("code":[])";
  EXPECT_THAT(with("app.use('/tables/T/:id', function (req, res, next) { next(); });", "a"), HasSubstr(all));
  EXPECT_THAT(with("app.use('/tables/T/1', function (req, res, next) { next(); });", "b"), HasSubstr(all));
  EXPECT_THAT(with("app.use(/^\\/tables\\/t\\/[0-9a-f]+/, function (req, res, next) { next(); });", "c"), HasSubstr(all));
  EXPECT_THAT(with("app.use('/other', function (req, res, next) { next(); });", "d"), HasSubstr(none));
  // What Express alone would serve is refused where it stands before them.
  for (const char* line : {"app.all('/tables/*', function () {});", "app.get('/tables/:name', function () {});", "app.route('/api/hello').post(function () {});", "app.get(/tables/, function () {});", "app.all('*', function () {});",
                           "var inner = express.Router(); inner.get('/t/:id', function () {}); app.use('/tables', inner);"})
    EXPECT_THAT(with(line, line), HasSubstr(R"(of Express stands before the tables or APIs of the app and is not served here)")) << line;
  EXPECT_THAT(with("app.get('/', function () {}); app.post('/login', function () {});", "e"), ::testing::Not(HasSubstr("refused")));
}

TEST_F(Mobile, MiddlewareOfAnExpressThatDoesNotHaveTheAppIsRefused) {
  files({{"app.js", "var app = require('express')(), mobile = require('azure-mobile-apps')(); mobile.tables.add('T'); app.use(function (req, res, next) { next(); });"}});
  EXPECT_THAT(describe(), HasSubstr(R"("refused":["what express() was given does not have the app in it)"));
}

TEST_F(Mobile, OneFunctionMayServeEveryVerbOfAnApi) {
  app({{"tables/T.js", table("")}, {"api/hello.js", "module.exports = { all: function (req, res) { res.send(req.method); }, get: function (req, res) { res.send('own'); }, options: function () {} }; module.exports.all.access = 'authenticated';"}});
  EXPECT_THAT(describe(), HasSubstr(R"("apis":[{"name":"hello","levels":{"get":"public","post":"authenticated","put":"authenticated","patch":"authenticated","delete":"authenticated","head":"public"}}])"));
  EXPECT_THAT(binding->lines, ::testing::Contains(HasSubstr("has a function for OPTIONS, which is left out")));
  EXPECT_THAT(api("get"), HasSubstr(R"("body":"own")"));
  EXPECT_EQ(api("post"), R"({"status":401,"none":true})");
  EXPECT_THAT(api("post", {{"proved", json(R"({"user":true})")}, {"user", json(R"({"userId":"u"})")}}), HasSubstr(R"("body":"POST")"));
}

TEST_F(Mobile, ExpressIsThereForAppsOnly) {
  files({{"lib/express.js", "require('express')"}, {"lib/mobile.js", "require('azure-mobile-apps')"}});
  EXPECT_THAT(insert("require('../lib/express')"), HasSubstr("The module 'express' is not available to scripts."));
  EXPECT_THAT(insert("require('../lib/mobile')"), HasSubstr("The module 'azure-mobile-apps' is not available to scripts."));
}

TEST_F(Mobile, TheTutorialsScriptsNarrowEveryOperationToTheCallersRows) {
  app({{"tables/T.js", table("table.insert(function (context) { context.item.userId = context.user.id; return context.execute(); });\n"
                             "['read', 'update', 'delete', 'undelete'].forEach(function (each) { table[each](function (context) { context.query.where({ userId: context.user.id }); return context.execute(); }); });")}});
  answers("request.execute", R"({"item":{"id":"1","userId":"sid:ana"}})");
  EXPECT_EQ(act("insert"), R"({"default":{"item":{"id":"1","userId":"sid:ana"}}})");
  EXPECT_EQ(asked(), R"(request.execute {"item":{"text":"milk","userId":"sid:ana"}})");
  answers("request.execute", R"({"item":{"id":"7"}})");
  act("update");
  EXPECT_EQ(asked(1), R"j(request.execute {"filter":"(userId eq 'sid:ana')","item":{"id":"7","text":"milk"}})j");
  answers("request.execute", R"({"item":{"id":"7"}})");
  act("del");
  EXPECT_EQ(asked(2), R"j(request.execute {"filter":"((id eq '7') and (userId eq 'sid:ana'))"})j");
  answers("request.execute", R"({"results":[{"id":"1"}],"totalCount":9})");
  EXPECT_EQ(act("read", {{"query", json(R"({"filter":"a eq 1","orderBy":"","select":"","top":3})")}}), R"({"default":{"results":[{"id":"1"}],"totalCount":9}})");
  EXPECT_EQ(asked(3), R"j(request.execute {"query":{"filter":"((a eq 1) and (userId eq 'sid:ana'))","orderBy":"","select":"","top":3}})j");
}

TEST_F(Mobile, AReadOfOneGivesTheRowItsTagOr404) {
  app({{"tables/T.js", table("table.read(function (context) { return context.execute().then(function (rows) { rows.forEach(function (row) { row.seen = true; }); return rows; }); });")}});
  const JsonObject one{{"id", "7"}, {"query", json(R"({"filter":"","orderBy":"","select":"","id":"7"})")}};
  answers("request.execute", R"({"results":[{"id":"7","version":"AA=="}]})");
  EXPECT_EQ(act("read", one), R"({"default":{"results":[{"id":"7","version":"AA==","seen":true}]},"headers":[["ETag","\"AA==\""]]})");
  answers("request.execute", R"({"results":[]})");
  EXPECT_EQ(act("read", one), R"({"error":{"statusCode":404,"message":"The item does not exist","stack":""}})");
  answers("request.execute", R"({"results":[]})");
  JsonObject later = one;
  later["dialect"] = "v4";
  EXPECT_EQ(act("read", later), R"({"default":{"results":[]}})") << "404 or 410, as the store says";
}

TEST_F(Mobile, ErrorsSayByTheirWordHowTheyAreAnswered) {
  app({{"tables/T.js", table("table.insert(function (context) { var error = new Error('because'); error[context.item.word] = true; error.item = context.item.row; throw error; });")}});
  const auto word = [&](std::string_view item) { return act("insert", {{"item", json(item)}}); };
  EXPECT_EQ(word(R"({"word":"badRequest"})"), R"({"error":{"statusCode":400,"message":"because","stack":""}})");
  EXPECT_EQ(word(R"({"word":"notFound"})"), R"({"error":{"statusCode":404,"message":"The item does not exist","stack":""}})");
  EXPECT_THAT(word(R"({"word":"duplicate"})"), HasSubstr(R"("status":409)"));
  const std::string stale = word(R"({"word":"concurrency","row":{"id":"1","version":"AA=="}})");
  EXPECT_THAT(stale, HasSubstr(R"("status":409,"headers":[["ETag","\"AA==\""])"));
  EXPECT_THAT(word(R"({"word":"other"})"), StartsWith("server_error: Error: because\n    at "));
}

TEST_F(Mobile, WhatTheStoreRefusedIsAnsweredAsItAlwaysIs) {
  app({{"tables/T.js", table("table.update(function (context) { return context.execute(); }); table.insert(function (context) { return context.execute().catch(function (error) { context.res.status(200).json({ duplicate: error.duplicate }); }); });")}});
  answers("request.execute", R"({"conflict":{"id":"7","version":"BB=="}})");
  EXPECT_EQ(act("update"), R"({"defaultError":true})");
  binding->answers["request.execute"].push_back(Error(Code::conflict, "taken"));
  EXPECT_THAT(act("insert"), HasSubstr(R"("body":"{\"duplicate\":true}")"));
}

TEST_F(Mobile, OfAnIdThatIsTakenTheAppTellsAsItMadeTheItem) {
  app({{"tables/T.js", table("table.transforms = [function (item) { item.stamp = 1; return item; }];")}});
  for (int i = 0; i < 2; ++i) binding->answers["request.execute"].push_back(Error(Code::conflict, "taken"));
  EXPECT_EQ(act("insert"), R"({"response":{"status":409,"headers":[["Content-Type","application/json; charset=utf-8"]],"body":"{\"text\":\"milk\",\"stamp\":1}"}})");
  EXPECT_EQ(act("insert", {{"dialect", "v1"}}), R"({"defaultError":true})") << "other generations have words of their own";
}

TEST_F(Mobile, MiddlewareStandsBeforeAndBehindTheOperation) {
  app({{"tables/T.js", table("table.use(function (req, res, next) { res.set('X-Table', req.azureMobile.table.name); next(); }, table.execute);\n"
                             "table.read.use(function (req, res, next) { req.azureMobile.query.where({ open: true }); next(); }, table.operation, function (req, res, next) { res.results.push({ id: 'last' }); next(); });\n"
                             "table.insert.use(function (req, res, next) { res.status(403).send('No entry'); });")}});
  answers("request.execute", R"({"results":[]})");
  EXPECT_EQ(act("read"), R"({"default":{"results":[{"id":"last"}]},"headers":[["X-Table","T"]]})");
  EXPECT_THAT(asked(), HasSubstr("(open eq true)"));
  EXPECT_EQ(act("insert"), R"({"response":{"status":403,"headers":[["X-Table","T"],["Content-Type","text/html; charset=utf-8"]],"body":"No entry"}})");
  EXPECT_EQ(binding->asked.size(), 1U);
}

TEST_F(Mobile, FiltersTransformsAndHooksStandAroundEveryAccessToTheirTable) {
  app({{"tables/T.js", table("table.read(function (context) { return context.tables('Other').insert({ n: 1 }).then(function () { return context.tables('Other').where({ n: 1 }).read(); }); });")},
       {"tables/Other.js", table("table.filters = [function (query, context) { return query.where({ by: context.operation }); }];\n"
                                 "table.transforms = [function (item) { item.stamped = true; return item; }];\n"
                                 "table.hooks = [function (results, context) { console.log(context.operation, results.length === undefined ? results.id : results.length); }];\n"
                                 "table.recordsExpire = { days: 1 }; table.webhook = { url: 'https://hook.example/' };")}});
  answers("tables.insert", R"({"item":{"id":"9"}})");
  answers("tables.read", R"({"results":[{"id":"9"}]})");
  answers("http.fetch", R"({"status":200,"headers":[]})");
  answers("http.fetch", R"({"status":500,"headers":[]})");
  EXPECT_THAT(act("read"), HasSubstr(R"("status":200)"));
  bench->loop.run_until([&] { return binding->lines.size() >= 3; });
  EXPECT_THAT(binding->lines, ::testing::UnorderedElementsAre("log: create 9", "log: read 1", "warn: The webhook of table 'Other' failed: 500"));
  std::vector<std::string> methods;
  for (const auto& each : binding->asked) methods.push_back(each.method);
  EXPECT_THAT(methods, ::testing::ElementsAre("tables.insert", "http.fetch", "tables.read", "http.fetch"));
  EXPECT_EQ(to_json(binding->asked[0].arguments), R"({"table":"Other","asCaller":true,"item":{"n":1,"stamped":true}})");
  EXPECT_THAT(asked(2), ::testing::MatchesRegex(R"(.*\(\(n eq 1\) and \(createdAt gt datetime'[0-9TZ:.-]+'\)\) and \(by eq 'read'\).*)"));
  const Json posted = json(base64_any_decode(std::string(view(binding->asked[1].arguments.as_object().at("body").as_string()))).value_or(""));
  EXPECT_EQ(to_json(posted), R"({"operation":"create","item":{"id":"9"},"table":"Other","userId":"sid:ana"})");
}

TEST_F(Mobile, TheDataOfOtherTablesIsReachedByPromises) {
  app({{"tables/T.js", table("table.insert(async function (context) { var t = context.tables('Other'); await t.update({ id: '1', n: 2 }, { by: 'me' }); await t.delete({ old: true }); await t.undelete({ id: 'x' }); await t.truncate();\n"
                             "return [await t.find('1'), await t.schema(), await context.data.execute({ sql: \"SELECT '@no' FROM Other WHERE a = @a AND b = @B\", parameters: [{ name: 'b', value: 2 }, { name: 'a', value: 'x' }] })]; });")},
       {"tables/Other.js", table("")}});
  answers("tables.update", R"({"item":{"id":"1"}})");
  answers("tables.read", R"({"results":[{"id":"1"},{"id":"2"}]})");
  answers("tables.read", R"({"results":[{"id":"x"}]})");
  answers("tables.read", R"({"results":[{"id":"1"}]})");
  answers("tables.schema", R"({"columns":[{"name":"id","type":"string"}]})");
  answers("mssql.query", R"({"sets":[{"meta":[{"name":"n"}],"rows":[[1]]}]})");
  EXPECT_THAT(act("insert"), HasSubstr(R"("status":201)"));
  std::vector<std::string> told;
  for (std::size_t i = 0; i < binding->asked.size(); ++i) told.push_back(asked(i));
  EXPECT_THAT(told, ::testing::ElementsAre(
      R"j(tables.update {"table":"Other","asCaller":true,"row":true,"item":{"id":"1","n":2},"filter":"(by eq 'me')"})j",
      R"j(tables.read {"table":"Other","asCaller":true,"query":{"filter":"(old eq true)","orderBy":"","select":"id"}})j",
      R"j(tables.del {"table":"Other","asCaller":true,"row":true,"id":"1","filter":"(old eq true)"})j", R"j(tables.del {"table":"Other","asCaller":true,"row":true,"id":"2","filter":"(old eq true)"})j",
      R"j(tables.read {"table":"Other","asCaller":true,"includeDeleted":true,"query":{"filter":"(id eq 'x')","orderBy":"","select":"id"}})j",
      R"j(tables.undelete {"table":"Other","asCaller":true,"row":true,"id":"x","filter":"(id eq 'x')"})j", R"(tables.truncate {"table":"Other","asCaller":true})",
      R"j(tables.read {"table":"Other","asCaller":true,"query":{"filter":"(id eq '1')","orderBy":"","select":""}})j", R"(tables.schema {"table":"Other"})",
      R"(mssql.query {"sql":"SELECT '@no' FROM Other WHERE a = ? AND b = ?","values":["x",2]})"));
}

TEST_F(Mobile, TheContextKnowsItsUser) {
  app({{"tables/T.js", table("table.insert(function (context) { if (!context.user) return { nobody: true }; return context.user.getIdentity('facebook').then(function (all) {\n"
                             "return { id: context.user.id, email: context.user.claims.email, facebook: all.facebook.access_token, of: all.facebook.user_id, version: context.version || 'none' }; }); });")}});
  // {"email":"a@b"} between two parts that are not looked at
  const JsonObject who{{"user", json(R"({"level":"authenticated","userId":"sid:ana","identities":{"facebook":{"userId":"Facebook:1","accessToken":"t"}}})")},
                       {"asked", json(R"({"method":"post","path":"/","url":"/","base":"/tables/T","headers":{"x-zumo-auth":"h.eyJlbWFpbCI6ImFAYiJ9.s","if-match":"\"AA\""}})")}};
  EXPECT_THAT(act("insert", who), HasSubstr(R"({\"id\":\"sid:ana\",\"email\":\"a@b\",\"facebook\":\"t\",\"of\":\"Facebook:1\",\"version\":\"AA\"})"));
  EXPECT_THAT(act("insert", {{"user", json(R"({"level":"anonymous"})")}}), HasSubstr(R"({\"nobody\":true})"));
}

TEST_F(Mobile, AnIdentityOfMicrosoftIsCalledAsItsLoginIs) {
  app({{"tables/T.js", table("table.insert(async function (context) { var all = await context.user.getIdentity(), one = await context.user.getIdentity('microsoftaccount');\n"
                             "return { all: Object.keys(all), name: one.microsoftaccount.provider_name }; });")}});
  const JsonObject who{{"user", json(R"({"level":"authenticated","userId":"MicrosoftAccount:1","identities":{"microsoft":{"userId":"MicrosoftAccount:1","accessToken":"t"}}})")}};
  EXPECT_THAT(act("insert", who), HasSubstr(R"({\"all\":[\"microsoftaccount\"],\"name\":\"microsoftaccount\"})"));
}

TEST_F(Mobile, AHandlerThatForgetsItsResultIsToldSo) {
  app({{"tables/T.js", table("table.insert(function (context) { context.execute(); });")}});
  answers("request.execute", R"({"item":{"id":"1"}})");
  EXPECT_THAT(act("insert"), StartsWith("server_error: Error: The app gave no answer."));
}

TEST_F(Mobile, ApisAreServedToThoseTheyAreFor) {
  app({{"tables/T.js", table("")},
       {"api/hello.js", "module.exports = { get: function (req, res, next) { res.json({ hello: req.azureMobile.user.id, q: req.query.q }); },\n"
                        "post: [function (req, res, next) { req.before = 1; next(); }, async function (req, res) { const rows = await req.azureMobile.tables('T').read(); res.status(201).send({ before: req.before, rows }); }],\n"
                        "patch: function (req, res, next) { const error = new Error('odd'); error.badRequest = true; next(error); }, delete: function () {} };\n"
                        "module.exports.get.access = 'authenticated'; module.exports.delete.access = 'disabled';"}});
  EXPECT_EQ(api("get"), R"({"status":401,"none":true})");
  EXPECT_EQ(api("get", {{"proved", json(R"({"user":true})")}, {"user", json(R"({"userId":"u"})")}, {"query", json(R"({"q":"1"})")}}),
            R"({"status":200,"headers":[["Content-Type","application/json; charset=utf-8"]],"body":"{\"hello\":\"u\",\"q\":\"1\"}"})");
  answers("tables.read", R"({"results":[]})");
  EXPECT_THAT(api("post"), HasSubstr(R"("status":201)"));
  EXPECT_THAT(api("patch"), HasSubstr(R"("body":"{\"error\":\"odd\"}")"));
  EXPECT_EQ(api("delete"), R"({"status":405,"headers":[["Content-Type","text/html; charset=utf-8"]],"body":"Method delete is not allowed"})");
  EXPECT_EQ(api("put"), R"({"status":404,"none":true})");
  EXPECT_EQ(api("get", {{"path", "/below"}}), R"({"status":404,"none":true})");
}

TEST_F(Mobile, TheContextHasEveryMemberOfItsDocumentation) {
  app({{"tables/T.js", table("table.update(function (context) { return { members: ['req', 'res', 'data', 'tables', 'configuration', 'logger', 'query', 'item', 'id', 'version', 'table', 'user', 'operation', 'execute', 'next'].filter(function (each) { return context[each] === undefined; }),\n"
                             "same: context.req.azureMobile === context && context.req.params.id === '7', operation: context.operation, table: context.table.name, page: context.configuration.pageSize, query: typeof context.query.where }; });\n"
                             "table.delete(function (context) { context.next(Object.assign(new Error('not now'), { badRequest: true })); });")}});
  EXPECT_THAT(act("update", {{"asked", json(R"({"method":"patch","path":"/7","url":"/7","base":"/tables/T","headers":{"if-match":"\"AA\""},"protocol":"https"})")}}),
              HasSubstr(R"({\"members\":[],\"same\":true,\"operation\":\"update\",\"table\":\"T\",\"page\":50,\"query\":\"function\"})"));
  EXPECT_EQ(act("del"), R"({"error":{"statusCode":400,"message":"not now","stack":""}})");
}

TEST_F(Mobile, QueriesOfOtherTablesHaveTheirOperators) {
  app({{"tables/T.js", table("table.insert(function (context) { return context.tables('Other').where(function (n) { return this.n > n; }, 3).select('id', 'n').orderByDescending('n').skip(1).take(2).includeTotalCount().read()\n"
                             ".then(function (rows) { return { rows: rows.length, total: rows.totalCount }; }); });")}});
  answers("tables.read", R"({"results":[{"id":"1"},{"id":"2"}],"totalCount":9})");
  EXPECT_THAT(act("insert"), HasSubstr(R"({\"rows\":2,\"total\":9})"));
  EXPECT_EQ(asked(), R"j(tables.read {"table":"Other","asCaller":true,"query":{"filter":"(n gt 3)","orderBy":"n desc","select":"id,n","skip":1,"top":2,"inlineCount":true}})j");
}

TEST_F(Mobile, TheAppMakesTablesTooAndItsRunsOfPromises) {
  files({{"app.js", "var ama = require('azure-mobile-apps'), mobile = ama(), table = mobile.table(); table.access = 'authenticated'; mobile.tables.add('T', table); mobile.tables.add('U', ama.table({ softDelete: true }));\n"
                    "ama.promises.series([1, 2], function (n) { return ama.promises.resolved(n * 2); }).then(function (all) { console.log(all.join()); mobile.tables.add('Later'); }); ama.logger.info('here'); ama.logger.silly('not here');"}});
  const std::string told = describe();
  EXPECT_THAT(told, HasSubstr(R"({"name":"T","code":[],"levels":{"read":"authenticated")"));
  EXPECT_THAT(told, HasSubstr(R"({"name":"U","code":[],"softDelete":true},{"name":"Later","code":[]})"));
  EXPECT_THAT(binding->lines, ::testing::ElementsAre("info: here", "log: 2,4"));
}

// ── where middleware stands ──

TEST_F(Mobile, WhatStandsBehindTheAppIsNotInItsWay) {
  files({{"app.js", "var express = require('express'), app = express(), mobile = require('azure-mobile-apps')(); mobile.tables.add('T'); mobile.api.add('hello', { get: function (req, res) { res.send('hi'); } });\n"
                    "app.use(mobile);\n"
                    "app.use(function (req, res) { res.status(404).send('Nothing here'); });\n"
                    "app.use(function (error, req, res, next) { res.status(500).send('Sorry'); });\n"
                    "require('http').createServer(app).listen(process.env.PORT, function () { console.log('ready'); });"}});
  EXPECT_THAT(describe(), HasSubstr(R"("tables":[{"name":"T","code":[]}])"));
  EXPECT_THAT(binding->lines, ::testing::Contains("log: ready"));
  EXPECT_THAT(api("get"), HasSubstr(R"("status":200)"));
}

TEST_F(Mobile, MiddlewareOfAPathAndOfARouterIsForThatPath) {
  files({{"app.js", "var express = require('express'), app = express(), mobile = require('azure-mobile-apps')(), admin = express.Router(); mobile.tables.add('T'); mobile.tables.add('Other');\n"
                    "['hello', 'other'].forEach(function (name) { mobile.api.add(name, { get: function (req, res) { res.json([req.trace || [], req.baseUrl, req.path, req.originalUrl]); } }); });\n"
                    "function trace(word) { return function (req, res, next) { (req.trace = req.trace || []).push(word + ' ' + req.baseUrl + ' ' + req.url); next(); }; }\n"
                    "admin.use(trace('router')); app.use('/admin', admin); app.use(trace('all')); app.use(['/api/hello', '/tables/T/'], trace('paths')); app.use(/\\/api\\/h.*/, trace('pattern'));\n"
                    "app.use('/api/:name', trace('named')); mobile.use('/api', trace('own')); app.use('/', mobile); app.use(trace('behind'));"}});
  EXPECT_EQ(describe(), R"({"tables":[{"name":"T","code":["read","insert","update","delete","undelete"]},{"name":"Other","code":["read","insert","update","delete","undelete"]}],)"
                        R"("apis":[{"name":"hello","levels":{"get":"public"}},{"name":"other","levels":{"get":"public"}}],"made":true})");
  EXPECT_THAT(api("get", {{"base", "/s/todo/api/hello"}, {"url", "/?q=1"}}),
              HasSubstr(R"j([[\"all /s/todo /api/hello?q=1\",\"paths /s/todo/api/hello /?q=1\",\"pattern /s/todo/api/hello /?q=1\",\"named /s/todo/api/hello /?q=1\",\"own /s/todo/api /hello?q=1\"],\"/s/todo/api/hello\",\"/\",\"/s/todo/api/hello/?q=1\"])j"));
}

TEST_F(Mobile, AnErrorOfMiddlewareIsTheAnswer) {
  files({{"app.js", "var app = require('express')(), mobile = require('azure-mobile-apps')(); mobile.tables.add('T');\n"
                    "app.use(function (req, res, next) { next(req.get('x-bad') ? Object.assign(new Error('bad header'), { badRequest: true }) : req.get('x-odd') ? new Error('odd') : undefined); });\n"
                    "app.use(function (error, req, res, next) { if (error.message === 'odd') res.status(418).send('caught'); else next(error); }); app.use(mobile);"}});
  const auto with = [&](std::string_view header) {
    return act("read", {{"asked", JsonObject{{"method", "get"}, {"path", "/"}, {"url", "/"}, {"base", "/tables/T"}, {"headers", JsonObject{{header, "1"}}}, {"protocol", "https"}}}});
  };
  EXPECT_EQ(with("x-bad"), R"({"error":{"statusCode":400,"message":"bad header","stack":""}})");
  EXPECT_THAT(with("x-odd"), HasSubstr(R"("status":418)"));
  answers("request.execute", R"({"results":[]})");
  EXPECT_EQ(with("x-good"), R"({"default":{"results":[]}})");
}

// ── misuse ──

TEST_F(Mobile, FiltersAndTransformsThatGiveSomethingElseAreToldSo) {
  int n = 0;
  const auto with = [&](std::string_view setting, std::string_view operation) {
    app({{"tables/T.js", table(setting)}});
    bundle = std::make_shared<const Bundle>(Bundle{std::to_string(++n), bundle->files});
    return act(operation);
  };
  EXPECT_THAT(with("table.filters = [function (query) { return { where: 1 }; }];", "read"), StartsWith("server_error: Error: A filter of table 'T' gave an object, where a query or nothing is expected."));
  EXPECT_THAT(with("table.transforms = [async function (item) { return item; }];", "insert"), StartsWith("server_error: Error: A transform of table 'T' gave a promise, where an item or nothing is expected."));
  EXPECT_THAT(with("table.transforms = [function (item) { return 'x'; }];", "insert"), StartsWith("server_error: Error: A transform of table 'T' gave a string"));
  EXPECT_THAT(with("table.filters = [function () { throw new Error('no filter today'); }];", "read"), StartsWith("server_error: Error: no filter today\n    at "));
  EXPECT_THAT(with("table.read(function (context) { context.query = { id: 1 }; return context.execute(); });", "read"), StartsWith("server_error: Error: The query of table 'T' is none"));
  EXPECT_TRUE(binding->asked.empty());
}

TEST_F(Mobile, AHookThatFailsIsALineOfTheLog) {
  app({{"tables/T.js", table("table.hooks = [async function () { throw new Error('hook down'); }];")}});
  answers("request.execute", R"({"item":{"id":"1"}})");
  EXPECT_EQ(act("insert"), R"({"default":{"item":{"id":"1"}}})");
  bench->loop.run_until([&] { return !binding->lines.empty(); });
  EXPECT_THAT(binding->lines[0], StartsWith("error: A hook of table 'T' failed: Error: hook down"));
}

TEST_F(Mobile, AnOperationCanBeExecutedAgain) {
  app({{"tables/T.js", table("table.insert(async function (context) { const first = await context.execute(); context.item = { text: first.id + ' again' }; return context.execute(); });\n"
                             "table.update(function (context) { return context.execute().catch(function (error) { if (!error.concurrency) throw error; context.item.version = error.item.version; return context.execute(); }); });")}});
  answers("request.execute", R"({"item":{"id":"1"}})");
  answers("request.execute", R"({"item":{"id":"2"}})");
  EXPECT_EQ(act("insert"), R"({"default":{"item":{"id":"2"}}})");
  EXPECT_EQ(asked(1), R"(request.execute {"item":{"text":"1 again"}})");
  answers("request.execute", R"({"conflict":{"id":"7","version":"BB=="}})");
  answers("request.execute", R"({"item":{"id":"7","version":"CC=="}})");
  EXPECT_EQ(act("update"), R"({"default":{"item":{"id":"7","version":"CC=="}}})");
  EXPECT_EQ(asked(3), R"(request.execute {"item":{"id":"7","text":"milk","version":"BB=="}})");
}

TEST_F(Mobile, ATableThatIsNotThereIsTheAppsMistakeAndOneOfUsersWithoutAUserIs401) {
  app({{"tables/T.js", table("table.insert(function (context) { return context.tables(context.item.text).read(); });")}});
  binding->answers["tables.read"].push_back(Error(Code::not_found, "Table 'Nosuch' does not exist."));
  EXPECT_THAT(act("insert", {{"item", json(R"({"text":"Nosuch"})")}}), StartsWith("server_error: Error: The table 'Nosuch' does not exist."));
  binding->answers["tables.read"].push_back(Error(Code::unauthorized, "Unauthorized"));
  EXPECT_EQ(act("insert", {{"item", json(R"({"text":"Diary"})")}}), R"({"error":{"statusCode":401,"message":"Unauthorized","stack":""}})");
}

TEST_F(Mobile, AnAnswerDoesNotWaitForAWebhook) {
  app({{"tables/T.js", table("table.webhook = { url: 'https://hook.example/' };")}});
  answers("request.execute", R"({"item":{"id":"1"}})");
  held = std::make_shared<Held>(binding);
  EXPECT_EQ(act("insert"), R"({"default":{"item":{"id":"1"}}})");
  EXPECT_TRUE(binding->lines.empty());
  held->outside.set_here(Error(Code::bad_request, "The address cannot be reached."));
  bench->loop.run_until([&] { return !binding->lines.empty(); });
  EXPECT_EQ(binding->lines[0], "warn: The webhook of table 'T' failed: The address cannot be reached.");
}

// ── push ──

TEST_F(Mobile, ThereIsNoPushWhereTheServiceHasNone) {
  app({{"tables/T.js", table("table.insert(function (context) { return { push: typeof context.push }; });")}});
  EXPECT_THAT(act("insert"), HasSubstr(R"({\"push\":\"undefined\"})"));
  environment = std::make_shared<const std::string>(R"({"env":{},"config":{},"push":true})");
  EXPECT_THAT(act("insert"), HasSubstr(R"({\"push\":\"object\"})"));
}

TEST_F(Mobile, PushIsThatOfANotificationHub) {
  environment = std::make_shared<const std::string>(R"({"env":{},"config":{},"push":true})");
  app({{"tables/T.js", table("table.insert(function (context) { return context.execute().then(function (results) {\n"
                             "context.push.gcm.send(null, { data: { message: context.item.text } }, function (error) { context.logger.info(error ? 'push failed: ' + error.message : 'pushed'); });\n"
                             "context.push.apns.send(['a', 'b'], { alert: 'x' }, { expiry: 1 }, function (error) { context.logger.info(error ? 'push failed: ' + error.message : 'pushed'); });\n"
                             "context.push.wns.sendToastText02('tag', 'one', 'two', function () {}); context.push.wns.sendToast(null, '<toast/>', function () {}); context.push.wns.send(null, 'raw', 'wns/raw', function () {});\n"
                             "return context.push.send(null, { message: 'all' }).then(function () { return results; }); }); });")}});
  answers("request.execute", R"({"item":{"id":"1"}})");
  answers("push.platform", R"({"id":"s"})");
  binding->answers["push.platform"].push_back(Error(Code::not_found, "Nothing is set up for apns."));
  for (int i = 0; i < 3; ++i) answers("push.platform", R"({"id":"s"})");
  answers("push.send", R"({"id":"s"})");
  EXPECT_EQ(act("insert"), R"({"default":{"item":{"id":"1"}}})");
  std::vector<std::string> told;
  for (std::size_t i = 1; i < binding->asked.size(); ++i) told.push_back(asked(i));
  EXPECT_THAT(told, ::testing::ElementsAre(
      R"(push.platform {"platform":"gcm","to":null,"payload":{"data":{"message":"milk"}},"headers":{},"tags":true})", R"(push.platform {"platform":"apns","to":["a","b"],"payload":{"alert":"x"},"headers":{},"tags":true})",
      R"(push.platform {"platform":"wns","to":"tag","payload":"<toast><visual><binding template=\"ToastText02\"><text id=\"1\">one</text><text id=\"2\">two</text></binding></visual></toast>","headers":{"X-WNS-Type":"wns/toast"},"tags":true})",
      R"(push.platform {"platform":"wns","to":null,"payload":"<toast/>","headers":{"X-WNS-Type":"wns/toast"},"tags":true})", R"(push.platform {"platform":"wns","to":null,"payload":"raw","headers":{"X-WNS-Type":"wns/raw"},"tags":true})",
      R"(push.send {"tags":null,"payload":{"message":"all"}})"));
  EXPECT_THAT(binding->lines, ::testing::UnorderedElementsAre("info: pushed", "info: push failed: Nothing is set up for apns."));
}

}  // namespace
}  // namespace mandate::scripts::test
