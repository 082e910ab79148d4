// SC-2, RL-19: runaway scripts end alone.
#include "tests/scripts/support.h"

namespace mandate::scripts::test {
namespace {

using namespace std::chrono_literals;

class Runaway : public ::testing::Test {
 protected:
  /// Runs `bad` among well-behaved calls of its own and of another realm; they must all succeed.
  static std::string among_neighbours(Bench& bench, const std::string& bad) {
    std::optional<Result<Json>> verdict;
    int good = 0, done = 0;
    const auto well = [&](std::string realm) {
      Call call = bench.call("function insert(item, user, request) { item.ok = 1; request.execute(); }", kInsert, std::move(realm));
      spawn(bench.host->run(std::move(call), std::make_shared<FakeBinding>()), [&](Result<Json> r) { good += r.ok(), ++done; });
    };
    (void)bench.run("function insert(i, u, request) { request.respond(200) }", kInsert);
    for (int i = 0; i < 5; ++i) well("r"), well("other");
    spawn(bench.host->run(bench.call("function insert(item, user, request) {" + bad + "\n}", kInsert), std::make_shared<FakeBinding>()), [&](Result<Json> r) { verdict.emplace(std::move(r)); });
    for (int i = 0; i < 5; ++i) well("r"), well("other");
    bench.loop.run_until([&] { return verdict && done == 20; });
    EXPECT_EQ(good, 20) << bad;
    // And the next one finds everything as before.
    EXPECT_EQ(bench.outcome("function insert(i, u, request) { request.respond(200) }", kInsert), R"({"answer":{"status":200}})") << bad;
    if (verdict->ok()) return to_json(**verdict);
    return std::string(name(verdict->error().code)) + ": " + verdict->error().detail;
  }
  std::string among_neighbours(const std::string& bad) { return among_neighbours(bench, bad); }
  /// For scripts that fail by what they do: the wall limit is far away, so nothing depends on the machine's speed.
  Bench bench{Limits{.wall = 50'000ms, .cpu = 600ms}};
};

TEST_F(Runaway, AnEndlessLoopIsEndedWithinItsLimit) {
  (void)bench.run("function insert(i, u, request) { request.respond(200) }", kInsert);
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(bench.outcome("function insert() { for (;;) {} }", kInsert), "server_error: the script held its thread for more than 600 ms");
  EXPECT_LT(std::chrono::steady_clock::now() - began, 1500ms);
  EXPECT_EQ(bench.metric("mandate_scripts_failures_total{reason=\"cpu\"}"), 1);
}

// Twelve together hold the thread far longer than one may.
TEST_F(Runaway, SlowCallsBehindEachOtherAreNotTakenForAnEndlessOne) {
  (void)bench.run("function insert(i, u, request) { request.respond(200) }", kInsert);
  int good = 0, done = 0;
  for (int i = 0; i < 12; ++i)
    spawn(bench.host->run(bench.call("function insert(item, user, request) { for (var t = Date.now(); Date.now() - t < 150;); request.execute(); }", kInsert), std::make_shared<FakeBinding>()), [&](Result<Json> r) { good += r.ok(), ++done; });
  bench.loop.run_until([&] { return done == 12; });
  EXPECT_EQ(good, 12);
  EXPECT_EQ(bench.metric("mandate_scripts_retries_total"), 0);
}

// Modules are loaded in their service's own context, and ES modules when their promises come to rest: the watchdog knows whose they are.
TEST_F(Runaway, ModulesAreWatchedAsScriptsAre) {
  const auto ask = [&](std::string file, std::string source) {
    Call call;
    call.realm = "r";
    call.kind = "api";
    call.name = "/" + file;
    call.context = R"({"file":")" + file + R"(","method":"get","path":"/","user":{"level":"anonymous"}})";
    call.bundle = std::make_shared<const Bundle>(Bundle{source, {{file, source}}});
    Result<Json> result = mandate::test::run(bench.loop, bench.host->run(std::move(call), std::make_shared<FakeBinding>()));
    return result.ok() ? to_json(*result) : std::string(name(result.error().code)) + ": " + result.error().detail;
  };
  EXPECT_EQ(ask("api/a.js", "for (;;) {}"), "server_error: the script held its thread for more than 600 ms");
  EXPECT_EQ(ask("api/a.mjs", "for (;;) {}"), "server_error: the script held its thread for more than 600 ms");
  EXPECT_EQ(ask("api/a.js", "exports.get = async function () { await null; for (;;) {} }"), "server_error: the script held its thread for more than 600 ms");
  EXPECT_THAT(ask("api/a.js", "exports.get = function () { var all = []; for (;;) all.push(new Array(1000).fill(all)) }"), ::testing::StartsWith("server_error: the script "));
  EXPECT_EQ(ask("api/a.js", "exports.get = function (q, s) { s.json(1) }"), R"({"status":200,"headers":[["Content-Type","application/json; charset=utf-8"]],"body":"1"})");
}

TEST_F(Runaway, LoopsOfEveryKindEndAlone) {
  for (const char* bad : {"while (true) {}", "(function f() { Promise.resolve().then(f) })()", "/(a+)+$/.test('a'.repeat(40) + 'b')", "try { for (;;) {} } finally { for (;;) {} }"})
    EXPECT_THAT(among_neighbours(bad), ::testing::StartsWith("server_error: the script held its thread")) << bad;
}

TEST_F(Runaway, MemoryOfEveryKindEndsAlone) {
  for (const char* bad : {"Array(2 ** 27).fill(1)", "var a = []; for (;;) a.push(new Array(1000).fill(a))", "var s = 'x'; for (;;) s += s", "var m = new Map(); for (var i = 0; ; ++i) m.set(i, { i: i })",
                          "var a = []; for (;;) a.push(Buffer.alloc(1 << 26))", "var a = []; for (;;) a.push(new Float64Array(1 << 24))", "(function f() { f() })()", "new Array(2 ** 32)"})
    EXPECT_THAT(among_neighbours(bad), ::testing::StartsWith("server_error: ")) << bad;
}

TEST_F(Runaway, TrapsThatRunWhileAnAnswerIsWrittenEndAlone) {
  for (const char* bad : {"request.respond(200, new Proxy({}, { ownKeys: function () { for (;;) {} } }))", "request.respond(200, { toJSON: function () { for (;;) {} } })", "request.respond(200, { get a() { for (;;) {} } })",
                          "item.a = new Proxy({}, { get: function () { for (;;) {} } }); request.execute()", "console.log(new Proxy({}, { get: function () { for (;;) {} }, ownKeys: function () { for (;;) {} } })); for (;;) {}",
                          "for (;;) console.log('x')", "var e = new Error(); Object.defineProperty(e, 'message', { get: function () { for (;;) {} } }); throw e", "/^(a|a?)+$/.test('a'.repeat(50) + 'b')", "(function f() { Promise.resolve().then(f).then(f) })()",
                          "(async function () { for (;;) await null })()"})
    EXPECT_THAT(among_neighbours(bad), ::testing::StartsWith("server_error: the script held its thread")) << bad;
}

TEST_F(Runaway, WhatCannotBeWrittenAsAnAnswerFailsItsCallOnly) {
  const std::pair<const char*, const char*> table[] = {
      {"var a = {}; a.a = a; request.respond(200, a)", "server_error: TypeError: Converting circular structure to JSON"},
      {"var a = []; for (var i = 0; i < 1e6; ++i) a = [a]; request.respond(200, a)", "server_error: RangeError: Maximum call stack size exceeded"},
      {"var a = []; for (var i = 0; i < 100; ++i) a = [a]; request.respond(200, a)", "server_error: the script's answer cannot be read"},
      {"request.respond(200, { toJSON: function () { throw new Error('mine') } })", "server_error: Error: mine"},
      {"request.respond(200, new Proxy({}, { ownKeys: function () { throw new Error('mine') } }))", "server_error: Error: mine"},
      {"request.respond(200, 10n)", "server_error: TypeError: Do not know how to serialize a BigInt"},
      {"request.respond(200, 'x'.repeat(5 << 20))", "server_error: Error: The script's answer is larger than"},
      {"for (var i = 0; i < 2000; ++i) setTimeout(function () {}, 1000)", "server_error: Error: The script has too many timers."},
      {"for (;;) tables.current.read()", "server_error: Error: The script has too many calls under way."},
      {"(function f() { f() })()", "server_error: RangeError: Maximum call stack size exceeded"},
      {"throw { get message() { throw 1 } }", "server_error: The script threw something that cannot be shown."},
      {"Promise.reject(new Error('left alone'))", "server_error: Error: left alone"},
  };
  for (const auto& [bad, wanted] : table) EXPECT_THAT(among_neighbours(bad), ::testing::StartsWith(wanted)) << bad;
}

TEST_F(Runaway, AFloodOfConsoleLinesIsCutAndTheCallGoesOn) {
  auto binding = std::make_shared<FakeBinding>();
  EXPECT_EQ(bench.outcome("function insert(i, u, request) { for (var n = 0; n < 5000; ++n) console.log('x'.repeat(20000)); request.respond(200) }", kInsert, binding), R"({"answer":{"status":200}})");
  ASSERT_EQ(binding->lines.size(), 1000U);
  EXPECT_EQ(binding->lines.front().size(), std::string("log: ").size() + 10'000);
  EXPECT_EQ(binding->lines.back(), "log: Further lines of this call are left out.");
}

TEST_F(Runaway, FloodsOfTimersAndSilenceEndAtTheWallLimitOrBefore) {
  Bench brief{Limits{.wall = 4000ms, .cpu = 600ms}};
  for (const char* bad : {"setInterval(function () {}, 0)", "(function f() { setTimeout(f, 0) })()", "new Promise(function () {})", "(function f() { var t = Date.now(); while (Date.now() - t < 50); setTimeout(f, 0) })()"})
    EXPECT_THAT(among_neighbours(brief, bad), ::testing::AnyOf(::testing::StartsWith("timeout: "), ::testing::StartsWith("server_error: "))) << bad;
  const double before = brief.metric("mandate_scripts_failures_total{reason=\"timeout\"}");
  EXPECT_THAT(among_neighbours(brief, ""), ::testing::StartsWith("timeout: "));
  EXPECT_EQ(brief.metric("mandate_scripts_failures_total{reason=\"timeout\"}"), before + 1);
  EXPECT_EQ(brief.metric("mandate_scripts_in_flight"), 0);
}

TEST(Host, WithoutNodeScriptsSayWhatIsMissing) {
  Bench bench({}, "/nowhere/node");
  Result<Json> result = bench.run("function insert() {}", kInsert);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, Code::temporarily_unavailable);
  EXPECT_THAT(result.error().hint, ::testing::HasSubstr("Node.js 18"));
}

TEST(Host, AProgramThatIsNotNodeIsUnavailable) {
  Bench bench({.wall = 5000ms}, "/bin/false");
  Result<Json> result = bench.run("function insert() {}", kInsert);
  ASSERT_FALSE(result.ok());
  EXPECT_THAT(name(result.error().code), ::testing::AnyOf("temporarily_unavailable", "server_error"));
}

TEST(Host, NoProcessIsStartedBeforeTheFirstCall) {
  Bench bench;
  EXPECT_EQ(bench.metric("mandate_scripts_children_started_total"), 0);
}

TEST(Host, StoppingFailsTheCallsUnderWay) {
  Bench bench;
  std::optional<Result<Json>> result;
  spawn(bench.host->run(bench.call("function insert() {}", kInsert), std::make_shared<FakeBinding>()), [&](Result<Json> r) { result.emplace(std::move(r)); });
  bench.host->stop();
  bench.loop.run_until([&] { return result.has_value(); });
  EXPECT_EQ(result->error().code, Code::temporarily_unavailable);
}

TEST(Host, ManyCallsAtOnceAllAnswer) {
  Bench bench;
  int done = 0, good = 0;
  for (int i = 0; i < 500; ++i)
    spawn(bench.host->run(bench.call("function insert(item, user, request) { item.userId = user.userId; request.execute(); }", kInsert, "r" + std::to_string(i % 3)), std::make_shared<FakeBinding>()),
          [&](Result<Json> r) { good += r.ok(), ++done; });
  bench.loop.run_until([&] { return done == 500; });
  EXPECT_EQ(good, 500);
}

}  // namespace
}  // namespace mandate::scripts::test
