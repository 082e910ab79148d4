// Too little of something: connections, free ones, room on the disk. Whoever cannot be served is told in time, with a code
// the doors answer 503 for, and all goes well again by itself.
#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <cstdio>
#include <random>

#include "tests/fault/load.h"
#include "tests/fault/one_cluster.h"
#include "tests/fault/small_disk.h"

namespace mandate::store {
namespace {

using test::OneCluster;
using test::run;
using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

milliseconds since(Steady::time_point moment) { return std::chrono::duration_cast<milliseconds>(Steady::now() - moment); }

/// Somebody else in the database.
class Outsider {
 public:
  explicit Outsider(const std::string& url) : pg_(PQconnectdb(url.c_str()), PQfinish) {}
  void operator()(const std::string& sql) {
    const std::unique_ptr<PGresult, void (*)(PGresult*)> r(PQexec(pg_.get(), sql.c_str()), PQclear);
    if (PQresultStatus(r.get()) != PGRES_COMMAND_OK && PQresultStatus(r.get()) != PGRES_TUPLES_OK)
      throw std::runtime_error(PQerrorMessage(pg_.get()));
  }

 private:
  std::unique_ptr<PGconn, void (*)(PGconn*)> pg_;
};

Batch item(const std::string& id, milliseconds patience, std::string filler = {}) {
  Batch batch;
  batch.add(insert("item", {{"id", id + filler}, {"n", std::int64_t{1}}}));
  batch.deadline = Steady::now() + patience;
  return batch;
}
Plan item_of(const std::string& id, milliseconds patience) {
  Plan plan;
  plan.table = "item";
  plan.where = equals("id", id);
  plan.deadline = Steady::now() + patience;
  return plan;
}
template <class T>
bool answers_503(const Result<T>& result) {
  return !result.ok() && http_status(result.error().code) == 503;
}

TEST(PostgresPressure, AStormOfNodesAtStartFindsTheServerFullAndIsToldSoInTime) {
  test::PostgresServerOptions small;
  small.settings = {"max_connections = 40"};
  test::PostgresServer server(small);
  const std::string url = server.create_database();
  test::prepare_tables(url);
  constexpr int kNodes = 20;
  constexpr milliseconds kPatience{4000};
  test::TestLoop loop;
  std::vector<std::unique_ptr<OneCluster>> nodes;
  for (int i = 0; i < kNodes; ++i) {
    PostgresOptions options;
    options.url = url;
    nodes.push_back(std::make_unique<OneCluster>(options));
  }
  std::vector<std::thread> starting;
  std::atomic<int> turned_away{0};
  for (auto& node : nodes)
    starting.emplace_back([&turned_away, &node] {
      const auto begin = Steady::now();
      const std::optional<Code> refused = node->open();
      if (refused) {
        ++turned_away;
        EXPECT_EQ(*refused, Code::overloaded);
      }
      EXPECT_LE(since(begin), seconds(8));
    });
  for (std::thread& thread : starting) thread.join();

  const auto everybody_writes = [&](const char* round) {
    int waiting = 0, served = 0, refused = 0;
    for (int i = 0; i < kNodes; ++i) {
      OneCluster& node = *nodes[static_cast<std::size_t>(i)];
      if (!node.is_open()) continue;
      ++waiting;
      const auto begin = Steady::now();
      spawn(node.store().mutate(item(std::string(round) + std::to_string(i), kPatience)), [&, begin](Result<Outcome> done) {
        --waiting;
        ++(done.ok() ? served : refused);
        if (!done.ok()) EXPECT_TRUE(answers_503(done)) << name(done.error().code) << done.error().detail;
        EXPECT_LE(since(begin), kPatience + milliseconds(500));
      });
    }
    loop.run_until([&] { return waiting == 0; });
    std::printf("# %s: %d served, %d told 503\n", round, served, refused);
    return std::pair(served, refused);
  };
  std::printf("# %d of %d nodes were turned away at their start\n", turned_away.load(), kNodes);
  // A slow machine may need more than one round until the first of them has a connection.
  int served = 0, refused = 0;
  for (int round = 1; served == 0 && round <= 5; ++round) {
    const auto [now, told] = everybody_writes(("in the storm, round " + std::to_string(round) + " ").c_str());
    served += now, refused += told;
  }
  EXPECT_GT(served, 0) << "the storm left nobody a connection to read and one to write";
  EXPECT_GT(refused + turned_away, 0) << "there was no storm";

  // The others leave, and three remain who fit.
  std::vector<OneCluster*> staying;
  for (auto& node : nodes) {
    if (staying.size() < 3 && node->is_open()) staying.push_back(node.get());
    else node->close();
  }
  int count = 0;
  for (OneCluster* node : staying) {
    Result<Outcome> done = Error(Code::timeout);
    const auto begin = Steady::now();
    for (int tries = 0; !done.ok() && since(begin) < seconds(5); ++tries)
      done = run(
          loop, node->store().mutate(item("after-" + std::to_string(tries) + "-" + std::to_string(++count), milliseconds(1500))));
    EXPECT_TRUE(done.ok()) << done.error().detail;
  }
  PostgresOptions options;
  options.url = url;
  OneCluster late(options);
  EXPECT_EQ(late.open(), std::nullopt) << "who was turned away is welcome later";
  EXPECT_TRUE(run(loop, late.store().get(item_of("none", seconds(2)))).ok());
  late.close();
  for (auto& node : nodes) node->close();
}

class PoolOfOne : public testing::Test {
 protected:
  PoolOfOne() {
    PostgresOptions options;
    options.url = url;
    options.read_connections = options.write_connections = 1;
    options.statement_limit = milliseconds(2000);
    options.queue_limit = 50;
    one = std::make_unique<OneCluster>(options);
    if (one->open()) throw std::runtime_error("not opened");
  }
  ~PoolOfOne() override {
    one.reset();
    test::shared_postgres().drop_database(url);
  }
  static std::string prepared() {
    const std::string url = test::shared_postgres().create_database();
    test::prepare_tables(url);
    return url;
  }

