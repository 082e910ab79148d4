#include "store/sqlite/sqlite.h"

#include <filesystem>

#include "base/cpu_pool.h"
#include "store/columns.h"
#include "store/sqlite/catalogue.h"
#include "store/sqlite/check.h"
#include "store/sqlite/directory.h"
#include "store/sqlite/migrations.h"
#include "store/sqlite/move_mark.h"
#include "store/sqlite/readers.h"
#include "store/sqlite/still.h"
#include "store/sqlite/writer.h"

namespace mandate::store {
namespace {

using namespace sqlite;

class Engine final : public SqliteStore {
 public:
  Engine(SqliteOptions options, Lock lock, Db db, Log& log, Metrics& metrics)
      : options_(std::move(options)), lock_(std::move(lock)),
        reads_(metrics.counter("mandate_store_reads_total", "Reads answered")),
        scans_(metrics.counter("mandate_store_scans_total", "Reads that went to the scan pool")),
        timeouts_(metrics.counter("mandate_store_timeouts_total", "Reads ended at their time limit")),
        writer_(std::move(db), *options_.clock, log, metrics, {options_.queue_limit, options_.checkpoint_pages, options_.statement_limit}),
        readers_({options_.path, options_.vfs}, writer_), pool_(options_.scan_threads, 256) {}

  Capabilities capabilities() const override { return {"sqlite", true}; }

  Task<std::optional<Row>> get(Plan plan) override {
    std::function<Result<std::optional<Row>>(Reader&, Budget)> read = [&plan](Reader& reader, Budget budget) {
      return reader.first(plan, budget);
    };
    Task<std::optional<Row>> reading = answer(read, plan.deadline);
    Result<std::optional<Row>> row = co_await reading;
    co_return row;
  }

  Task<Listed> list(Plan plan, std::function<bool(const RowView&)> each) override {
    std::function<Result<Page>(Reader&, Budget)> read = [&plan](Reader& reader, Budget budget) {
      return reader.page(plan, budget);
    };
    Task<Page> reading = answer(read, plan.deadline);
    CO_TRY(Page page, co_await reading);
    page.deliver(each);
    co_return page.listed;
  }

  Task<Outcome> mutate(Batch batch) override {
    auto job = std::make_shared<Job>();
    job->batch = std::move(batch);
    Waiting waiting(job);
    CO_CHECK(hand_over(job));
    Result<Outcome> outcome = co_await waiting;
    co_return outcome;
  }

  Task<void> ensure_table(std::string table, std::vector<ColumnSpec> columns) override {
    auto work = [table, columns = std::move(columns)](sqlite3* db) { return sqlite::ensure_table(db, table, columns); };
    Task<void> changing = change_schema(work, {});
    Result<void> changed = co_await changing;
    co_return changed;
  }

  Task<void> ensure_indexes(std::string table, std::vector<IndexSpec> indexes) override {
    auto work = [table, indexes = std::move(indexes)](sqlite3* db) { return sqlite::ensure_indexes(db, table, indexes); };
    Task<void> changing = change_schema(work, {});
    Result<void> changed = co_await changing;
    co_return changed;
  }

  Task<void> drop_table(std::string table) override {
    auto work = [table](sqlite3* db) { return sqlite::drop_table(db, table); };
    std::vector<std::string> touched{table};
    Task<void> changing = change_schema(work, touched);
    Result<void> changed = co_await changing;
    co_return changed;
  }

  Task<std::vector<ColumnSpec>> describe(std::string table) override {
    Task<std::vector<ColumnSpec>> reading = columns_written_down(*this, std::move(table));
    Result<std::vector<ColumnSpec>> columns = co_await reading;
    co_return columns;
  }

  Task<std::string> check() override {
    std::function<Result<std::string>()> work = [this] {
      return readers_.lend([](Reader& reader) { return sqlite::check(reader); });
    };
    if (!Loop::current()) co_return work();
    Task<std::string> checking = pool_.run<std::string>(work);
    Result<std::string> report = co_await checking;
    co_return report;
  }

  std::unique_ptr<Watch> watch(std::vector<std::string> tables, std::function<void(std::string_view)> changed) override {
    return writer_.watchers().add(std::move(tables), std::move(changed));
  }

  bool writable() const override { return writer_.writable(); }

  const std::atomic<std::uint64_t>* changes(std::string_view table) override { return &writer_.watchers().changes(table); }

  Result<void> migrate(std::span<const Migration> migrations) override {
    CHECK_OK(run_now([migrations](sqlite3* db) { return check_known(db, migrations); }));
    for (const Migration& step : migrations)
      CHECK_OK(run_now([&step, this](sqlite3* db) { return sqlite::apply(db, step, options_.clock->now_ms()); }));
    return {};
  }

