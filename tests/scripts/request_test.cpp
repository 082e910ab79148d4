// mobile-backend-wire 5.3: every row of the state table, with real Node.
#include "tests/scripts/support.h"

namespace mandate::scripts::test {
namespace {

class Request : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { bench = new Bench({.wall = std::chrono::milliseconds(1500), .cpu = std::chrono::milliseconds(1000)}); }
  static void TearDownTestSuite() {
    delete bench;
    bench = nullptr;
  }
  std::string insert(std::string body) { return bench->outcome("function insert(item, user, request) {" + body + "\n}", kInsert, binding); }
  std::string read(std::string body) { return bench->outcome("function read(query, user, request) {" + body + "\n}", kRead, binding); }
  std::string update(std::string body) { return bench->outcome("function update(item, user, request) {" + body + "\n}", kUpdate, binding); }
  std::string del(std::string body) { return bench->outcome("function del(id, user, request) {" + body + "\n}", kDelete, binding); }
  void execute_gives(std::string_view text) { binding->answers["request.execute"].push_back(json(text)); }

  static Bench* bench;
  std::shared_ptr<FakeBinding> binding = std::make_shared<FakeBinding>();
};
Bench* Request::bench = nullptr;

TEST_F(Request, TheTutorialsInsertCostsNoExtraCrossing) {
  EXPECT_EQ(insert("item.userId = user.userId; request.execute();"), R"({"execute":{"item":{"text":"milk","userId":"u1"}}})");
  EXPECT_TRUE(binding->asked.empty());
}

TEST_F(Request, TheTutorialsReadNarrowsTheQuery) {
  EXPECT_EQ(read("query.where({ userId: user.userId }); request.execute();"), R"~({"execute":{"query":{"filter":"(userId eq 'u1')","orderBy":"","select":""}}})~");
}

TEST_F(Request, WithoutExecuteOrRespondNothingIsSentUntilTheWallLimit) {
  Result<Json> result = bench->run("function insert(item, user, request) {}", kInsert);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, Code::timeout);
}

TEST_F(Request, ExecuteWithSuccessWaitsForRespond) {
  execute_gives(R"({"item":{"id":"1","text":"milk"}})");
  EXPECT_EQ(insert("request.execute({ success: function () { item.extra = arguments.length; request.respond(); } });"), R"({"default":{"item":{"text":"milk","id":"1","extra":0}}})");
  execute_gives(R"({"results":[{"id":"1"}]})");
  EXPECT_EQ(read("request.execute({ success: function (results) { results[0].more = true; request.respond(); } });"), R"({"default":{"results":[{"id":"1","more":true}]}})");
  execute_gives(R"({"item":{"id":"1"}})");
  EXPECT_TRUE(insert("request.execute({ success: function () {} });").starts_with("timeout: "));
}

TEST_F(Request, AnotherAnswerMayBeGivenAfterExecute) {
  execute_gives(R"({"results":[{"id":"1"},{"id":"2"}]})");
  EXPECT_EQ(read("request.execute({ success: function (results) { request.respond(200, { n: results.length }); } });"), R"({"answer":{"status":200,"body":{"n":2}}})");
}