  const std::string url = prepared();  // before the loop: it has one of its own meanwhile
  test::TestLoop loop;
  std::unique_ptr<OneCluster> one;
  Outsider outsider{url};
};

TEST_F(PoolOfOne, WhoWaitsForTheOnlyConnectionIsToldAtItsDeadline) {
  ASSERT_TRUE(run(loop, one->store().mutate(item("first", seconds(5)))).ok());
  outsider("BEGIN; LOCK TABLE \"mandate:demo\".item IN ACCESS EXCLUSIVE MODE");
  int waiting = 0, overloaded = 0, late = 0;
  const auto begin = Steady::now();
  const auto told = [&](const auto& result) {
    --waiting;
    EXPECT_TRUE(answers_503(result));
    if (result.ok()) return;
    if (result.error().code == Code::overloaded) ++overloaded;
    else ++late;
    EXPECT_LE(since(begin), milliseconds(1200));
  };
  for (int i = 0; i < 120; ++i) {
    waiting += 2;
    spawn(one->store().get(item_of("first", milliseconds(700))), [&](Result<std::optional<Row>> r) { told(r); });
    spawn(one->store().mutate(item("w" + std::to_string(i), milliseconds(700))), [&](Result<Outcome> r) { told(r); });
  }
  loop.run_until([&] { return waiting == 0; });
  std::printf("# %d told at once that too many wait, %d at their deadline\n", overloaded, late);
  EXPECT_GT(overloaded, 0);
  EXPECT_GT(late, 0);
  outsider("COMMIT");
  EXPECT_TRUE(run(loop, one->store().get(item_of("first", seconds(5)))).ok());
  EXPECT_TRUE(run(loop, one->store().mutate(item("last", seconds(5)))).ok());
}

TEST_F(PoolOfOne, ALockedRowHoldsUpItsOwnWriterAndOthersNoLongerThanAStatementMayTake) {
  ASSERT_TRUE(run(loop, one->store().mutate(item("first", seconds(5)))).ok());
  outsider("BEGIN; UPDATE \"mandate:demo\".item SET n = 2 WHERE id = 'first'");
  Batch batch;
  batch.add(update("item", equals("id", "first"), {{"n", std::int64_t{3}}}));
  batch.deadline = Steady::now() + seconds(8);
  std::optional<Result<Outcome>> stuck, other;
  const auto begin = Steady::now();
  spawn(one->store().mutate(std::move(batch)), [&](Result<Outcome> r) { stuck.emplace(std::move(r)); });
  spawn(one->store().mutate(item("other", seconds(8))), [&](Result<Outcome> r) { other.emplace(std::move(r)); });
  loop.run_until([&] { return stuck && other; });
  EXPECT_EQ(stuck->error().code, Code::timeout);
  EXPECT_TRUE(other->ok()) << other->error().detail;
  EXPECT_LE(since(begin), milliseconds(4500));
  EXPECT_TRUE(run(loop, one->store().get(item_of("first", seconds(1)))).ok()) << "reads do not wait for writers";
  outsider("ROLLBACK");
}

TEST(PostgresPressure, AFullDiskRefusesWritesReadsGoOnAndItRecoversByItself) {
  test::PostgresServer server;
  test::SmallDisk disk(server);
  std::printf("# %s\n", disk.real() ? "a tablespace on a tmpfs that is full"
                                    : "no tmpfs can be mounted here: a trigger says that the disk is full");
  test::prepare_tables(disk.url());
  PostgresOptions options;
  options.url = disk.url();
  OneCluster one(options);
  ASSERT_EQ(one.open(), std::nullopt);
  test::TestLoop loop;
  std::mt19937 chance(5);
  // Long and without repetition, so that each needs room of its own.
  const auto filler = [&] {
    std::string out(2000, 'x');
    for (char& c : out) c = static_cast<char>('a' + chance() % 26);
    return out;
  };
  ASSERT_TRUE(run(loop, one.store().mutate(item("first", seconds(5)))).ok());
  disk.fill();
  std::set<std::string> written;
  int refused = 0;
  for (int i = 0; refused < 20 && i < 2000; ++i) {
    const std::string id = "full-" + std::to_string(i), text = filler();
    const Result<Outcome> done = run(loop, one.store().mutate(item(id, seconds(5), text)));
    if (done.ok()) {
      written.insert(id + text);  // there was room in a page
      continue;
    }
    ASSERT_EQ(done.error().code, Code::read_only) << name(done.error().code) << ": " << done.error().detail;
    EXPECT_EQ(done.error().detail.find("full-"), std::string::npos) << "tells what is in it";
    ++refused;
    const auto row = run(loop, one.store().get(item_of("first", seconds(2))));
    ASSERT_TRUE(row.ok() && *row) << "reads go on";
  }
  EXPECT_EQ(refused, 20);
  EXPECT_TRUE(one.store().writable()) << "a full disk ends by itself";
  disk.free();
  const auto begin = Steady::now();
  Result<Outcome> done = Error(Code::timeout);
  for (int i = 0; !done.ok() && since(begin) < seconds(5); ++i)
    done = run(loop, one.store().mutate(item("after-" + std::to_string(i), seconds(5), filler())));
  EXPECT_TRUE(done.ok()) << done.error().detail;
  std::printf("# %zu found room in a page, %d refused; writing again %lld ms after there was room\n", written.size(), refused,
              static_cast<long long>(since(begin).count()));
  for (const std::string& id : written)
    EXPECT_TRUE(run(loop, one.store().get(item_of(id, seconds(2))))->has_value()) << "lost " << id.substr(0, 10);
  one.close();
}

}  // namespace
}  // namespace mandate::store
