// A move in both directions: everything arrives as it was, what is written meanwhile arrives too, and wherever it is
// interrupted it can be run again.
#include <libpq-fe.h>

#include <bit>
#include <filesystem>
#include <thread>

#include "base/crypto.h"
#include "store/postgres/move.h"
#include "store/sqlite/move.h"
#include "tests/conformance/store_fixture.h"
#include "tests/support/postgres_server.h"

namespace mandate::store {
namespace {

/// On a thread without a loop a store's calls block.
template <class T>
Result<T> finished(Task<T> task) {
  std::optional<Result<T>> result;
  spawn(std::move(task), [&](Result<T> r) { result.emplace(std::move(r)); });
  return std::move(*result);
}

class Moving : public testing::Test {
 protected:
  ~Moving() override {
    stores_.clear();
    cluster_.reset();
  }

  SqliteStore& sqlite(const std::string& tenant, const std::string& directory) {
    SqliteOptions options;
    options.path = directory + "/" + tenant + ".db";
    options.clock = &clock_;
    auto opened = open_sqlite(options, log_, metrics_);
    if (!opened.ok()) throw std::runtime_error(opened.error().hint + opened.error().detail);
    if (auto done = (*opened)->migrate(kMigrations); !done.ok()) throw std::runtime_error(done.error().hint + done.error().detail);
    stores_.push_back(*std::move(opened));
    return *stores_.back();
  }

  PostgresOptions postgres() {
    static const std::string database = test::shared_postgres().create_database();
    static int count = 0;
    if (options_.url.empty()) options_.schema = "moved_" + std::to_string(++count);
    options_.url = database;
    options_.clock = &clock_;
    options_.random = &random_;
    return options_;
  }

  Result<std::unique_ptr<Store>> open_moved(const std::string& tenant) {
    cluster_.reset();
    TRY(cluster_, open_postgres(postgres(), log_, metrics_));
    CHECK_OK(cluster_->migrate(kMigrations));
    return cluster_->tenant(tenant);
  }

  std::unique_ptr<MoveTarget> to_postgres() { return postgres_target(postgres(), kMigrations, log_, metrics_); }

  template <class T>
  Result<T> wait(Task<T> task) {
    return test::run(loop_, std::move(task));
  }
  template <class T>
  void must(Task<T> task) {
    auto done = wait(std::move(task));
    ASSERT_TRUE(done.ok()) << done.error().hint << done.error().detail;
  }
  void write(Store& store, Mutation m) {
    Batch batch;
    batch.add(std::move(m));
    must(store.mutate(std::move(batch)));
  }
  std::vector<Row> all(Store& store, const std::string& table, const std::string& by = "id") {
    Plan plan;
    plan.table = table;
    plan.order = {{column(by), false}};
    auto found = wait(rows(store, std::move(plan)));
    EXPECT_TRUE(found.ok()) << found.error().detail;
    return found.ok() ? *found : std::vector<Row>{};
  }