TEST_F(Request, MomentsOfItemsAndRowsAreDates) {
  constexpr std::string_view kDue = R"({"operation":"update","table":"T","id":"7","item":{"id":"7","due":"2012-02-29T01:02:03Z","note":"2012-02-29T01:02:03Z"},"dates":{"due":1330477323000},"user":{"level":"anonymous"}})";
  const auto with_due = [&](std::string body) { return bench->outcome("function update(item, user, request) {" + body + "\n}", kDue, binding); };
  EXPECT_EQ(with_due("request.respond(200, [item.due instanceof Date, item.due.getTime(), typeof item.note]);"), R"({"answer":{"status":200,"body":[true,1330477323000,"string"]}})");
  EXPECT_EQ(with_due("item.due = new Date(item.due.getTime() + 1); item.gone = new Date('never'); request.execute();"),
            R"({"execute":{"item":{"id":"7","due":"2012-02-29T01:02:03.001Z","note":"2012-02-29T01:02:03Z","gone":null}}})") << "an invalid date is null, as in all JSON";
  execute_gives(R"({"conflict":{"id":"7","due":"2012-03-01T00:00:00.000Z"},"dates":["due"]})");
  EXPECT_EQ(with_due("request.execute({ conflict: function (server) { request.respond(200, [server.due > item.due, server.due.getUTCMonth()]); } });"), R"({"answer":{"status":200,"body":[true,2]}})");
  execute_gives(R"({"item":{"id":"7","due":"2012-03-01T00:00:00.000Z"},"dates":["due"]})");
  EXPECT_EQ(with_due("request.execute({ success: function () { request.respond(200, item.due.getUTCFullYear()); } });"), R"({"answer":{"status":200,"body":2012}})");

  execute_gives(R"({"results":[{"due":"2012-02-29T01:02:03.000Z","note":"2012-02-29T01:02:03.000Z"},{"due":null},{}],"totalCount":9,"dates":["due","absent"]})");
  EXPECT_EQ(read("request.execute({ success: function (rows) { rows[0].same = rows[0].due.getTime() === 1330477323000 && typeof rows[0].note === 'string' && rows[1].due === null && !('due' in rows[2]); request.respond(); } });"),
            R"({"default":{"results":[{"due":"2012-02-29T01:02:03.000Z","note":"2012-02-29T01:02:03.000Z","same":true},{"due":null},{}],"totalCount":9}})");
  binding->answers["tables.read"].push_back(json(R"({"results":[{"due":"2012-02-29T01:02:03.000Z"}],"dates":["due"]})"));
  EXPECT_EQ(read("tables.getTable('U').read({ success: function (rows) { query.where({ due: rows[0].due }); request.execute(); } });"),
            R"~({"execute":{"query":{"filter":"(due eq datetime'2012-02-29T01:02:03.000Z')","orderBy":"","select":""}}})~");
}

TEST_F(Request, AConflictScriptSeesDatesInBothRows) {
  Call call = bench->call("function conflict(item, server, user, request) { request.respond(200, [item.due.getTime(), server.due.getTime()]); }",
                          R"({"operation":"update","table":"T","id":"7","item":{"id":"7","due":"1970-01-01T00:00:00Z"},"dates":{"due":0},"conflict":{"id":"7","due":"1970-01-01T00:00:01.000Z"},"conflictDates":["due"],"user":{"level":"anonymous"}})");
  call.name = "/table/T.conflict.js";
  const Result<Json> outcome = mandate::test::run(bench->loop, bench->host->run(std::move(call), binding));
  EXPECT_EQ(outcome.ok() ? to_json(*outcome) : outcome.error().detail, R"({"answer":{"status":200,"body":[0,1000]}})");
}

TEST_F(Request, ATotalIsHiddenOnTheArray) {
  execute_gives(R"({"results":[{"id":"1"}],"totalCount":12})");
  EXPECT_EQ(read("request.execute({ success: function (r) { request.respond(200, { total: r.totalCount, keys: Object.keys(r), array: Array.isArray(r) }); } });"), R"({"answer":{"status":200,"body":{"total":12,"keys":["0"],"array":true}}})");
  execute_gives(R"({"results":[{"id":"1"}],"totalCount":12})");
  EXPECT_EQ(read("request.execute({ success: function (r) { request.respond(); } });"), R"({"default":{"results":[{"id":"1"}],"totalCount":12}})");
}

