// A house in trouble, seen at its doors: opened with what a test chooses, brought to tests/wire/tenant.yaml, and asked.
#pragma once

#include <gtest/gtest.h>

#include "server/house.h"
#include "tests/support/temp_store.h"
#include "tests/support/test_loop.h"

namespace mandate::test {

/// The fixture of such tests. `loop` is the only one; `house` is null until open() and after close().
class OneHouse : public testing::Test {
 protected:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  ~OneHouse() override { close(); }

  /// Opens it in `directory` and applies the tenant. Fails the test when either is refused.
  void open(server::HouseOptions options);
  void close();

  http::Response send(const http::Router& router, http::Method method, const std::string& path, const Headers& headers, const std::string& body);
  /// At the public doors, as an app of the second dialect sends it.
  http::Response ask(http::Method method, const std::string& path, const std::string& body = {});
  http::Response post(const std::string& path, const std::string& body) { return ask(http::Method::post, path, body); }
  http::Response get(const std::string& path) { return ask(http::Method::get, path); }
  http::Response login();
  /// A text member of an answer, or nothing.
  static std::string member(const http::Response& response, std::string_view name);
  /// 503 with Retry-After, and no word about the `engine`.
  static void expect_refused(const http::Response& response, const char* what, std::string_view engine);

  std::chrono::seconds patience{30};  ///< of each request
  TestLoop loop;
  TempDir directory;
  ManualClock clock;
  SystemRandom random;
  Log log{clock, Level::error, [](std::string_view) {}};
  Metrics metrics;
  std::unique_ptr<server::House> house;
};

}  // namespace mandate::test