  /// A table with a column of every type.
  void fill(Store& store) {
    const std::vector<ColumnSpec> columns{{.name = "id", .type = Type::text, .unique = true}, {.name = "flag", .type = Type::boolean},
                                          {.name = "whole", .type = Type::integer, .index = true}, {.name = "real", .type = Type::real},
                                          {.name = "Words", .type = Type::text, .index = true, .dictionary = true},
                                          {.name = "day", .type = Type::date}, {.name = "tree", .type = Type::json}};
    must(store.ensure_table("default/Every\"Type", columns));
    const auto row = [&](const char* id, Value flag, Value whole, Value real, Value words, Value day, Value tree) {
      write(store, insert("default/Every\"Type", {{"id", std::string(id)}, {"flag", std::move(flag)}, {"whole", std::move(whole)},
                                                  {"real", std::move(real)}, {"Words", std::move(words)}, {"day", std::move(day)}, {"tree", std::move(tree)}}));
    };
    using namespace std::string_literals;
    row("a", true, std::numeric_limits<std::int64_t>::max(), 0.1, "a\0b \xEF\xBF\xBF \xF0\x9F\x8D\x8E"s, std::int64_t{-1}, "{\"a\":[1,null]}"s);
    row("b", false, std::numeric_limits<std::int64_t>::min(), -0.0, ""s, std::int64_t{0}, "null"s);
    row("c", {}, {}, {}, {}, {}, {});
    row("d", true, std::int64_t{1} << 53 | 1, std::numeric_limits<double>::denorm_min(), std::string(100'000, 'x'), std::int64_t{253402300799999}, "1e400"s);
    row("e", true, std::int64_t{7}, std::numeric_limits<double>::infinity(), "\r\n\t\\N"s, {}, "\"\""s);
    row("f", true, std::int64_t{7}, 1e22, "É"s, {}, "0"s);
    must(store.ensure_table("empty", {{.name = "id", .type = Type::text, .unique = true}}));
  }

  static std::string text_of(const std::vector<Row>& rows) {
    std::string out;
    for (const Row& row : rows) {
      for (std::size_t i = 0; i < row.size(); ++i) {
        out += row.name(i) + "=";
        const Value& cell = row.cell(i);
        if (const auto* n = std::get_if<std::int64_t>(&cell)) out += "i" + std::to_string(*n);
        if (const auto* d = std::get_if<double>(&cell)) out += "d" + std::to_string(std::bit_cast<std::uint64_t>(*d == 0 ? 0.0 : *d));
        if (const auto* t = std::get_if<std::string>(&cell)) out += "t" + std::to_string(t->size()) + token_hash(*t);
        out += ";";
      }
      out += "\n";
    }
    return out;
  }

  test::TestLoop loop_;
  ManualClock clock_;
  SystemRandom random_;
  Log log_{clock_, Level::error, [](std::string_view) {}};
  Metrics metrics_;
  test::TempDir dir_, other_;
  PostgresOptions options_;
  std::vector<std::string> said_;
  SayMove say_ = [this](const std::string& line) { said_.push_back(line); };
  std::unique_ptr<PostgresCluster> cluster_;
  std::vector<std::unique_ptr<SqliteStore>> stores_;
};

TEST_F(Moving, every_value_arrives_as_it_was_and_comes_back_so) {
  std::string before, stamped_before;
  Millis stamp = 0;
  {
    SqliteSource source(dir_.path());
    SqliteStore& demo = sqlite("demo", dir_.path());
    fill(demo);
    must(demo.ensure_table("stamped", {{.name = "id", .type = Type::text, .unique = true}, {.name = "at", .type = Type::date}}));
    for (int i = 0; i < 50; ++i) write(demo, insert("stamped", {{"id", std::to_string(i)}, {"at", Stamp{}}}));
    write(demo, insert("single_use", {{"key", std::string("k")}, {"bound_to", std::string("b")}, {"payload", std::string("p")}, {"expires_at", std::int64_t{5}}}));
    before = text_of(all(demo, "default/Every\"Type"));
    for (const Row& row : all(demo, "stamped")) stamp = std::max(stamp, row.integer("at"));
    ASSERT_TRUE(source.add("system", sqlite("system", dir_.path())).ok());
    ASSERT_TRUE(source.add("demo", demo).ok());
    const auto target = to_postgres();
    const auto moved = move_all(source, *target, "m1", "sqlite:there", "postgres:here", {}, say_);
    ASSERT_TRUE(moved.ok()) << moved.error().hint << moved.error().detail;
    EXPECT_FALSE(demo.writable());
    Batch late;
    late.add(insert("empty", {{"id", std::string("late")}}));
    EXPECT_EQ(wait(demo.mutate(std::move(late))).error().code, Code::temporarily_unavailable);
    stores_.clear();
  }
  SqliteOptions again;
  again.path = dir_.path() + "/demo.db";
  again.clock = &clock_;
  const auto refused = open_sqlite(again, log_, metrics_);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().hint.find("postgres:here"), std::string::npos) << refused.error().hint;
  {
    auto demo = open_moved("demo");
    ASSERT_TRUE(demo.ok()) << demo.error().hint;
    EXPECT_EQ(text_of(all(**demo, "default/Every\"Type")), before);
    EXPECT_EQ(all(**demo, "stamped").size(), 50U);
    write(**demo, insert("stamped", {{"id", std::string("next")}, {"at", Stamp{}}}));
    Plan next;
    next.table = "stamped";
    next.where = equals("id", "next");
    const auto row = wait((*demo)->get(std::move(next)));
    EXPECT_GT((**row).integer("at"), stamp) << "stamps must not go back";
    EXPECT_EQ(all(**demo, "single_use", "key").size(), 1U);
    const auto columns = wait((*demo)->describe("default/Every\"Type"));
    ASSERT_TRUE(columns.ok());
    ASSERT_EQ(columns->size(), 7U);
    EXPECT_TRUE((*columns)[0].unique);
    EXPECT_TRUE((*columns)[4].dictionary);
    stamped_before = text_of(all(**demo, "stamped"));
    // And back, to another directory; the cluster stays open, as a node that serves on would.
    const auto source = postgres_source(postgres(), log_, metrics_);
    const auto target = sqlite_target(other_.path() + "/back", kMigrations, clock_);
    const auto moved = move_all(*source, *target, "m2", "postgres:here", "sqlite:back", {}, say_);
    ASSERT_TRUE(moved.ok()) << moved.error().hint << moved.error().detail;
    EXPECT_EQ(text_of(all(**demo, "default/Every\"Type")), before) << "reads go on";
    Batch late;
    late.add(insert("empty", {{"id", std::string("late")}}));
    EXPECT_FALSE(wait((*demo)->mutate(std::move(late))).ok());
  }
  EXPECT_FALSE(open_moved("demo").ok());
  {
    const auto source = postgres_source(postgres(), log_, metrics_);
    const auto target = sqlite_target(other_.path() + "/back", kMigrations, clock_);
    const auto moved = move_all(*source, *target, "m3", "postgres:here", "sqlite:back", {}, say_);
    EXPECT_TRUE(moved.ok()) << "said again it is done already: " << moved.error().hint;
  }
  SqliteStore& back = sqlite("demo", other_.path() + "/back");
  EXPECT_EQ(text_of(all(back, "default/Every\"Type")), before);
  EXPECT_EQ(text_of(all(back, "stamped")), stamped_before);
  EXPECT_EQ(all(back, "single_use", "key").size(), 1U);
  const auto sound = wait(back.check());
  EXPECT_EQ(sound.ok() ? *sound : sound.error().detail, "");
}

TEST_F(Moving, what_is_written_removed_made_and_dropped_meanwhile_arrives) {
  SqliteSource source(dir_.path());
  SqliteStore& demo = sqlite("demo", dir_.path());
  ASSERT_TRUE(source.add("demo", demo).ok());
  for (const char* table : {"kept", "emptied", "dropped", "remade"})
    must(demo.ensure_table(table, {{.name = "id", .type = Type::text, .unique = true}, {.name = "n", .type = Type::integer}}));
  for (int i = 0; i < 300; ++i)
    for (const char* table : {"kept", "emptied", "dropped", "remade"}) write(demo, insert(table, {{"id", std::to_string(i)}, {"n", std::int64_t{i}}}));
  // Each line the move says is a moment at which something else happens.
  int step = 0;
  const SayMove meddle = [&](const std::string& line) {
    said_.push_back(line);
    if (line.starts_with("Moved")) return;
    // From a thread without a loop calls block, and the mover is one.
    std::thread([&, step = step++] {
      const auto now = [&](Mutation m) {
        Batch batch;
        batch.add(std::move(m));
        const auto done = finished(demo.mutate(std::move(batch)));
        ASSERT_TRUE(done.ok()) << done.error().detail;
      };
      now(insert("kept", {{"id", "new" + std::to_string(step)}, {"n", std::int64_t{step}}}));
      now(update("kept", equals("id", std::to_string(step + 10)), {{"n", std::int64_t{-1}}}));
      now(remove("kept", equals("id", std::to_string(step + 20))));
      // The key of one row goes to another.
      now(remove("kept", equals("id", std::to_string(step + 30))));
      now(insert("kept", {{"id", std::to_string(step + 30)}, {"n", std::int64_t{-2}}}));
      if (step == 0) now(remove("emptied", nullptr));
      if (step == 1) {
        (void)finished(demo.drop_table("dropped"));
        (void)finished(demo.drop_table("remade"));
        (void)finished(demo.ensure_table("remade", {{.name = "id", .type = Type::text, .unique = true}, {.name = "n", .type = Type::integer}}));
        now(insert("remade", {{"id", std::string("again")}, {"n", std::int64_t{1}}}));
        (void)finished(demo.ensure_table("kept", {{.name = "more", .type = Type::real}}));
        (void)finished(demo.ensure_table("fresh", {{.name = "id", .type = Type::text}}));
        now(insert("fresh", {{"id", std::string("1")}}));
      }
    }).join();
  };
  const auto target = to_postgres();
  MoveOptions options;
  const auto moved = move_all(source, *target, "m", "a", "b", options, meddle);
  ASSERT_TRUE(moved.ok()) << moved.error().hint << moved.error().detail;
  auto there = open_moved("demo");
  ASSERT_TRUE(there.ok()) << there.error().hint;
  for (const char* table : {"kept", "emptied", "remade", "fresh"}) EXPECT_EQ(text_of(all(**there, table)), text_of(all(demo, table))) << table;
  EXPECT_EQ(all(**there, "emptied").size(), 0U);
  EXPECT_EQ(all(**there, "remade").size(), 1U);
  const auto gone = wait((*there)->describe("dropped"));
  EXPECT_TRUE(gone.ok() && gone->empty());
}

/// A target that fails at its nth step, for good: as a process that is killed there.
class Failing final : public MoveTarget {
 public:
  Failing(std::unique_ptr<MoveTarget> inner, int nth) : inner_(std::move(inner)), left_(nth) {}
  bool passed() const { return left_ > 0; }
  Result<MoveMark> mark() override { return inner_->mark(); }
  Result<void> begin(const MoveMark& m) override { return step([&] { return inner_->begin(m); }); }
  Result<void> make(const std::string& t, const MovedTable& table) override { return step([&] { return inner_->make(t, table); }); }
  Result<void> drop(const std::string& t, const std::string& table) override { return step([&] { return inner_->drop(t, table); }); }
  Result<void> put(const std::string& t, const MovedTable& table, const RowNames& replaced,
                   const std::function<Result<void>(const EachMoved&)>& rows) override {
    return step([&] { return inner_->put(t, table, replaced, rows); });
  }
  Result<void> all(const std::string& t, const MovedTable& table, const EachMoved& each) override { return step([&] { return inner_->all(t, table, each); }); }
  Result<void> some(const std::string& t, const MovedTable& table, const RowNames& n, const EachMoved& each) override {
    return step([&] { return inner_->some(t, table, n, each); });
  }
  Result<void> complete(const MoveMark& m) override { return step([&] { return inner_->complete(m); }); }
  Result<void> open(const MoveMark& m) override { return step([&] { return inner_->open(m); }); }

