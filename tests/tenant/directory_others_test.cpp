// What others do to the same stores, and what fails on the way: the directory follows, sooner or later.
#include <gtest/gtest.h>

#include "store/fault.h"
#include "tests/tenant/directory_fixture.h"

namespace mandate::tenant {
namespace {

using test::run;

class DirectoryAndOthers : public ::testing::Test {
 protected:
  DirectoryAndOthers() { EXPECT_TRUE(run(loop, directory.open()).ok()); }

  Result<std::unique_ptr<store::Store>> open_store(std::string_view name) {
    store::SqliteOptions options;
    options.path = dir.path() + "/" + std::string(name) + ".db";
    options.clock = &clock;
    TRY(std::unique_ptr<store::SqliteStore> made, store::open_sqlite(options, log, metrics));
    CHECK_OK(made->migrate(store::kMigrations));
    CHECK_OK(made->migrate(kMigrations));
    auto faulty = std::make_unique<store::FaultStore>(*made);
    faults[std::string(name)] = faulty.get();
    others[std::string(name)] = std::move(made);
    return std::unique_ptr<store::Store>(std::move(faulty));
  }
  std::uint64_t revision(const std::string& name) {
    const auto here = directory.by_name(name);
    return here.ok() ? (*here)->revision : 0;
  }
  void others_write(const std::string& where, std::vector<store::Mutation> changes) {
    store::Batch batch;
    batch.mutations = std::move(changes);
    const auto done = run(loop, others.at(where)->mutate(std::move(batch)));
    ASSERT_TRUE(done.ok()) << done.error().detail;
  }
  static store::Mutation listed(const std::string& name) {
    StoredObject entry;
    entry.body = {{"created_at", 1}};
    return write_object({std::string(kind::kTenantName), name}, entry);
  }

  test::TestLoop loop;
  test::TempDir dir;
  ManualClock clock;
  SeededRandom random;
  Metrics metrics;
  Log log{clock, Level::error, [](std::string_view) {}};
  CpuPool pool{1, 100};
  std::map<std::string, std::unique_ptr<store::Store>> others;  ///< the same data, as another node has it
  std::map<std::string, store::FaultStore*> faults;
  TenantDirectory directory{[this](std::string_view name) { return open_store(name); }, Vault("the master key of these tests", random),
                            pool, clock, random, log};
};

TEST_F(DirectoryAndOthers, AChangeThatCouldNotBeReadIsReadAgainUntilItCan) {
  ASSERT_TRUE(run(loop, directory.create("demo")).ok());
  loop.run_until([&] { return revision("demo") > 0; });
  const std::uint64_t before = revision("demo");
  faults.at("demo")->fail(1, Error(Code::timeout, "The server is busy."));
  others_write("demo", {raise_revision(before)});
  loop.run_until([&] { return faults.at("demo")->fired(); });
  EXPECT_EQ(revision("demo"), before);
  loop.run_until([&] { return revision("demo") == before + 1; });
}

TEST_F(DirectoryAndOthers, ATenantThatSomebodyElseListedIsServed) {
  EXPECT_FALSE(directory.by_name("theirs").ok());
  others_write("system", {listed("theirs")});
  loop.run_until([&] { return directory.by_name("theirs").ok(); });
  EXPECT_EQ(run(loop, directory.create("theirs")).error().code, Code::conflict);
}

TEST_F(DirectoryAndOthers, AListThatCouldNotBeReadIsReadAgain) {
  faults.at("system")->fail(1, Error(Code::overloaded, "The server is busy."));
  others_write("system", {listed("theirs")});
  loop.run_until([&] { return faults.at("system")->fired(); });
  EXPECT_FALSE(directory.by_name("theirs").ok());
  loop.run_until([&] { return directory.by_name("theirs").ok(); });
}

TEST_F(DirectoryAndOthers, ATenantThatCouldNotBeListedIsNotServedAndCanBeMadeAgain) {
  faults.at("system")->fail(1, Error(Code::timeout, "The server is busy."));
  EXPECT_EQ(run(loop, directory.create("demo")).error().code, Code::timeout);
  EXPECT_FALSE(directory.by_name("demo").ok());
  EXPECT_TRUE(run(loop, directory.create("demo")).ok());
  EXPECT_TRUE(directory.by_name("demo").ok());
}

TEST_F(DirectoryAndOthers, ATenantWhoseListingWasAnsweredTooLateIsThere) {
  faults.at("system")->fail(1, Error(Code::timeout, "The server is busy."), store::FaultStore::When::after);
  EXPECT_FALSE(run(loop, directory.create("demo")).ok());
  loop.run_until([&] { return directory.by_name("demo").ok(); });
}

}  // namespace
}  // namespace mandate::tenant
