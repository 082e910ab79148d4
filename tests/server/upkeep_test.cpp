// What the house does by itself: promptly for the tenants that have news, evenly for the rest, by one node at a time.
#include "server/upkeep.h"

#include <gtest/gtest.h>

#include "server/edition.h"
#include "store/postgres/postgres.h"
#include "tenant/audit.h"
#include "tests/support/postgres_server.h"
#include "tests/support/temp_store.h"
#include "tests/support/test_loop.h"

namespace mandate::server {
namespace {

using namespace std::chrono_literals;
using Moment = std::chrono::steady_clock::time_point;

/// Tenants of which only the stores matter.
class BareTenants final : public tenant::Tenants {
 public:
  std::map<std::string, tenant::Here, std::less<>> all;

  Result<tenant::Here> by_host(std::string_view) const override { return Error(Code::misdirected_request); }
  Result<tenant::Here> by_name(std::string_view name) const override { return all.find(name)->second; }
  std::vector<std::string> names() const override {
    std::vector<std::string> out;
    for (const auto& [name, here] : all) out.push_back(name);
    return out;
  }
  const tenant::Vault& vault() const override { return vault_; }

 private:
  SeededRandom random_{1};
  tenant::Vault vault_{std::string(32, 'k'), random_};
};

/// What a process has: its stores, its limiter, its upkeep. Time runs.
struct Node {
  Node(test::TestLoop& l, std::string node_name) : loop(l), name(std::move(node_name)) {}
  ~Node() {
    if (upkeep) upkeep->leave();
    loop.run_until([this] { return busy == 0; });
  }
  void open(const std::string& url, const std::vector<std::string>& tenant_names) {
    const auto migrations = every_migration();
    store::PostgresOptions options;
    options.url = url, options.clock = &clock, options.random = &random;
    auto opened = store::open_postgres(options, log, metrics);
    if (!opened.ok() || !(*opened)->migrate(migrations).ok()) throw std::runtime_error("the database cannot be opened");
    cluster = *std::move(opened);
    for (const std::string& tenant : tenant_names) add(tenant, cluster->tenant(tenant));
    system = cluster->tenant("system");
  }
  void open(const test::TempDir& dir, const std::vector<std::string>& tenant_names) {
    for (const std::string& tenant : tenant_names) add(tenant, open_file(dir, tenant));
    system = open_file(dir, "system");
  }
  void start() {
    upkeep = std::make_unique<Upkeep>(Upkeep::Parts{loop, tenants, *system, limiter, name, clock, log, metrics, busy});
    upkeep->start();
  }
  void write(const std::string& tenant) {
    tenant::Event event;
    event.type = "login.ok";
    ASSERT_TRUE(test::run(loop, tenant::audit(tenants.all.at(tenant), event, {}, clock)).ok());
  }
  std::size_t seals(const std::string& tenant) {
    store::Plan plan;
    plan.table = "audit_seals";
    const auto rows = test::run(loop, store::rows(*tenants.all.at(tenant).store, plan));
    return rows.ok() ? rows->size() : 0;
  }
  bool leads() const { return metrics.prometheus_text().find("\nmandate_upkeep_leads 1") != std::string::npos; }

  test::TestLoop& loop;
  const std::string name;
  SystemClock clock;
  SystemRandom random;
  Log log{clock, Level::error, [](std::string_view) {}};
  Metrics metrics;
  tenant::RateLimiter limiter{clock};
  std::unique_ptr<store::PostgresCluster> cluster;
  std::vector<std::unique_ptr<store::Store>> stores;
  std::unique_ptr<store::Store> system;
  BareTenants tenants;
  std::atomic<int> busy{0};
  std::unique_ptr<Upkeep> upkeep;

 private:
  void add(const std::string& tenant, std::unique_ptr<store::Store> opened) {
    tenants.all[tenant].store = opened.get();
    stores.push_back(std::move(opened));
  }
  std::unique_ptr<store::Store> open_file(const test::TempDir& dir, const std::string& tenant) {
    const auto migrations = every_migration();
    store::SqliteOptions options;
    options.path = dir.path() + "/" + tenant + ".db", options.clock = &clock;
    auto opened = store::open_sqlite(options, log, metrics);
    if (!opened.ok() || !(*opened)->migrate(migrations).ok()) throw std::runtime_error("a file cannot be opened");
    return *std::move(opened);
  }
};

std::vector<std::string> named(std::size_t many) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < many; ++i) out.push_back("t" + std::to_string(1000 + i));
  return out;
}

/// How long it took until it was so.
std::chrono::milliseconds until(test::TestLoop& loop, const std::function<bool()>& so) {
  const Moment begun = std::chrono::steady_clock::now();
  loop.run_until(so);
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun);
}

TEST(Upkeep, WhatIsWrittenIsSealedInTheNextRoundHoweverManyTenantsThereAre) {
  test::TestLoop loop;
  const test::TempDir dir;
  Node node(loop, "a");
  const auto names = named(Upkeep::kVisits * 3);
  node.open(dir, names);
  node.start();
  (void)test::run(loop, sleep_for(1200ms));  // the first round is over; the next come to the first tenants
  node.write(names.back());
  EXPECT_LT(until(loop, [&] { return node.seals(names.back()) == 1; }), 2500ms);
}

TEST(Upkeep, WhatWasWrittenBeforeTheStartIsSealedWhenItsTurnComes) {
  test::TestLoop loop;
  const test::TempDir dir;
  const auto names = named(Upkeep::kVisits * 2);
  Node node(loop, "a");
  node.open(dir, names);
  node.write(names.front());
  node.write(names.back());
  node.start();
  EXPECT_LT(until(loop, [&] { return node.seals(names.front()) == 1; }), 2500ms);
  EXPECT_LT(until(loop, [&] { return node.seals(names.back()) == 1; }), 2500ms);
}

class UpkeepOfNodes : public ::testing::Test {
 protected:
  UpkeepOfNodes() : url(test::shared_postgres().create_database()) {}
  ~UpkeepOfNodes() override { test::shared_postgres().drop_database(url); }
  const std::string url;
  test::TestLoop loop;
};

TEST_F(UpkeepOfNodes, OneThatLeavesGivesTheLeaseBackAndAnotherHasItWithinASecond) {
  Node b(loop, "b");
  {
    Node a(loop, "a");
    a.open(url, named(1));
    b.open(url, named(1));
    a.start();
    loop.run_until([&] { return a.leads(); });
    b.start();
    (void)test::run(loop, sleep_for(1200ms));
    EXPECT_FALSE(b.leads());
    a.upkeep->leave();
    EXPECT_LT(until(loop, [&] { return a.busy == 0 && !a.leads(); }), 500ms);
    EXPECT_LT(until(loop, [&] { return b.leads(); }), 1000ms);
    (void)test::run(loop, sleep_for(1200ms));
    EXPECT_FALSE(a.leads()) << "who leaves does not take it again";
  }
  EXPECT_TRUE(b.leads());
}

TEST_F(UpkeepOfNodes, EachSealsWhatItWroteWithoutTheLease) {
  Node a(loop, "a"), b(loop, "b");
  const auto names = named(Upkeep::kVisits * 3);
  a.open(url, names);
  b.open(url, names);
  a.start();
  loop.run_until([&] { return a.leads(); });
  b.start();
  (void)test::run(loop, sleep_for(1200ms));
  b.write(names.back());
  EXPECT_LT(until(loop, [&] { return b.seals(names.back()) == 1; }), 2500ms);
  EXPECT_FALSE(b.leads());
}

}  // namespace
}  // namespace mandate::server
