// Custom APIs among the service's modules (mobile-backend-wire 5.6): Express 3 as far as scripts used it.
#include "tests/scripts/service_bench.h"

namespace mandate::scripts::test {
namespace {

class Api : public ServiceTest {
 protected:
  void api(std::string source) { files({{"api/a.js", std::move(source)}}); }
  std::string ask(JsonObject context = {}) {
    for (const auto& [member, value] : std::initializer_list<std::pair<const char*, Json>>{{"method", "get"}, {"path", "/"}, {"url", "/"}, {"base", "/api/a"}, {"query", JsonObject()}, {"headers", JsonObject()}, {"user", JsonObject{{"level", "anonymous"}}}})
      if (!context.contains(member)) context[member] = value;
    return serve("api", "api/a.js", std::move(context));
  }
  std::string get(std::string path) { return ask({{"path", path}, {"url", path}}); }
};

TEST_F(Api, EachVerbHasItsHandlerAndDelMeansDelete) {
  api("exports.get = function (q, s) { s.send(q.method) }; exports.del = function (q, s) { s.send(200, q.method) }; exports.patch = [function (q, s, next) { q.seen = 1; next() }, function (q, s) { s.json({ seen: q.seen }) }]");
  EXPECT_EQ(ask(), R"({"status":200,"headers":[["Content-Type","text/html; charset=utf-8"]],"body":"GET"})");
  EXPECT_EQ(ask({{"method", "delete"}}), R"({"status":200,"headers":[["Content-Type","text/html; charset=utf-8"]],"body":"DELETE"})");
  EXPECT_EQ(ask({{"method", "patch"}}), R"({"status":200,"headers":[["Content-Type","application/json; charset=utf-8"]],"body":"{\"seen\":1}"})");
  EXPECT_EQ(ask({{"method", "head"}}), R"({"status":200,"headers":[["Content-Type","text/html; charset=utf-8"]],"body":"HEAD"})");
  EXPECT_EQ(ask({{"method", "put"}}), R"({"status":405,"none":true,"allow":["GET","PATCH","DELETE"]})");
  EXPECT_EQ(get("/other"), R"({"status":404,"none":true,"allow":[]})");
}

TEST_F(Api, ItsStateIsKeptUntilItsFilesChange) {
  api("var n = 0; exports.get = function (q, s) { s.send(200, { n: ++n }) }");
  for (const int n : {1, 2}) EXPECT_THAT(ask(), ::testing::HasSubstr("\"{\\\"n\\\":" + std::to_string(n) + "}\""));
  files({{"api/a.js", "var n = 0; exports.get = function (q, s) { s.send(200, { n: --n }) }"}}, "2");
  EXPECT_THAT(ask(), ::testing::HasSubstr(R"("{\"n\":-1}")"));
}

TEST_F(Api, RoutesTakeParametersOptionalOnesStarsAndExpressions) {
  api(R"(exports.register = function (api) {
    api.get('/items/:id', function (q, s) { s.send(q.params.id) });
    api.get('/maybe/:x?', function (q, s) { s.send(q.params.x || 'none') });
    api.get('/files/*', function (q, s) { s.send(q.params[0]) });
    api.get(/^\/n(\d+)$/, function (q, s) { s.send(q.params[0]) });
    api.get('/first', function (q, s, next) { q.was = 'first'; next() });
    api.all('/first', function (q, s) { s.send(q.was + ' then all') });
  })");
  const auto body = [&](const std::string& path) {
    const Json answer = json(get(path));
    return std::string(text_member(answer.as_object(), "body").value_or("none"));
  };
  EXPECT_EQ(body("/items/a%2Fb"), "a/b");
  EXPECT_EQ(body("/ITEMS/7/"), "7");
  EXPECT_EQ(body("/maybe"), "none");
  EXPECT_EQ(body("/maybe/x"), "x");
  EXPECT_EQ(body("/files/a/b.txt"), "a/b.txt");
  EXPECT_EQ(body("/n42"), "42");
  EXPECT_EQ(body("/first"), "first then all");
  EXPECT_EQ(get("/items"), R"({"status":404,"none":true,"allow":[]})");
}

TEST_F(Api, APermissionIsThatOfTheRouteWhichAnswers) {
  api("exports.register = function (api) { api.use(function (q, s, next) { console.log('middleware'); next() }); api.get('/open/:x', function (q, s) { s.send('open') }); api.get('/mine', function (q, s) { s.send('mine') }); api.get('/closed', function (q, s) { s.send('closed') }) }");
  const Json permissions = json(R"({"/open/:x":{"get":"public"},"/mine":{"*":"user"},"*":{"get":"admin"}})");
  const auto status = [&](const char* path, const char* proved) { return integer_member(json(ask({{"path", path}, {"permissions", permissions}, {"proved", json(proved)}})).as_object(), "status").value_or(0); };
  EXPECT_EQ(status("/open/1", "{}"), 200);
  binding->lines.clear();
  EXPECT_EQ(status("/closed", R"({"application":true,"user":true})"), 401);
  EXPECT_TRUE(binding->lines.empty()) << "nothing of it runs";
  EXPECT_EQ(status("/closed", R"({"admin":true})"), 200);
  EXPECT_EQ(status("/mine", R"({"application":true})"), 401);
  EXPECT_EQ(status("/mine", R"({"user":true})"), 200);
}

TEST_F(Api, WhereARouteIsNamedTheWordsForAllRoutesDoNotCount) {
  api("exports.register = function (api) { api.post('/admin', function (q, s) { s.send('done') }); api.get('/admin', function (q, s) { s.send('read') }); api.get(['/open', '/mine', ['/Admin/']], function (q, s) { s.send('one of them') }); api.get(['/open2', '/mine'], function (q, s) { s.send('two') }); api.get('/other', function (q, s) { s.send('other') }) }");
  const Json permissions = json(R"({"*":{"*":"public"},"/admin":{"get":"admin"},"/mine":{"get":"user"}})");
  const auto status = [&](const char* verb, const char* path, const char* proved) {
    return integer_member(json(ask({{"method", verb}, {"path", path}, {"permissions", permissions}, {"proved", json(proved)}})).as_object(), "status").value_or(0);
  };
  EXPECT_EQ(status("get", "/other", "{}"), 200);
  EXPECT_EQ(status("get", "/admin", R"({"user":true,"application":true})"), 401);
  EXPECT_EQ(status("post", "/admin", R"({"user":true,"application":true})"), 401) << "what is not listed is for administrators";
  EXPECT_EQ(status("post", "/admin", R"({"admin":true})"), 200);
  EXPECT_EQ(status("get", "/open", R"({"user":true})"), 401) << "as strict as the strictest of its paths";
  EXPECT_EQ(status("get", "/open2", "{}"), 401);
  EXPECT_EQ(status("get", "/open2", R"({"user":true})"), 200);
}

TEST_F(Api, TheRequestIsThatOfExpress) {
  api("exports.post = function (q, s) { s.json([q.get('X-One'), q.header('content-type'), q.is('json'), q.param('a'), q.param('b'), q.query.b, q.body.a, q.url, q.originalUrl, q.ip, q.protocol, q.accepts('html', 'json'), q.user.userId, Object.keys(q.service).sort()]) }");
  EXPECT_THAT(ask({{"method", "post"}, {"url", "/?b=2"}, {"query", JsonObject{{"b", "2"}}}, {"headers", JsonObject{{"x-one", "1"}, {"content-type", "application/json"}, {"accept", "application/json"}}}, {"body", JsonObject{{"a", 1}}}, {"ip", "192.0.2.1"}, {"protocol", "https"}, {"user", JsonObject{{"level", "authenticated"}, {"userId", "u1"}}}}),
              ::testing::HasSubstr(R"("body":"[\"1\",\"application/json\",true,1,\"2\",\"2\",1,\"/?b=2\",\"/api/a/?b=2\",\"192.0.2.1\",\"https\",\"json\",\"u1\",[\"config\",\"mssql\",\"push\",\"tables\"]]")"));
}

TEST_F(Api, TheResponseIsThatOfExpress) {
  const std::pair<const char*, const char*> cases[] = {
      {"s.send('text')", R"({"status":200,"headers":[["Content-Type","text/html; charset=utf-8"]],"body":"text"})"},
      {"s.send(404)", R"({"status":404,"headers":[["Content-Type","text/plain; charset=utf-8"]],"body":"Not Found"})"},
      {"s.send(201, { a: 1 })", R"({"status":201,"headers":[["Content-Type","application/json; charset=utf-8"]],"body":"{\"a\":1}"})"},
      {"s.status(202).json([1])", R"({"status":202,"headers":[["Content-Type","application/json; charset=utf-8"]],"body":"[1]"})"},
      {"s.send(Buffer.from([255]))", R"({"status":200,"headers":[["Content-Type","application/octet-stream"]],"base64":"/w=="})"},
      {"s.set({ 'X-A': '1' }); s.type('xml'); s.send('<a/>')", R"({"status":200,"headers":[["X-A","1"],["Content-Type","application/xml; charset=utf-8"]],"body":"<a/>"})"},
      {"s.writeHead(200, { 'Content-Type': 'text/plain' }); s.write('a'); s.end('b')", R"({"status":200,"headers":[["Content-Type","text/plain"]],"base64":"YWI="})"},
      {"s.redirect('/x')", R"({"status":302,"headers":[["Location","/x"],["Content-Type","text/plain; charset=utf-8"]],"body":"Found. Redirecting to /x"})"},
      {"s.cookie('a', 'b', { maxAge: 1000 }); s.end()", R"({"status":200,"headers":[["Set-Cookie","a=b; Path=/; Max-Age=1"]],"body":""})"},
      {"q.respond(200, { a: 1 })", R"({"status":200,"headers":[["Content-Type","application/json; charset=utf-8"]],"body":"{\"a\":1}"})"},
      {"var e = new Error('no'); e.statusCode = 409; q.respond(e)", R"({"status":409,"headers":[["Content-Type","application/json; charset=utf-8"]],"body":"{\"code\":409,\"error\":\"no\"}"})"},
  };
  int version = 0;
  for (const auto& [code, wanted] : cases) {
    files({{"api/a.js", std::string("exports.get = function (q, s) { ") + code + " }"}}, std::to_string(++version));
    EXPECT_EQ(ask(), wanted) << code;
  }
}

TEST_F(Api, WhatAHandlerThrowsFailsTheCallAtAnyTime) {
  int version = 0;
  for (const char* code : {"throw new Error('told')", "setTimeout(function () { throw new Error('told') }, 1)", "next(new Error('told'))", "return Promise.reject(new Error('told'))", "s.set('X', 'a\\r\\nb'); s.end()", "s.send(99, 'x')"}) {
    files({{"api/a.js", std::string("exports.get = function (q, s, next) { ") + code + " }"}}, std::to_string(++version));
    EXPECT_THAT(ask(), ::testing::StartsWith("server_error: Error: ")) << code;
  }
  files({{"api/a.js", "exports.register = function (api) { api.get('/', function () { throw new Error('caught') }); api.use(function (e, q, s, next) { s.send(418, e.message) }) }"}}, "last");
  EXPECT_THAT(ask(), ::testing::HasSubstr(R"("status":418)"));
}

TEST_F(Api, ABrokenFileFailsEveryCallAndTheProbe) {
  api("exports.register = function () { throw new Error('broken') }");
  EXPECT_THAT(ask(), ::testing::StartsWith("server_error: Error: broken"));
  EXPECT_THAT(ask({{"probe", true}}), ::testing::StartsWith("invalid_request: Error: broken")) << "it is the file";
  files({{"api/a.js", "exports.get = function (q, s) { s.send('ran') }"}}, "2");
  EXPECT_EQ(ask({{"probe", true}}), R"({"status":204,"none":true})");
}

TEST_F(Api, FilesOfAFormAreInMemory) {
  api("exports.post = function (q, s) { s.json([q.body, Object.keys(q.files).map(function (k) { var f = q.files[k]; return [k, f.name, f.type, f.size, f.data.toString()] })]) }");
  // --B CRLF Content-Disposition: form-data; name="a" CRLF CRLF 1 CRLF --B … name="f"; filename="x.txt" CRLF Content-Type: text/plain CRLF CRLF hi CRLF --B--
  EXPECT_THAT(ask({{"method", "post"}, {"headers", JsonObject{{"content-type", "multipart/form-data; boundary=B"}}}, {"base64", "LS1CDQpDb250ZW50LURpc3Bvc2l0aW9uOiBmb3JtLWRhdGE7IG5hbWU9ImEiDQoNCjENCi0tQg0KQ29udGVudC1EaXNwb3NpdGlvbjogZm9ybS1kYXRhOyBuYW1lPSJmIjsgZmlsZW5hbWU9IngudHh0Ig0KQ29udGVudC1UeXBlOiB0ZXh0L3BsYWluDQoNCmhpDQotLUItLQ0K"}}),
              ::testing::HasSubstr(R"([{\"a\":\"1\"},[[\"f\",\"x.txt\",\"text/plain\",2,\"hi\"]]])"));
}

TEST_F(Api, ESModulesServeToo) {
  files({{"api/a.js", "import { word } from '../lib/w.mjs';\nimport config from 'mobileservice-config';\nexport async function get(q, s) { const more = await import('../lib/c.js'); s.send(word + more.default.c + typeof config) }"},
         {"lib/w.mjs", "export const word = 'w';"}, {"lib/c.js", "exports.c = 'c'"}});
  EXPECT_THAT(ask(), ::testing::HasSubstr(R"("body":"wcobject")"));
  files({{"api/a.js", "import { nothing } from '../lib/w.mjs';\nexport const get = () => {};"}, {"lib/w.mjs", ""}}, "2");
  EXPECT_THAT(ask(), ::testing::StartsWith("server_error: "));
  files({{"api/a.js", "export const a = 1;\nexport const get = ;"}}, "3");
  EXPECT_THAT(ask(), ::testing::HasSubstr("/api/a.js:2"));
}

TEST_F(Api, NothingOfTheProcessIsWithinItsReach) {
  int version = 0;
  for (const char* code : {"new Function('return 1')()", "eval('1')", "this.constructor.constructor('return process')()", "Buffer.constructor('return 1')()", "process.constructor.constructor('return 1')()", "require('fs')", "process.binding('fs')", "require('module')", "q.constructor.constructor('return 1')()", "s.constructor.constructor('return 1')()"}) {
    files({{"api/a.js", std::string("exports.get = function (q, s) { var out; try { out = ") + code + "; s.send('REACHED') } catch (e) { s.send('refused') } }"}}, std::to_string(++version));
    EXPECT_THAT(ask(), ::testing::HasSubstr(R"("body":"refused")")) << code;
  }
}

// ── extensions and hooks ──

TEST_F(Api, StartupRunsOnceBeforeTheFirstCallAndTheOthersWait) {
  files({{"extensions/startup.js", "exports.startup = function (context, done) { context.tables.getTable('T').read({ success: function () { setTimeout(function () { require('../lib/s').ready = true; console.log('started'); done() }, 5) } }) }"}, {"lib/s.js", ""}});
  binding->answers["tables.read"].push_back(json(R"({"results":[]})"));
  std::vector<std::string> got;
  for (int i = 0; i < 3; ++i) spawn(bench->host->run(call("function insert(i, u, request) { request.respond(200, require('../lib/s').ready === true) }"), binding), [&](Result<Json> result) { got.push_back(text_of(result)); });
  bench->loop.run_until([&] { return got.size() == 3; });
  EXPECT_THAT(got, ::testing::Each("true"));
  EXPECT_THAT(binding->lines, ::testing::ElementsAre("log: started"));
}

TEST_F(Api, AStartupThatFailsIsToldAndTheServiceGoesOn) {
  files({{"extensions/startup.js", "exports.startup = function () { throw new Error('no start') }"}});
  EXPECT_EQ(insert("request.respond(200, 1)"), "1");
  EXPECT_THAT(binding->lines, ::testing::ElementsAre(::testing::HasSubstr("no start")));
  files({{"extensions/startup.js", "exports.startup = ;"}}, "2");
  EXPECT_EQ(insert("request.respond(200, 1)"), "1");
}

TEST_F(Api, PushMayChangeOrRefuseARegistration) {
  files({{"extensions/push.js", "exports.register = function (registration, context, done) { if (context.user.level !== 'authenticated') return done('log in first'); registration.tags.push('u:' + context.user.userId); done() }"}});
  const auto asked = [&](Json user) { return serve("push", "extensions/push.js", {{"registration", JsonObject{{"tags", JsonArray{"a"}}}}, {"user", std::move(user)}}); };
  EXPECT_EQ(asked(JsonObject{{"level", "authenticated"}, {"userId", "u1"}}), R"({"registration":{"tags":["a","u:u1"]}})");
  EXPECT_EQ(asked(JsonObject{{"level", "anonymous"}}), R"({"refused":"log in first"})");
}

TEST_F(Api, HooksStandAroundAnOperation) {
  files({{"table/T.js", R"(
    export async function beforeInsert(ctx) { ctx.item.owner = ctx.user.userId; if (ctx.item.text === 'no') ctx.respond(400, { error: 'no' }); if (ctx.item.text === 'throw') throw new Error('thrown'); }
    export function beforeRead({ query, user }) { query.where({ owner: user.userId }); }
    export async function afterRead(ctx) { for (const row of ctx.result) row.more = 1; }
    export default { async delete(ctx) { if (ctx.id === '7') await ctx.execute(); else ctx.respond(403); } };)"}});
  const auto act = [&](std::string_view context) { return serve("hooks", "table/T.js", json(context).as_object()); };
  EXPECT_EQ(act(kInsert), R"({"execute":{"item":{"text":"milk","owner":"u1"}}})");
  EXPECT_TRUE(binding->asked.empty()) << "nobody looks at the result";
  EXPECT_EQ(act(R"({"operation":"insert","table":"T","item":{"text":"no"},"user":{"level":"anonymous"}})"), R"({"error":"no"})");
  EXPECT_THAT(act(R"({"operation":"insert","table":"T","item":{"text":"throw"},"user":{"level":"anonymous"}})"), ::testing::StartsWith("server_error: Error: thrown\n    at beforeInsert (/table/T.js:2:"));
  binding->answers["request.execute"].push_back(json(R"({"results":[{"id":"1"}],"totalCount":5})"));
  EXPECT_EQ(act(kRead), R"({"default":{"results":[{"id":"1","more":1}],"totalCount":5}})");
  EXPECT_EQ(to_json(binding->asked.back().arguments), R"~({"query":{"filter":"(owner eq 'u1')","orderBy":"","select":""}})~");
  EXPECT_EQ(act(kUpdate), R"({"execute":{"item":{"id":"7","text":"milk"}}})");
  EXPECT_EQ(act(kDelete), R"({"default":{}})");
  EXPECT_EQ(act(R"({"operation":"del","table":"T","id":"8","user":{"level":"anonymous"}})"), R"({"answer":{"status":403}})");
}

TEST_F(Api, AFileThatIsNotThereFailsTheCallAndIsNeverSkipped) {
  const auto hook = [&](const char* file) { return serve("hooks", file, json(kInsert).as_object()); };
  files({{"table/U.js", "exports.beforeInsert = function () {}"}});
  EXPECT_THAT(hook("table/T.js"), ::testing::StartsWith("server_error: The service has no file /table/T.js."));
  EXPECT_THAT(hook("table/T.mjs"), ::testing::StartsWith("server_error: The service has no file /table/T.mjs."));
  EXPECT_THAT(serve("push", "extensions/push.js", {{"registration", JsonObject()}}), ::testing::StartsWith("server_error: The service has no file "));
  EXPECT_THAT(ask(), ::testing::StartsWith("server_error: The service has no file "));
  files({{"package.json", R"({"type":"module"})"}}, "2");
  EXPECT_THAT(hook("table/T.js"), ::testing::StartsWith("server_error: The service has no file "));
  EXPECT_TRUE(binding->asked.empty());
}

TEST_F(Api, FilesAreCheckedAsTheyWouldBeLoaded) {
  const auto check = [&](std::string source, std::string name) {
    Result<void> result = mandate::test::run(bench->loop, bench->host->check(std::move(source), std::move(name)));
    return result.ok() ? std::string("fine") : result.error().hint;
  };
  EXPECT_EQ(check("export const get = () => {};", "/api/a.js"), "fine");
  EXPECT_EQ(check("exports.get = function () { return 1 };", "/api/a.js"), "fine");
  EXPECT_EQ(check("import a from 'a';\nexport default a;", "/lib/a.mjs"), "fine");
  EXPECT_EQ(check("var a = ;", "/api/a.js"), "/api/a.js:1: Unexpected token ';'");
  EXPECT_EQ(check("import a from 'a';\nvar b = ;", "/lib/a.mjs"), "/lib/a.mjs:2: Unexpected token ';'");
  EXPECT_EQ(check("function J() { with (a) {} }", "/scheduler/J.js").substr(0, 16), "/scheduler/J.js:") << "strict, as it runs";
}

}  // namespace
}  // namespace mandate::scripts::test