  Result<std::unique_ptr<StillView>> still() override {
    TRY(std::unique_ptr<Snapshot> snapshot, Snapshot::connect({options_.path, options_.vfs}));
    CHECK_OK(run_now([&](sqlite3*) { return snapshot->begin(writer_.record()); }, true));
    return std::unique_ptr<StillView>(std::move(snapshot));
  }

  Result<void> hold(std::chrono::milliseconds longest) override {
    return run_now([&](sqlite3*) -> Result<void> {
      writer_.hold(longest);
      return {};
    }, true);
  }

  void unfollow() override {
    (void)run_now([&](sqlite3*) -> Result<void> {
      writer_.end_recording();
      return {};
    }, true);
  }

  void go_on() override { writer_.go_on(); }
  bool leave() override { return writer_.leave(); }
  void come_back() override { writer_.come_back(); }

 private:
  /// Reads here and now when that is cheap, else from the start in the pool.
  template <class T>
  Task<T> answer(std::function<Result<T>(Reader&, Budget)>& read, Deadline deadline) {
    reads_.add();
    Budget budget{0, kNoDeadline};
    if (deadline != kNoDeadline && deadline < std::chrono::steady_clock::now())
      co_return Error(Code::timeout, "The server is busy.");
    LoopState* here = readers_.here();
    if (here) {
      CO_TRY(Reader * reader, readers_.reader(*here));
      budget.steps = options_.loop_steps;
      Result<T> result = read(*reader, budget);
      if (result.ok() || !reader->outran_steps()) co_return result;
    }
    scans_.add();
    std::function<Result<T>()> work = [this, &read, deadline] {
      const Budget time{0, std::min(deadline, std::chrono::steady_clock::now() + options_.statement_limit)};
      Result<T> result = readers_.lend([&](Reader& reader) { return read(reader, time); });
      if (!result.ok() && result.error().code == Code::timeout) timeouts_.add();
      return result;
    };
    if (!here) co_return work();
    Task<T> scanning = pool_.run<T>(work, deadline);
    Result<T> result = co_await scanning;
    co_return result;
  }

  Result<void> hand_over(const JobPtr& job) {
    LoopState* here = readers_.here();
    if (!here) {
      job->block();
      return writer_.push({&job, 1});
    }
    here->jobs.push_back(job);
    here->flush_at_end_of_tick();
    return {};
  }

  Task<void> change_schema(std::function<Result<void>(sqlite3*)> work, std::vector<std::string> touched) {
    auto job = std::make_shared<Job>();
    job->schema = std::move(work);
    job->changes = std::move(touched);
    Waiting waiting(job);
    CO_CHECK(hand_over(job));
    Result<Outcome> done = co_await waiting;
    CO_CHECK(std::move(done));
    co_return ok();
  }

  /// Blocks: for starting up.
  Result<void> run_now(std::function<Result<void>(sqlite3*)> work, bool urgent = false) {
    auto job = std::make_shared<Job>();
    job->schema = std::move(work);
    job->block();
    CHECK_OK(urgent ? writer_.push_urgent(job) : writer_.push({&job, 1}));
    Waiting waiting(job);
    (void)waiting.await_ready();
    Result<Outcome> done = waiting.await_resume();
    if (!done.ok()) return done.error();
    return {};
  }

  SqliteOptions options_;
  Lock lock_;
  Counter &reads_, &scans_, &timeouts_;
  // In this order: the pool ends first, then the readers, and the writer closes last and alone.
  Writer writer_;
  Readers readers_;
  CpuPool pool_;
};

/// Copies the WAL into the database. What a process before this one could not sync may be readable from the
/// kernel's cache and yet not be on the disk; commits appended behind it would be lost with it. So it is
/// written anew, and the WAL begins anew.
Result<void> write_again(sqlite3* db) { return execute(db, "PRAGMA wal_checkpoint(RESTART)"); }

}  // namespace

Result<std::unique_ptr<SqliteStore>> open_sqlite(SqliteOptions options, Log& log, Metrics& metrics) {
  CHECK_OK(check_mark(std::filesystem::absolute(options.path).parent_path().string()));
  TRY(Lock lock, claim(options.path));
  auto opened = connect({options.path, options.vfs}, Access::write);
  if (!opened.ok()) {
    Error error = std::move(opened).error();
    if (error.code == Code::read_only) error.hint = "Cannot write to the data directory: " + options.path + ".";
    return error;
  }
  Db db = *std::move(opened);
  if (options.max_pages > 0) CHECK_OK(execute(db.get(), "PRAGMA max_page_count=" + std::to_string(options.max_pages)));
  CHECK_OK(write_again(db.get()));
  CHECK_OK(make_own_tables(db.get()));
  log.info("store.opened", {{"path", options.path}});
  return std::unique_ptr<SqliteStore>(std::make_unique<Engine>(std::move(options), std::move(lock), std::move(db), log, metrics));
}

}  // namespace mandate::store