TEST_F(Request, AnErrorGoesToItsHandlerAndElseToTheDefaultAnswer) {
  const auto fails = [&] { binding->answers["request.execute"].push_back(Error(Code::conflict, "exists")); };
  fails();
  EXPECT_EQ(insert("request.execute({ error: function (e) { request.respond(400, e.message + ' ' + e.code + ' ' + e.statusCode); } });"), R"({"answer":{"status":400,"body":"exists conflict 409"}})");
  fails();
  EXPECT_EQ(insert("request.execute({ error: function (e) { request.respond(); } });"), R"({"defaultError":true})");
  fails();
  EXPECT_EQ(insert("request.execute({ success: function () {} });"), R"({"defaultError":true})");
  fails();
  EXPECT_TRUE(insert("request.execute({ error: function () {} });").starts_with("timeout: "));
}

TEST_F(Request, AConflictShowsTheServersItemAndExecuteMayBeCalledAgain) {
  execute_gives(R"({"conflict":{"id":"7","text":"bread","__version":"v2"}})");
  execute_gives(R"({"item":{"id":"7","text":"both"}})");
  EXPECT_EQ(update("request.execute({ conflict: function (server) { item.text = server.text + item.__version; request.execute({ success: function () { request.respond(200, item.text) } }); } });"), R"({"answer":{"status":200,"body":"both"}})");
  ASSERT_EQ(binding->asked.size(), 2U);
  EXPECT_EQ(to_json(binding->asked[1].arguments), R"({"item":{"id":"7","text":"breadv2","__version":"v2"}})");
  execute_gives(R"({"conflict":{"id":"7"}})");
  EXPECT_EQ(update("request.execute({ success: function () {} });"), R"({"defaultError":true})");
}

TEST_F(Request, AHandlerThatThrowsFailsTheCall) {
  execute_gives(R"({"item":{"id":"1"}})");
  EXPECT_EQ(insert("request.execute({ success: function () {\n throw new Error('late') } });"), "server_error: Error: late\n    at success (/table/T.insert.js:2:8)");
}

TEST_F(Request, ASecondExecuteThrows) {
  EXPECT_EQ(insert("request.execute(); try { request.execute() } catch (e) { request.respond(400, e.message) }"),
            R"({"execute":{"item":{"text":"milk"}},"answer":{"status":400,"body":"Execute cannot be called more than once."}})");
}

TEST_F(Request, ExecuteAfterRespondThrows) {
  EXPECT_TRUE(insert("request.respond(200); try { request.execute() } catch (e) { console.log(e.message) }").starts_with(R"({"answer":{"status":200}})"));
  EXPECT_TRUE(insert("setTimeout(function () {}, 1); request.respond(200); try { request.execute() } catch (e) { console.log(e.message) }").starts_with(R"({"answer":{"status":200}})"));
  bench->loop.run_until([&] { return !binding->lines.empty(); });
  EXPECT_EQ(binding->lines.front(), "log: Execute cannot be called after respond.");
}

TEST_F(Request, RespondWithoutArgumentsNeedsAWaitingAnswer) {
  EXPECT_EQ(insert("try { request.respond() } catch (e) { request.respond(400, e.message) }"), R"({"answer":{"status":400,"body":"Execute must be called before respond."}})");
}

TEST_F(Request, AnyStatusAndAnyBodyMayBeGiven) {
  EXPECT_EQ(insert("request.respond(statusCodes.OK, [1, { a: null }])"), R"({"answer":{"status":200,"body":[1,{"a":null}]}})");
  EXPECT_EQ(insert("request.respond(299, 'text')"), R"~({"answer":{"status":299,"body":"text"}})~");
  EXPECT_EQ(insert("request.respond(statusCodes.NO_CONTENT)"), R"({"answer":{"status":204}})");
}

TEST_F(Request, AnErrorMayBeTheAnswer) {
  EXPECT_THAT(insert("var e = new Error('no'); e.statusCode = 403; request.respond(e)"), ::testing::StartsWith(R"({"error":{"statusCode":403,"message":"no")"));
  EXPECT_THAT(insert("request.respond(new Error('no'))"), ::testing::StartsWith(R"({"error":{"statusCode":500,"message":"no")"));
}

