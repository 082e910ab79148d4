// What only this engine has: many tenants in one database, two nodes, statements that share a round trip.
#include "store/postgres/postgres.h"

#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <thread>

#include "store/columns.h"
#include "store/postgres/migrations.h"
#include "store/single_use.h"
#include "tests/support/postgres_server.h"
#include "tests/support/test_loop.h"

namespace mandate::store {
namespace {

class Postgres : public testing::Test {
 protected:
  /// A node of the cluster that this test has for itself.
  std::unique_ptr<PostgresCluster> node(PostgresOptions options = {}) {
    options.url = url_;
    options.schema = schema_;
    if (!options.clock) options.clock = &clock_;
    options.random = &random_;
    auto opened = open_postgres(options, log_, metrics_);
    if (!opened.ok()) throw std::runtime_error(opened.error().hint + opened.error().detail);
    auto cluster = *std::move(opened);
    if (auto done = cluster->migrate(kMigrations); !done.ok()) throw std::runtime_error(done.error().detail);
    return cluster;
  }
  template <class T>
  Result<T> wait(Task<T> task) {
    return test::run(loop_, std::move(task));
  }
  Result<Outcome> write(Store& store, Mutation m) {
    Batch batch;
    batch.add(std::move(m));
    return wait(store.mutate(std::move(batch)));
  }
  std::optional<Row> get(Store& store, std::string table, std::string id) {
    Plan plan;
    plan.table = std::move(table);
    plan.where = equals("id", std::move(id));
    auto row = wait(store.get(std::move(plan)));
    EXPECT_TRUE(row.ok()) << row.error().detail;
    return row.ok() ? *row : std::nullopt;
  }

  static const std::string& database() {
    static const std::string url = test::shared_postgres().create_database();
    return url;
  }
  static std::string fresh_schema() {
    static int count = 0;
    return "mandate_p" + std::to_string(++count);
  }

