// Several houses on one PostgreSQL, as several machines would be. They share the test's loop, and nothing else.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>

#include "base/url.h"
#include "identity/users.h"
#include "server/house.h"
#include "tests/support/postgres_server.h"
#include "tests/support/test_loop.h"
#include "tests/wire/fixture.h"

namespace mandate::nodes {

using namespace std::chrono_literals;
using Form = std::vector<std::pair<std::string, std::string>>;

struct NodeOptions {
  std::string url;
  bool notifications = true;
  int ro_per_minute = 600, delegations_per_minute = 10;
};

/// One node: its clock, its chance and its house are its own.
class Node {
 public:
  Node(test::TestLoop& loop, const NodeOptions& options, std::uint64_t seed) : loop_(loop), random(seed) {
    server::HouseOptions house_options;
    house_options.store_url = options.url;
    house_options.postgres.notifications = options.notifications;
    house_options.master_key = std::string(32, 'k');
    house_options.password_cost = {8192, 1};
    house_options.workers = 1;
    house_options.default_tenant = "-";
    house_options.rates.ro = options.ro_per_minute;
    house_options.delegations_per_minute = options.delegations_per_minute;
    house = std::make_unique<server::House>(house_options, clock, random, log, metrics);
    const auto opened = test::run(loop_, house->open());
    if (!opened.ok()) throw std::runtime_error(opened.error().hint + " " + opened.error().detail);
  }
  ~Node() { stop(); }
  void stop() {
    if (!house) return;
    loop_.run_until([this] { return !house->working(); });
    house->stop();
    for (int i = 0; i < 3; ++i) (void)test::run(loop_, sleep_for(1ms));
    house.reset();
  }

  /// Parts of a request that live until the answer is there.
  struct Asked {
    http::Request request;
    std::string target, body, authorization, host;
  };
  static std::shared_ptr<Asked> asked(http::Method method, const std::string& target, const Form& fields, std::string bearer = {},
                                      std::string_view host = wire::kHost) {
    auto out = std::make_shared<Asked>();
    for (const auto& [name, value] : fields) out->body += (out->body.empty() ? "" : "&") + name + "=" + percent_encode(value);
    http::Request& request = out->request;
    request.method = method;
    out->target = target;
    out->host = host;
    request.target = out->target;
    request.path = out->target.substr(0, out->target.find('?'));
    if (request.path.size() < out->target.size()) request.query = std::string_view(out->target).substr(request.path.size() + 1);
    request.host = out->host;
    request.secure = true;
    request.peer = "192.0.2.7";
    request.deadline = std::chrono::steady_clock::now() + 30s;
    request.body = out->body;
    if (method == http::Method::post) request.headers.add("Content-Type", "application/x-www-form-urlencoded");
    if (!bearer.empty()) {
      out->authorization = "Bearer " + bearer;
      request.headers.add("Authorization", out->authorization);
    }
    return out;
  }
  http::Response get(const std::string& path, std::string bearer = {}, std::string_view host = wire::kHost) {
    return answer(asked(http::Method::get, path, {}, std::move(bearer), host));
  }
  http::Response post(const std::string& path, const Form& fields) { return answer(asked(http::Method::post, path, fields)); }
  http::Response post_json(const std::string& path, std::string body) {
    auto all = std::make_shared<Asked>();
    all->body = std::move(body);
    all->request.method = http::Method::post;
    all->target = path;
    all->request.target = all->request.path = all->target;
    all->request.host = wire::kHost;
    all->request.secure = true;
    all->request.peer = "192.0.2.7";
    all->request.deadline = std::chrono::steady_clock::now() + 30s;
    all->request.body = all->body;
    all->request.headers.add("Content-Type", "application/json");
    all->request.headers.add("ZUMO-API-VERSION", "2.0.0");
    return answer(all);
  }
  http::Response answer(const std::shared_ptr<Asked>& asked) {
    auto answered = test::run(loop_, house->routes()->answer(asked->request));
    EXPECT_TRUE(answered.ok());
    return answered.ok() ? std::move(*answered) : http::Response(0);
  }
  /// The owner's door.
  http::Response own(const std::string& path, std::string body, std::string_view type) {
    Asked all;
    all.body = std::move(body);
    all.request.method = http::Method::post;
    all.request.target = all.request.path = path;
    all.request.host = "localhost";
    all.request.local_admin = true;
    all.request.body = all.body;
    all.request.headers.add("Content-Type", type);
    auto answered = test::run(loop_, house->owner_routes()->answer(all.request));
    EXPECT_TRUE(answered.ok());
    return answered.ok() ? std::move(*answered) : http::Response(0);
  }
  http::Response apply(std::string file) { return own("/admin/apply", std::move(file), "application/yaml"); }

