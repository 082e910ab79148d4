// RL-1, RL-14 at the store of each engine: kill -9 of who writes, at random instants under load; nothing acknowledged is
// lost, nothing happens by halves, nothing consumed comes back, the data stays sound.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <random>
#include <set>

#include "store/postgres/postgres.h"
#include "store/single_use.h"
#include "tests/fault/load.h"
#include "tests/support/postgres_server.h"
#include "tests/support/temp_store.h"
#include "tests/support/test_loop.h"

namespace mandate::store {
namespace {

using test::run;
using namespace std::chrono;

constexpr int kInFlight = 16, kKills = 20;

/// A store as a process opens it.
struct Opened {
  virtual ~Opened() = default;
  virtual Store& store() = 0;
  virtual Migratable& migratable() = 0;

  SystemClock clock;
  SystemRandom random;
  Log log{clock, Level::error, [](std::string_view) {}};
  Metrics metrics;
};

/// Where the data is while processes come and go.
class Data {
 public:
  virtual ~Data() = default;
  /// Null when it cannot be opened.
  virtual std::unique_ptr<Opened> open() = 0;
  /// Until nothing of a killed process is at work any more.
  virtual void settle() {}
};

class SqliteData final : public Data {
  struct File final : Opened {
    Store& store() override { return *store_; }
    Migratable& migratable() override { return *store_; }
    std::unique_ptr<SqliteStore> store_;
  };
  std::unique_ptr<Opened> open() override {
    auto out = std::make_unique<File>();
    auto opened = open_sqlite({.path = dir_.path() + "/mandate.db", .clock = &out->clock}, out->log, out->metrics);
    if (!opened.ok()) return nullptr;
    out->store_ = *std::move(opened);
    return out;
  }
  test::TempDir dir_;
};

class PostgresData final : public Data {
  struct Node final : Opened {
    ~Node() override {
      store_.reset();
      cluster_.reset();
    }
    Store& store() override { return *store_; }
    Migratable& migratable() override { return *cluster_; }
    std::unique_ptr<PostgresCluster> cluster_;
    std::unique_ptr<Store> store_;
  };
  std::unique_ptr<Opened> open() override {
    auto out = std::make_unique<Node>();
    PostgresOptions options;
    options.url = url_;
    options.clock = &out->clock;
    options.random = &out->random;
    auto opened = open_postgres(options, out->log, out->metrics);
    if (!opened.ok()) return nullptr;
    out->cluster_ = *std::move(opened);
    out->store_ = out->cluster_->tenant("demo");
    return out;
  }
  void settle() override { test::wait_for_the_last_transaction(url_); }

 public:
  ~PostgresData() override { test::shared_postgres().drop_database(url_); }

 private:
  const std::string url_ = test::shared_postgres().create_database();
};

class StoreKilled : public testing::TestWithParam<const char*> {
 protected:
  static bool sqlite() { return std::string_view(GetParam()) == "sqlite"; }
  static std::unique_ptr<Data> new_data() {
    if (sqlite()) return std::make_unique<SqliteData>();
    return std::make_unique<PostgresData>();
  }
};

/// The process that is killed: opens the store, writes as fast as it can, says on the pipe what was acknowledged.
class Victim {
 public:
  Victim(Data& data, int pipe, std::int64_t start) : pipe_(pipe), next_(start), opened_(data.open()) {
    if (!opened_ || !opened_->migratable().migrate(kMigrations).ok()) ::_exit(3);
    store_ = &opened_->store();
  }
  [[noreturn]] void write_until_killed() {
    for (const char* table : {"left", "right"})
      if (!run(loop_, store_->ensure_table(table, {{"id", Type::integer, true}, {"at", Type::integer}})).ok()) ::_exit(4);
    for (int i = 0; i < kInFlight; ++i) another();
    loop_.run_until([] { return false; });
    ::_exit(5);
  }

