// SC-1, SC-3, SC-5: nothing of the process is within reach, and nothing is left behind for the next call.
#include "tests/scripts/support.h"
#include "tests/scripts/support_processes.h"

namespace mandate::scripts::test {
namespace {

class Isolation : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { bench = new Bench({.wall = std::chrono::milliseconds(3000), .cpu = std::chrono::milliseconds(1000)}); }
  static void TearDownTestSuite() {
    delete bench;
    bench = nullptr;
  }
  std::string insert(const std::string& body, std::string_view context = kInsert) { return bench->outcome("function insert(item, user, request) {" + body + "\n}", context); }
  static Bench* bench;
};
Bench* Isolation::bench = nullptr;

TEST_F(Isolation, ConstructorsLeadNowhere) {
  const char* objects[] = {
      "this", "globalThis", "item", "user", "request", "request.execute", "tables", "tables.getTable", "console", "console.log", "require", "setTimeout", "process", "process.nextTick", "Buffer", "Buffer.from('a')", "Buffer.prototype.toString",
      "statusCodes", "require('util')", "require('util').format", "require('crypto').createHash('sha1')", "require('crypto').randomBytes(1)", "fetch", "require('http')", "require('http').get", "require('events')", "require('request')", "require('zlib').gzipSync", "require('assert')", "require('string_decoder')", "require('url').parse('http://a')", "new (require('url').URL)('http://a')",
      "require('querystring').parse('a=b')", "require('path')", "new Error('x')", "Promise.resolve()", "(function () {})", "(async function () {})", "(function* () {})", "[]", "/a/", "Symbol.iterator", "new Proxy({}, {})",
      "tables.current.where({})", "user.getIdentities"};
  for (const char* object : objects) {
    const std::string probe = std::string(R"(
      var seen = [], value = )") + object + R"(;
      ['constructor', '__proto__'].forEach(function (first) {
        try {
          var make = value[first].constructor;
          for (var i = 0; i < 3; ++i) { try { var found = make('return typeof process === "undefined" ? "nothing" : process')(); seen.push(found === undefined || found === 'nothing' ? 'nothing' : 'REACHED'); } catch (e) { seen.push('refused'); } make = make.constructor; }
        } catch (e) { seen.push('refused'); }
      });
      request.respond(200, seen.indexOf('REACHED') < 0);)";
    EXPECT_EQ(insert(probe), R"({"answer":{"status":200,"body":true}})") << object;
  }
}

TEST_F(Isolation, PayloadsFindNothing) {
  const std::pair<const char*, const char*> payloads[] = {
      {"typeof process.binding + typeof process.exit + typeof process.mainModule + typeof process.dlopen", "undefinedundefinedundefinedundefined"},
      {"Object.keys(process.env).length", "0"},
      {"typeof module + typeof exports + typeof __filename + typeof WebSocket + typeof XMLHttpRequest", "undefinedundefinedundefinedundefinedundefined"},
      {"typeof WebAssembly + typeof SharedArrayBuffer + typeof Atomics + typeof structuredClone + typeof performance + typeof queueMicrotask", "undefinedundefinedundefinedundefinedundefinedundefined"},
      {"(function () { return typeof this })()", "undefined"},
      {"(function () { try { return eval('1') } catch (e) { return e.name } })()", "ReferenceError"},
      {"(function () { try { return new Function('return 1')() } catch (e) { return e.name } })()", "EvalError"},
      {"(function () { try { return (async function () {}).constructor('return 1') } catch (e) { return e.name } })()", "EvalError"},
      {"(function () { try { Error.prepareStackTrace = function (e, s) { return s }; return typeof new Error().stack } catch (e) { return e.name } })()", "TypeError"},
      {"(function () { try { setTimeout('1') } catch (e) { return e.name } })()", "TypeError"},
      {"(function () { try { return arguments.callee.name } catch (e) { return e.name } })()", "TypeError"},
      {"(function () { try { Object.setPrototypeOf(Object.prototype, {}) } catch (e) { return e.name } })()", "TypeError"},
      {"(function () { function f() { try { f() } catch (e) { return } console.log(new Proxy({}, { get: f, ownKeys: f })) } f(); return 'ended' })()", "ended"},
      {"(function () { try { require({ toString: function () { return 'fs' } }) } catch (e) { return e instanceof Error } })()", "true"},
      {"(function () { try { null.x } catch (e) { return e instanceof TypeError } })()", "true"},
      {"require('util').inspect(new Proxy({}, { get: function () { throw 1 } }))", "{}"},
  };
  for (const auto& [payload, wanted] : payloads) EXPECT_EQ(insert(std::string("request.respond(200, String(") + payload + "))"), std::string(R"({"answer":{"status":200,"body":")") + wanted + R"("}})") << payload;
}

TEST_F(Isolation, DynamicImportGivesNothing) {
  for (const char* name : {"fs", "node:fs", "data:text/javascript,export default 1", "/etc/passwd"})
    EXPECT_EQ(insert(std::string("import('") + name + R"(').then(function () { request.respond(200, 'REACHED') }, function (e) {
      var out; try { out = e.constructor.constructor('return process')() } catch (x) { out = x.name }
      try { e.constructor.prototype.left = 1; out += 'CHANGED' } catch (x) {}
      request.respond(200, out) }))"), R"({"answer":{"status":200,"body":"EvalError"}})") << name;
}

TEST_F(Isolation, ErrorsOfTheHostCannotBeUsedToChangeIt) {
  EXPECT_EQ(insert(R"(
    var out = [];
    [function () { Buffer.alloc(-1) }, function () { require('url').parse(5) }, function () { require('crypto').createHash('nosuch') }, function () { new (require('url').URL)('x') }].forEach(function (f) {
      try { f(); out.push('no error') } catch (e) {
        try { e.constructor.constructor('return process')(); out.push('REACHED') } catch (x) {}
        try { Object.getPrototypeOf(Object.getPrototypeOf(e)).left = 1; out.push('CHANGED') } catch (x) {}
      }
    });
    ['from', 'alloc', 'poolSize'].forEach(function (name) { try { Buffer[name] = null; out.push('CHANGED ' + name) } catch (x) {} });
    ['toString', 'slice'].forEach(function (name) { try { Buffer.prototype[name] = null; out.push('CHANGED ' + name) } catch (x) {} });
    request.respond(200, out);)"), R"({"answer":{"status":200,"body":[]}})");
}

TEST_F(Isolation, GlobalsOfOneCallAreUnknownToTheNext) {
  EXPECT_EQ(insert("globalThis.left = user.userId; Array.prototype.last = function () { return 'mine' }; request.respond(200, [left, [1].last()])"), R"({"answer":{"status":200,"body":["u1","mine"]}})");
  EXPECT_EQ(insert("request.respond(200, [typeof left, typeof globalThis.left, typeof [].last])"), R"({"answer":{"status":200,"body":["undefined","undefined","undefined"]}})");
  EXPECT_THAT(insert("left = 1"), ::testing::StartsWith("server_error: ReferenceError"));
  EXPECT_THAT(insert("JSON = 1"), ::testing::StartsWith("server_error: TypeError"));
}

TEST_F(Isolation, VariablesOfTheScriptsFileStartAnewEachTime) {
  const std::string source = "var count = 0; const seen = []; function insert(item, user, request) { ++count; seen.push(1); request.respond(200, [count, seen.length]) }";
  for (int i = 0; i < 3; ++i) EXPECT_EQ(bench->outcome(source, kInsert), R"({"answer":{"status":200,"body":[1,1]}})");
}

TEST_F(Isolation, NothingSharedKeepsASecret) {
  const char* places[] = {"Object.prototype", "Array.prototype", "Math", "JSON", "Date", "console", "tables.constructor.prototype", "query_of().constructor", "request.constructor.prototype", "Promise", "Buffer", "require('util')", "require('crypto')", "require('http')", "require('events')", "require('events').prototype", "require('request')", "require('zlib')", "require('assert')", "fetch",
                          "statusCodes", "setTimeout.constructor.prototype", "Object.getPrototypeOf(request.execute)", "(function* () {}).constructor.prototype", "Object.getPrototypeOf([][Symbol.iterator]())", "Intl", "RegExp"};
  for (const char* place : places) {
    insert(std::string("function query_of() { return tables.current.where({}) } try { (") + place + ").secret = 'left' } catch (e) {} request.respond(200)");
    EXPECT_EQ(insert(std::string("function query_of() { return tables.current.where({}) } request.respond(200, typeof (") + place + ").secret)"), R"({"answer":{"status":200,"body":"undefined"}})") << place;
  }
  insert("/(secret)/.test('my secret'); request.respond(200)");
  EXPECT_EQ(insert("request.respond(200, [typeof RegExp.$1, typeof RegExp.input, typeof RegExp['$_']])"), R"({"answer":{"status":200,"body":["undefined","undefined","undefined"]}})");
  EXPECT_EQ(insert("request.respond(200, Buffer.from('ab').buffer.byteLength)"), R"({"answer":{"status":200,"body":2}})");
}

TEST_F(Isolation, BuiltInsMayStillBeOverriddenOnOnesOwnObjects) {
  EXPECT_EQ(insert(R"(
    function Base() {} Base.prototype.name = function () { return 'base' };
    function Sub() {} Sub.prototype = Object.create(Base.prototype); Sub.prototype.constructor = Sub; Sub.prototype.toString = function () { return 'sub' };
    var e = new Error('a'); e.name = 'Mine'; e.message = 'b';
    class Own extends Error { constructor(m) { super(m); this.name = 'Own'; } }
    var o = {}; o.hasOwnProperty = 1; o.constructor = 2;
    request.respond(200, [String(new Sub()), new Sub().name(), String(e), String(new Own('x')), o.constructor, Object.keys(o)]);)"),
            R"({"answer":{"status":200,"body":["sub","base","Mine: b","Own: x",2,["hasOwnProperty","constructor"]]}})");
}

TEST_F(Isolation, NamesOfPrototypesInBodiesArePlainData) {
  for (const char* name : {"__proto__", "constructor", "prototype", "toJSON"}) {
    const std::string one = std::string(R"({"operation":"insert","table":"T","item":{")") + name + R"(":{"polluted":true}},"user":{"level":"anonymous"}})";
    const std::string three = std::string(R"({"operation":"insert","table":"T","item":{"a":{"b":{")") + name + R"(":{"polluted":true}}}},"user":{"level":"anonymous"}})";
    EXPECT_EQ(insert("request.execute()", one), std::string(R"({"execute":{"item":{")") + name + R"(":{"polluted":true}}}})") << name;
    EXPECT_EQ(insert("var copy = Object.assign({}, item.a.b); request.respond(200, [typeof {}.polluted, typeof [].polluted])", three), R"({"answer":{"status":200,"body":["undefined","undefined"]}})") << name;
    EXPECT_EQ(insert("request.respond(200, typeof {}.polluted)"), R"({"answer":{"status":200,"body":"undefined"}})") << name;
  }
}

TEST_F(Isolation, RealmsAreApart) {
  EXPECT_EQ(bench->outcome("function insert(i, u, request) { request.respond(200, 1) }", kInsert, std::make_shared<FakeBinding>(), "tenant-a/default"), R"({"answer":{"status":200,"body":1}})");
  EXPECT_EQ(bench->outcome("function insert(i, u, request) { request.respond(200, 2) }", kInsert, std::make_shared<FakeBinding>(), "tenant-b/default"), R"({"answer":{"status":200,"body":2}})");
}

TEST_F(Isolation, EveryBuiltInThatReachesOutIsRefusedByName) {
  for (const char* name : {"fs", "node:fs", "fs/promises", "child_process", "net", "dgram", "tls", "http2", "dns", "worker_threads", "cluster", "vm", "os", "process", "module", "inspector", "v8", "perf_hooks", "async_hooks", "/etc/passwd", "./x"})
    EXPECT_THAT(insert("require('" + std::string(name) + "').x"), ::testing::StartsWith("server_error: Error: The module '" + std::string(name) + "' is not available to scripts.")) << name;
}

// What would open a file, start a process, connect or read the environment, written as a script would.
TEST_F(Isolation, FilesProcessesSocketsAndTheEnvironmentAreOutOfReach) {
  const std::pair<const char*, const char*> payloads[] = {
      {"require('fs').readFileSync('/etc/passwd')", "Error: The module 'fs' is not available to scripts."},
      {"require('fs').readFileSync('/proc/self/environ')", "Error: The module 'fs' is not available to scripts."},
      {"require('child_process').execSync('id')", "Error: The module 'child_process' is not available to scripts."},
      {"require('net').connect(80, '127.0.0.1')", "Error: The module 'net' is not available to scripts."},
      {"new (require('worker_threads').Worker)('1', { eval: true })", "Error: The module 'worker_threads' is not available to scripts."},
      {"process.binding('fs')", "TypeError: process.binding is not a function"},
      {"process.kill(1)", "TypeError: process.kill is not a function"},
      {"process.env.PATH.length", "TypeError: Cannot read properties of undefined (reading 'length')"},
      {"new WebSocket('ws://127.0.0.1')", "ReferenceError: WebSocket is not defined"},
  };
  for (const auto& [payload, error] : payloads) EXPECT_THAT(insert(payload), ::testing::StartsWith(std::string("server_error: ") + error)) << payload;
}

// A script that changes built-ins gets a context of its own; what it finds by that is its own call and no other.
TEST_F(Isolation, ChangedBuiltInsDoNotReachTheNeighbours) {
  EXPECT_EQ(insert(R"(
    var seen = [];
    ['get', 'set', 'delete'].forEach(function (name) { var was = Map.prototype[name]; Map.prototype[name] = function () { if (seen.indexOf(this) < 0) seen.push(this); return was.apply(this, arguments); }; });
    JSON.stringify = function () { return '{"answer":{"status":200,"body":"forged"}}'; };
    Object.prototype.polluted = 'yes'; Array.prototype.map = function () { return ['forged']; };
    setTimeout(function () {
      seen.forEach(function (map) { map.forEach(function (call) { if (call && call.post) { call.id += 1; try { call.post(1, 0, {}, 1); } catch (e) {} call.id -= 1; } }); });
      request.respond(200);
    }, 1);)"), R"({"answer":{"status":200}})");
  EXPECT_EQ(insert("request.respond(200, [typeof {}.polluted, [1].map(String), JSON.stringify({ a: 1 })])"), R"({"answer":{"status":200,"body":["undefined",["1"],"{\"a\":1}"]}})");
}

TEST_F(Isolation, TheProcessIsConfinedByTheKernel) {
  insert("request.respond(200)");
  const auto pids = children();
  ASSERT_FALSE(pids.empty());
  for (const int pid : pids) {
    EXPECT_EQ(status_line(pid, "NoNewPrivs"), "1");
    EXPECT_EQ(status_line(pid, "Seccomp"), "2");
    if (::geteuid() == 0) EXPECT_FALSE(status_line(pid, "Uid").starts_with("0"));
    std::ifstream environment("/proc/" + std::to_string(pid) + "/environ");
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(environment), {}), "");
    std::ifstream limits("/proc/" + std::to_string(pid) + "/limits");
    const std::string text((std::istreambuf_iterator<char>(limits)), {});
    EXPECT_THAT(text, ::testing::ContainsRegex("Max core file size +0 "));
    EXPECT_THAT(text, ::testing::ContainsRegex("Max data size +1073741824 "));
    char cwd[256];
    const ssize_t n = ::readlink(("/proc/" + std::to_string(pid) + "/cwd").c_str(), cwd, sizeof cwd);
    if (n > 0) EXPECT_EQ(std::string(cwd, static_cast<std::size_t>(n)), "/");
  }
}

}  // namespace
}  // namespace mandate::scripts::test
