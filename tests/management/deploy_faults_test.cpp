// A deployment whose store fails in the middle: the version before, or the new one, and nothing in between.
#include <gtest/gtest.h>

#include "management/mount.h"
#include "tables/code/code.h"
#include "tables/mount.h"
#include "tests/tenant/directory_fixture.h"

namespace mandate::management {
namespace {

using tables::code::Files;
using test::run;

struct Nobody final : tenant::UserSeeder {
  Task<bool> exists(tenant::Here, std::string, std::string) override { co_return false; }
  Task<void> create(tenant::Here, tenant::SeedUser) override { co_return ok(); }
};

const Files kFirst{{"table/A.insert.js", "function insert() {}"}, {"shared/x.js", "1"}, {"api/old.js", "exports.get = 1"}};
const Files kSecond{{"table/A.insert.js", "function insert(item) {}"}, {"table/B.json", "{}"}, {"shared/x.js", "2"}, {"api/new.js", "exports.get = 2"}};

struct World {
  World() {
    house.faulty = true;
    deps.code = &code;
    mount(router, deps);
    EXPECT_EQ(ask("/admin/apply", "", "tenant: demo"), 200);
    EXPECT_EQ(deploy(kFirst), 200);
  }
  int ask(std::string path, std::string_view query, std::string_view body) {
    http::Request request;
    request.method = http::Method::post;
    request.path = std::move(path);
    request.query = query;
    request.body = body;
    request.host = "mandate";
    request.local_admin = true;
    request.id = "r1";
    Result<http::Response> answer = run(house.loop, router.answer(request));
    return answer.ok() ? answer->status : 599;
  }
  int deploy(const Files& files) { return ask("/admin/services/default/deploy", "", tables::code::write_folder(files)); }
  int roll_back() { return ask("/admin/services/default/rollback", "", {}); }

  /// What runs, by its parts; every part must be of the same version.
  std::string running() {
    EXPECT_TRUE(run(house.loop, house.tenants().reload("demo")).ok());
    const tenant::Here here = *house.tenants().by_name("demo");
    const tenant::Service& service = here->services.at("default");
    tables::code::CodeStore fresh{house.pool, house.log, house.metrics};  // as another node reads it
    const auto bundle = run(house.loop, fresh.load(here, &service));
    if (!bundle.ok()) return "unreadable: " + bundle.error().detail;
    const Files& files = (*bundle)->files;
    const bool first = files == kFirst;
    if (!first && files != kSecond) return "half of the files";
    // A table that a version made stays when another does not name it.
    const bool tables = first || service.tables.contains("b"), apis = service.apis.contains("old") == first && service.apis.contains("new") != first;
    const bool script = service.tables.at("a").scripts.at("insert").source == files.at("table/A.insert.js");
    return tables && apis && script ? (first ? "first" : "second") : "half of the configuration";
  }

  test::DirectoryHouse house{"", {tables::kMigrations}};
  Nobody people;
  tables::code::CodeStore code{house.pool, house.log, house.metrics};
  Deps deps{house.tenants(), people, nullptr, {}, house.clock, house.random, house.log, "1.2.3"};
  http::Router router;
};

class DeployUnderFaults : public ::testing::TestWithParam<store::FaultStore::When> {};

TEST_P(DeployUnderFaults, TheVersionBeforeRunsOrTheNewOneDoesWhicheverCallFails) {
  for (int nth = GetParam() == store::FaultStore::When::before ? 1 : 2;; nth += 2) {  // of neighbours one fails before, the other after
    ASSERT_LT(nth, 40) << "it never passes";
    World world;
    store::FaultStore& store = *world.house.faults.at("demo");
    store.fail(nth, Error(Code::server_error, "", "told to fail"), GetParam());
    const int status = world.deploy(kSecond);
    const bool passed = !store.fired();
    store.fail(0);
    const std::string now = world.running();
    EXPECT_TRUE(now == "first" || now == "second") << now << ", failing call " << nth;
    if (status == 200) EXPECT_EQ(now, "second") << nth;
    EXPECT_EQ(world.deploy(kSecond), 200) << "and the next one is as any";
    EXPECT_EQ(world.running(), "second");
    if (passed) break;
  }
}

TEST_P(DeployUnderFaults, ARollbackToo) {
  for (int nth = GetParam() == store::FaultStore::When::before ? 1 : 2;; nth += 2) {  // of neighbours one fails before, the other after
    ASSERT_LT(nth, 40) << "it never passes";
    World world;
    ASSERT_EQ(world.deploy(kSecond), 200);
    store::FaultStore& store = *world.house.faults.at("demo");
    store.fail(nth, Error(Code::server_error, "", "told to fail"), GetParam());
    const int status = world.roll_back();
    const bool passed = !store.fired();
    store.fail(0);
    const std::string now = world.running();
    EXPECT_TRUE(now == "first" || now == "second") << now << ", failing call " << nth;
    if (status == 200) EXPECT_EQ(now, "first") << nth;
    if (passed) break;
  }
}

INSTANTIATE_TEST_SUITE_P(Moments, DeployUnderFaults, testing::Values(store::FaultStore::When::before, store::FaultStore::When::after),
                         [](const auto& moment) { return moment.param == store::FaultStore::When::before ? "before" : "after"; });

}  // namespace
}  // namespace mandate::management
