// A small house for tests of the identity room: one tenant on a real store, the room's routes, and browsers.
#pragma once

#include <gtest/gtest.h>

#include "identity/mount.h"
#include "store/single_use.h"
#include "tenant/objects.h"
#include "tests/support/github_stand_in.h"
#include "tests/support/router_fetch.h"
#include "tests/support/temp_store.h"
#include "tests/support/test_loop.h"

namespace mandate::identity {

using test::run;

inline constexpr std::string_view kDirectory = "Username-Password-Authentication";
inline constexpr std::string_view kGoodPassword = "correct horse battery staple";

/// A tenant that tests may change between requests.
class OneTenant final : public tenant::Tenants {
 public:
  OneTenant(store::Store& store, Random& random) : vault_(std::string(32, 'k'), random), store_(store) {
    config.name = "demo";
    config.issuer_host = "login.example";
    tenant::Client app;
    app.client_id = "todo";
    app.name = "Todo list";
    app.callbacks = {"https://app.example/callback"};
    config.clients["todo"] = app;
    tenant::Connection database;
    database.name = kDirectory;
    database.strategy = "auth0";
    config.connections[database.name] = database;
    tenant::Connection github;
    github.name = github.strategy = "github";
    github.options["client_id"] = "Iv1.0123456789abcdef";
    github.options["client_secret"] =
        vault_.seal("6f1c2d3e4b5a69788796a5b4c3d2e1f00f1e2d3c", tenant::sealed::connection("github", "client_secret"));
    config.connections[github.name] = github;
  }
  Result<tenant::Here> by_host(std::string_view host) const override {
    if (host != "login.example") return Error(Code::not_found, "no such host");
    return by_name("demo");
  }
  Result<tenant::Here> by_name(std::string_view) const override {
    return tenant::Here{std::make_shared<tenant::Tenant>(config), &store_};
  }
  std::vector<std::string> names() const override { return {"demo"}; }
  const tenant::Vault& vault() const override { return vault_; }

  tenant::Tenant config;

 private:
  tenant::Vault vault_;
  store::Store& store_;
};

struct IdentityTest : testing::Test {
  test::TestLoop loop;
  test::TempStore temp{{tenant::kMigrations, kMigrations}};
  ManualClock& clock = temp.clock();
  SystemRandom random;
  CpuPool pool{2, 128};
  OneTenant tenants{temp.store(), random};
  Users users{clock, random};
  Sessions sessions{clock, random};
  PasswordCost cost{.memory_bytes = 64 * 1024, .passes = 1};
  std::unique_ptr<Passwords> passwords = std::make_unique<Passwords>(users, pool, clock, random, temp.metrics(), cost);
  tenant::RateLimiter limiter{clock};
  test::GitHubStandIn github;
  test::RouterFetch fetch;
  Strategies strategies = make_strategies(fetch, tenants.vault(), random, clock);
  http::Router router;

  IdentityTest() {
    auto outside = std::make_shared<http::Router>();
    github.mount(*outside);
    fetch.serve("https://github.com", outside);
    fetch.serve("https://api.github.com", outside);
    mount(router, Deps{tenants, users, sessions, *passwords, strategies, limiter, clock, random, temp.log(), temp.metrics()});
    // What oauth does at its end of the stored AuthRequest, without its checks.
    router.get("/authorize", [this](http::Request& request) { return authorize(*this, request); });
    router.get("/authorize/resume", [this](http::Request& request) { return resume(*this, request); });
  }

  tenant::Here here() { return *tenants.by_name("demo"); }
  const tenant::Connection& directory() { return tenants.config.connections.at(std::string(kDirectory)); }

  http::Request request_from(std::string peer = "192.0.2.7") {
    http::Request request;
    request.host = "login.example";
    request.secure = true;
    request.peer = std::move(peer);
    request.id = "req-1";
    return request;
  }
  Result<User> sign_up(std::string email, std::string password = std::string(kGoodPassword)) {
    Passwords::SignUp fields;
    fields.email = std::move(email);
    fields.password = Secret(std::move(password));
    const http::Request request = request_from();
    return run(loop, passwords->sign_up(here(), directory(), std::move(fields), request));
  }
  Result<User> log_in(std::string name, std::string password, std::string peer = "192.0.2.7") {
    const http::Request request = request_from(std::move(peer));
    return run(loop, passwords->login(here(), directory(), std::move(name), Secret(std::move(password)), request));
  }
  std::vector<std::string> audit_types() {
    store::Plan plan;
    plan.table = "audit";
    plan.order.push_back({store::column("at"), false});
    std::vector<std::string> out;
    const auto rows = run(loop, store::rows(temp.store(), plan));
    for (const auto& row : *rows) out.emplace_back(row.text("type"));
    return out;
  }
  std::size_t count(std::string table) {
    store::Plan plan;
    plan.table = std::move(table);
    return run(loop, store::rows(temp.store(), plan))->size();
  }