  static std::string member(const http::Response& response, std::string_view name) {
    const auto body = parse_json(response.body);
    return body.ok() && body->is_object() ? std::string(text_member(body->get_object(), name).value_or("")) : std::string();
  }
  double metric(const std::string& name) {
    const std::string text = metrics.prometheus_text();
    const std::size_t at = text.find("\n" + name + " ");
    return at == std::string::npos ? -1 : std::atof(text.c_str() + at + 1 + name.size());
  }

 private:
  test::TestLoop& loop_;

 public:
  ManualClock clock;
  SeededRandom random;
  Log log{clock, Level::error, [](std::string_view line) { std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data()); }};
  Metrics metrics;
  std::unique_ptr<server::House> house;
};

/// Two nodes that serve the tenant of the wire transcripts; the parameter: whether notifications arrive.
class TwoNodes : public ::testing::TestWithParam<bool> {
 protected:
  explicit TwoNodes(NodeOptions options = {}) : options_(std::move(options)) {
    options_.url = database;
    options_.notifications = GetParam();
    a = std::make_unique<Node>(loop, options_, 1);
    const http::Response applied = a->apply(file());
    EXPECT_EQ(applied.status, 200) << applied.body;
    b = std::make_unique<Node>(loop, options_, 2);
  }
  ~TwoNodes() override {
    a.reset();
    b.reset();
    test::shared_postgres().drop_database(database);
  }

  static std::string file() {
    std::string text = wire::read_file(wire::kFolder / "tenant.yaml");
    return with_client(std::move(text), "rotating: {app_type: native, grant_types: [password_realm, refresh_token]}");
  }
  static std::string with_client(std::string text, const std::string& client) {
    text.insert(text.find("client_grants:\n"), "  " + client + "\n");
    return text;
  }
  static Form login(std::string password = "correct horse battery staple") {
    return {{"client_id", "todo"}, {"connection", "Username-Password-Authentication"}, {"username", "ana@example.org"}, {"password", std::move(password)},
            {"grant_type", "password"}, {"scope", "openid profile offline_access"}, {"device", "phone"}};
  }
  static Form refresh(std::string client, std::string token) {
    return {{"grant_type", "refresh_token"}, {"client_id", std::move(client)}, {"refresh_token", std::move(token)}};
  }
  /// Asks until it is so; how long that took. Fails after `limit`.
  std::chrono::milliseconds until(std::chrono::milliseconds limit, const std::function<bool()>& so) {
    const auto begun = std::chrono::steady_clock::now();
    const auto passed = [&] { return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun); };
    bool is = so();
    while (!is && passed() < limit * 3) {
      (void)test::run(loop, sleep_for(10ms));
      is = so();
    }
    const auto took = passed();
    EXPECT_TRUE(is);
    EXPECT_LE(took, limit);
    std::printf("[ measured ] %lld ms of %lld\n", static_cast<long long>(took.count()), static_cast<long long>(limit.count()));
    return took;
  }

  const std::string database = test::shared_postgres().create_database();
  test::TestLoop loop;
  NodeOptions options_;
  std::unique_ptr<Node> a, b;
};

}  // namespace mandate::nodes