TEST_F(Request, TheFirstArgumentOfRespondMustBeAStatus) {
  for (const char* first : {"'text'", "null", "true", "99", "600", "200.5", "undefined"})
    EXPECT_THAT(insert("request.respond(" + std::string(first) + ", 1)"), ::testing::StartsWith("server_error: Error: The first argument of respond must be a status code or an error.")) << first;
}

TEST_F(Request, ASecondRespondThrows) {
  EXPECT_EQ(insert("setTimeout(function () {}, 1); request.respond(200); request.respond(201)"), R"({"answer":{"status":200}})");
  bench->loop.run_until([&] { return !binding->lines.empty(); });
  EXPECT_THAT(binding->lines.front(), ::testing::StartsWith("error: Error: Respond cannot be called more than once."));
}

TEST_F(Request, ARespondAfterTheDefaultAnswerOnlyWarns) {
  EXPECT_EQ(insert("request.execute(); setTimeout(function () { request.respond(200) }, 20);"), R"({"execute":{"item":{"text":"milk"}}})");
  bench->loop.run_until([&] { return !binding->lines.empty(); });
  EXPECT_THAT(binding->lines.front(), ::testing::StartsWith("warn: request.respond was called after"));
}

TEST_F(Request, AChangedIdInAnUpdateFailsTheCall) {
  EXPECT_THAT(update("item.id = '8'; request.execute();"), ::testing::StartsWith("server_error: Error: The script changed the item's id from '7' to '8'."));
  EXPECT_EQ(update("item.text = 'x'; request.execute();"), R"({"execute":{"item":{"id":"7","text":"x"}}})");
}

TEST_F(Request, AScriptThatThrowsFailsWithTheUsersStack) {
  EXPECT_EQ(insert("\n  throw new Error('boom');"), "server_error: Error: boom\n    at insert (/table/T.insert.js:2:9)");
  EXPECT_EQ(insert("throw 'text'"), "server_error: text");
  EXPECT_EQ(insert("nosuch = 1"), "server_error: ReferenceError: nosuch is not defined\n    at insert (/table/T.insert.js:1:46)");
}

TEST_F(Request, UnknownAndWronglyTypedOptionsThrow) {
  for (const char* options : {"{ sucess: function () {} }", "{ success: 1 }", "{ conflict: function () {} }", "{ includeDeleted: true }", "'x'", "{ systemProperties: 5 }"})
    EXPECT_THAT(insert("request.execute(" + std::string(options) + ")"), ::testing::StartsWith("server_error: Error: The option")) << options;
  EXPECT_EQ(read("request.execute({ includeDeleted: true, systemProperties: ['version'] })"),
            R"({"execute":{"systemProperties":["version"],"includeDeleted":true,"query":{"filter":"","orderBy":"","select":""}}})");
}

TEST_F(Request, ADelScriptGetsOnlyTheId) {
  EXPECT_EQ(del("request.respond(200, id)"), R"({"answer":{"status":200,"body":"7"}})");
  EXPECT_EQ(del("request.execute()"), R"({"execute":{}})");
}

TEST_F(Request, MembersShowWhatWasAsked) {
  EXPECT_EQ(bench->outcome("function insert(i, u, request) { request.respond(200, [request.operation, request.parameters, request.systemProperties, request.includeDeleted, request.undelete]) }",
                           R"({"operation":"insert","table":"T","item":{},"parameters":{"mode":"x"},"systemProperties":["version"],"user":{"level":"anonymous"}})"),
            R"({"answer":{"status":200,"body":["insert",{"mode":"x"},["version"],false,false]}})");
}

