// What `require` finds among the files of a service (mobile-backend-wire 5.1, 5.2).
#include "tests/scripts/service_bench.h"

namespace mandate::scripts::test {
namespace {

class Modules : public ServiceTest {};

TEST_F(Modules, SharedScriptsAreMadeAnewForEachCallAndModulesKeepTheirState) {
  files({{"shared/x.js", "var n = 0; exports.count = function () { return ++n }; exports.where = __filename; exports.sees = typeof tables; exports.y = require('./y').name"},
         {"shared/y.js", "exports.name = 'y'"},
         {"lib/state.js", "var n = 0; module.exports = function () { return ++n }"}});
  EXPECT_EQ(insert("var a = require('../shared/x'), b = require('../shared/x'); request.respond(200, [a.count(), b.count(), a.where, a.sees, a.y])"), R"([1,2,"/shared/x.js","object","y"])");
  EXPECT_EQ(insert("request.respond(200, require('../shared/x').count())"), "1");
  EXPECT_EQ(insert("request.respond(200, require('../lib/state')())"), "1");
  EXPECT_EQ(insert("request.respond(200, require('../lib/state.js')())"), "2");
}

TEST_F(Modules, PackagesAreFoundAsNodeFindsThem) {
  files({{"node_modules/a/package.json", R"({"main":"lib/main"})"},
         {"node_modules/a/lib/main.js", "exports.a = 'A'; exports.b = require('b'); exports.dir = __dirname; exports.data = require('../data').v"},
         {"node_modules/a/data.json", R"({"v":7})"},
         {"node_modules/a/node_modules/b/index.js", "module.exports = 'inner'"},
         {"node_modules/b/index.js", "module.exports = 'outer'"},
         {"node_modules/c/package.json", R"({"exports":{".":{"import":"./i.mjs","require":"./r.js"},"./sub/*":"./s/*.js"}})"},
         {"node_modules/c/r.js", "module.exports = 'required'"},
         {"node_modules/c/s/one.js", "module.exports = 1"},
         {"node_modules/c/hidden.js", "module.exports = 'hidden'"},
         {"node_modules/@s/p/index.js", "module.exports = 'scoped'"},
         {"node_modules/one/package.json", R"({"exports":"./x.js"})"},
         {"node_modules/one/x.js", "module.exports = 'text'"}});
  EXPECT_EQ(insert("request.respond(200, [require('a'), require('b'), require('c'), require('c/sub/one'), require('@s/p'), require('one')])"),
            R"([{"a":"A","b":"inner","dir":"/node_modules/a/lib","data":7},"outer","required",1,"scoped","text"])");
  EXPECT_THAT(insert("require('c/hidden')"), ::testing::StartsWith("server_error: Error: The module 'c/hidden' is not available to scripts."));
}

TEST_F(Modules, ModulesThatRequireEachOtherSeeWhatIsThere) {
  files({{"lib/a.js", "exports.early = 1; exports.b = require('./b').seen; exports.late = 2"}, {"lib/b.js", "exports.seen = Object.keys(require('./a'))"}});
  EXPECT_EQ(insert("request.respond(200, require('../lib/a'))"), R"({"early":1,"b":["early"],"late":2})");
}

TEST_F(Modules, TheCaseOfAFilesNameIsNothingAsItWasOnTheServicesOfOld) {
  files({{"shared/Helper.js", "exports.ok = true"}});
  EXPECT_EQ(insert("request.respond(200, require('../Shared/helper').ok)"), "true");
}

TEST_F(Modules, NothingOutsideOfTheServiceIsFound) {
  files({{"lib/a.js", ""}});
  for (const char* name : {"../../etc/passwd", "../../../lib/a", "/etc/passwd", "fs", "node:fs", "child_process", "net", "worker_threads", "module", "vm", "Buffer", "base64", "http_words"})
    EXPECT_THAT(insert("require('" + std::string(name) + "')"), ::testing::StartsWith("server_error: Error: ")) << name;
  EXPECT_THAT(insert("require('../shared/none')"), ::testing::StartsWith("server_error: Error: Cannot find module '../shared/none'."));
}

TEST_F(Modules, WhatTheServicesOfOldHadInstalledIsThereWithoutAFolder) {
  EXPECT_EQ(insert("var _ = require('underscore'); request.respond(200, [_.chain([3, 1, 2]).map(function (x) { return x * 2 }).sortBy().value(), _.groupBy([1, 2, 3], function (x) { return x % 2 ? 'odd' : 'even' }), _([1, 2]).first()])"),
            R"([[2,4,6],{"odd":[1,3],"even":[2]},1])");
  EXPECT_EQ(insert("require('async').waterfall([function (next) { setTimeout(function () { next(null, 1, 2) }, 1) }, function (a, b, next) { next(null, a + b) }], function (e, r) { request.respond(200, [e, r]) })"), "[null,3]");
  EXPECT_EQ(insert("require('async').mapLimit([3, 2, 1], 2, function (x, next) { setTimeout(function () { next(null, x * x) }, x) }, function (e, r) { request.respond(200, r) })"), "[9,4,1]");
  files({{"node_modules/underscore/index.js", "module.exports = 'its own'"}});
  EXPECT_EQ(insert("request.respond(200, require('underscore'))"), R"("its own")");
}

TEST_F(Modules, PackagesFindTheStreamsTheyNeed) {
  files({{"lib/s.js", R"(
    var stream = require('stream'), util = require('util');
    function Upper() { stream.Transform.call(this) } util.inherits(Upper, stream.Transform);
    Upper.prototype._transform = function (chunk, encoding, done) { done(null, String(chunk).toUpperCase()) };
    module.exports = function (words, done) {
      var out = '', from = new stream.Readable({ read: function () { this.push(words.length ? words.shift() : null) } });
      from.pipe(new Upper()).on('data', function (chunk) { out += chunk }).on('end', function () { done(out) });
    };)"}});
  EXPECT_EQ(insert("require('../lib/s')(['a', 'b', 'c'], function (out) { request.respond(200, out) })"), R"("ABC")");
}

TEST_F(Modules, ACallUnderWayKeepsTheFilesItBeganWith) {
  files({{"lib/v.js", "exports.v = 1"}}, "1");
  binding->answers["tables.insert"].push_back(json(R"({"item":{"id":"1"}})"));
  Call slow = call("function insert(i, u, request) { tables.getTable('T').insert({}, { success: function () { request.respond(200, require('../lib/v').v) } }) }");
  std::optional<Result<Json>> first;
  spawn(bench->host->run(std::move(slow), binding), [&](Result<Json> result) { first.emplace(std::move(result)); });
  files({{"lib/v.js", "exports.v = 2"}}, "2");
  EXPECT_EQ(insert("request.respond(200, require('../lib/v').v)"), "2");
  bench->loop.run_until([&] { return first.has_value(); });
  EXPECT_EQ(text_of(*first), "1");
}

TEST_F(Modules, OneServicesModulesAreNotThoseOfAnother) {
  files({{"lib/state.js", "var n = 0; module.exports = function () { return ++n }"}});
  EXPECT_EQ(insert("request.respond(200, require('../lib/state')())"), "1");
  realm = "another";
  EXPECT_EQ(insert("request.respond(200, require('../lib/state')())"), "1");
}

TEST_F(Modules, WhatIsWrongNamesTheFileAndTheLine) {
  files({{"shared/bad.js", "var a = 1;\nvar b = ;\n"}, {"shared/throws.js", "\n\nexports.go = function () { throw new Error('from shared') }"}, {"lib/bad.js", "\nfoo bar"}, {"lib/bad.json", "{"}});
  EXPECT_THAT(insert("require('../shared/bad')"), ::testing::StartsWith("server_error: /shared/bad.js:2\nvar b = ;"));
  EXPECT_THAT(insert("require('../lib/bad')"), ::testing::StartsWith("server_error: /lib/bad.js:2\nfoo bar"));
  EXPECT_THAT(insert("require('../lib/bad.json')"), ::testing::HasSubstr("/lib/bad.json"));
  EXPECT_THAT(insert("require('../shared/throws').go()"), ::testing::StartsWith("server_error: Error: from shared\n    at exports.go (/shared/throws.js:3:34)\n    at insert (/table/T.insert.js:1:"));
}

TEST_F(Modules, StacksShowTheLinesThatPeopleWrote) {
  files({{"dist/t.js", "'use strict';\nfunction go() { throw new Error('mapped') }\nexports.go = go;\n//# sourceMappingURL=t.js.map"},
         {"dist/t.js.map", R"({"version":3,"sources":["../src/t.ts"],"names":[],"mappings":";AAKA"})"},
         {"dist/inline.js", "exports.go = function () { throw new Error('inline') }\n//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJzb3VyY2VzIjpbImlubGluZS50cyJdLCJuYW1lcyI6W10sIm1hcHBpbmdzIjoiQUFTQSJ9"},
         {"dist/broken.js", "exports.go = function () { throw new Error('broken') }\n//# sourceMappingURL=none.map"}});
  EXPECT_THAT(insert("require('../dist/t').go()"), ::testing::HasSubstr("(/src/t.ts:6:1)"));
  EXPECT_THAT(insert("require('../dist/inline').go()"), ::testing::HasSubstr("(/dist/inline.ts:10:1)"));
  EXPECT_THAT(insert("require('../dist/broken').go()"), ::testing::HasSubstr("(/dist/broken.js:1:34)"));
}

TEST_F(Modules, ASharedScriptMayChangeBuiltInsForItsCallAlone) {
  files({{"shared/strings.js", "String.prototype.shout = function () { return this.toUpperCase() }"}});
  EXPECT_EQ(insert("require('../shared/strings'); request.respond(200, 'a'.shout())"), R"("A")");
  EXPECT_EQ(insert("request.respond(200, typeof 'a'.shout)"), R"("undefined")");
}

TEST_F(Modules, ConsoleAndTimersOfAModuleBelongToTheCallThatIsInIt) {
  files({{"lib/late.js", "module.exports = function (done) { console.log('in'); setTimeout(function () { console.log('later'); done() }, 1) }"}});
  EXPECT_EQ(insert("require('../lib/late')(function () { request.respond(200, 'done') })"), R"("done")");
  EXPECT_THAT(binding->lines, ::testing::ElementsAre("log: in", "log: later"));
}

TEST_F(Modules, AModuleThatAwaitsWhatAnotherCallBringsStillSpeaksForItsOwn) {
  files({{"lib/gate.js", "let open; exports.wait = async (name) => { await new Promise((go) => { open = go }); console.log(name) }; exports.open = () => open()"}});
  auto waiting = std::make_shared<FakeBinding>();
  std::optional<Result<Json>> first;
  spawn(bench->host->run(call("async function insert(i, u, request) { await require('../lib/gate').wait('first'); request.respond(200, 1) }"), waiting), [&](Result<Json> result) { first.emplace(std::move(result)); });
  EXPECT_EQ(insert("require('../lib/gate').open(); console.log('second'); request.respond(200, 2)"), "2");
  bench->loop.run_until([&] { return first.has_value(); });
  EXPECT_THAT(waiting->lines, ::testing::ElementsAre("log: first"));
  EXPECT_THAT(binding->lines, ::testing::ElementsAre("log: second"));
}

TEST_F(Modules, AModuleWhoseFirstCallerEndedWhileItWaitsIsLoadedByTheNext) {
  files({{"lib/slow.mjs", "globalThis.loads = (globalThis.loads ?? 0) + 1;\nif (globalThis.loads === 1) { setTimeout(() => { throw new Error('the first call ends') }, 1); await new Promise(() => {}) }\nexport const loads = globalThis.loads"},
         {"lib/once.mjs", "globalThis.once = (globalThis.once ?? 0) + 1; export const once = globalThis.once"},
         {"api/a.mjs", "import { once } from '../lib/once.mjs'; import { loads } from '../lib/slow.mjs'; export const get = (request, response) => { response.send(200, { a: loads, once }) }"},
         {"api/b.mjs", "import { once } from '../lib/once.mjs'; export const get = async (request, response) => { response.send(200, { b: (await import('../lib/slow.mjs')).loads, once }) }"}});
  const auto ask = [&](const char* file) {
    Call out;
    out.realm = realm, out.kind = "api", out.name = std::string("/") + file;
    out.context = R"({"file":")" + std::string(file) + R"(","method":"get","path":"/","url":"/","base":"/api/a","query":{},"headers":{},"user":{"level":"anonymous"}})";
    out.bundle = bundle;
    return bench->host->run(std::move(out), binding);
  };
  std::vector<std::string> others;
  for (const char* file : {"api/a.mjs", "api/b.mjs"})
    spawn(ask(file), [&](Result<Json> result) { others.push_back(text_of(result)); });
  bench->loop.run_until([&] { return others.size() == 2; });
  // One of them was first, and has failed; what the other waited for was begun again.
  const auto failed = std::ranges::find_if(others, [](const std::string& each) { return each.find("the first call ends") != std::string::npos; });
  ASSERT_NE(failed, others.end()) << others[0] << others[1];
  EXPECT_THAT(others[failed == others.begin() ? 1 : 0], ::testing::HasSubstr(":2,"));
  EXPECT_THAT(text_of(mandate::test::run(bench->loop, ask("api/a.mjs"))), ::testing::HasSubstr(R"(\"a\":2)"));
  EXPECT_THAT(text_of(mandate::test::run(bench->loop, ask("api/b.mjs"))), ::testing::HasSubstr(R"(\"b\":2)"));
}

TEST_F(Modules, TheEnvironmentIsWhatTheServiceSets) {
  EXPECT_EQ(insert("request.respond(200, Object.keys(process.env))"), "[]");
  environment = std::make_shared<const std::string>(R"({"env":{"MS_MobileServiceName":"todo","MY":"1"},"config":{"masterKey":"k","appSettings":{"MY":"1"}}})");
  files({{"lib/env.js", "module.exports = function () { return [process.env.MY, require('mobileservice-config').masterKey] }"}});
  EXPECT_EQ(insert("request.respond(200, [process.env.MY, require('mobileservice-config').appSettings.MY, require('../lib/env')()])"), R"(["1","1",["1","k"]])");
  environment = std::make_shared<const std::string>(R"({"env":{"MY":"2"},"config":{}})");
  EXPECT_EQ(insert("request.respond(200, [process.env.MY, require('../lib/env')()[0]])"), R"(["2","2"])");
}

TEST_F(Modules, SettingsThatAModuleTookWhenItWasLoadedAreThoseOfNow) {
  files({{"lib/settings.js", "var config = require('mobileservice-config'), app = config.appSettings, env = process.env; module.exports = function () { return [config === require('mobileservice-config'), config.name, config.old, app.MY, app.OLD, env.MY, env.OLD] }"}});
  const auto now = [&] { return insert("request.respond(200, require('../lib/settings')())"); };
  environment = std::make_shared<const std::string>(R"({"env":{"MY":"1","OLD":"1"},"config":{"name":"a","old":true,"appSettings":{"MY":"1","OLD":"1"}}})");
  EXPECT_EQ(now(), R"([true,"a",true,"1","1","1","1"])");
  environment = std::make_shared<const std::string>(R"({"env":{"MY":"2"},"config":{"name":"b","appSettings":{"MY":"2"}}})");
  EXPECT_EQ(now(), R"([true,"b",null,"2",null,"2",null])");
}

TEST_F(Modules, WhatCodePutsIntoItsEnvironmentOutlivesAChangeOfSettings) {
  files({{"lib/env.js", "process.env.OURS = 'ours'; const config = require('mobileservice-config'); config.ours = 1; config.appSettings.ours = 2;"
                        "module.exports = function () { return [process.env.OURS, process.env.MY, process.env.OLD, config.ours, config.appSettings.ours, config.appSettings.OLD, config.name] }"}});
  const auto now = [&] { return insert("request.respond(200, require('../lib/env')())"); };
  environment = std::make_shared<const std::string>(R"({"env":{"MY":"1","OLD":"1"},"config":{"name":"a","appSettings":{"OLD":"1"}}})");
  EXPECT_EQ(now(), R"(["ours","1","1",1,2,"1","a"])");
  for (const char* of : {"2", "3"}) {
    environment = std::make_shared<const std::string>(R"({"env":{"MY":")" + std::string(of) + R"("},"config":{"name":"b","appSettings":{}}})");
    EXPECT_EQ(now(), R"(["ours",")" + std::string(of) + R"(",null,1,2,null,"b"])");
  }
}

TEST_F(Modules, WhatCodeFreezesKeepsNothingElseFromTheNewSettings) {
  files({{"lib/frozen.js", "const config = require('mobileservice-config'); Object.freeze(process.env); Object.freeze(config.appSettings);"
                           "module.exports = function () { return [process.env.MY, config.appSettings.MY, config.name] }"},
         {"lib/none.js", "const config = require('mobileservice-config'); process.env = null; module.exports = function () { return config.name }"}});
  const auto now = [&](const char* file) { return insert("request.respond(200, require('../lib/" + std::string(file) + "')())"); };
  environment = std::make_shared<const std::string>(R"({"env":{"MY":"1"},"config":{"name":"a","appSettings":{"MY":"1"}}})");
  EXPECT_EQ(now("frozen"), R"(["1","1","a"])");
  environment = std::make_shared<const std::string>(R"({"env":{"MY":"2"},"config":{"name":"b","appSettings":{"MY":"2"}}})");
  EXPECT_EQ(now("frozen"), R"(["1","1","b"])");
  EXPECT_EQ(now("none"), R"("b")");
  environment = std::make_shared<const std::string>(R"({"env":{"MY":"3"},"config":{"name":"c"}})");
  EXPECT_EQ(now("none"), R"("c")");
}

TEST_F(Modules, FilesThatAreTooManyAreRefused) {
  files({{"a.bin", std::string(41 << 20, 'x')}});
  EXPECT_THAT(insert("request.respond(200, 1)"), ::testing::StartsWith("server_error: the service's files are larger than 40 MB"));
}

}  // namespace
}  // namespace mandate::scripts::test
