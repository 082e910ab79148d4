// One tenant with one service over a store of its own, and a way to send it requests without a socket.
#pragma once

#include <gtest/gtest.h>

#include "base/url.h"
#include "http/router.h"
#include "identity/bearer.h"
#include "identity/mount.h"
#include "jose/jwt.h"
#include "tables/mount.h"
#include "tests/support/temp_store.h"
#include "tests/support/test_loop.h"

namespace mandate::tables::test {

using Headers = std::vector<std::pair<std::string, std::string>>;

inline constexpr std::string_view kHost = "app.example";
inline constexpr std::string_view kMasterKey = "mandate-test-master-key";
inline constexpr std::string_view kApplicationKey = "application-key";

/// The tenants of a test: one, for every host.
class OneTenant final : public tenant::Tenants {
 public:
  explicit OneTenant(Random& random) : vault_(std::string(32, 'k'), random) {}
  Result<tenant::Here> by_host(std::string_view) const override { return here; }
  Result<tenant::Here> by_name(std::string_view) const override { return here; }
  std::vector<std::string> names() const override { return {"demo"}; }
  const tenant::Vault& vault() const override { return vault_; }

  tenant::Here here;

 private:
  tenant::Vault vault_;
};

/// What came back, with its body parsed when it is JSON.
struct Reply {
  int status = 0;
  http::Headers headers;
  std::string body;

  std::string header(std::string_view name) const { return std::string(headers.get(name)); }
  Json json() const {
    auto parsed = parse_json(body);
    EXPECT_TRUE(parsed.ok()) << body;
    return parsed.ok() ? *parsed : Json();
  }
  JsonObject object() const {
    Json value = json();
    EXPECT_TRUE(value.is_object()) << body;
    return value.is_object() ? value.get_object() : JsonObject();
  }
  std::string text(std::string_view member) const {
    const JsonObject o = object();
    return std::string(text_member(o, member).value_or("(none)"));
  }
};

class World : public testing::Test {
 protected:
  World() : World(store::SqliteOptions{}) {}
  explicit World(store::SqliteOptions options, std::size_t page_bytes = kPageBytes)
      : store({identity::kMigrations, kMigrations}, std::move(options)), tables(store.clock(), random, store.log(), store.metrics(), page_bytes) {
    tenant::Table& items = add_table("Items");
    items.soft_delete = true;
    publish();
    Deps deps{tenants, bearers, tables, nullptr, store.clock(), store.log(), store.metrics()};
    mount(router, deps);
  }

  /// A table that everybody may use; change it before publish().
  tenant::Table& add_table(const std::string& name) {
    tenant::Table table;
    table.name = name;
    table.permissions = {"public", "public", "public", "public", ""};
    return service.tables[ascii_lower(name)] = table;
  }
  /// Makes the configuration what requests see.
  void publish() {
    auto config = std::make_shared<tenant::Tenant>();
    config->name = "demo";
    config->revision = ++revision;
    service.name = "default";
    if (service.master_key_sealed.empty()) {
      service.master_key_sealed = tenants.vault().seal(kMasterKey, tenant::sealed::service("default", "master_key"));
      service.application_key_sealed = tenants.vault().seal(kApplicationKey, tenant::sealed::service("default", "application_key"));
    }
    config->services["default"] = service;
    tenants.here = {config, &store.store()};
  }

  std::string token_of(std::string_view user_id) {
    JsonObject claims{{"exp", store.clock().now_seconds() + 3600}, {"iss", "urn:microsoft:windows-azure:zumo"}, {"ver", 2}};
    claims["aud"] = "Custom";
    claims["uid"] = user_id;
    return *jose::sign_jwt(identity::zumo_key(kMasterKey), claims);
  }

  Reply send(http::Method method, std::string_view target, const Headers& headers = {}, std::string_view body = {}) {
    auto out = run(loop, exchange(method, std::string(target), headers, std::string(body)));
    EXPECT_TRUE(out.ok());
    return out.ok() ? *std::move(out) : Reply{};
  }
  /// Many at once, in one tick.
  std::vector<Reply> send_together(std::vector<Task<Reply>> tasks) {
    std::vector<Reply> out(tasks.size());
    std::size_t done = 0;
    for (std::size_t i = 0; i < tasks.size(); ++i)
      spawn(std::move(tasks[i]), [&out, &done, i](Result<Reply> r) {
        if (r.ok()) out[i] = *std::move(r);
        ++done;
      });
    loop.run_until([&] { return done == out.size(); });
    return out;
  }
  Task<Reply> exchange(http::Method method, std::string target, Headers headers, std::string body) {
    http::Request request;
    request.method = method;
    request.target = target;
    const std::size_t question = std::min(target.find('?'), target.size());
    request.path = percent_decode(std::string_view(target).substr(0, question));
    if (question < target.size()) request.query = std::string_view(target).substr(question + 1);
    for (const auto& [name, value] : headers) request.headers.add(name, value);
    request.body = body;
    request.host = kHost;
    request.id = "request-1";
    Task<http::Response> task = router.answer(request);
    CO_TRY(http::Response response, co_await task);
    co_return Reply{response.status, std::move(response.headers), std::move(response.body)};
  }

  static Headers v2(Headers more = {}) {
    more.emplace_back("ZUMO-API-VERSION", "2.0.0");
    return more;
  }
  static Headers v1(Headers more = {}) {
    more.emplace_back("X-ZUMO-APPLICATION", kApplicationKey);
    return more;
  }
  Headers as(std::string_view user, Headers more = {}) {
    more.emplace_back("X-ZUMO-AUTH", token_of(user));
    return v2(std::move(more));
  }

  /// Sends it and goes on; `done` sees the answer while the loop runs.
  void begin(http::Method method, std::string_view target, std::function<void(Reply)> done, std::string_view body = {}) {
    spawn(exchange(method, std::string(target), v2(), std::string(body)), [done = std::move(done)](Result<Reply> r) {
      done(r.ok() ? *std::move(r) : Reply{});
    });
  }
  Reply get(std::string_view target, const Headers& h = v2()) { return send(http::Method::get, target, h); }
  Reply post(std::string_view target, std::string_view body, const Headers& h = v2()) { return send(http::Method::post, target, h, body); }
  Reply patch(std::string_view target, std::string_view body, const Headers& h = v2()) { return send(http::Method::patch, target, h, body); }
  Reply del(std::string_view target, const Headers& h = v2()) { return send(http::Method::delete_, target, h); }
  /// Ids of a list, in its order, joined by blanks.
  std::string ids(std::string_view target, const Headers& h = v2()) {
    const Reply reply = get(target, h);
    EXPECT_EQ(reply.status, 200) << target << " " << reply.body;
    std::string out;
    const Json all = reply.json();
    if (!all.is_array()) return "(no list)";
    for (const Json& row : all.get_array()) {
      if (!out.empty()) out += ' ';
      const Json& id = row.get_object().at("id");
      out += id.is_string() ? std::string(view(id.get_string())) : to_json(id);
    }
    return out;
  }
  static std::string filter(std::string_view table, std::string_view text) {
    return "/tables/" + std::string(table) + "?$filter=" + percent_encode(text);
  }

  mandate::test::TestLoop loop;
  mandate::test::TempStore store;
  SeededRandom random;
  OneTenant tenants{random};
  tenant::Service service;
  std::uint64_t revision = 0;
  identity::Users users{store.clock(), random};
  identity::Bearers bearers{tenants.vault(), users, store.clock()};
  Tables tables;
  http::Router router;
};

}  // namespace mandate::tables::test