TEST_F(Request, AsyncScriptsMayAwaitExecute) {
  execute_gives(R"({"item":{"id":"1","text":"milk"}})");
  EXPECT_EQ(bench->outcome("async function insert(item, user, request) { const row = await request.execute(); row.seen = row.id; }", kInsert, binding), R"({"default":{"item":{"text":"milk","id":"1","seen":"1"}}})");
  binding->answers["request.execute"].push_back(Error(Code::conflict, "exists"));
  EXPECT_EQ(bench->outcome("async function insert(item, user, request) { await request.execute(); }", kInsert, binding), R"({"defaultError":true})");
  EXPECT_THAT(bench->outcome("async function insert() { await null; throw new Error('inside') }", kInsert, binding), ::testing::StartsWith("server_error: Error: inside"));
}

TEST_F(Request, TheUserKnowsItsIdentities) {
  const std::string_view context = R"({"operation":"insert","table":"T","item":{},"user":{"level":"authenticated","userId":"Facebook:1","identities":{"facebook":{"userId":"Facebook:1","accessToken":"t"}}}})";
  EXPECT_EQ(bench->outcome("function insert(i, user, request) { request.respond(200, [user.level, user.userId, user.getIdentities(), user.accessTokens]) }", context),
            R"({"answer":{"status":200,"body":["authenticated","Facebook:1",{"facebook":{"userId":"Facebook:1","accessToken":"t"}},{"facebook":"t"}]}})");
  EXPECT_EQ(bench->outcome("function insert(i, user, request) { user.getIdentities(function (e, ids) { user.getIdentities({ success: function (two) { request.respond(200, [e, ids === two]) } }) }) }", context),
            R"({"answer":{"status":200,"body":[null,true]}})");
}

TEST_F(Request, ConsoleLinesFollowUtilFormatAndAreCut) {
  insert("console.log('%s is %d', 'x', 5, { a: [1] }); console.warn(new Error('w').message); console.error('y'.repeat(20000)); console.info(); request.respond(200)");
  ASSERT_EQ(binding->lines.size(), 4U);
  EXPECT_EQ(binding->lines[0], "log: x is 5 { a: [ 1 ] }");
  EXPECT_EQ(binding->lines[1], "warn: w");
  EXPECT_EQ(binding->lines[2].size(), std::string("error: ").size() + 10'000);
}

TEST_F(Request, SafeModulesCanBeRequiredAndOthersAreRefusedClearly) {
  EXPECT_EQ(insert("var c = require('crypto'); request.respond(200, [c.createHash('sha1').update('a').digest('hex'), require('util').format('%j', {a: 1}), require('querystring').parse('a=b').a, require('url').parse('http://h/p?q').pathname, require('path').join('a', 'b'), new Buffer.from('hi').toString('base64')])"),
            R"({"answer":{"status":200,"body":["86f7e437faa5a7fce15d1ddcb9eaeaea377667b8","{\"a\":1}","b","/p","a/b","aGk="]}})");
  for (const char* name : {"fs", "child_process", "net", "node:fs", "worker_threads", "module", "vm", "process", "__proto__", "constructor", "../shared/x"})
    EXPECT_THAT(insert("require('" + std::string(name) + "')"), ::testing::StartsWith("server_error: Error: The module '" + std::string(name) + "' is not available to scripts.")) << name;
}

