// A service that is deleted leaves nothing to the next one of its name, whatever fails on the way.
#include "management/departures.h"

#include <gtest/gtest.h>

#include "management/mount.h"
#include "push/mount.h"
#include "store/pieces.h"
#include "tables/code/manifest.h"
#include "tables/mount.h"
#include "tables/schema.h"
#include "tenant/apply.h"
#include "tenant/departed.h"
#include "tests/tenant/directory_fixture.h"

namespace mandate::management {
namespace {

using test::run;

struct Nobody final : tenant::UserSeeder {
  Task<bool> exists(tenant::Here, std::string, std::string) override { co_return false; }
  Task<void> create(tenant::Here, tenant::SeedUser) override { co_return ok(); }
};

constexpr std::array kOfServices = {"push_registrations", "push_tags", "push_sends", "push_deliveries", "push_feedback", "job_runs", "job_times", "script_logs", "service_deployments"};

Task<void> refused() { co_return Error(Code::conflict, "It has rows."); }

/// A house with the service `shop`, which has rows in every room.
struct World {
  explicit World(bool faulty = false) {
    house.faulty = faulty;
    deps.tables = &tables;
    deps.departures = &departures;
    mount(router, deps);
    EXPECT_EQ(ask(http::Method::post, "/admin/apply", "", "tenant: demo").status, 200);
    for (const char* name : {"shop", "sho"}) {
      if (faulty && std::string_view(name) == "sho") continue;
      EXPECT_EQ(apply(kBoth).status, 200);
      fill(name);
    }
  }

  http::Response ask(http::Method method, std::string path, std::string_view query = {}, std::string_view body = {}) {
    http::Request request;
    request.method = method;
    request.path = std::move(path);
    request.query = query;
    request.body = body;
    request.host = "mandate";
    request.local_admin = true;
    request.id = "r1";
    if (body.starts_with('{')) request.headers.add("Content-Type", "application/json");
    Result<http::Response> answer = run(house.loop, router.answer(request));
    return answer.ok() ? *answer : http::Response(599);
  }
  http::Response apply(std::string_view sections) { return ask(http::Method::post, "/admin/apply", "", "tenant: demo\n" + std::string(sections)); }
  int create() { return ask(http::Method::post, "/admin/services", "", R"({"name":"shop"})").status; }
  int remove() { return ask(http::Method::delete_, "/admin/services/shop", "force=true").status; }
  /// As another node, or this one after a new start, would find it.
  Result<void> upkeep(Departures& by) { return run(house.loop, by.visit(here())); }

  void fill(const std::string& service) {
    const std::string empty;
    const std::int64_t none = 0;
    const std::vector<store::Cell> own{{"service", service}};
    const auto row = [&](const char* table, std::vector<store::Cell> cells) {
      cells.push_back(own.front());
      return store::insert(table, std::move(cells));
    };
    store::Batch batch;
    batch.add(row("push_registrations", {{"id", std::string("r")}, {"installation", empty}, {"platform", std::string("gcm")}, {"handle", std::string("h")}, {"user_id", empty}, {"tags", std::string("[]")},
                                         {"template_name", empty}, {"template_body", empty}, {"headers", std::string("{}")}, {"expiry", empty}, {"variables", std::string("{}")}, {"updated_at", none}, {"expires_at", none}}));
    batch.add(row("push_tags", {{"tag", std::string("t")}, {"registration", std::string("r")}}));
    batch.add(row("push_sends", {{"id", "send " + service}, {"kind", std::string("native")}, {"platform", std::string("gcm")}, {"expression", empty}, {"payload", std::string("{}")}, {"headers", std::string("{}")},
                                 {"state", std::string("filed")}, {"progress", empty}, {"made_at", none}, {"expires_at", none}, {"targets", none}, {"delivered", none}, {"gone", none}, {"failed", none}, {"last_error", empty}}));
    batch.add(row("push_deliveries", {{"id", "delivery " + service}, {"send", "send " + service}, {"platform", std::string("gcm")}, {"handle", std::string("h")}, {"payload", empty}, {"headers", std::string("{}")}, {"attempts", none}, {"due_at", none}}));
    batch.add(row("push_feedback", {{"platform", std::string("gcm")}, {"handle", std::string("h")}, {"at", none}}));
    batch.add(row("job_runs", {{"id", "run " + service}, {"job", std::string("j")}, {"slot", service + "/j"}, {"reason", std::string("asked")}, {"state", std::string("waiting")}, {"due_at", none}, {"made_at", none},
                               {"started_at", none}, {"ended_at", none}, {"node", empty}, {"error", empty}}));
    batch.add(row("job_times", {{"job", std::string("j")}, {"schedule", empty}, {"next_at", none}}));
    batch.add(row("script_logs", {{"seq", static_cast<std::int64_t>(service.size())}, {"at", none}, {"source", empty}, {"level", empty}, {"text", empty}}));
    batch.add(row("service_deployments", {{"version", std::int64_t{1}}, {"manifest", mandate::tables::code::Manifest{}.to_text()}, {"files", none}, {"bytes", none}, {"made_at", none}, {"note", empty}}));
    EXPECT_TRUE(run(house.loop, here().store->mutate(std::move(batch))).ok());
    for (const char* table : {"Items", "Old"}) EXPECT_TRUE(run(house.loop, tables.insert(context(service, table), {{"id", "x"}, {"n", 1}})).ok());
    EXPECT_EQ(apply(kLess).status, 200);  // no file names Old any more, but its rows are there
  }
  tables::OperationContext context(const std::string& service, std::string_view table) {
    tables::OperationContext out;
    out.here = here();
    out.service = &out.here->services.at(service);
    out.table = out.service->table(table);
    out.principal.level = identity::Level::admin;
    return out;
  }