  test::TestLoop loop_;
  ManualClock clock_;
  SystemRandom random_;
  std::vector<std::string> lines_;
  std::mutex lines_mutex_;  ///< nodes of a test may have threads of their own
  Log log_{clock_, Level::info, [this](std::string_view line) {
             const std::lock_guard lock(lines_mutex_);
             lines_.emplace_back(line);
           }};
  Metrics metrics_;
  const std::string url_ = database(), schema_ = fresh_schema();
};

TEST_F(Postgres, TenantsWithEqualTablesKeysAndIdsNeverMeet) {
  const auto cluster = node();
  const auto a = cluster->tenant("ann"), b = cluster->tenant("bob");
  JsonObject payload;
  payload["of"] = "ann";
  ASSERT_TRUE(wait(put(*a, "code", {"handle", payload, clock_.now_ms() + 60'000})).ok());
  EXPECT_FALSE(wait(peek(*b, "code", "handle", "", clock_.now_ms()))->has_value());
  EXPECT_FALSE(wait(take(*b, "code", "handle", "", clock_.now_ms(), Code::invalid_grant)).ok());
  ASSERT_TRUE(wait(put(*b, "code", {"handle", {}, clock_.now_ms() - 1})).ok()) << "the same key is free for another tenant";
  EXPECT_EQ(write(*b, sweep_single_use(clock_.now_ms()))->front().count, 1);
  EXPECT_TRUE(wait(take(*a, "code", "handle", "", clock_.now_ms(), Code::invalid_grant)).ok());

  for (const auto& store : {a.get(), b.get()}) {
    ASSERT_TRUE(wait(store->ensure_table("todo", {{"id", Type::text, true}, {"text", Type::text}})).ok());
    ASSERT_TRUE(write(*store, insert("todo", {{"id", "1"}, {"text", store == a.get() ? "ann's" : "bob's"}})).ok());
  }
  EXPECT_EQ(get(*a, "todo", "1")->text("text"), "ann's");
  EXPECT_EQ(get(*b, "todo", "1")->text("text"), "bob's");
  ASSERT_TRUE(write(*a, remove("todo", nullptr)).ok());
  EXPECT_TRUE(get(*b, "todo", "1").has_value());
  ASSERT_TRUE(wait(a->drop_table("todo")).ok());
  EXPECT_EQ(wait(b->describe("todo"))->size(), 2U);
}

// What an incremental pull stands on: who asks a node for what is behind the last stamp it has seen misses nothing that any node
// wrote, whatever their clocks say, whether a row is new, changed again or marked as deleted.
TEST_F(Postgres, AReaderThatSawAStampHasSeenEverySmallerOneOfAllNodes) {
  constexpr int kNodes = 3, kRows = 40, kChanges = 80;
  const auto reading = node();
  const auto here = reading->tenant("a");
  ASSERT_TRUE(wait(here->ensure_table("pulled", {{"id", Type::text, true}, {"n", Type::integer}, {"gone", Type::boolean}, {"at", Type::date, false, true}})).ok());
  std::atomic<int> running{kNodes};
  std::vector<std::thread> writers;
  for (int w = 0; w < kNodes; ++w)
    writers.emplace_back([&, w] {
      ManualClock clock(clock_.now_ms() + (w - 1) * 5'000);  // one behind, one ahead
      PostgresOptions options;
      options.clock = &clock;
      const auto elsewhere = node(options);
      test::TestLoop loop;
      {
        const auto store = elsewhere->tenant("a");
        const auto change = [&](Mutation m) {
          Batch batch;
          batch.add(std::move(m));
          EXPECT_TRUE(test::run(loop, store->mutate(std::move(batch))).ok());
        };
        for (int i = 0; i < kRows; ++i)
          change(insert("pulled", {{"id", std::to_string(w * kRows + i)}, {"n", std::int64_t{0}}, {"gone", false}, {"at", Stamp{}}}));
        for (int i = 0; i < kChanges; ++i) {
          // Rows of all nodes, so that two change one at a time.
          const std::string id = std::to_string((w * 7 + i * 11) % (kNodes * kRows));
          change(update("pulled", equals("id", id), {{"n", std::int64_t{w * 1000 + i}}, {"gone", i % 5 == 0}, {"at", Stamp{}}}));
        }
      }
      --running;
    });
  std::map<std::string, std::string> replica;
  const auto text_of = [](const Row& row) { return std::to_string(row.integer("n")) + (row.boolean("gone") ? " gone" : "") + " " + std::to_string(row.integer("at")); };
  std::int64_t highest = 0;
  for (bool last = false; !last;) {
    last = running == 0;
    for (bool more = true; more;) {
      Plan plan;
      plan.table = "pulled";
      plan.where = make(Op::gt, {column("at"), literal(highest)});
      plan.order = {{column("at"), false}, {column("id"), false}};
      plan.limit = 7;
      const auto page = wait(rows(*here, std::move(plan)));
      ASSERT_TRUE(page.ok()) << page.error().detail;
      for (const Row& row : *page) {
        ASSERT_GT(row.integer("at"), highest) << "two rows with one stamp";
        highest = row.integer("at");
        replica[std::string(row.text("id"))] = text_of(row);
      }
      more = !page->empty();
    }
  }
  for (auto& writer : writers) writer.join();
  Plan all;
  all.table = "pulled";
  std::map<std::string, std::string> truth;
  const auto whole = wait(rows(*here, std::move(all)));
  for (const Row& row : *whole) truth[std::string(row.text("id"))] = text_of(row);
  EXPECT_EQ(truth.size(), static_cast<std::size_t>(kNodes * kRows));
  EXPECT_EQ(replica, truth);
}

TEST_F(Postgres, GetsOfATickFromManyTenantsEachGetTheirOwnRow) {
  const auto cluster = node();
  std::vector<std::unique_ptr<Store>> tenants;
  for (int t = 0; t < 5; ++t) tenants.push_back(cluster->tenant("t" + std::to_string(t)));
  for (int t = 0; t < 5; ++t)
    for (int i = 0; i < 4; ++i) {
      JsonObject payload;
      payload["n"] = t * 10 + i;
      const auto put_one = [&](auto& store) { return wait(put(store, "k", {"h" + std::to_string(i), payload, clock_.now_ms() + 1000})); };
      ASSERT_TRUE(put_one(*tenants[static_cast<std::size_t>(t)]).ok());
    }
  int answered = 0;
  for (int t = 0; t < 5; ++t)
    for (int i = 0; i < 6; ++i)
      spawn(peek(*tenants[static_cast<std::size_t>(t)], "k", "h" + std::to_string(i), "", clock_.now_ms()), [&, t, i](auto found) {
        ++answered;
        ASSERT_TRUE(found.ok()) << found.error().detail;
        ASSERT_EQ(found->has_value(), i < 4);
        if (i < 4) EXPECT_EQ(integer_member(**found, "n"), t * 10 + i);
      });
  loop_.run_until([&] { return answered == 30; });
  EXPECT_NE(metrics_.prometheus_text().find("mandate_store_merged_reads_total 30"), std::string::npos) << metrics_.prometheus_text();
}

TEST_F(Postgres, ANodeLearnsColumnsRowsAndNewsOfAnother) {
  PostgresOptions quiet;
  quiet.notifications = false;
  quiet.feed_every = std::chrono::milliseconds(20);
  for (const PostgresOptions& options : {PostgresOptions{}, quiet}) {
    const auto here = node(options), there = node(options);
    const auto mine = here->tenant("demo"), other = there->tenant("demo");
    ASSERT_TRUE(wait(mine->ensure_table("todo", {{"id", Type::text, true}})).ok());
    ASSERT_TRUE(write(*mine, upsert("todo", {"id"}, {{"id", "a"}})).ok());
    EXPECT_TRUE(get(*other, "todo", "a").has_value());
    ASSERT_TRUE(wait(mine->ensure_table("todo", {{"text", Type::text}})).ok());
    // The other node has met the table without it.
    ASSERT_TRUE(write(*other, update("todo", equals("id", "a"), {{"text", "new"}})).ok());
    EXPECT_EQ(get(*mine, "todo", "a")->text("text"), "new");

    int heard = 0;
    const auto watch = other->watch({"single_use", "config"}, [&](std::string_view table) { heard += table == "config"; });
    const auto* count = other->changes("config");
    ASSERT_NE(count, nullptr);
    const auto before = count->load();
    const Migration config[] = {{"test", "0001_config", "CREATE TABLE IF NOT EXISTS config (kind TEXT NOT NULL, PRIMARY KEY (kind));"}};
    ASSERT_TRUE(here->migrate(config).ok());
    ASSERT_TRUE(write(*mine, upsert("config", {"kind"}, {{"kind", "x"}})).ok());
    loop_.run_until([&] { return heard > 0; });
    EXPECT_GT(count->load(), before);
  }
}

// Who remembers that nothing is to be done asks nothing of a tenant where nobody writes.
TEST_F(Postgres, WhatRoomsRememberIsToldBetweenNodes) {
  const auto here = node();
  const auto store = here->tenant("a");
  for (const char* table : {"config", "users", "identities", "oauth_revocations", "table_shapes", "push_sends", "job_runs"})
    EXPECT_NE(store->changes(table), nullptr) << table;
  EXPECT_EQ(store->changes("audit"), nullptr) << "nobody remembers it: news of it would be for nothing";
}

TEST_F(Postgres, AColumnOfAnotherTypeMadeElsewhereTakesAValueOnce) {
  PostgresOptions deaf;
  deaf.notifications = false;
  deaf.feed_every = std::chrono::hours(1);
  const auto here = node(deaf), there = node(deaf);
  const auto mine = here->tenant("demo"), other = there->tenant("demo");
  ASSERT_TRUE(wait(other->ensure_table("t", {{"id", Type::text}, {"x", Type::integer}})).ok());
  ASSERT_TRUE(write(*mine, insert("t", {{"id", "a"}, {"x", std::int64_t{1}}})).ok());
  ASSERT_TRUE(wait(other->drop_table("t")).ok());
  ASSERT_TRUE(wait(other->ensure_table("t", {{"id", Type::text}, {"x", Type::text}})).ok());
  ASSERT_TRUE(write(*mine, insert("t", {{"id", "a"}, {"x", "no number"}})).ok());
  Plan all;
  all.table = "t";
  EXPECT_EQ(wait(rows(*other, all))->size(), 1U);
}

TEST_F(Postgres, AReadIsEndedAtItsDeadlineByTheServerToo) {
  const auto cluster = node();
  const auto store = cluster->tenant("demo");
  ASSERT_TRUE(wait(store->ensure_table("slow", {{"id", Type::integer, true}, {"text", Type::text}})).ok());
  Batch rows;
  for (std::int64_t i = 0; i < 200; ++i) rows.add(insert("slow", {{"id", i}, {"text", std::string(20'000, 'x')}}));
  ASSERT_TRUE(wait(store->mutate(std::move(rows))).ok());
  Plan plan;
  plan.table = "slow";
  ExprPtr where;
  for (int i = 0; i < 200; ++i)
    where = both(where, call(Function::endswith, {call(Function::toupper, {column("text", Type::text)}, Type::text), literal(std::string("x"))}, Type::boolean));
  plan.where = where;
  plan.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(150);
  const auto late = wait(store->list(plan, [](const RowView&) { return true; }));
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code, Code::timeout);
  // The connection is free again at once.
  plan.where = nullptr;
  plan.limit = 1;
  plan.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  EXPECT_TRUE(wait(store->list(plan, [](const RowView&) { return true; })).ok());
}

TEST_F(Postgres, AnOlderNodeGoesOnWhileANewerOneMigrates) {
  const Migration first{"test", "0001_note", "CREATE TABLE note (id TEXT NOT NULL PRIMARY KEY, text TEXT);"};
  const Migration second{"test", "0002_more", "ALTER TABLE note ADD COLUMN rank BIGINT; CREATE INDEX note_rank ON note (rank);"};
  const Migration before[] = {first}, after[] = {first, second};
  const auto older = node();
  ASSERT_TRUE(older->migrate(before).ok());
  const auto old_store = older->tenant("demo");
  int wanted = 0, good = 0;
  const auto write_one = [&] {
    Batch batch;
    Mutation m = insert("note", {{"id", std::to_string(++wanted)}, {"text", "x"}});
    m.returning = {"*"};
    batch.add(std::move(m));
    spawn(old_store->mutate(std::move(batch)), [&](Result<Outcome> done) {
      EXPECT_TRUE(done.ok()) << done.error().detail;
      ++good;
    });
  };
  for (int i = 0; i < 50; ++i) write_one();
  // On another machine, so to speak: it may wait.
  std::atomic<bool> migrated{false};
  std::unique_ptr<PostgresCluster> newer;
  std::thread other([&] {
    newer = node();
    EXPECT_TRUE(newer->migrate(after).ok());
    migrated = true;
  });
  while (!migrated) {
    write_one();
    loop_.run_until([&] { return wanted - good < 20; });
  }
  other.join();
  for (int i = 0; i < 50; ++i) write_one();
  loop_.run_until([&] { return good == wanted; });
  const auto new_store = newer->tenant("demo");
  ASSERT_TRUE(write(*new_store, update("note", equals("id", "1"), {{"rank", std::int64_t{7}}})).ok());
  EXPECT_EQ(get(*new_store, "note", "1")->integer("rank"), 7);
  EXPECT_EQ(get(*old_store, "note", "1")->text("text"), "x");
  // Started anew, the older one would not know what it looks at.
  const auto again = node();
  const auto refused = again->migrate(before);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::conflict);
}

TEST_F(Postgres, AStepThatWaitsForATableInUseLetsOthersPass) {
  const Migration first{"test", "0001_note", "CREATE TABLE note (id TEXT NOT NULL PRIMARY KEY, text TEXT);"};
  const Migration second{"test", "0002_more_additive", "ALTER TABLE note ADD COLUMN rank BIGINT;"};
  const Migration before[] = {first}, after[] = {first, second};
  const auto older = node();
  ASSERT_TRUE(older->migrate(before).ok());
  const auto store = older->tenant("demo");
  // A report that takes its time, say.
  std::unique_ptr<PGconn, void (*)(PGconn*)> reader(PQconnectdb(url_.c_str()), PQfinish);
  const auto say = [&](const std::string& sql) { PQclear(PQexec(reader.get(), sql.c_str())); };
  say("BEGIN; LOCK TABLE " + schema_ + ".note IN ACCESS SHARE MODE");
  const auto newer = node();
  std::atomic<bool> migrated{false};
  std::thread other([&] {
    EXPECT_TRUE(newer->migrate(after).ok());
    migrated = true;
  });
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; std::chrono::steady_clock::now() - begun < std::chrono::seconds(2); ++i) {
    const auto sent = std::chrono::steady_clock::now();
    EXPECT_TRUE(write(*store, insert("note", {{"id", std::to_string(i)}, {"text", "x"}})).ok());
    EXPECT_LT(std::chrono::steady_clock::now() - sent, std::chrono::milliseconds(1500));
  }
  EXPECT_FALSE(migrated);
  say("COMMIT");
  other.join();
  EXPECT_TRUE(migrated);
}

/// Indexes of tables that are too large to have others wait for them.
class LargeTable : public Postgres {
 protected:
  LargeTable() {
    std::vector<ColumnSpec> columns{{"id", Type::text, true}, {"a", Type::text}, {"b", Type::integer}};
    EXPECT_TRUE(wait(store_->ensure_table("things", std::move(columns))).ok());
    for (int i = 0; i < 3; ++i) add(i);
  }
  void add(int i) { EXPECT_TRUE(write(*store_, insert("things", {{"id", std::to_string(i)}, {"a", "x"}, {"b", std::int64_t(i)}})).ok()) << i; }
  Result<void> indexes(std::vector<IndexSpec> specs) { return wait(store_->ensure_indexes("things", std::move(specs))); }
  /// A connection beside the node's.
  std::string ask(const std::string& sql) {
    const std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQexec(beside_.get(), sql.c_str()), PQclear);
    return PQntuples(result.get()) ? PQgetvalue(result.get(), 0, 0) : "";
  }
  /// "made" or "half made" for each index of a specification.
  std::string made() {
    return ask("SELECT coalesce(string_agg(CASE WHEN x.indisvalid THEN 'made' ELSE 'half made' END, ' '), '') FROM pg_index x"
               " JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = '\"" + schema_ + ":demo\".things'::regclass AND i.relname LIKE 'mandate\\_x\\_%'");
  }
  void until(const std::function<bool()>& good) { loop_.run_until(good); }
  bool said(const std::string& what) {
    const std::lock_guard lock(lines_mutex_);
    return std::ranges::any_of(lines_, [&](const std::string& line) { return line.find(what) != std::string::npos; });
  }
  int waiting_for_an_index() {
    const std::string text = metrics_.prometheus_text(), name = "\nmandate_store_tables_without_index ";
    return std::stoi(text.substr(text.find(name) + name.size()));
  }

  const std::unique_ptr<PostgresCluster> node_ = node({.rows_indexed_at_once = 2});
  const std::unique_ptr<Store> store_ = node_->tenant("demo");
  std::unique_ptr<PGconn, void (*)(PGconn*)> beside_{PQconnectdb(url_.c_str()), PQfinish};
};

TEST_F(LargeTable, GetsAnOrdinaryIndexWhileOthersReadAndWrite) {
  // Whoever makes an index so waits for those who write: this one takes its time.
  const std::unique_ptr<PGconn, void (*)(PGconn*)> writer(PQconnectdb(url_.c_str()), PQfinish);
  const auto say = [&](const std::string& sql) { PQclear(PQexec(writer.get(), sql.c_str())); };
  say("BEGIN; UPDATE \"" + schema_ + ":demo\".things SET a = 'y' WHERE id = '0'");
  ASSERT_TRUE(indexes({{{"a"}, false, {true}}, {{"b"}, false, {}}, others_stay()}).ok()) << "nobody waits";
  until([&] { return made() == "half made"; });
  add(3);
  EXPECT_TRUE(get(*store_, "things", "3"));
  EXPECT_EQ(made(), "half made");
  say("COMMIT");
  until([&] { return made() == "made made"; });
  ASSERT_TRUE(indexes({{{"b"}, false, {}}}).ok());
  EXPECT_EQ(made(), "made") << "what is not wanted any more goes";
}

TEST_F(LargeTable, AnIndexThatWasLeftHalfMadeIsMadeAnew) {
  const std::string name = index_name("things", {{"a"}, false, {}}), where = "\"" + schema_ + ":demo\".things";
  // It waits for somebody who writes, and is broken off there.
  const std::unique_ptr<PGconn, void (*)(PGconn*)> maker(PQconnectdb(url_.c_str()), PQfinish);
  ask("BEGIN");
  ask("UPDATE " + where + " SET a = 'y' WHERE id = '0'");
  PQsendQuery(maker.get(), ("CREATE INDEX CONCURRENTLY \"" + name + "\" ON " + where + " (a)").c_str());
  until([&] { return made() == "half made"; });
  ask("SELECT pg_cancel_backend(" + std::to_string(PQbackendPID(maker.get())) + ")");
  while (PGresult* left = PQgetResult(maker.get())) PQclear(left);
  ask("COMMIT");
  ASSERT_EQ(made(), "half made");
  // Somebody else makes one: two would wait for each other.
  ask("BEGIN");
  ask("LOCK TABLE " + where + " IN SHARE UPDATE EXCLUSIVE MODE");
  ASSERT_TRUE(indexes({{{"a"}, false, {}}, others_stay()}).ok());
  until([&] { return said("store.indexes_postponed"); });
  EXPECT_EQ(made(), "half made");
  ask("COMMIT");
  until([&] { return made() == "made"; });
}

TEST_F(LargeTable, AUniqueIndexIsThereWhenItIsAskedFor) {
  ASSERT_TRUE(indexes({{{"b"}, true, {}}, {{"a"}, false, {}}, others_stay()}).ok());
  EXPECT_FALSE(write(*store_, insert("things", {{"id", "9"}, {"b", std::int64_t(1)}})).ok());
  const auto refused = indexes({{{"a"}, true, {}}, others_stay()});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::conflict);
  until([&] { return made() == "made made"; });
}

TEST_F(LargeTable, AnIndexThatCannotBeMadeKeepsNoOtherAndLeavesNothing) {
  // More than a page's share, however it is packed.
  ask("INSERT INTO \"" + schema_ + ":demo\".things (id, a) SELECT 'long', string_agg(md5(i::text), '') FROM generate_series(1, 500) i");
  ASSERT_TRUE(indexes({{{"a"}, false, {}}, {{"b"}, false, {}}, {{"a", "b"}, false, {}}, others_stay()}).ok());
  until([&] { return waiting_for_an_index() == 0; });
  EXPECT_EQ(made(), "made");
  EXPECT_TRUE(said("store.indexes_failed"));
  EXPECT_FALSE(said("store.indexes_postponed")) << "it would fail again";
}

TEST_F(LargeTable, AnIndexThatCannotBeMadeKeepsNoOldOne) {
  const auto smaller = node();
  const auto store = smaller->tenant("demo");
  const auto want = [&](std::vector<IndexSpec> specs) { return wait(store->ensure_indexes("things", std::move(specs))); };
  ask("INSERT INTO \"" + schema_ + ":demo\".things (id, a, b) SELECT 'long', string_agg(md5(i::text), ''), 7 FROM generate_series(1, 500) i");
  ASSERT_TRUE(want({{{"b"}, true, {}}}).ok());
  const auto failed = want({{{"a"}, false, {}}, {{"b"}, false, {}}});
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, Code::payload_too_large);
  EXPECT_EQ(made(), "made");
  EXPECT_TRUE(write(*store_, insert("things", {{"id", "9"}, {"b", std::int64_t(1)}})).ok()) << "unique no more";
}

TEST_F(LargeTable, ATableThatIsDroppedTakesAlongWhatWasStillToBeMade) {
  ask("BEGIN");
  ask("LOCK TABLE \"" + schema_ + ":demo\".things IN SHARE UPDATE EXCLUSIVE MODE");
  ASSERT_TRUE(indexes({{{"a"}, false, {}}, others_stay()}).ok());
  until([&] { return said("store.indexes_postponed"); });
  EXPECT_EQ(waiting_for_an_index(), 1);
  ask("COMMIT");
  ASSERT_TRUE(wait(store_->drop_table("things")).ok());
  EXPECT_EQ(waiting_for_an_index(), 0);
  EXPECT_FALSE(said("store.indexes_failed"));
}

TEST_F(Postgres, ConnectsOverTlsAndOnlyToTheServerItTrusts) {
  test::PostgresServerOptions with_tls;
  with_tls.tls = true;
  test::PostgresServer server(with_tls);
  const std::string url = server.create_database();
  PostgresOptions options;
  options.schema = "mandate";
  options.clock = &clock_;
  options.random = &random_;
  options.url = url + "?sslmode=verify-full&sslrootcert=" + server.certificate();
  {
    const auto opened = open_postgres(options, log_, metrics_);
    ASSERT_TRUE(opened.ok()) << opened.error().detail;
    ASSERT_TRUE((*opened)->migrate(kMigrations).ok());
    const auto store = (*opened)->tenant("demo");
    EXPECT_TRUE(wait(put(*store, "code", {"h", {}, clock_.now_ms() + 1000})).ok());
  }
  options.url = url + "?sslmode=verify-full&sslrootcert=/etc/ssl/certs/ca-certificates.crt";
  const auto stranger = open_postgres(options, log_, metrics_);
  ASSERT_FALSE(stranger.ok());
  EXPECT_EQ(stranger.error().hint, "The database cannot be reached.");
}

TEST_F(Postgres, AUrlThatCannotBeReadIsRefusedWithoutItsPassword) {
  for (const std::string url : {"postgres://u:hush@host:port/x", "nonsense hush", "postgres://u:hush@127.0.0.1:1/x?connect_timeout=2"}) {
    PostgresOptions options;
    options.url = url;
    options.clock = &clock_;
    options.random = &random_;
    const auto opened = open_postgres(options, log_, metrics_);
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ((opened.error().hint + opened.error().detail).find("hush"), std::string::npos) << opened.error().hint << opened.error().detail;
  }
}

TEST(PostgresMigrations, PutTheTenantInFrontOfEveryKey) {
  EXPECT_EQ(postgres::shared_sql("CREATE TABLE t (\n  id TEXT NOT NULL PRIMARY KEY,\n  text TEXT, -- a comment; with this\n  n BIGINT\n);\n"
                                 "CREATE UNIQUE INDEX t_n ON t (n, text);"),
            "CREATE TABLE t (mandate_tenant TEXT COLLATE \"C\" NOT NULL, \n  id TEXT COLLATE \"C\" NOT NULL,\n  text TEXT COLLATE \"C\", \n  n BIGINT\n, "
            "PRIMARY KEY (mandate_tenant, id));\nCREATE UNIQUE INDEX t_n ON t (mandate_tenant, n, text);\n;");
  EXPECT_EQ(postgres::shared_sql("CREATE TABLE t (a TEXT, b BIGINT, PRIMARY KEY (a, b))"),
            "CREATE TABLE t (mandate_tenant TEXT COLLATE \"C\" NOT NULL, a TEXT COLLATE \"C\", b BIGINT, PRIMARY KEY (mandate_tenant, a, b))\n;");
  EXPECT_EQ(postgres::shared_sql("INSERT INTO t SELECT a, b FROM u; ALTER TABLE t ADD COLUMN c TEXT"),
            "INSERT INTO t SELECT mandate_tenant, a, b FROM u; ALTER TABLE t ADD COLUMN c TEXT COLLATE \"C\"\n;");
}

}  // namespace
}  // namespace mandate::store
