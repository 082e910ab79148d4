// http.fetch of scripts: what may go out, and what comes back.
#include "tables/script_fetch.h"

#include <gmock/gmock.h>

#include "tests/support/test_loop.h"

namespace mandate::tables {
namespace {

class FakeFetch final : public http::Fetch {
 public:
  Task<http::Fetched> send(http::FetchRequest request) override {
    asked.push_back(std::move(request));
    Result<http::Fetched> given = answer;
    co_return given;
  }
  std::vector<http::FetchRequest> asked;
  Result<http::Fetched> answer = http::Fetched{200, {}, "hello"};
};

class Fetching : public ::testing::Test {
 protected:
  Result<Json> fetch(std::string_view arguments) {
    Result<Json> given = parse_json(arguments);
    EXPECT_TRUE(given.ok()) << arguments;
    return test::run(loop, scripts.fetch("todo", given.ok() ? *given : Json(), kNoDeadline));
  }
  double exchanges(const std::string& outcome) const {
    const std::string text = metrics.prometheus_text(), line = "mandate_scripts_fetches_total{outcome=\"" + outcome + "\"} ";
    const std::size_t at = text.find(line);
    return at == std::string::npos ? -1 : std::strtod(text.c_str() + at + line.size(), nullptr);
  }

  test::TestLoop loop;
  SystemClock clock;
  std::vector<std::string> lines;
  Log log{clock, Level::info, [this](std::string_view line) { lines.emplace_back(line); }};
  Metrics metrics;
  FakeFetch outside;
  ScriptFetch scripts{outside, log, metrics};
};

TEST_F(Fetching, AnExchangeGoesOutAndComesBackWhole) {
  outside.answer->headers.add("Set-Cookie", "a=1").add("Set-Cookie", "b=2");
  const Result<Json> got = fetch(R"({"method":"POST","url":"https://e.example/x","headers":[["X-A","1"],["x-a","2"]],"body":"aGk="})");
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(to_json(*got), R"({"status":200,"headers":[["Set-Cookie","a=1"],["Set-Cookie","b=2"]],"body":"aGVsbG8="})");
  ASSERT_EQ(outside.asked.size(), 1U);
  EXPECT_EQ(outside.asked[0].method, http::Method::post);
  EXPECT_EQ(outside.asked[0].url, "https://e.example/x");
  EXPECT_EQ(outside.asked[0].body, "hi");
  EXPECT_EQ(outside.asked[0].headers.all().size(), 2U);
  EXPECT_EQ(exchanges("answered"), 1);
}

TEST_F(Fetching, WhatTheMessageItselfNeedsIsNotTheScripts) {
  for (const char* name : {"Host", "content-length", "Transfer-Encoding", "Connection", "Upgrade", "TE", "Expect", "Proxy-Authorization"})
    ASSERT_TRUE(fetch(std::string(R"({"url":"http://e.example/","headers":[[")") + name + R"(","x"]]})").ok()) << name;
  for (const auto& request : outside.asked) EXPECT_TRUE(request.headers.all().empty());
}

TEST_F(Fetching, NothingMalformedLeaves) {
  for (const char* bad : {R"([])", R"({"url":"http://e.example/","method":"TRACE"})", R"({"url":"http://e.example/","method":"GET / HTTP/1.1\r\nX: "})", R"({"url":"http://e.example/","headers":[["X\r\nY","1"]]})",
                          R"({"url":"http://e.example/","headers":[["X","a\r\nSet-Cookie: b"]]})", R"({"url":"http://e.example/","headers":[["X"]]})", R"({"url":"http://e.example/","headers":[["X",1]]})", R"({"url":"http://e.example/","body":"*"})"}) {
    const Result<Json> got = fetch(bad);
    ASSERT_FALSE(got.ok()) << bad;
    EXPECT_EQ(got.error().code, Code::bad_request) << bad;
  }
  EXPECT_TRUE(outside.asked.empty());
  EXPECT_EQ(exchanges("refused"), 8);
}

TEST_F(Fetching, ARefusedAddressIsCountedAndLoggedWithoutItsName) {
  outside.answer = Error(Code::bad_request, "blocked_address", "10.0.0.1");
  const Result<Json> got = fetch(R"({"url":"http://secret.internal/"})");
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().hint, "blocked_address");
  EXPECT_THAT(lines, ::testing::ElementsAre(::testing::AllOf(::testing::HasSubstr("scripts.fetch_refused"), ::testing::HasSubstr("todo"), ::testing::Not(::testing::HasSubstr("secret")))));
  outside.answer = Error(Code::timeout, "");
  EXPECT_EQ(fetch(R"({"url":"http://slow.example/"})").error().code, Code::timeout);
  EXPECT_EQ(exchanges("failed"), 1);
}

TEST_F(Fetching, ATimeoutOfTheScriptIsTheDeadline) {
  const auto before = std::chrono::steady_clock::now();
  ASSERT_TRUE(fetch(R"({"url":"http://e.example/","timeout":1000})").ok());
  ASSERT_TRUE(fetch(R"({"url":"http://e.example/"})").ok());
  EXPECT_GE(outside.asked[0].deadline, before + std::chrono::milliseconds(1000));
  EXPECT_LT(outside.asked[0].deadline, kNoDeadline);
  EXPECT_EQ(outside.asked[1].deadline, kNoDeadline);
}

}  // namespace
}  // namespace mandate::tables