 private:
  /// Half of the failures come before the step, half after it.
  template <class Work>
  Result<void> step(const Work& work) {
    if (left_ <= 0) return Error(Code::server_error, "dead");
    if (--left_ > 0) return work();
    if (after_) (void)work();
    after_ = !after_;
    return Error(Code::server_error, "killed here");
  }
  std::unique_ptr<MoveTarget> inner_;
  int left_;
  static inline bool after_ = false;
};

TEST_F(Moving, interrupted_at_any_step_it_can_be_run_again) {
  std::string before;
  {
    SqliteStore& demo = sqlite("demo", dir_.path());
    must(demo.ensure_table("t", {{.name = "id", .type = Type::text, .unique = true}}));
    for (int i = 0; i < 20; ++i) write(demo, insert("t", {{"id", std::to_string(i)}}));
    before = text_of(all(demo, "t"));
    stores_.clear();
  }
  int nth = 0;
  for (bool whole = false; !whole;) {
    ASSERT_LT(++nth, 200);
    SqliteSource source(dir_.path());
    const auto mark = source.mark();
    ASSERT_TRUE(mark.ok());
    if (mark->state.empty()) {
      SqliteStore& demo = sqlite("demo", dir_.path());
      ASSERT_TRUE(source.add("demo", demo).ok());
      EXPECT_EQ(text_of(all(demo, "t")), before);
    }
    Failing target(to_postgres(), nth);
    const auto moved = move_all(source, target, "m" + std::to_string(nth), "a", "b", {}, say_);
    whole = target.passed();
    EXPECT_EQ(moved.ok(), whole) << (moved.ok() ? "" : moved.error().hint);
    // At no time does a server start on both.
    const bool source_serves = SqliteSource(dir_.path()).mark()->state.empty();
    const bool target_serves = open_moved("demo").ok();
    cluster_.reset();
    if (whole) EXPECT_TRUE(target_serves);
    EXPECT_FALSE(source_serves && target_serves && nth > 1) << nth;
    stores_.clear();
  }
  auto there = open_moved("demo");
  ASSERT_TRUE(there.ok()) << there.error().hint;
  EXPECT_EQ(text_of(all(**there, "t")), before);
  SqliteSource source(dir_.path());
  const auto again = to_postgres();
  EXPECT_TRUE(move_all(source, *again, "another", "a", "b", {}, say_).ok()) << "said once more it is done already";
}

TEST_F(Moving, a_place_that_holds_data_is_not_touched) {
  SqliteSource source(dir_.path());
  ASSERT_TRUE(source.add("demo", sqlite("demo", dir_.path())).ok());
  {
    auto used = open_moved("demo");
    ASSERT_TRUE(used.ok());
    write(**used, insert("single_use", {{"key", std::string("k")}, {"bound_to", std::string("b")}, {"payload", std::string("p")}, {"expires_at", std::int64_t{5}}}));
    cluster_.reset();
  }
  const auto target = to_postgres();
  const auto moved = move_all(source, *target, "m", "a", "b", {}, say_);
  ASSERT_FALSE(moved.ok());
  EXPECT_EQ(moved.error().code, Code::conflict);
  auto used = open_moved("demo");
  ASSERT_TRUE(used.ok()) << used.error().hint;
  EXPECT_EQ(all(**used, "single_use", "key").size(), 1U);
  const auto full = sqlite_target(dir_.path(), kMigrations, clock_)->begin({"arriving", "m", "x"});
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.error().code, Code::conflict);
}

TEST_F(Moving, a_cell_that_fits_nowhere_is_named_and_nothing_is_switched) {
  SqliteSource source(dir_.path());
  SqliteStore& demo = sqlite("demo", dir_.path());
  must(demo.ensure_table("t", {{.name = "id", .type = Type::text, .unique = true}, {.name = "price", .type = Type::integer}}));
  write(demo, insert("t", {{"id", std::string("x")}, {"price", std::string("twelve")}}));
  ASSERT_TRUE(source.add("demo", demo).ok());
  const auto target = to_postgres();
  const auto moved = move_all(source, *target, "m", "a", "b", {}, say_);
  ASSERT_FALSE(moved.ok());
  EXPECT_EQ(moved.error().hint, "table t, column price, row 1: text \"twelve\" where a whole number should be. Mend it, then move again.");
  EXPECT_TRUE(demo.writable());
  write(demo, update("t", nullptr, {{"price", std::int64_t{12}}}));
  const auto again = move_all(source, *target, "m2", "a", "b", {}, say_);
  EXPECT_TRUE(again.ok()) << again.error().hint;
}

TEST_F(Moving, a_switch_that_takes_too_long_lets_the_writers_go_on) {
  SqliteSource source(dir_.path());
  SqliteStore& demo = sqlite("demo", dir_.path());
  ASSERT_TRUE(source.add("demo", demo).ok());
  MoveOptions options;
  options.longest_hold = std::chrono::milliseconds(0);
  options.tries = 2;
  const auto target = to_postgres();
  const auto moved = move_all(source, *target, "m", "a", "b", options, say_);
  ASSERT_FALSE(moved.ok());
  EXPECT_EQ(moved.error().code, Code::overloaded);
  EXPECT_TRUE(demo.writable());
  write(demo, insert("single_use", {{"key", std::string("k")}, {"bound_to", std::string("b")}, {"payload", std::string("p")}, {"expires_at", std::int64_t{5}}}));
  EXPECT_FALSE(open_moved("demo").ok()) << "what is not all there is not served";
  std::atomic<bool> stop{true};
  options.stop = &stop;
  EXPECT_EQ(move_all(source, *target, "m2", "a", "b", options, say_).error().code, Code::temporarily_unavailable);
  write(demo, remove("single_use", nullptr));
  EXPECT_EQ(all(demo, "single_use", "key").size(), 0U);
}

/// On PostgreSQL, to be moved to SQLite while it is written.
class MovingBack : public Moving {
 protected:
  MovingBack() {
    auto opened = open_moved("demo");
    if (!opened.ok()) throw std::runtime_error(opened.error().hint + opened.error().detail);
    demo_ = *std::move(opened);
  }
  ~MovingBack() override { demo_.reset(); }

