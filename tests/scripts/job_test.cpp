// Jobs (mobile-backend-wire 5.7): a function without a request, done when nothing of it is left running.
#include "tests/scripts/support.h"

namespace mandate::scripts::test {
namespace {

class Job : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { bench = new Bench({.wall = std::chrono::milliseconds(1500), .cpu = std::chrono::milliseconds(1000)}); }
  static void TearDownTestSuite() {
    delete bench;
    bench = nullptr;
  }
  std::string run(std::string source, std::string function = "J", std::string file = "") {
    Call call;
    call.realm = "r";
    call.kind = "job";
    call.name = file.empty() ? "/scheduler/" + function + ".js" : file;
    call.version = std::hash<std::string>()(source);
    call.source = std::move(source);
    call.context = to_json(JsonObject{{"function", function}});
    call.wall = wall;
    Result<Json> result = mandate::test::run(bench->loop, bench->host->run(std::move(call), binding));
    if (result.ok()) return to_json(*result);
    return std::string(name(result.error().code)) + ": " + result.error().detail;
  }
  static Bench* bench;
  std::shared_ptr<FakeBinding> binding = std::make_shared<FakeBinding>();
  std::chrono::milliseconds wall{0};
};
Bench* Job::bench = nullptr;

TEST_F(Job, ItsFunctionRunsWithoutArgumentsAndWithTheGlobalsOfScripts) {
  EXPECT_EQ(run("function J() { console.log(arguments.length, typeof tables, typeof push, typeof require, typeof statusCodes, typeof request) }"), "{}");
  EXPECT_THAT(binding->lines, ::testing::ElementsAre("log: 0 object object function object undefined"));
  EXPECT_EQ(run("function clean_up() { console.log('here') }", "clean_up"), "{}");
}

TEST_F(Job, ItIsDoneWhenNothingOfItIsLeftRunning) {
  binding->answers["tables.read"].push_back(json(R"({"results":[{"id":"1"},{"id":"2"}]})"));
  EXPECT_EQ(run(R"(
    function J() {
      tables.getTable('T').read({ success: function (rows) {
        setTimeout(function () { rows.forEach(function (row) { tables.getTable('T').del(row.id, { success: function () { console.log('gone', row.id) } }) }) }, 5);
      } });
    })"), "{}");
  EXPECT_THAT(binding->lines, ::testing::ElementsAre("log: gone 1", "log: gone 2"));
}

TEST_F(Job, PromisesHaveTheirTurnBeforeItIsDone) {
  binding->answers["tables.read"].push_back(json(R"({"results":[]})"));
  binding->answers["tables.insert"].push_back(json(R"({"item":{"id":"1"}})"));
  binding->answers["tables.insert"].push_back(json(R"({"item":{"id":"2"}})"));
  EXPECT_EQ(run("function J() { tables.getTable('T').read().then(function () {}).then(function () {}).then(function () { return tables.getTable('T').insert({ a: 1 }) }).then(function () { console.log('end') }) }"), "{}");
  EXPECT_THAT(binding->lines, ::testing::ElementsAre("log: end"));
  binding->lines.clear();
  EXPECT_EQ(run("async function J() { await tables.getTable('T').insert({ a: 1 }); await undefined; console.log('end') }"), "{}");
  EXPECT_THAT(binding->lines, ::testing::ElementsAre("log: end"));
}

TEST_F(Job, WhatItThrowsFailsIt) {
  EXPECT_THAT(run("function J() { throw new Error('at once') }"), ::testing::StartsWith("server_error: Error: at once\n    at J (/scheduler/J.js:1:22)"));
  EXPECT_THAT(run("function J() { setTimeout(function () { throw new Error('later') }, 1) }"), ::testing::StartsWith("server_error: Error: later"));
  EXPECT_THAT(run("async function J() { await undefined; throw new Error('rejected') }"), ::testing::StartsWith("server_error: Error: rejected"));
  binding->answers["tables.insert"].push_back(Error(Code::conflict, "taken"));
  EXPECT_THAT(run("function J() { tables.getTable('T').insert({ a: 1 }) }"), ::testing::StartsWith("server_error: Error: taken"));
}

TEST_F(Job, WithoutItsFunctionItFails) {
  EXPECT_THAT(run("function other() {}"), ::testing::StartsWith("server_error: Error: The script does not define the function J."));
  EXPECT_THAT(run("function J() {}", "not a name"), ::testing::HasSubstr("is not a name that a function can have"));
}

TEST_F(Job, OneFileMayHaveSeveral) {
  const std::string file = "function first() { console.log('first') }\nfunction second() { console.log('second') }";
  for (const char* each : {"first", "second", "first"}) EXPECT_EQ(run(file, each, "/scheduler/both.js"), "{}") << each;
  EXPECT_THAT(run(file, "third", "/scheduler/both.js"), ::testing::HasSubstr("does not define the function third"));
  EXPECT_THAT(binding->lines, ::testing::ElementsAre("log: first", "log: second", "log: first"));
}

TEST_F(Job, ItMayTakeLongerThanOtherCallsWhenItsCallSaysSo) {
  EXPECT_THAT(run("function J() { setInterval(function () {}, 10) }"), ::testing::StartsWith("timeout: "));
  wall = std::chrono::milliseconds(60'000);
  EXPECT_EQ(run("function J() { setTimeout(function () {}, 1600) }"), "{}");
}

TEST_F(Job, EachRunStartsAnew) {
  for (int i = 0; i < 2; ++i) EXPECT_EQ(run("var count = 0; function J() { console.log(++count) }"), "{}");
  EXPECT_THAT(binding->lines, ::testing::ElementsAre("log: 1", "log: 1"));
}

}  // namespace
}  // namespace mandate::scripts::test