TEST_F(Request, TablesAreReachedByName) {
  binding->answers["tables.read"].push_back(json(R"({"results":[{"id":"1","n":2}]})"));
  binding->answers["tables.insert"].push_back(json(R"({"item":{"id":"9","a":1}})"));
  EXPECT_EQ(insert(R"(
    var log = tables.getTable('Log');
    log.where({ a: 1 }).orderBy('n').take(5).read({ success: function (rows) {
      var row = { a: rows[0].n };
      log.insert(row, { success: function (same) { request.respond(200, [row === same, row.id, log.getTableName(), tables.current.getTableName()]); } });
    } });)"), R"({"answer":{"status":200,"body":[true,"9","Log","T"]}})");
  ASSERT_EQ(binding->asked.size(), 2U);
  EXPECT_EQ(to_json(binding->asked[0].arguments), R"~({"table":"Log","query":{"filter":"(a eq 1)","orderBy":"n","select":"","top":5}})~");
  EXPECT_EQ(to_json(binding->asked[1].arguments), R"({"table":"Log","item":{"a":2}})");
}

TEST_F(Request, TablesHaveTheOtherMethodsToo) {
  binding->answers["tables.lookup"].push_back(json(R"({"item":{"id":"1"}})"));
  binding->answers["tables.update"].push_back(json(R"({"conflict":{"id":"1","n":3}})"));
  binding->answers["tables.lookup"].push_back(Error(Code::not_found, "gone"));
  EXPECT_EQ(bench->outcome(R"(async function insert(item, user, request) {
    const t = tables.current, out = [];
    out.push(await t.lookup('1'));
    await new Promise((done) => t.update({ id: '1', n: 2 }, { conflict(row) { out.push(row.n); done(); } }));
    await t.del('1'); await t.del({ id: '2' });
    try { await t.lookup('5') } catch (e) { out.push(e.statusCode, e.message) }
    try { t.read(tables.getTable('Other').where({})) } catch (e) { out.push(e.message) }
    request.respond(200, out);
  })", kInsert, binding), R"({"answer":{"status":200,"body":[{"id":"1"},3,404,"gone","A query of table 'Other' cannot be used to read table 'T'."]}})");
}

TEST_F(Request, AnUnhandledTableErrorFailsTheRequest) {
  binding->answers["tables.insert"].push_back(Error(Code::bad_request, "no such column"));
  EXPECT_THAT(insert("tables.current.insert({ a: 1 })"), ::testing::StartsWith("server_error: Error: no such column"));
}

TEST_F(Request, WorkBegunBesideTheDefaultAnswerGoesOn) {
  binding->answers["tables.insert"].push_back(json(R"({"item":{"id":"1"}})"));
  EXPECT_EQ(insert("request.execute(); tables.getTable('Audit').insert({ what: 'insert' }, { success: function () { console.log('filed') } });"), R"({"execute":{"item":{"text":"milk"}}})");
  bench->loop.run_until([&] { return !binding->lines.empty(); });
  EXPECT_EQ(binding->lines.front(), "log: filed");
}

TEST_F(Request, WorkBegunAfterRespondGoesOnToo) {
  binding->answers["tables.insert"].push_back(json(R"({"item":{"id":"1"}})"));
  EXPECT_EQ(insert("request.respond(200, 1); tables.getTable('Audit').insert({ what: 'insert' }, { success: function () { setTimeout(function () { console.log('filed') }, 5) } });"), R"({"answer":{"status":200,"body":1}})");
  bench->loop.run_until([&] { return !binding->lines.empty(); });
  EXPECT_EQ(binding->lines.front(), "log: filed");
  EXPECT_EQ(binding->asked.size(), 1U);
}

TEST_F(Request, AMissingFunctionIsSaid) {
  EXPECT_THAT(bench->outcome("function other() {}", kInsert), ::testing::StartsWith("server_error: Error: The script does not define the function insert."));
}

TEST_F(Request, SyntaxIsCheckedWithLineAndMessage) {
  Result<void> good = mandate::test::run(bench->loop, bench->host->check("function insert(a) { return a }", "/table/T.insert.js"));
  EXPECT_TRUE(good.ok());
  Result<void> bad = mandate::test::run(bench->loop, bench->host->check("function insert(a) {\n  retrun a;\n}", "/table/T.insert.js"));
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().code, Code::invalid_request);
  EXPECT_THAT(bad.error().hint, ::testing::StartsWith("/table/T.insert.js:2: Unexpected identifier"));
  Result<void> out = mandate::test::run(bench->loop, bench->host->check("} }; (function(){ {{ ", "/table/T.insert.js"));
  EXPECT_FALSE(out.ok());
}

}  // namespace
}  // namespace mandate::scripts::test
