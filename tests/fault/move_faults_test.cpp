// A move whose databases die, are replaced or are full on the way, in both directions, under a hundred writes a second: it ends
// with one line that says what is wrong, the source serves on, run again it comes to its end, and nothing is lost.
#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <sys/mount.h>

#include <cstdio>
#include <filesystem>

#include "store/postgres/move.h"
#include "store/sqlite/move.h"
#include "tests/fault/flaky_line.h"
#include "tests/fault/load.h"
#include "tests/fault/small_disk.h"
#include "tests/support/temp_store.h"

namespace mandate::test {
namespace {

using namespace store;
using std::chrono::milliseconds;
using std::chrono::seconds;

std::string sql(const std::string& url, const std::string& statement) {
  const std::unique_ptr<PGconn, void (*)(PGconn*)> c(PQconnectdb(url.c_str()), PQfinish);
  const std::unique_ptr<PGresult, void (*)(PGresult*)> r(PQexec(c.get(), statement.c_str()), PQclear);
  const ExecStatusType status = PQresultStatus(r.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) throw std::runtime_error(PQerrorMessage(c.get()));
  return PQntuples(r.get()) > 0 ? PQgetvalue(r.get(), 0, 0) : "";
}

/// A primary and what follows it, and the URL of both.
struct TwoServers {
  TwoServers() {
    PostgresServerOptions options;
    options.settings = {"synchronous_standby_names = 'second'"};
    primary = std::make_unique<PostgresServer>(options);
    const std::string first = primary->create_database();
    standby = primary->standby("second");
    for (const auto end = std::chrono::steady_clock::now() + seconds(30);
         sql(primary->url(), "select count(*) from pg_stat_replication where sync_state = 'sync'") != "1";) {
      if (std::chrono::steady_clock::now() > end) throw std::runtime_error("the standby does not follow");
      std::this_thread::sleep_for(milliseconds(20));
    }
    const std::size_t slash = first.rfind('/');
    both = first.substr(0, slash) + ",127.0.0.1:" + std::to_string(standby->port()) + first.substr(slash) +
           "?target_session_attrs=read-write";
    after = first.substr(0, first.rfind(':') + 1) + std::to_string(standby->port()) + first.substr(slash);
  }
  void fail_over() {
    primary->kill9();
    standby->promote();
  }
  std::unique_ptr<PostgresServer> primary, standby;
  std::string both, after;
};

class MoveFaults : public testing::Test {
 protected:
  struct Told {
    Result<void> result;
    std::vector<std::string> lines;
  };
  using Heard = std::function<void(const std::string& line)>;

  PostgresOptions postgres(const std::string& url) {
    PostgresOptions out;
    out.url = url;
    out.clock = &clock_;
    out.random = &random_;
    return out;
  }
  Told move(MoveSource& source, MoveTarget& target, const Heard& heard) {
    Told out;
    out.result = move_all(source, target, random_.hex(8), "here", "there", {}, [&](const std::string& line) {
      out.lines.push_back(line);
      heard(line);
    });
    return out;
  }
  static void expect_one_line(const Told& told) {
    ASSERT_FALSE(told.result.ok());
    const Error& error = told.result.error();
    EXPECT_EQ(error.hint.find('\n'), std::string::npos) << error.hint;
    EXPECT_TRUE(error.hint.starts_with("The move was interrupted: ")) << error.hint;
    EXPECT_EQ(error.detail, "") << "all of it is in the line";
    std::printf("  %s\n", error.hint.c_str());
  }

  SystemClock clock_;
  SystemRandom random_;
  Log log_{clock_, Level::error, [](std::string_view) {}};
  Metrics metrics_;
  TempDir directory_;
};

// From PostgreSQL.

class MoveBackFaults : public MoveFaults {
 protected:
  Told back(const std::string& url, const Heard& heard = [](const std::string&) {}) {
    const auto source = postgres_source(postgres(url), log_, metrics_);
    const auto target = sqlite_target(target_, kMigrations, clock_);
    return move(*source, *target, heard);
  }

  /// A node that is written through.
  void start(const std::string& url) { node_ = std::make_unique<Node>(url, shared_, NodeOptions{.name = "a"}); }

  /// After the switch: every acknowledged write is in the old place, and the new one has every row of it.
  void expect_all_there(const std::string& url) {
    EXPECT_EQ(sql(url, "SELECT state FROM mandate.mandate_move"), "left");
    EXPECT_EQ(sql(url, "SELECT count(*) FROM pg_namespace WHERE nspname = 'mandate/move'"), "0");
    EXPECT_EQ(sql(url, "SELECT count(*) FROM pg_trigger WHERE tgname = 'mandate_move'"), "0");
    auto source = postgres_source(postgres(url), log_, metrics_);
    const auto target = sqlite_target(target_, kMigrations, clock_);
    ASSERT_TRUE(source->hold(milliseconds::max()).ok());
    const auto tenants = source->tenants();
    ASSERT_TRUE(tenants.ok());
    std::int64_t rows = 0;
    for (const std::string& tenant : *tenants) {
      const auto view = source->view(tenant);
      const auto tables = (*view)->tables();
      for (const MovedTable& table : *tables) {
        MoveSum there, here;
        const auto adding = [](MoveSum& sum) {
          return [&sum](std::int64_t, const std::vector<Value>& cells) { return sum.add(cells), Result<void>{}; };
        };
        ASSERT_TRUE((*view)->all(table, adding(there)).ok());
        ASSERT_TRUE(target->all(tenant, table, adding(here)).ok());
        EXPECT_EQ(there.hex() + " " + std::to_string(there.rows()), here.hex() + " " + std::to_string(here.rows()))
            << tenant << "/" << table.name;
        rows += here.rows();
      }
    }
    source.reset();
    sql(url, "DELETE FROM mandate.mandate_move");  // to look at it with the history's eyes
    EXPECT_EQ(anomalies(url, shared_), "");
    std::printf("  %lld rows on both sides\n", static_cast<long long>(rows));
  }