  tenant::Here here() { return *house.tenants().by_name("demo"); }
  std::int64_t rows(const std::string& table, const std::string& service) {
    store::Plan plan;
    plan.table = table;
    plan.where = store::equals("service", service);
    const auto found = run(house.loop, store::rows(*here().store, std::move(plan)));
    return found.ok() ? static_cast<std::int64_t>(found->size()) : -1;
  }
  /// What there is of a service, table by table.
  std::string left(const std::string& service) {
    std::string out;
    for (const char* table : kOfServices)
      if (rows(table, service) != 0) out += std::string(table) + " ";
    for (const char* table : {"Items", "Old"})
      if (const auto columns = run(house.loop, here().store->describe(tables::physical_name(service, table))); !columns.ok() || !columns->empty()) out += std::string(table) + " ";
    return out;
  }
  bool noted() {
    const auto notes = run(house.loop, tenant::load_objects_of(*here().store, std::string(tenant::kind::kDepartedService)));
    return !notes.ok() || notes->contains(tenant::departed_key("shop"));
  }

  static constexpr std::string_view kBoth = "services: {shop: {tables: {Items: {}, Old: {}}}, sho: {tables: {Items: {}, Old: {}}}}";
  static constexpr std::string_view kLess = "services: {shop: {tables: {Items: {}}}, sho: {tables: {Items: {}}}}";
  test::DirectoryHouse house{"", {tables::kMigrations, push::kMigrations}};
  Nobody people;
  tables::Tables tables{house.clock, house.random, house.log, house.metrics};
  Departures departures{house.tenants(), tables, "node", house.clock, house.log};
  Deps deps{house.tenants(), people, nullptr, {}, house.clock, house.random, house.log, "1.2.3"};
  http::Router router;
};

TEST(DepartedServices, LeaveNothingInAnyRoom) {
  World world;
  EXPECT_EQ(world.left("shop"), "push_registrations push_tags push_sends push_deliveries push_feedback job_runs job_times script_logs service_deployments Items Old ");
  const std::string other = world.left("sho");
  EXPECT_EQ(world.remove(), 204);
  EXPECT_EQ(world.left("shop"), "");
  EXPECT_EQ(world.left("sho"), other) << "a service whose name begins as this one's";
  EXPECT_EQ(world.create(), 201);
  EXPECT_FALSE(world.noted());
}

TEST(DepartedServices, WhatIsWrittenLateGoesBeforeTheNameIsGivenAgain) {
  World world;
  const auto late = world.context("shop", "Items");
  EXPECT_EQ(world.remove(), 204);
  ASSERT_TRUE(run(world.house.loop, world.tables.insert(late, {{"id", "late"}})).ok()) << "a request that came before";
  EXPECT_EQ(world.create(), 201);
  EXPECT_EQ(world.left("shop"), "");
}

TEST(DepartedServices, UpkeepFinishesWhenNobodyMakesAnother) {
  World world;
  const auto late = world.context("shop", "Items");
  EXPECT_EQ(world.remove(), 204);
  ASSERT_TRUE(world.upkeep(world.departures).ok());
  ASSERT_TRUE(run(world.house.loop, world.tables.insert(late, {{"id", "late"}})).ok());
  ASSERT_TRUE(world.upkeep(world.departures).ok());
  EXPECT_TRUE(world.noted());
  world.house.clock.advance(Departures::kLate);
  ASSERT_TRUE(world.upkeep(world.departures).ok());
  EXPECT_EQ(world.left("shop"), "");
  EXPECT_FALSE(world.noted());
}

TEST(DepartedServices, AreTheSameWhenAFileLeavesThemOut) {
  World world;
  const http::Response refused = world.apply("services: {sho: {tables: {Items: {}}}}");
  EXPECT_EQ(refused.status, 409);
  EXPECT_NE(refused.body.find("services: the file has no 'shop', which has rows in table 'items' and 1 more: `mandate service delete shop --force` removes it"), std::string::npos) << refused.body;
  EXPECT_EQ(world.ask(http::Method::post, "/admin/apply", "dry_run=true", "tenant: demo\nservices: {}").status, 409);
  for (const char* table : {"Items", "Old"}) {
    world.apply(World::kBoth);
    ASSERT_TRUE(run(world.house.loop, world.tables.remove(world.context("shop", table), "x", {})).ok());
  }
  EXPECT_EQ(world.apply("services: {sho: {tables: {Items: {}}}}").status, 200);
  EXPECT_EQ(world.left("shop"), "");
  EXPECT_EQ(world.apply(World::kLess).status, 200) << "and a file may bring one of the name";
  EXPECT_FALSE(world.noted());
}

TEST(DepartedServices, OfWhichAnOlderServerMadeAnotherOverTheNoteLoseOnlyTheNote) {
  World world;
  const tenant::ObjectKey key{std::string(tenant::kind::kService), "shop"};
  const auto before = run(world.house.loop, world.house.tenants().objects("demo"));
  ASSERT_TRUE(before.ok());
  world.deps.departures = nullptr;  // the server stopped as soon as it was deleted
  EXPECT_EQ(world.remove(), 204);
  const std::string all = world.left("shop");
  EXPECT_NE(all.find("Items Old"), std::string::npos);
  const auto now = run(world.house.loop, world.house.tenants().objects("demo"));
  ASSERT_TRUE(run(world.house.loop, world.house.tenants().commit("demo", tenant::revision_of(*now), {tenant::write_object(key, before->at(key))})).ok());
  ASSERT_TRUE(world.upkeep(world.departures).ok());
  EXPECT_EQ(world.left("shop"), all);
  EXPECT_FALSE(world.noted());
  world.house.clock.advance(Departures::kLate);
  ASSERT_TRUE(world.upkeep(world.departures).ok());
  EXPECT_EQ(world.left("shop"), all);
}

TEST(DepartedServices, OfWhichThereIsMuchGoPieceByPieceAndOnFromWhereItStopped) {
  World world(true);
  constexpr int kMany = 1200;
  store::Batch batch;
  for (int i = 0; i < kMany; ++i)
    batch.add(store::insert("push_feedback", {{"service", std::string("shop")}, {"platform", std::string("gcm")}, {"handle", "many " + std::to_string(i)}, {"at", std::int64_t{0}}}));
  ASSERT_TRUE(run(world.house.loop, world.here().store->mutate(std::move(batch))).ok());
  world.deps.departures = nullptr;
  EXPECT_EQ(world.remove(), 204);
  store::FaultStore& store = *world.house.faults.at("demo");
  std::set<std::int64_t> seen;
  for (int nth = 1; world.noted() && world.rows("push_feedback", "shop") > 0; ++nth) {  // further each time
    ASSERT_LT(nth, 200);
    Departures other(world.house.tenants(), world.tables, "other", world.house.clock, world.house.log);
    store.fail(nth, Error(Code::timeout, "", "told to fail"));
    (void)world.upkeep(other);
    store.fail(0);
    seen.insert(world.rows("push_feedback", "shop"));
  }
  EXPECT_TRUE(seen.contains(kMany + 1));
  EXPECT_TRUE(seen.contains(kMany + 1 - store::kPieceRows) || seen.contains(kMany + 1 - 2 * store::kPieceRows)) << "it stopped in between, and what was gone stayed gone";
  world.deps.departures = &world.departures;
  EXPECT_EQ(world.create(), 201);
}

TEST(DepartedServices, AFileThatBringsOneMayBeTriedWhileItsRowsGo) {
  World world;
  EXPECT_EQ(world.remove(), 204);
  ASSERT_TRUE(world.noted());
  const http::Response tried = world.ask(http::Method::post, "/admin/apply", "dry_run=true", "tenant: demo\n" + std::string(World::kLess));
  EXPECT_EQ(tried.status, 200) << tried.body;
  EXPECT_TRUE(world.noted()) << "a rehearsal touches nothing";
}

TEST(DepartedServices, AreAskedForRowsInTablesThatNoNoteNames) {
  World world;
  store::Batch batch;
  batch.add(store::remove("table_shapes", store::equals("name", tables::physical_name("shop", "items"))));  // as a crash left it
  batch.add(store::remove("table_shapes", store::equals("name", tables::physical_name("shop", "old"))));
  ASSERT_TRUE(run(world.house.loop, world.here().store->mutate(std::move(batch))).ok());
  const http::Response refused = world.apply("services: {sho: {tables: {Items: {}}}}");
  EXPECT_EQ(refused.status, 409);
  EXPECT_NE(refused.body.find("has rows in table 'items'"), std::string::npos) << refused.body;
}

TEST(DepartedServices, MayBeRefusedRightBeforeAFileThatLeavesThemOutIsCommitted) {
  World world;
  tenant::Desired desired = *tenant::parse_desired_text("tenant: demo\nservices: {sho: {tables: {Items: {}}}}");
  bool asked = false;
  http::Request request;
  tenant::LastLook look = [&](const tenant::DesiredPlan& plan) -> Task<void> {
    asked = std::ranges::any_of(plan.changes, [](const tenant::Change& each) { return each.act == tenant::Change::Act::remove && each.key.name == "shop"; });
    return refused();
  };
  const auto applied = run(world.house.loop, tenant::apply_desired(world.house.tenants(), world.people, std::move(desired), false, request, world.house.clock, world.house.random, look));
  EXPECT_TRUE(asked);
  ASSERT_FALSE(applied.ok());
  EXPECT_EQ(applied.error().code, Code::conflict);
  EXPECT_TRUE(world.here()->services.contains("shop"));
}

class DepartedUnderFaults : public ::testing::TestWithParam<store::FaultStore::When> {};

TEST_P(DepartedUnderFaults, AServiceIsThereOrGoesWholeWhicheverCallFails) {
  for (int nth = GetParam() == store::FaultStore::When::before ? 1 : 2;; nth += 2) {  // of neighbours one fails before, the other after
    ASSERT_LT(nth, 120) << "it never passes";
    World world(true);
    store::FaultStore& store = *world.house.faults.at("demo");
    const std::string before = world.left("shop");
    store.fail(nth, Error(Code::server_error, "", "told to fail"), GetParam());
    (void)world.remove();
    const bool passed = !store.fired();
    store.fail(0);
    ASSERT_TRUE(run(world.house.loop, world.house.tenants().reload("demo")).ok());
    if (world.here()->services.contains("shop")) {
      EXPECT_EQ(world.left("shop"), before) << "half of it is gone, failing call " << nth;
      continue;
    }
    EXPECT_TRUE(world.noted()) << nth;
    // The server stopped there. Another finds the note, or somebody wants the name.
    Departures other(world.house.tenants(), world.tables, "other", world.house.clock, world.house.log);
    world.deps.departures = &other;
    if (nth % 4 < 2) {
      EXPECT_TRUE(world.upkeep(other).ok()) << nth;
      EXPECT_EQ(world.left("shop"), "") << "after failing call " << nth;
    }
    EXPECT_EQ(world.create(), 201) << nth;
    EXPECT_EQ(world.left("shop"), "") << "after failing call " << nth;
    if (passed) break;
  }
}

INSTANTIATE_TEST_SUITE_P(Moments, DepartedUnderFaults, testing::Values(store::FaultStore::When::before, store::FaultStore::When::after),
                         [](const auto& moment) { return moment.param == store::FaultStore::When::before ? "before" : "after"; });

}  // namespace
}  // namespace mandate::management
