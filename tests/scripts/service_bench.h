// Calls of scripts that have the files of a service around them.
#pragma once

#include "tests/scripts/support.h"

namespace mandate::scripts::test {

class ServiceTest : public ::testing::Test {
 protected:
  using Files = std::map<std::string, std::string, std::less<>>;

  static void SetUpTestSuite() { bench = new Bench({.wall = std::chrono::milliseconds(20'000), .cpu = std::chrono::milliseconds(5000)}); }
  static void TearDownTestSuite() {
    delete bench;
    bench = nullptr;
  }
  void SetUp() override { realm = ::testing::UnitTest::GetInstance()->current_test_info()->name(); }

  void files(Files given, std::string version = "1") { bundle = std::make_shared<const Bundle>(Bundle{std::move(version), std::move(given)}); }

  Call call(std::string source, std::string_view context = kInsert) {
    Call out = bench->call(std::move(source), context, realm);
    out.bundle = bundle;
    out.environment = environment;
    return out;
  }
  /// A call of `kind` on a file of the service.
  std::string serve(std::string kind, std::string file, JsonObject context) {
    Call out;
    out.realm = realm;
    out.kind = std::move(kind);
    out.name = "/" + file;
    context[out.kind == "hooks" ? "script" : "file"] = file;
    out.context = to_json(context);
    out.bundle = bundle;
    out.environment = environment;
    return text_of(mandate::test::run(bench->loop, bench->host->run(std::move(out), binding)));
  }
  /// What the script answered, or "code: detail".
  static std::string text_of(const Result<Json>& result) {
    if (!result.ok()) return std::string(name(result.error().code)) + ": " + result.error().detail;
    const auto* object = result->if_object();
    const Json* answer = object ? object->if_contains("answer") : nullptr;
    const Json* body = answer && answer->is_object() ? answer->get_object().if_contains("body") : nullptr;
    return to_json(body ? *body : *result);
  }
  std::string insert(const std::string& body) { return text_of(mandate::test::run(bench->loop, bench->host->run(call("function insert(item, user, request) {" + body + "\n}"), binding))); }

  static inline Bench* bench = nullptr;
  std::string realm;
  BundlePtr bundle;
  std::shared_ptr<const std::string> environment;
  std::shared_ptr<FakeBinding> binding = std::make_shared<FakeBinding>();
};

}  // namespace mandate::scripts::test