 private:
  void say(char what, std::int64_t id) {
    const std::string line = what + std::to_string(id) + "\n";
    [[maybe_unused]] auto n = ::write(pipe_, line.data(), line.size());
  }
  void another() {
    const std::int64_t id = next_++;
    spawn(one(id), [this](Result<void> r) { r.ok() ? another() : ::_exit(6); });
  }
  Task<void> one(std::int64_t id) {
    Batch batch;
    batch.add(insert("left", {{"id", id}, {"at", Stamp{}}}));
    batch.add(insert("right", {{"id", id}, {"at", Stamp{}}}));
    Task<Outcome> writing = store_->mutate(std::move(batch));
    Result<Outcome> written = co_await writing;
    CO_CHECK(std::move(written));
    say('W', id);
    SingleUse code{std::to_string(id), {}, INT64_MAX};
    Task<void> filing = put(*store_, "code", std::move(code));
    Result<void> filed = co_await filing;
    CO_CHECK(std::move(filed));
    say('P', id);
    if (id % 2) co_return ok();
    Task<JsonObject> taking = take(*store_, "code", std::to_string(id), "", 0, Code::invalid_grant);
    Result<JsonObject> taken = co_await taking;
    CO_CHECK(std::move(taken));
    say('T', id);
    co_return ok();
  }