  Result<void> move_back(const MoveOptions& options = {}) {
    const auto source = postgres_source(postgres(), log_, metrics_);
    const auto target = sqlite_target(other_.path() + "/back", kMigrations, clock_);
    return move_all(*source, *target, random_.hex(4), "postgres:here", "sqlite:back", options, say_);
  }
  std::string sql(const std::string& statement) {
    const std::unique_ptr<PGconn, void (*)(PGconn*)> c(PQconnectdb(postgres().url.c_str()), PQfinish);
    const std::unique_ptr<PGresult, void (*)(PGresult*)> r(PQexec(c.get(), ("SET search_path TO " + postgres().schema + ";" + statement).c_str()), PQclear);
    const ExecStatusType status = PQresultStatus(r.get());
    EXPECT_TRUE(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) << PQerrorMessage(c.get());
    return PQntuples(r.get()) > 0 ? PQgetvalue(r.get(), 0, 0) : "";
  }
  void expect_nothing_left() {
    EXPECT_EQ(sql("SELECT count(*) FROM pg_namespace WHERE nspname = '" + postgres().schema + "/move'"), "0");
    EXPECT_EQ(sql("SELECT count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
                  " WHERE tgname = 'mandate_move' AND starts_with(nspname, '" + postgres().schema + "')"),
              "0");
  }
  std::string log_schema() { return "\"" + postgres().schema + "/move\""; }

