// A host with real Node behind it, and a binding that remembers.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "base/json.h"
#include "scripts/host.h"
#include "tests/support/test_loop.h"

namespace mandate::scripts::test {

using mandate::test::TestLoop;

/// Answers every method with what the test put there; without that, with an empty object.
class FakeBinding final : public Binding {
 public:
  struct Asked {
    std::string method;
    Json arguments;
  };
  Task<Json> invoke(std::string_view method, Json arguments) override {
    const std::string word(method);
    asked.push_back({word, std::move(arguments)});
    auto& queue = answers[word];
    if (queue.empty()) co_return Json(JsonObject{});
    Result<Json> next = std::move(queue.front());
    queue.pop_front();
    co_return next;
  }
  void console(std::string_view level, std::string_view text) override { lines.push_back(std::string(level) + ": " + std::string(text)); }

  std::vector<Asked> asked;
  std::map<std::string, std::deque<Result<Json>>> answers;
  std::vector<std::string> lines;
};

inline Json json(std::string_view text) {
  Result<Json> value = parse_json(text);
  EXPECT_TRUE(value.ok()) << text;
  return value.ok() ? *value : Json();
}

/// One host for many calls: starting Node takes a while.
class Bench {
 public:
  explicit Bench(Limits limits = {}, std::string node = "node")
      : log(clock, Level::info, [this](std::string_view line) { log_lines.emplace_back(line); }),
        host(make_host({.children = 1, .node = std::move(node), .limits = limits, .run_as = {}}, log, metrics)) {}
  ~Bench() { host->stop(); }

  Call call(std::string source, std::string_view context, std::string realm = "r") {
    Call out;
    out.realm = std::move(realm);
    out.context = std::string(context);
    const std::string operation(view(json(context).as_object().at("operation").as_string()));
    out.version = std::hash<std::string>()(source);
    out.source = std::move(source);
    out.name = "/table/T." + operation + ".js";
    return out;
  }
  Result<Json> run(std::string source, std::string_view context, std::shared_ptr<Binding> binding = std::make_shared<FakeBinding>(), std::string realm = "r") {
    Call made = call(std::move(source), context, std::move(realm));
    return mandate::test::run(loop, host->run(std::move(made), std::move(binding)));
  }
  /// The outcome as text; "code: detail" for a failure.
  std::string outcome(std::string source, std::string_view context, std::shared_ptr<Binding> binding = std::make_shared<FakeBinding>(), std::string realm = "r") {
    Result<Json> result = run(std::move(source), context, std::move(binding), std::move(realm));
    if (result.ok()) return to_json(*result);
    return std::string(name(result.error().code)) + ": " + result.error().detail;
  }
  double metric(std::string_view line) const {
    const std::string text = metrics.prometheus_text();
    const std::size_t at = text.find("\n" + std::string(line) + " ");
    return at == std::string::npos ? 0 : std::strtod(text.c_str() + at + line.size() + 2, nullptr);
  }

  TestLoop loop;
  SystemClock clock;
  std::vector<std::string> log_lines;
  Log log;
  Metrics metrics;
  std::unique_ptr<Host> host;
};

inline constexpr std::string_view kInsert = R"({"operation":"insert","table":"T","item":{"text":"milk"},"user":{"level":"authenticated","userId":"u1"}})";
inline constexpr std::string_view kUpdate = R"({"operation":"update","table":"T","id":"7","item":{"id":"7","text":"milk"},"user":{"level":"authenticated","userId":"u1"}})";
inline constexpr std::string_view kDelete = R"({"operation":"del","table":"T","id":"7","user":{"level":"authenticated","userId":"u1"}})";
inline constexpr std::string_view kRead = R"({"operation":"read","table":"T","query":{},"user":{"level":"authenticated","userId":"u1"}})";

}  // namespace mandate::scripts::test
