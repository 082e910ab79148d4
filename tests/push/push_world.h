// A service with every platform, on stand-ins that answer as told.
#pragma once

#include "push/bindings.h"
#include "push/mount.h"
#include "push/runner.h"
#include "tenant/secrets.h"
#include "tests/support/router_fetch.h"
#include "tests/support/temp_store.h"
#include "tests/support/test_loop.h"

namespace mandate::push {

class OneTenant final : public tenant::Tenants {
 public:
  OneTenant(std::shared_ptr<tenant::Tenant> config, store::Store& store, Random& random) : config_(std::move(config)), store_(store), vault_(std::string(32, 'k'), random) {}
  Result<tenant::Here> by_host(std::string_view) const override { return here(); }
  Result<tenant::Here> by_name(std::string_view) const override { return here(); }
  std::vector<std::string> names() const override { return {config_->name}; }
  const tenant::Vault& vault() const override { return vault_; }
  tenant::Here here() const { return {config_, &store_}; }

 private:
  std::shared_ptr<tenant::Tenant> config_;
  store::Store& store_;
  tenant::Vault vault_;
};

/// Answers every request from `answers` by the start of its URL; 200 "{}" where none is given.
class ToldFetch final : public http::Fetch {
 public:
  std::vector<http::FetchRequest> sent;
  std::map<std::string, http::Fetched, std::less<>> answers;
  std::optional<Error> failure;
  Task<http::Fetched> send(http::FetchRequest request) override {
    sent.push_back(request);
    if (failure) co_return *failure;
    http::Fetched out;
    out.status = 200, out.body = "{}";
    if (request.url.find("/token") != std::string::npos) out.body = R"({"access_token":"access-1","expires_in":3600})";
    for (const auto& [start, answer] : answers)
      if (request.url.starts_with(start)) out = answer;
    co_return out;
  }
};

struct World {
  test::TestLoop loop;
  test::TempStore temp{{kMigrations}};
  SeededRandom random;
  ToldFetch fetch;
  std::shared_ptr<tenant::Tenant> config = std::make_shared<tenant::Tenant>();
  OneTenant tenants{config, temp.store(), random};
  Registrations registrations{temp.clock(), random};
  Senders senders{fetch, tenants.vault(), temp.clock(), random};
  Sends sends{temp.clock(), random, {}};
  ScriptCalls calls{sends, senders, random, temp.clock()};
  std::atomic<int> busy{0};
  Runner runner{{loop, tenants, temp.store(), registrations, senders, "node", temp.clock(), random, temp.log(), temp.metrics(), busy}};
  jose::Key apns_key = *jose::Key::generate(jose::Alg::ES256, "KEY1"), fcm_key = *jose::Key::generate(jose::Alg::RS256, "G1");

  World() {
    config->name = "demo";
    tenant::Service& service = config->services["default"];
    service.name = "default";
    tenant::Push& push = service.push;
    push.apns = {true, true, "KEY1", "TEAM1", "com.example.app", "https://apns.example", seal("push.apns.key", apns_key.private_pem())};
    push.fcm = {true, "https://fcm.example", seal("push.fcm.service_account", to_json(JsonObject{{"project_id", "p1"}, {"client_email", "robot@p1.example"},
                                               {"private_key", fcm_key.private_pem()}, {"token_uri", "https://google.example/token"}}))};
    push.wns = {true, "ms-app://s-1", "https://live.example/token", seal("push.wns.client_secret", "hush & hush"), {"wns.example"}};
    push.webpush = {true, "mailto:owner@example.org", seal(tenant::kWebPushKey, "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")};
  }
  std::string seal(std::string_view path, std::string_view plain) { return tenants.vault().seal(plain, tenant::sealed::service("default", path)); }
  tenant::Service& service() { return config->services["default"]; }
  store::Store& store() { return temp.store(); }

  void install(const std::string& id, Platform platform, const std::string& handle, std::vector<std::string> tags, const std::string& user = {}, const std::string& template_body = {}) {
    Installation i;
    i.id = id, i.platform = platform, i.handle = handle, i.tags = std::move(tags), i.tags_given = true, i.user_id = user;
    if (!template_body.empty()) i.templates["t"].body = template_body;
    const auto done = test::run(loop, registrations.install(store(), "default", std::move(i), 90));
    if (!done.ok()) throw std::runtime_error(done.error().hint + done.error().detail);
  }
  std::string file(SendKind kind, std::optional<Platform> platform, std::string expression, std::string payload, std::vector<std::string> handles = {}) {
    Send send;
    send.service = "default", send.kind = kind, send.platform = platform, send.expression = std::move(expression), send.payload = std::move(payload);
    send.handles = std::move(handles);
    auto id = test::run(loop, sends.file(store(), std::move(send)));
    return id.ok() ? *id : "refused: " + id.error().hint;
  }
  /// Rounds until one has nothing to do at once.
  void carry() {
    for (int i = 0; i < 100; ++i) {
      const auto more = test::run(loop, runner.carry(tenants.here()));
      if (!more.ok()) throw std::runtime_error(more.error().hint + more.error().detail);
      if (!*more) return;
    }
    throw std::runtime_error("the runner never rests");
  }
  JsonObject newest() { return test::run(loop, sends.list(store(), "default", 1))->front(); }
  std::size_t registered() { return test::run(loop, registrations.page(store(), "default", "", 1000))->size(); }
  /// Requests that went to devices.
  std::vector<std::string> urls() const {
    std::vector<std::string> out;
    for (const auto& request : fetch.sent)
      if (request.url.find("/token") == std::string::npos) out.push_back(request.url);
    std::sort(out.begin(), out.end());
    return out;
  }
};

}  // namespace mandate::push