  std::unique_ptr<Store> demo_;
};

TEST_F(MovingBack, what_is_written_removed_made_and_dropped_meanwhile_arrives) {
  const std::vector<ColumnSpec> columns{{.name = "id", .type = Type::text, .unique = true}, {.name = "n", .type = Type::integer}};
  for (const char* table : {"kept", "emptied", "dropped", "remade"}) must(demo_->ensure_table(table, columns));
  for (int i = 0; i < 300; ++i)
    for (const char* table : {"kept", "emptied", "dropped", "remade"}) write(*demo_, insert(table, {{"id", std::to_string(i)}, {"n", std::int64_t{i}}}));
  int step = 0;
  say_ = [&](const std::string& line) {
    said_.push_back(line);
    if (line.starts_with("Moved")) return;
    write(*demo_, insert("kept", {{"id", "new" + std::to_string(step)}, {"n", std::int64_t{step}}}));
    write(*demo_, update("kept", equals("id", std::to_string(step + 10)), {{"n", std::int64_t{-1}}}));
    write(*demo_, update("kept", equals("id", std::to_string(step + 100)), {{"id", "renamed" + std::to_string(step)}}));
    write(*demo_, remove("kept", equals("id", std::to_string(step + 20))));
    write(*demo_, remove("kept", equals("id", std::to_string(step + 30))));
    write(*demo_, insert("kept", {{"id", std::to_string(step + 30)}, {"n", std::int64_t{-2}}}));
    write(*demo_, insert("single_use", {{"key", "k" + std::to_string(step)}, {"bound_to", std::string("b")}, {"payload", std::string("p")}, {"expires_at", std::int64_t{5}}}));
    if (step == 0) write(*demo_, remove("emptied", nullptr));
    if (step == 1) {
      must(demo_->drop_table("dropped"));
      must(demo_->drop_table("remade"));
      must(demo_->ensure_table("remade", columns));
      write(*demo_, insert("remade", {{"id", std::string("again")}, {"n", std::int64_t{1}}}));
      must(demo_->ensure_table("kept", {{.name = "more", .type = Type::real}}));
      must(demo_->ensure_table("fresh", {{.name = "id", .type = Type::text}}));
    }
    if (step >= 1) write(*demo_, insert("fresh", {{"id", std::to_string(step)}}));
    if (step == 2) {
      const auto late = cluster_->tenant("late");
      write(*late, insert("single_use", {{"key", std::string("l")}, {"bound_to", std::string("b")}, {"payload", std::string("p")}, {"expires_at", std::int64_t{5}}}));
      must(late->ensure_table("t", columns));
      write(*late, insert("t", {{"id", std::string("x")}, {"n", std::int64_t{1}}}));
    }
    ++step;
  };
  const auto moved = move_back();
  ASSERT_TRUE(moved.ok()) << moved.error().hint << moved.error().detail;
  EXPECT_GT(step, 3);
  SqliteStore& back = sqlite("demo", other_.path() + "/back");
  for (const char* table : {"kept", "emptied", "remade", "fresh"}) EXPECT_EQ(text_of(all(back, table)), text_of(all(*demo_, table))) << table;
  EXPECT_EQ(text_of(all(back, "single_use", "key")), text_of(all(*demo_, "single_use", "key")));
  EXPECT_EQ(all(back, "kept").size(), 300U);
  EXPECT_EQ(all(back, "emptied").size(), 0U);
  EXPECT_EQ(all(back, "remade").size(), 1U);
  const auto gone = wait(back.describe("dropped"));
  EXPECT_TRUE(gone.ok() && gone->empty());
  SqliteStore& late = sqlite("late", other_.path() + "/back");
  EXPECT_EQ(all(late, "t").size(), 1U);
  EXPECT_EQ(all(late, "single_use", "key").size(), 1U);
  expect_nothing_left();
  EXPECT_NE(said_.back().find("Writers waited"), std::string::npos) << said_.back();
}

TEST_F(MovingBack, rows_without_a_key_of_their_own_are_followed_too) {
  must(demo_->ensure_table("keyless", {{.name = "word", .type = Type::text}, {.name = "real", .type = Type::real, .index = true}}));
  must(demo_->ensure_table("nulls", {{.name = "id", .type = Type::integer, .unique = true}, {.name = "word", .type = Type::text}}));
  for (int i = 0; i < 40; ++i) {
    write(*demo_, insert("keyless", {{"word", std::to_string(i % 4)}, {"real", i % 5 == 0 ? Value{} : Value{i % 3 == 0 ? std::numeric_limits<double>::infinity() : 0.1 * (i % 7)}}}));
    write(*demo_, insert("nulls", {{"id", i % 2 ? Value{} : Value{std::int64_t{i}}}, {"word", std::to_string(i)}}));
  }
  int step = 0;
  say_ = [&](const std::string& line) {
    if (line.starts_with("Moved")) return;
    write(*demo_, insert("keyless", {{"word", std::string("twice")}, {"real", 0.1}}));
    write(*demo_, insert("keyless", {{"word", std::string("twice")}, {"real", Value{}}}));
    write(*demo_, remove("keyless", equals("word", std::to_string(step))));
    write(*demo_, update("keyless", equals("word", "3"), {{"real", std::numeric_limits<double>::infinity()}}));
    write(*demo_, update("nulls", equals("word", std::to_string(step + 5)), {{"word", std::string("changed")}}));
    write(*demo_, remove("nulls", equals("word", std::to_string(step + 20))));
    ++step;
  };
  const auto moved = move_back();
  ASSERT_TRUE(moved.ok()) << moved.error().hint << moved.error().detail;
  SqliteStore& back = sqlite("demo", other_.path() + "/back");
  const auto sorted = [&](Store& store, const char* table) {
    std::multiset<std::string> out;
    for (const Row& row : all(store, table, "word")) out.insert(text_of({row}));
    return out;
  };
  for (const char* table : {"keyless", "nulls"}) EXPECT_EQ(sorted(back, table), sorted(*demo_, table)) << table;
  expect_nothing_left();
}

TEST_F(MovingBack, interrupted_at_any_step_it_can_be_run_again) {
  must(demo_->ensure_table("t", {{.name = "id", .type = Type::text, .unique = true}}));
  int written = 0;
  for (; written < 20; ++written) write(*demo_, insert("t", {{"id", std::to_string(written)}}));
  int nth = 0;
  for (bool whole = false; !whole;) {
    ASSERT_LT(++nth, 200);
    const auto source = postgres_source(postgres(), log_, metrics_);
    Failing target(sqlite_target(other_.path() + "/back", kMigrations, clock_), nth);
    bool wrote = false;
    const auto moved = move_all(*source, target, "m" + std::to_string(nth), "a", "b", {}, [&](const std::string&) {
      if (std::exchange(wrote, true) || demo_ == nullptr) return;
      if (source->mark()->state.empty()) write(*demo_, insert("t", {{"id", std::to_string(written++)}}));
    });
    whole = target.passed();
    EXPECT_EQ(moved.ok(), whole) << (moved.ok() ? "" : moved.error().hint);
    const bool source_serves = source->mark()->state.empty();
    SqliteOptions file;
    file.path = other_.path() + "/back/demo.db";
    file.clock = &clock_;
    const bool target_serves = std::filesystem::exists(file.path) && open_sqlite(file, log_, metrics_).ok();
    EXPECT_FALSE(source_serves && target_serves) << nth;
    if (source_serves) write(*demo_, insert("t", {{"id", std::to_string(written++)}}));
    expect_nothing_left();
  }
  EXPECT_EQ(all(sqlite("demo", other_.path() + "/back"), "t").size(), static_cast<std::size_t>(written));
}

TEST_F(MovingBack, a_switch_that_takes_too_long_lets_the_writers_go_on) {
  MoveOptions options;
  options.longest_hold = std::chrono::milliseconds(0);
  options.tries = 2;
  const auto moved = move_back(options);
  ASSERT_FALSE(moved.ok());
  EXPECT_EQ(moved.error().code, Code::overloaded);
  EXPECT_NE(moved.error().hint.find("changes faster"), std::string::npos) << moved.error().hint;
  must(demo_->ensure_table("t", {{.name = "id", .type = Type::text, .unique = true}}));
  write(*demo_, insert("t", {{"id", std::string("1")}}));
  expect_nothing_left();
}

TEST_F(MovingBack, a_move_that_was_silent_for_too_long_gives_up_and_so_does_one_that_another_replaced) {
  const auto silent = postgres_source(postgres(), log_, metrics_), other = postgres_source(postgres(), log_, metrics_);
  ASSERT_TRUE(silent->follow(say_).ok());
  ASSERT_TRUE(silent->tenants().ok());
  write(*demo_, insert("single_use", {{"key", std::string("a")}, {"bound_to", std::string("b")}, {"payload", std::string("p")}, {"expires_at", std::int64_t{5}}}));
  EXPECT_EQ(sql("SELECT count(*) FROM " + log_schema() + ".log"), "1");
  sql("UPDATE " + log_schema() + ".mover SET until = now() - interval '1 second'");
  write(*demo_, insert("single_use", {{"key", std::string("b")}, {"bound_to", std::string("b")}, {"payload", std::string("p")}, {"expires_at", std::int64_t{5}}}));
  EXPECT_EQ(sql("SELECT count(*) FROM " + log_schema() + ".log"), "1") << "nobody reads it";
  EXPECT_EQ(silent->hold(std::chrono::milliseconds(1000)).error().code, Code::conflict);
  silent->give_up();
  expect_nothing_left();
  ASSERT_TRUE(silent->follow(say_).ok());
  ASSERT_TRUE(other->follow(say_).ok());
  EXPECT_EQ(silent->tenants().error().code, Code::conflict);
  EXPECT_TRUE(other->tenants().ok());
  other->give_up();
  expect_nothing_left();
}

TEST_F(MovingBack, writers_that_stand_in_the_way_of_the_switch_are_waited_for_and_it_is_tried_again) {
  const std::unique_ptr<PGconn, void (*)(PGconn*)> writer(PQconnectdb(postgres().url.c_str()), PQfinish);
  PQclear(PQexec(writer.get(), ("SET search_path TO " + postgres().schema + "; BEGIN; UPDATE mandate_streams SET at = at").c_str()));
  MoveOptions options;
  options.longest_hold = std::chrono::milliseconds(50);
  options.tries = 100;
  say_ = [&](const std::string& line) {
    said_.push_back(line);
    if (line.starts_with("The switch took longer")) {
      PQclear(PQexec(writer.get(), "COMMIT"));
      options.longest_hold = std::chrono::milliseconds(5000);
    }
  };
  const auto moved = move_back(options);
  ASSERT_TRUE(moved.ok()) << moved.error().hint << moved.error().detail;
  EXPECT_TRUE(std::any_of(said_.begin(), said_.end(), [](const std::string& line) { return line.starts_with("The switch took longer"); }));
}

TEST_F(MovingBack, where_there_are_no_triggers_writing_stands_still_and_that_is_said) {
  const std::string database = postgres().url.substr(postgres().url.rfind('/') + 1);
  const std::unique_ptr<PGconn, void (*)(PGconn*)> owner(PQconnectdb(test::shared_postgres().url(database).c_str()), PQfinish);
  PQclear(PQexec(owner.get(), "DROP EXTENSION plpgsql"));
  must(demo_->ensure_table("t", {{.name = "id", .type = Type::text, .unique = true}}));
  write(*demo_, insert("t", {{"id", std::string("1")}}));
  const auto moved = move_back();
  PQclear(PQexec(owner.get(), "CREATE EXTENSION plpgsql"));
  ASSERT_TRUE(moved.ok()) << moved.error().hint << moved.error().detail;
  EXPECT_NE(said_.front().find("cannot be followed"), std::string::npos) << said_.front();
  EXPECT_EQ(all(sqlite("demo", other_.path() + "/back"), "t").size(), 1U);
}

TEST_F(MovingBack, where_the_streams_cannot_be_locked_a_write_during_the_copy_is_noticed) {
  must(demo_->ensure_table("t", {{.name = "id", .type = Type::text, .unique = true}}));
  write(*demo_, insert("t", {{"id", std::string("1")}}));
  // May change every row there is and lock none of the tables: privileges of single columns are not enough for that.
  const std::string schema = postgres().schema, demo = schema + ":demo";
  const std::string database = postgres().url.substr(postgres().url.rfind('/') + 1);
  const std::unique_ptr<PGconn, void (*)(PGconn*)> owner(PQconnectdb(test::shared_postgres().url(database).c_str()), PQfinish);
  const std::string grants = "DROP ROLE IF EXISTS mover_" + schema + "; CREATE ROLE mover_" + schema + " LOGIN PASSWORD 'moves'; GRANT USAGE ON SCHEMA \"" + schema + "\", \"" + demo +
                             "\" TO mover_" + schema + "; GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA \"" + schema + "\", \"" + demo + "\" TO mover_" + schema +
                             "; GRANT UPDATE (n, at, fenced) ON \"" + schema + "\".mandate_streams TO mover_" + schema + "; GRANT UPDATE ON \"" + schema +
                             "\".mandate_lock, \"" + schema + "\".mandate_move TO mover_" + schema;
  const std::unique_ptr<PGresult, void (*)(PGresult*)> granted(PQexec(owner.get(), grants.c_str()), PQclear);
  ASSERT_EQ(PQresultStatus(granted.get()), PGRES_COMMAND_OK) << PQerrorMessage(owner.get());
  PostgresOptions as_mover = postgres();
  as_mover.url += "?user=mover_" + schema + "&password=moves";

  bool wrote = false;
  const SayMove say = [&](const std::string& line) {
    said_.push_back(line);
    if (!wrote && line.starts_with("Writing stands still")) write(*demo_, insert("t", {{"id", std::string("2")}}));
    wrote = wrote || line.starts_with("Writing stands still");
  };
  const auto move = [&] {
    const auto source = postgres_source(as_mover, log_, metrics_);
    const auto target = sqlite_target(other_.path() + "/back", kMigrations, clock_);
    return move_all(*source, *target, random_.hex(4), "postgres:here", "sqlite:back", MoveOptions{}, say);
  };
  const auto first = move();
  ASSERT_FALSE(first.ok());
  EXPECT_NE(first.error().hint.find("Stop every mandated"), std::string::npos) << first.error().hint << first.error().detail;
  EXPECT_EQ(all(*demo_, "t").size(), 2U) << "the source goes on";
  const auto again = move();
  ASSERT_TRUE(again.ok()) << again.error().hint << again.error().detail;
  EXPECT_EQ(all(sqlite("demo", other_.path() + "/back"), "t").size(), 2U);
}

}  // namespace
}  // namespace mandate::store