 private:
  static Task<http::Response> authorize(IdentityTest& test, http::Request& request) {
    const auto params = http::Params::of_query(request.query);
    AuthRequest login;
    login.client_id = params.get("client_id");
    login.connection = params.get("connection");
    login.state = params.get("state");
    std::string cookie;
    CO_TRY(AuthRequest begun, co_await begin_login(test.here(), request, login, test.clock, test.random, cookie));
    http::Response response = http::Response::redirect(302, login_url(begun));
    if (!cookie.empty()) response.headers.add("Set-Cookie", cookie);
    co_return response;
  }
  static Task<http::Response> resume(IdentityTest& test, http::Request& request) {
    const auto params = http::Params::of_query(request.query);
    const std::string handle(params.get("state"));
    CO_TRY(AuthRequest login, co_await take_login(test.here(), request, handle, test.clock.now_ms()));
    CO_TRY(std::optional<Session> session, co_await test.sessions.current(test.here(), request));
    JsonObject body = login.to_json();
    body["session_user"] = session ? session->user_id : "";
    co_return http::Response::json(200, Json(std::move(body)));
  }
};

/// Somebody's browser: keeps cookies of the tenant's host, follows redirects when asked.
class Browser {
 public:
  explicit Browser(IdentityTest& test, bool secure = true) : test_(test), secure_(secure) {}

  std::map<std::string, std::string> cookies;
  std::map<std::string, std::string> extra_headers;
  std::string peer = "192.0.2.7";

  http::Response get(std::string url) { return send(http::Method::get, std::move(url), "", ""); }
  http::Response post(std::string url, std::vector<std::pair<std::string, std::string>> fields) {
    std::string body;
    for (const auto& [name, value] : fields) body += (body.empty() ? "" : "&") + name + "=" + percent_encode(value);
    return send(http::Method::post, std::move(url), body, "application/x-www-form-urlencoded");
  }
  http::Response send(http::Method method, std::string url, std::string body, std::string type) {
    if (const auto parsed = parse_url(url); parsed && parsed->host == "login.example")
      url = parsed->path + (parsed->has_query ? "?" + parsed->query : "");
    http::Request request = test_.request_from(peer);
    request.secure = secure_;
    request.method = method;
    const std::size_t mark = url.find('?');
    request.path = url.substr(0, mark);
    const std::string query = mark == std::string::npos ? "" : url.substr(mark + 1);
    request.query = query;
    request.target = url;
    request.body = body;
    if (!type.empty()) request.headers.add("Content-Type", type);
    std::string jar;
    for (const auto& [name, value] : cookies) jar += (jar.empty() ? "" : "; ") + name + "=" + value;
    if (!jar.empty()) request.headers.add("Cookie", jar);
    for (const auto& [name, value] : extra_headers) request.headers.add(name, value);
    Result<http::Response> answer = run(test_.loop, test_.router.answer(request));
    if (!answer.ok()) throw std::runtime_error("no answer: " + answer.error().hint + " " + answer.error().detail);
    keep(*answer);
    return std::move(*answer);
  }
  /// /authorize → /login; gives the login page's URL.
  std::string begin(std::string more = "") {
    return std::string(get("/authorize?client_id=todo&state=xyz" + more).headers.get("Location"));
  }
  /// Goes to the provider's page at `url` and comes back with its answer: the callback's URL.
  std::string through_provider(std::string url) {
    http::FetchRequest out;
    out.url = std::move(url);
    return std::string(run(test_.loop, test_.fetch.send(std::move(out)))->headers.get("Location"));
  }

 private:
  void keep(const http::Response& response) {
    for (const auto& field : response.headers.all()) {
      if (!iequals(field.name, "Set-Cookie")) continue;
      const std::string_view pair = std::string_view(field.value).substr(0, field.value.find(';'));
      const std::string name(pair.substr(0, pair.find('=')));
      if (field.value.find("Max-Age=0") != std::string::npos) cookies.erase(name);
      else cookies[name] = pair.substr(pair.find('=') + 1);
    }
  }
  IdentityTest& test_;
  bool secure_;
};

/// The value of a hidden field, as the page spells it.
inline std::string hidden(const std::string& html, const std::string& name) {
  const std::string mark = "name=\"" + name + "\" value=\"";
  const std::size_t at = html.find(mark);
  if (at == std::string::npos) return {};
  return html.substr(at + mark.size(), html.find('"', at + mark.size()) - at - mark.size());
}

/// The state of a URL like /login?state=….
inline std::string state_of(const std::string& url) {
  return std::string(http::Params::of_query(std::string_view(url).substr(url.find('?') + 1)).get("state"));
}

}  // namespace mandate::identity
