// A tenant with an app, a second app, backends, and a person who is logged in.
#pragma once

#include <gtest/gtest.h>

#include "delegation/mount.h"
#include "identity/mount.h"
#include "oauth/issuer.h"
#include "oauth/migrations.h"
#include "oauth/refresh_tokens.h"
#include "tenant/objects.h"
#include "tests/support/temp_store.h"
#include "tests/support/test_loop.h"

namespace mandate::delegation {

constexpr std::int64_t kNow = 1'700'000'000;
constexpr std::string_view kMaster = "mandate-test-master-key";
constexpr std::string_view kIssuer = "https://tenant.example/";
constexpr std::string_view kJwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";

struct OneTenant final : tenant::Tenants {
  OneTenant(Random& random) : vault_("0123456789abcdef0123456789abcdef", random) {}
  Result<tenant::Here> by_host(std::string_view) const override { return tenant::Here{config, store}; }
  Result<tenant::Here> by_name(std::string_view) const override { return tenant::Here{config, store}; }
  std::vector<std::string> names() const override { return {"t"}; }
  const tenant::Vault& vault() const override { return vault_; }

  std::shared_ptr<const tenant::Tenant> config;
  store::Store* store = nullptr;
  tenant::Vault vault_;
};

class World : public ::testing::Test {
 protected:
  World() {
    temp.clock().set(kNow * 1000);
    tenants.store = &temp.store();
    config = std::make_shared<tenant::Tenant>();
    config->name = "t";
    config->hosts = {"tenant.example"};
    config->issuer_host = "tenant.example";
    config->flags = {"allow_legacy_delegation_grant_types", "enable_legacy_profile"};
    for (const auto [alg, kid] : {std::pair{jose::Alg::ES256, "e1"}, std::pair{jose::Alg::RS256, "r1"}})
      config->signing_keys.push_back({jose::Key::generate(alg, kid).value(), "", "current"});
    tenant::Connection db;
    db.name = "db";
    db.strategy = "auth0";
    config->connections["db"] = db;
    service("default", kMaster);

    app("todo").callbacks = {"https://app.example/cb"};
    app("other");
    app("stranger").is_first_party = false;
    tenant::Client& backend = app("todo-backend");
    backend.addons["wams"] = JsonObject();
    backend.allowed_clients_mode = "listed";
    backend.allowed_clients = {"todo"};
    tenant::Client& notes = app("notes");  // a client without add-on, open to all, telling RS256
    notes.allowed_clients_mode = "all";
    notes.alg = jose::Alg::RS256;
    publish();

    identity::User user;
    user.email = "ana@example.org";
    user.name = "Ana";
    ana = test::run(loop, users.create(here(), "db", user)).value();
  }

  tenant::Client& app(const std::string& id) {
    tenant::Client& c = config->clients[id];
    c.client_id = id;
    c.oidc_conformant = false;
    c.alg = jose::Alg::ES256;
    c.grant_types = {std::string(tenant::grant::kLegacyDelegationIdToken), std::string(tenant::grant::kLegacyDelegationRefreshToken),
                     std::string(tenant::grant::kTokenExchange)};
    return c;
  }
  void service(const std::string& name, std::string_view master) {
    tenant::Service& s = config->services[name];
    s.name = name;
    s.master_key_sealed = tenants.vault_.seal(master, tenant::sealed::service(name, "master_key"));
  }
  /// Makes what was changed in `config` the tenant's snapshot.
  void publish() { tenants.config = std::make_shared<const tenant::Tenant>(*config); }
  tenant::Here here() { return {tenants.config, tenants.store}; }
  tenant::Client& client(const std::string& id) { return config->clients.at(id); }

  std::string id_token(const std::string& client_id, std::vector<std::string> scopes = {"openid"}, std::int64_t lifetime = 36'000,
                       const std::string& azp = {}) {
    oauth::IdToken wanted;
    wanted.user = &ana;
    wanted.scopes = std::move(scopes);
    wanted.lifetime_seconds = lifetime;
    wanted.azp = azp;
    return oauth::sign_id_token(here(), *here()->client(client_id), tenants.vault_, kIssuer, wanted, temp.clock().now_seconds()).value();
  }
  std::string refresh_token(const std::string& client_id, std::vector<std::string> scopes = {"openid", "profile"}) {
    oauth::RefreshToken token;
    token.family = random.token(16);
    token.client_id = client_id;
    token.user_id = ana.user_id;
    token.connection = "db";
    token.scopes = std::move(scopes);
    token.offline_consent = true;
    token.user_epoch = ana.epoch;
    token.created_at = temp.clock().now_ms();
    const std::string text = oauth::new_refresh_token(random);
    store::Batch batch;
    oauth::file_refresh_token(batch, token, text, temp.clock().now_ms());
    EXPECT_TRUE(test::run(loop, temp.store().mutate(std::move(batch))).ok());
    return text;
  }