  std::string target_ = directory_.path() + "/target";
  Shared shared_;
  std::unique_ptr<Node> node_;
};

TEST_F(MoveBackFaults, the_database_dies_at_any_line_of_it_and_the_move_is_run_again) {
  PostgresServer server;
  const std::string url = server.create_database();
  prepare_tables(url);
  start(url);
  ASSERT_TRUE(node_->writes(100));
  for (const char* at : {"Copied demo", "Caught up", "Compared"}) {
    const Told told = back(url, [&](const std::string& line) {
      if (line.starts_with(at)) server.kill9();
    });
    expect_one_line(told);
    server.start();
    EXPECT_TRUE(node_->writes(20)) << "the source serves on";
  }
  const auto since = std::chrono::steady_clock::now();
  const Told told = back(url);
  ASSERT_TRUE(told.result.ok()) << told.result.error().hint << told.result.error().detail;
  const Node::Figures figures = node_->figures(since);
  node_.reset();
  std::printf("  %s; %d acknowledged meanwhile, the slowest answer after %lld ms\n", told.lines.back().c_str(),
              figures.acknowledged, static_cast<long long>(figures.slowest.count()));
  expect_all_there(url);
}

TEST_F(MoveBackFaults, its_line_breaks_and_only_the_move_notices) {
  PostgresServer server;
  const std::string url = server.create_database();
  prepare_tables(url);
  start(url);
  ASSERT_TRUE(node_->writes(100));
  FlakyLine line(server.port());
  const std::size_t colon = url.rfind(':');
  const std::string through = url.substr(0, colon + 1) + std::to_string(line.port()) + url.substr(url.find('/', colon));
  for (const char* at : {"Copied demo", "Compared"}) {
    expect_one_line(back(through, [&](const std::string& said) {
      if (said.starts_with(at)) line.break_all(FlakyLine::Break::reset);
    }));
    EXPECT_TRUE(node_->writes(20));
  }
  const Told told = back(through);
  ASSERT_TRUE(told.result.ok()) << told.result.error().hint << told.result.error().detail;
  node_.reset();
  expect_all_there(url);
}

TEST_F(MoveBackFaults, a_standby_takes_over_while_it_copies) {
  TwoServers servers;
  prepare_tables(servers.both);
  start(servers.both);
  ASSERT_TRUE(node_->writes(100));
  bool once = true;
  expect_one_line(back(servers.both, [&](const std::string& line) {
    if (line.starts_with("Caught up") && std::exchange(once, false)) servers.fail_over();
  }));
  EXPECT_TRUE(node_->writes(20));
  const Told told = back(servers.both);
  ASSERT_TRUE(told.result.ok()) << told.result.error().hint << told.result.error().detail;
  node_.reset();
  expect_all_there(servers.after);
}

TEST_F(MoveBackFaults, the_disk_of_the_files_is_full) {
  PostgresServer server;
  const std::string url = server.create_database(), mount = directory_.path() + "/small";
  prepare_tables(url);
  std::filesystem::create_directory(mount);
  if (::mount("tmpfs", mount.c_str(), "tmpfs", 0, "size=1m") != 0) GTEST_SKIP() << "no disk can be mounted here";
  const std::unique_ptr<const std::string, void (*)(const std::string*)> unmount(
      &mount, [](const std::string* at) { ::umount2(at->c_str(), MNT_DETACH); });
  target_ = mount + "/target";
  start(url);
  ASSERT_TRUE(node_->writes(100));
  sql(url, "INSERT INTO mandate.single_use SELECT 'other', 'filler' || i, 'b', 'p', i FROM generate_series(1, 40000) AS i");
  expect_one_line(back(url));
  EXPECT_TRUE(node_->writes(20));
  ASSERT_EQ(::mount("tmpfs", mount.c_str(), "tmpfs", MS_REMOUNT, "size=256m"), 0);
  const Told told = back(url);
  ASSERT_TRUE(told.result.ok()) << told.result.error().hint << told.result.error().detail;
  node_.reset();
  expect_all_there(url);
}

TEST_F(MoveBackFaults, the_disk_of_the_database_is_full) {
  PostgresServer server;
  SmallDisk disk(server);
  prepare_tables(disk.url());
  {
    start(disk.url());
    ASSERT_TRUE(node_->writes(100));
    disk.fill();
    const Told full = back(disk.url());
    disk.free();
    if (!full.result.ok()) {
      expect_one_line(full);
      EXPECT_TRUE(node_->writes(20));
      const Told told = back(disk.url());
      ASSERT_TRUE(told.result.ok()) << told.result.error().hint << told.result.error().detail;
    }
    node_.reset();
  }
  expect_all_there(disk.url());
}

// To PostgreSQL.

/// A SQLite store that is written while it moves.
class MoveThereFaults : public MoveFaults {
 protected:
  MoveThereFaults() {
    store_ = open("demo");
    system_ = open("system");
    if (!source_.add("demo", *store_).ok() || !source_.add("system", *system_).ok()) throw std::runtime_error("the source");
    TestLoop loop;
    if (!run(loop, store_->ensure_table(
                       "t", {{.name = "id", .type = Type::text, .unique = true}, {.name = "text", .type = Type::text}}))
             .ok())
      throw std::runtime_error("the table");
    writer_ = std::thread([this] { write(); });
  }
  ~MoveThereFaults() override { end(); }

