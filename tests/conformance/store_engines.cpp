#include "store/postgres/postgres.h"
#include "tests/conformance/store_fixture.h"
#include "tests/support/postgres_server.h"

namespace mandate::store {
namespace {

class TriedSqlite final : public Tried {
 public:
  Store& store() override { return temp_.store(); }
  Migratable& migratable() override { return temp_.engine(); }
  ManualClock& clock() override { return temp_.clock(); }
  void reopen() override { temp_.reopen(); }

 private:
  test::TempStore temp_;
};

/// A tenant in a schema of its own in the one database of this process.
class TriedPostgres final : public Tried {
 public:
  TriedPostgres() { reopen(); }
  Store& store() override { return *store_; }
  Migratable& migratable() override { return *cluster_; }
  ManualClock& clock() override { return clock_; }
  void reopen() override {
    static const std::string database = test::shared_postgres().create_database();
    static int count = 0;
    if (options_.url.empty()) options_.schema = "mandate_" + std::to_string(++count);
    store_.reset();
    cluster_.reset();
    options_.url = database;
    options_.clock = &clock_;
    options_.random = &random_;
    auto opened = open_postgres(options_, log_, metrics_);
    if (!opened.ok()) throw std::runtime_error(opened.error().hint + " " + opened.error().detail);
    cluster_ = *std::move(opened);
    if (auto done = cluster_->migrate(kMigrations); !done.ok()) throw std::runtime_error(done.error().hint + " " + done.error().detail);
    store_ = cluster_->tenant("demo");
  }

 private:
  ManualClock clock_;
  SystemRandom random_;
  Log log_{clock_, Level::error, [](std::string_view) {}};
  Metrics metrics_;
  PostgresOptions options_;
  std::unique_ptr<PostgresCluster> cluster_;
  std::unique_ptr<Store> store_;
};

}  // namespace

std::vector<EngineUnderTest> engines_under_test() {
  return {{"sqlite", [] { return std::unique_ptr<Tried>(std::make_unique<TriedSqlite>()); }},
          {"postgres", [] { return std::unique_ptr<Tried>(std::make_unique<TriedPostgres>()); }}};
}

}  // namespace mandate::store