  http::Response send(http::Method method, std::string body, std::string_view type = "application/json",
                      std::vector<std::pair<std::string, std::string>> headers = {}, std::string query = {}) {
    http::Request request;
    request.method = method;
    request.path = "/delegation";
    request.target = request.path;
    request.query = query;
    request.host = "tenant.example";
    request.secure = true;
    request.peer = peer;
    request.id = "r1";
    request.body = body;
    if (!type.empty()) request.headers.add("Content-Type", type);
    for (const auto& [name, value] : headers) request.headers.add(name, value);
    return test::run(loop, router().answer(request)).value();
  }
  http::Response post(const JsonObject& body) { return send(http::Method::post, to_json(body)); }
  http::Response form(std::string body) { return send(http::Method::post, std::move(body), "application/x-www-form-urlencoded"); }
  /// The tutorial's call with `more` members put over it.
  http::Response delegate(const std::string& token, const std::string& target, std::initializer_list<std::pair<std::string_view, std::string_view>> more = {}) {
    JsonObject body;
    body["client_id"] = "todo";
    body["grant_type"] = kJwtBearer;
    body["id_token"] = token;
    body["target"] = target;
    for (const auto& [name, value] : more) body[name] = value;
    return post(body);
  }
  /// The modern door, as oauth's token endpoint calls it.
  Result<Json> exchange(const std::string& client_id, const std::string& form_body) {
    http::Request request;
    request.method = http::Method::post;
    request.path = "/oauth/token";
    request.host = "tenant.example";
    request.secure = true;
    request.peer = peer;
    request.headers.add("Content-Type", "application/x-www-form-urlencoded");
    request.body = form_body;
    const http::Params params = http::Params::of(request).value();
    const oauth::ClientAuth client{here()->client(client_id), false, false};
    const tenant::Here now = here();
    const oauth::TokenRequest wanted{now, request, params, client};
    return test::run(loop, grant().grant(wanted));
  }

  http::Router& router() {
    if (!router_) {
      router_ = std::make_unique<http::Router>();
      mount(*router_, deps());
    }
    return *router_;
  }
  oauth::Grant& grant() {
    if (!grant_) grant_ = make_token_exchange_grant(deps());
    return *grant_;
  }
  Deps deps() { return {tenants, users, sessions, limiter, pool, temp.clock(), temp.log(), temp.metrics(), per_minute}; }

  static JsonObject json(const http::Response& response) {
    const auto parsed = parse_json(response.body);
    EXPECT_TRUE(parsed.ok() && parsed->is_object()) << response.body;
    return parsed.ok() && parsed->is_object() ? parsed->get_object() : JsonObject();
  }
  static std::string error(const http::Response& response) { return std::to_string(response.status) + " " + std::string(text_member(json(response), "error").value_or("")); }
  static JsonObject claims(std::string_view token) { return parse_json(jose::parse_compact(token)->payload)->get_object(); }

  /// Audit rows of a type, newest last: client_id, user_id, target, reason.
  std::vector<store::Row> audit(const std::string& type) {
    store::Plan plan;
    plan.table = "audit";
    plan.where = store::equals("type", type);
    return test::run(loop, store::rows(temp.store(), plan)).value();
  }

  test::TestLoop loop;
  SeededRandom random;
  test::TempStore temp{{tenant::kMigrations, identity::kMigrations, oauth::kMigrations}};
  OneTenant tenants{random};
  std::shared_ptr<tenant::Tenant> config;
  identity::Users users{temp.clock(), random};
  identity::Sessions sessions{temp.clock(), random};
  tenant::RateLimiter limiter{temp.clock()};
  CpuPool pool{1, 100};
  identity::User ana;
  std::string peer = "192.0.2.1";
  int per_minute = 10;

 private:
  std::unique_ptr<http::Router> router_;
  std::unique_ptr<oauth::Grant> grant_;
};

}  // namespace mandate::delegation
