// SC-2, RL-19: runaway scripts end alone.
#include "tests/scripts/support.h"

namespace mandate::scripts::test {
namespace {

using namespace std::chrono_literals;

class Runaway : public ::testing::Test {
 protected:
  /// Runs `bad` among well-behaved calls of its own and of another realm; they must all succeed.
  std::string among_neighbours(const std::string& bad) {
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
  Bench bench{Limits{.wall = 8000ms, .cpu = 600ms}};
};

TEST_F(Runaway, AnEndlessLoopIsEndedWithinItsLimit) {
  (void)bench.run("function insert(i, u, request) { request.respond(200) }", kInsert);
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(bench.outcome("function insert() { for (;;) {} }", kInsert), "server_error: the script held its thread for more than 600 ms");
  EXPECT_LT(std::chrono::steady_clock::now() - began, 1500ms);
  EXPECT_EQ(bench.metric("mandate_scripts_failures_total{reason=\"cpu\"}"), 1);
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

TEST_F(Runaway, FloodsEndAtTheWallLimitOrBefore) {
  for (const char* bad : {"setInterval(function () {}, 0)", "(function f() { setTimeout(f, 0) })()", "new Promise(function () {})", "for (;;) setTimeout(function () {}, 1000)", "for (;;) tables.current.read()",
                          "(function f() { var t = Date.now(); while (Date.now() - t < 50); setTimeout(f, 0) })()"})
    EXPECT_THAT(among_neighbours(bad), ::testing::AnyOf(::testing::StartsWith("timeout: "), ::testing::StartsWith("server_error: "))) << bad;
}

TEST_F(Runaway, SilenceIsATimeoutAndBothCountersSaySo) {
  EXPECT_THAT(among_neighbours(""), ::testing::StartsWith("timeout: "));
  EXPECT_EQ(bench.metric("mandate_scripts_failures_total{reason=\"timeout\"}"), 1);
  EXPECT_EQ(bench.metric("mandate_scripts_in_flight"), 0);
}

TEST_F(Runaway, AnAnswerThatIsTooLargeFailsItsCallOnly) {
  EXPECT_THAT(among_neighbours("request.respond(200, 'x'.repeat(5 << 20))"), ::testing::StartsWith("server_error: Error: The script's answer is larger than"));
}

TEST_F(Runaway, ADeadProcessIsReplacedAndTheInnocentRunAgain) {
  (void)bench.run("function insert(i, u, request) { request.respond(200) }", kInsert);
  for (int round = 0; round < 3; ++round) EXPECT_THAT(among_neighbours("Array(2 ** 27).fill(1)"), ::testing::StartsWith("server_error: "));
  EXPECT_LE(bench.metric("mandate_scripts_children"), 2);
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
