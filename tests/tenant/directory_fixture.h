// A directory of tenants over SQLite files of its own, for tests of this room and the ones above.
#pragma once

#include "store/fault.h"
#include "store/sqlite/sqlite.h"
#include "tenant/directory.h"
#include "tests/support/temp_store.h"
#include "tests/support/test_loop.h"

namespace mandate::test {

class DirectoryHouse {
 public:
  /// `rooms`: migrations of rooms above this one.
  explicit DirectoryHouse(std::string default_tenant = {}, std::vector<std::span<const store::Migration>> rooms = {})
      : default_tenant_(std::move(default_tenant)), rooms_(std::move(rooms)) {
    restart();
  }

  /// As a restart of the server on the same files, perhaps with another master key.
  void restart(std::string master_key = "the master key of these tests") {
    directory_.reset();
    directory_ = std::make_unique<tenant::TenantDirectory>([this](std::string_view name) { return open_store(name); },
                                                           tenant::Vault(std::move(master_key), random), pool, clock, random, log,
                                                           default_tenant_);
    opened = run(loop, directory_->open());
  }

  tenant::TenantDirectory& tenants() { return *directory_; }
  tenant::Here make(const std::string& name) {
    Result<tenant::Here> made = run(loop, directory_->create(name));
    if (!made.ok()) throw std::runtime_error(made.error().hint + made.error().detail);
    return *made;
  }
  std::string file(const std::string& name) const { return dir.path() + "/" + name + ".db"; }

  TestLoop loop;
  TempDir dir;
  ManualClock clock;
  SeededRandom random;
  Metrics metrics;
  std::vector<std::string> lines;
  Log log{clock, Level::warn, [this](std::string_view line) { lines.emplace_back(line); }};
  CpuPool pool{1, 100};
  Result<void> opened;
  bool faulty = false;                              ///< stores that are opened from now on may be told to fail
  std::map<std::string, store::FaultStore*> faults;

 private:
  Result<std::unique_ptr<store::Store>> open_store(std::string_view name) {
    store::SqliteOptions options;
    options.path = file(std::string(name));
    options.clock = &clock;
    TRY(std::unique_ptr<store::SqliteStore> made, store::open_sqlite(options, log, metrics));
    CHECK_OK(made->migrate(store::kMigrations));
    CHECK_OK(made->migrate(tenant::kMigrations));
    for (const auto room : rooms_) CHECK_OK(made->migrate(room));
    if (!faulty) return std::unique_ptr<store::Store>(std::move(made));
    auto wrapped = std::make_unique<store::FaultStore>(std::move(made));
    faults[std::string(name)] = wrapped.get();
    return std::unique_ptr<store::Store>(std::move(wrapped));
  }

  std::string default_tenant_;
  std::vector<std::span<const store::Migration>> rooms_;
  std::unique_ptr<tenant::TenantDirectory> directory_;
};

}  // namespace mandate::test
