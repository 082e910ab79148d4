// Two nodes of one house on one database: each with its own rooms and its own memory.
#pragma once

#include "identity/lockout.h"
#include "oauth/refresh_tokens.h"
#include "store/fault.h"
#include "store/postgres/postgres.h"
#include "tests/oauth/oauth_world.h"
#include "tests/support/postgres_server.h"

namespace mandate::oauth {

/// Its store and its rooms. On SQLite the nodes share the store, on PostgreSQL each has connections of its own.
class Node {
 public:
  /// `url` is empty on SQLite; `house` is the tenant's name in the database.
  Node(OAuthTest& test, OneTenant& tenants, const std::string& url, const std::string& house) : test_(test), tenants_(tenants) {
    if (url.empty()) {
      counted = std::make_unique<store::FaultStore>(test.temp.store());
    } else {
      store::PostgresOptions options;
      options.url = url;
      options.clock = &test.clock;
      options.random = &test.random;
      auto opened = store::open_postgres(options, test.temp.log(), metrics);
      if (!opened.ok()) throw std::runtime_error(opened.error().hint + " " + opened.error().detail);
      cluster_ = *std::move(opened);
      for (const auto& room : {store::kMigrations, tenant::kMigrations, identity::kMigrations, kMigrations})
        if (auto done = cluster_->migrate(room); !done.ok()) throw std::runtime_error(done.error().hint + " " + done.error().detail);
      store_ = cluster_->tenant(house);
      counted = std::make_unique<store::FaultStore>(*store_);
    }
    tenants_.store = counted.get();
    mount(router, Deps{tenants_, users, sessions, test.passwords, limiter, test.pool, test.clock, test.random, test.temp.log(), metrics, {}});
  }

  http::Response post(const std::string& path, const Form& fields, Form headers = {}) {
    auto sent = test_.prepare(http::Method::post, path, form(fields), "application/x-www-form-urlencoded", std::move(headers));
    return *test::run(test_.loop, router.answer(sent->request));
  }
  http::Response token(const Form& fields) { return post("/oauth/token", fields); }
  tenant::Here here() { return *tenants_.by_name("demo"); }
  /// What the store was asked since the last time this was called.
  int asked() {
    const int calls = counted->calls();
    counted->fail(0);
    return calls;
  }
  /// A counter of this node.
  double counter(const std::string& name) const {
    const std::string text = "\n" + metrics.prometheus_text();
    const std::size_t at = text.find("\n" + name + " ");
    return at == std::string::npos ? 0 : std::stod(text.substr(at + name.size() + 2));
  }
  /// Reads and transactions sent to PostgreSQL so far.
  double round_trips() const { return counter("mandate_store_reads_total") + counter("mandate_store_commits_total"); }

  Metrics metrics;
  std::unique_ptr<store::FaultStore> counted;
  http::Router router;

 private:
  OAuthTest& test_;
  OneTenant& tenants_;
  std::unique_ptr<store::PostgresCluster> cluster_;
  std::unique_ptr<store::Store> store_;

 public:
  identity::Users users{test_.clock, test_.random};
  identity::Sessions sessions{test_.clock, test_.random};
  tenant::RateLimiter limiter{test_.clock};
};

/// Ana has logged in at `first`, which remembers what it gave; `second` was started afterwards and remembers nothing.
struct TwoNodes : OAuthTest, testing::WithParamInterface<std::string> {
  std::string url = GetParam() == "postgres" ? database() : std::string();
  std::string house = std::string("house-") + testing::UnitTest::GetInstance()->current_test_info()->name();
  OneTenant other_tenants{temp, random};
  std::unique_ptr<Node> first, second;
  Browser browser{*this};

  TwoNodes() {
    first = std::make_unique<Node>(*this, tenants, url, house);
    ana = sign_up("ana.on@two.example");
  }
  ~TwoNodes() override {
    second.reset();
    first.reset();
  }
  /// One for all tests of the process; each has a house of its own in it.
  static const std::string& database() {
    static const std::string made = test::shared_postgres().create_database();
    return made;
  }

  /// A refresh token that `first` gave. A browser's doors are those of a third house on the same data.
  std::string log_in(const std::string& client_id = "spa") {
    browser.log_in(ana);
    const std::string code = browser.code(client_id, "openid offline_access");
    const auto answer = first->token(code_form(code, client_id, client(client_id).callbacks.front()));
    EXPECT_EQ(answer.status, 200) << answer.body;
    if (!second) second = std::make_unique<Node>(*this, other_tenants, url, house);
    EXPECT_TRUE(test::run(loop, second->users.find(second->here(), ana.user_id)).ok());
    first->asked();
    second->asked();
    return text(body(answer), "refresh_token");
  }
  /// The change of configuration reaches both.
  void configure(const std::function<void(tenant::Tenant&)>& change) {
    change(tenants.config);
    change(other_tenants.config);
  }
  void write(store::Mutation mutation) {
    store::Batch batch;
    batch.add(std::move(mutation));
    EXPECT_TRUE(test::run(loop, here().store->mutate(std::move(batch))).ok());
    first->asked();
  }
  /// Why the last refusal was one, by the audit.
  std::string last_reason() {
    store::Plan plan;
    plan.table = "audit";
    plan.where = store::equals("type", "grant.refused");
    plan.order.push_back({store::column("at", store::Type::integer), true});
    const auto row = test::run(loop, here().store->get(plan));
    return row.ok() && *row ? std::string((*row)->text("reason")) : std::string();
  }
  static Form refresh(const std::string& text, std::string client_id = "spa") {
    return {{"grant_type", "refresh_token"}, {"client_id", std::move(client_id)}, {"refresh_token", text}};
  }
  static std::string error(const http::Response& answer) { return text(body(answer), "error"); }
  static std::string successor(const http::Response& answer) { return text(body(answer), "refresh_token"); }
};

}  // namespace mandate::oauth