  int pipe_;
  std::int64_t next_;
  test::TestLoop loop_;
  std::unique_ptr<Opened> opened_;
  Store* store_ = nullptr;
};

/// Forks, lets `child` run for `life`, kills it, and gives what it had said.
template <class Child>
std::string killed_after(milliseconds life, bool wait_for_word, Child child) {
  int ends[2];
  EXPECT_EQ(::pipe(ends), 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::close(ends[0]);
    child(ends[1]);
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string said;
  char buffer[65536];
  auto read_for = [&](milliseconds time) {
    const auto end = steady_clock::now() + time;
    for (auto now = steady_clock::now(); now < end; now = steady_clock::now()) {
      pollfd fd{ends[0], POLLIN, 0};
      if (::poll(&fd, 1, static_cast<int>(ceil<milliseconds>(end - now).count())) <= 0) continue;
      const auto n = ::read(ends[0], buffer, sizeof buffer);
      if (n <= 0) return;
      said.append(buffer, static_cast<std::size_t>(n));
    }
  };
  for (int tries = 0; wait_for_word && said.empty() && tries < 2000; ++tries) read_for(milliseconds(5));
  read_for(life);
  ::kill(pid, SIGKILL);
  for (ssize_t n; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;) said.append(buffer, static_cast<std::size_t>(n));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(pid, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << "the writer ended by itself: " << WEXITSTATUS(status);
  return said;
}

/// The ids said with `what`; a line cut by the kill was not said.
std::set<std::int64_t> ids(const std::string& said, char what) {
  std::set<std::int64_t> out;
  for (std::size_t at = 0, end; (end = said.find('\n', at)) != std::string::npos; at = end + 1)
    if (said[at] == what) out.insert(std::stoll(said.substr(at + 1, end - at - 1)));
  return out;
}

std::set<std::int64_t> all_ids(test::TestLoop& loop, Store& store, const std::string& table) {
  Plan plan;
  plan.table = table;
  plan.select = {"id"};
  std::set<std::int64_t> out;
  auto listed = run(loop, store.list(plan, [&](const RowView& row) { return out.insert(row.integer(0)), true; }));
  EXPECT_TRUE(listed.ok()) << listed.error().detail;
  return out;
}

TEST_P(StoreKilled, NothingAcknowledgedIsLostAndNothingConsumedComesBack) {
  const std::unique_ptr<Data> data = new_data();
  std::mt19937 chance(static_cast<unsigned>(::getpid()));
  std::set<std::int64_t> written, filed, taken;
  std::int64_t start = 0;
  milliseconds alive{0};
  for (int kill = 0; kill < kKills; ++kill) {
    const milliseconds life(20 + chance() % 200);
    alive += life;
    const std::string said = killed_after(life, true, [&](int pipe) { Victim(*data, pipe, start).write_until_killed(); });
    written.merge(ids(said, 'W'));
    filed.merge(ids(said, 'P'));
    taken.merge(ids(said, 'T'));

    data->settle();
    const auto before = steady_clock::now();
    test::TestLoop loop;
    const std::unique_ptr<Opened> opened = data->open();
    ASSERT_TRUE(opened);
    EXPECT_LT(steady_clock::now() - before, seconds(2)) << "ready too late";
    Store& store = opened->store();
    const auto left = all_ids(loop, store, "left"), right = all_ids(loop, store, "right");
    EXPECT_EQ(left, right) << "a batch happened by halves";
    for (std::int64_t id : written) EXPECT_TRUE(left.contains(id)) << "lost " << id;
    if (!left.empty()) start = *left.rbegin() + kInFlight + 1;
    for (std::int64_t id : ids(said, 'T'))
      EXPECT_FALSE(run(loop, take(store, "code", std::to_string(id), "", 0, Code::invalid_grant)).ok()) << "taken twice: " << id;
    for (std::int64_t id : ids(said, 'P'))
      if (id % 2) EXPECT_TRUE(run(loop, peek(store, "code", std::to_string(id), "", 0))->has_value()) << "lost code " << id;
    auto report = run(loop, store.check());
    ASSERT_TRUE(report.ok());
    EXPECT_EQ(*report, "");
  }
  const auto writes = written.size() + filed.size() + taken.size();
  const double rate = static_cast<double>(writes) / duration<double>(alive).count();
  RecordProperty("acknowledged_writes", static_cast<int>(writes));
  std::printf("# %s: %d kills, %zu acknowledged writes, %.0f a second\n", GetParam(), kKills, writes, rate);
  EXPECT_GE(rate, 200) << "too slow to mean anything: " << writes << " in " << alive.count() << " ms";
}

TEST_P(StoreKilled, AMigrationKilledAnywhereFinishesOrLeavesNothing) {
  std::string sql = "CREATE TABLE m (id BIGINT NOT NULL PRIMARY KEY, n BIGINT);";
  if (sqlite())
    for (int i = 0; i < 300; ++i) sql += "INSERT INTO m (id, n) VALUES (" + std::to_string(i) + ", 1); UPDATE m SET n = n + 1;";
  else
    for (int i = 0; i < 60; ++i) sql += "CREATE TABLE m" + std::to_string(i) + " (id BIGINT NOT NULL PRIMARY KEY, n BIGINT);";
  const Migration steps[] = {{"todo", "0001_m", sql},
                             {"todo", "0002_m", "ALTER TABLE m ADD COLUMN late BIGINT; UPDATE m SET late = 1;"}};
  std::mt19937 chance(3);
  for (int kill = 0; kill < 10; ++kill) {
    const std::unique_ptr<Data> data = new_data();
    auto migrate = [&] {
      const std::unique_ptr<Opened> opened = data->open();
      return opened && opened->migratable().migrate(steps).ok();
    };
    killed_after(milliseconds(chance() % (sqlite() ? 60 : 300)), false, [&](int) { ::_exit(migrate() ? 0 : 7); });
    EXPECT_TRUE(migrate());
    test::TestLoop loop;
    const std::unique_ptr<Opened> opened = data->open();
    ASSERT_TRUE(opened);
    Plan plan;
    plan.table = "m";
    if (!sqlite()) {
      // A rooms' table, whole and usable: the columns of both steps are there.
      Batch batch;
      batch.add(insert("m", {{"id", std::int64_t{0}}, {"n", std::int64_t{301}}, {"late", std::int64_t{1}}}));
      EXPECT_TRUE(run(loop, opened->store().mutate(std::move(batch))).ok());
      plan.table = "m59";
      EXPECT_TRUE(run(loop, opened->store().get(plan)).ok());
      plan.table = "m";
    }
    plan.where = equals("id", std::int64_t{0});
    auto row = run(loop, opened->store().get(plan));
    ASSERT_TRUE(row.ok() && row->has_value());
    EXPECT_EQ((**row).integer("n"), 301);
    EXPECT_EQ((**row).integer("late"), 1);
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, StoreKilled, testing::Values("sqlite", "postgres"),
                         [](const auto& engine) { return std::string(engine.param); });

}  // namespace
}  // namespace mandate::store