  std::unique_ptr<SqliteStore> open(const std::string& tenant) {
    SqliteOptions file;
    file.path = directory_.path() + "/" + tenant + ".db";
    file.clock = &clock_;
    auto opened = open_sqlite(file, log_, metrics_);
    if (!opened.ok() || !(*opened)->migrate(kMigrations).ok()) throw std::runtime_error("the store of " + tenant);
    return *std::move(opened);
  }
  void write() {
    TestLoop loop;
    for (int i = 0; !over_; ++i) {
      Batch batch;
      batch.add(insert("t", {{"id", std::to_string(i)}, {"text", std::string(2000, 'x')}}));
      const auto done = run(loop, store_->mutate(std::move(batch)));
      if (done.ok()) ++acknowledged_;
      else if (done.error().code == Code::temporarily_unavailable) return;
      (void)run(loop, sleep_for(milliseconds(10)));
    }
  }
  bool writes(int more) {
    const int from = acknowledged_;
    for (const auto end = std::chrono::steady_clock::now() + seconds(20); acknowledged_ < from + more;
         std::this_thread::sleep_for(milliseconds(5)))
      if (std::chrono::steady_clock::now() > end) return false;
    return true;
  }
  void end() {
    over_ = true;
    if (writer_.joinable()) writer_.join();
  }
  Told there(const std::string& url, const Heard& heard = [](const std::string&) {}) {
    const auto target = postgres_target(postgres(url), kMigrations, log_, metrics_);
    return move(source_, *target, heard);
  }
  void expect_all_there(const std::string& url) {
    end();
    EXPECT_EQ(sql(url, "SELECT state FROM mandate.mandate_move"), "arrived");
    EXPECT_EQ(sql(url, "SELECT count(*) FROM \"mandate:demo\".t"), std::to_string(acknowledged_));
    std::printf("  %d acknowledged rows\n", acknowledged_.load());
  }

  SqliteSource source_{directory_.path()};
  std::unique_ptr<SqliteStore> store_, system_;
  std::atomic<bool> over_{false};
  std::atomic<int> acknowledged_{0};
  std::thread writer_;
};

TEST_F(MoveThereFaults, the_database_dies_at_any_line_of_it_and_the_move_is_run_again) {
  PostgresServer server;
  const std::string url = server.create_database();
  ASSERT_TRUE(writes(50));
  for (const char* at : {"Copied", "Caught up", "Compared"}) {
    expect_one_line(there(url, [&](const std::string& line) {
      if (line.starts_with(at)) server.kill9();
    }));
    EXPECT_TRUE(writes(20));
    server.start();
  }
  const Told told = there(url);
  ASSERT_TRUE(told.result.ok()) << told.result.error().hint << told.result.error().detail;
  expect_all_there(url);
}

TEST_F(MoveThereFaults, a_standby_takes_over_while_it_copies) {
  TwoServers servers;
  ASSERT_TRUE(writes(50));
  bool once = true;
  expect_one_line(there(servers.both, [&](const std::string& line) {
    if (line.starts_with("Caught up") && std::exchange(once, false)) servers.fail_over();
  }));
  EXPECT_TRUE(writes(20));
  const Told told = there(servers.both);
  ASSERT_TRUE(told.result.ok()) << told.result.error().hint << told.result.error().detail;
  expect_all_there(servers.after);
}

TEST_F(MoveThereFaults, the_disk_of_the_database_is_full) {
  PostgresServer server;
  SmallDisk disk(server);
  ASSERT_TRUE(writes(100));
  bool once = true;
  expect_one_line(there(disk.url(), [&](const std::string& line) {
    if (line.starts_with("Copied demo") && std::exchange(once, false)) {
      disk.fill();
      EXPECT_TRUE(writes(100));
    }
  }));
  disk.free();
  EXPECT_TRUE(writes(20));
  const Told told = there(disk.url());
  ASSERT_TRUE(told.result.ok()) << told.result.error().hint << told.result.error().detail;
  expect_all_there(disk.url());
}

}  // namespace
}  // namespace mandate::test
