#include "store/sqlite/writer.h"

#include <sqlite3.h>

namespace mandate::store::sqlite {
namespace {

constexpr int kRestartAfter = 4;  // times as many pages: readers overlapped so long that the file never restarted, wait for them
constexpr std::chrono::seconds kIdle{1};
constexpr int kStride = 1000;  // steps between two looks at the clock

/// Whether a refusal could leave a part of the batch behind. A single statement undoes itself.
bool needs_savepoint(const Batch& batch) {
  if (batch.mutations.size() != 1) return true;
  const auto expect = batch.mutations.front().expect;
  return expect == Mutation::Expect::one || expect == Mutation::Expect::none;
}

Error moved_away() { return Error(Code::temporarily_unavailable, "The data has moved: this server takes no changes any more."); }

Error disk_is_broken() {
  return Error(Code::read_only, "The server cannot write at the moment.", "the disk refused a write before");
}

}  // namespace

Writer::Writer(Db db, const Clock& clock, Log& log, Metrics& metrics, Sizes sizes)
    : db_(std::move(db)), clock_(clock), log_(log), sizes_(sizes), meter_(meter_of(db_.get())), statements_(db_.get()), stamps_(db_.get()),
      mutations_(metrics.counter("mandate_store_mutations_total", "Mutations committed")),
      groups_(metrics.counter("mandate_store_commits_total", "Group commits")),
      failures_(metrics.counter("mandate_store_write_failures_total", "Commits that could not be written")),
      checkpoints_(metrics.counter("mandate_store_checkpoints_total", "WAL checkpoints")),
      queued_(metrics.gauge("mandate_store_queue", "Batches waiting for the writer")),
      read_only_(metrics.gauge("mandate_store_read_only", "1 while writes fail (disk full, I/O error)")),
      commit_seconds_(metrics.histogram("mandate_store_commit_seconds", "From BEGIN to durable, one group")) {
  sqlite3_wal_hook(db_.get(), wal_grew, this);
  sqlite3_progress_handler(db_.get(), kStride, [](void* self) -> int { return static_cast<Writer*>(self)->late(); }, this);
  meter_.watch([](void* self, std::int64_t) { return static_cast<Writer*>(self)->late(); }, this, false);
  thread_ = std::thread([this] { work(); });
}

Writer::~Writer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

Result<void> Writer::push(std::span<const JobPtr> jobs) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || queue_.size() + jobs.size() > sizes_.queue) return Error(Code::overloaded, "The server is busy.");
    queue_.insert(queue_.end(), jobs.begin(), jobs.end());
    queued_.set(static_cast<double>(queue_.size()));
  }
  wake_.notify_one();
  return {};
}

Result<void> Writer::push_urgent(JobPtr job) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return Error(Code::overloaded, "The server is busy.");
    urgent_.push_back(std::move(job));
  }
  wake_.notify_one();
  return {};
}

void Writer::work() {
  std::vector<JobPtr> jobs;
  for (;;) {
    bool idle = false;
    {
      std::unique_lock lock(mutex_);
      const auto now = std::chrono::steady_clock::now();
      const Deadline hold = held_until_;
      const auto woken = [this, hold] { return stopping_ || !urgent_.empty() || held_until_ != hold || (!queue_.empty() && !held()); };
      // There may be thousands of us: who has nothing to copy and no hold to see the end of sleeps until there is work.
      if (hold <= now && (wal_pages_ == copied_pages_ || broken_)) wake_.wait(lock, woken);
      else idle = !wake_.wait_until(lock, hold > now ? std::min(now + kIdle, hold) : now + kIdle, woken);
      if (stopping_ && queue_.empty() && urgent_.empty()) return;
      if (!urgent_.empty()) {
        jobs.swap(urgent_);
      } else if (stopping_ || !held()) {
        jobs.swap(queue_);
        queued_.set(0);
      }
    }
    run_all(jobs);
    jobs.clear();
    checkpoint(idle);
  }
}

void Writer::run_all(std::vector<JobPtr>& jobs) {
  const auto now = std::chrono::steady_clock::now();
  std::vector<JobPtr> group;
  auto flush = [&] {
    if (!group.empty()) run_group(group);
    group.clear();
  };
  for (const JobPtr& job : jobs) {
    if (job->batch.deadline < now) {
      job->result.emplace(Error(Code::timeout, "The server is busy."));
      hand_back({&job, 1});
    } else if (job->schema) {
      flush();
      run_schema(*job);
      hand_back({&job, 1});
    } else {
      group.push_back(job);
    }
  }
  flush();
}

void Writer::run_group(std::span<const JobPtr> group) {
  const auto start = std::chrono::steady_clock::now();
  changed_.clear();
  if (!attempt(group)) {
    // One of them took the transaction down with it: each for itself, so that only that one fails.
    for (const JobPtr& job : group) {
      changed_.clear();
      // What ran out of time once is not tried again: the others wait for this thread.
      if (!job->result || job->result->ok() || job->result->error().code != Code::timeout) attempt({&job, 1});
      hand_back({&job, 1});
    }
    return;
  }
  commit_seconds_.observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  hand_back(group);
}

/// False when the transaction was lost for a reason that lies in one of several jobs.
bool Writer::attempt(std::span<const JobPtr> group) {
  const bool alone = group.size() == 1;
  auto fail_all = [&](const Error& error) {
    note_failure(error);
    changed_.clear();
    for (const JobPtr& job : group)
      if (!job->result || job->result->ok()) job->result.emplace(error);
    return true;
  };
  if (left_) return fail_all(moved_away());
  if (broken_) return fail_all(disk_is_broken());
  if (auto begun = say(Word::begin); !begun.ok()) return look_at_disk(), fail_all(begun.error());
  std::size_t good = 0;
  for (const JobPtr& job : group) {
    const bool guard = !alone && needs_savepoint(job->batch);
    if (guard)
      if (auto set = say(Word::savepoint); !set.ok()) return look_at_disk(), rollback(), fail_all(set.error());
    job->result.emplace(apply(job->batch));
    if (job->result->ok()) {
      ++good;
      if (guard) (void)say(Word::release);
      continue;
    }
    const Error& error = job->result->error();
    if (error.code == Code::read_only) {
      const Error copy = error;
      look_at_disk();
      return rollback(), fail_all(copy);
    }
    if (alone) return rollback(), true;
    if (sqlite3_get_autocommit(db_.get()) || error.code == Code::corrupt || error.code == Code::server_error)
      return rollback(), false;
    if (guard && !(say(Word::undo).ok() && say(Word::release).ok())) return rollback(), false;
  }
  if (good == 0) return rollback(), true;
  if (auto done = commit(); !done.ok()) {
    look_at_disk();
    rollback();
    if (done.error().code == Code::read_only || alone) return fail_all(done.error());
    return false;
  }
  note_success();
  for (const JobPtr& job : group) {
    if (!job->result->ok()) continue;
    const Outcome& outcome = **job->result;
    mutations_.add(static_cast<double>(outcome.size()));
    for (std::size_t i = 0; i < outcome.size(); ++i)
      if (outcome[i].count && job->batch.mutations[i].kind != Mutation::Kind::check) changed_.insert(job->batch.mutations[i].table);
  }
  return true;
}

Result<void> Writer::say(Word word) {
  constexpr std::string_view kTexts[] = {"BEGIN IMMEDIATE", "COMMIT", "SAVEPOINT batch", "RELEASE batch", "ROLLBACK TO batch"};
  Stmt& statement = words_[static_cast<std::size_t>(word)];
  if (!statement) {
    TRY(statement, prepare(db_.get(), kTexts[static_cast<std::size_t>(word)]));
  }
  return sqlite::run(statement.get());
}

Result<void> Writer::commit() {
  CHECK_OK(stamps_.save());
  CHECK_OK(say(Word::commit));
  groups_.add();
  commits_.fetch_add(1, std::memory_order_release);
  return {};
}

void Writer::rollback() {
  if (!sqlite3_get_autocommit(db_.get())) (void)execute(db_.get(), "ROLLBACK");
}

/// To be called before anything else is said to the connection that failed.
void Writer::look_at_disk() {
  if (disk_failed(db_.get()) && !broken_.exchange(true))
    log_.error("store.disk_failed", {{"detail", "The disk refused a write. Nothing is written until the server starts again."}});
}

void Writer::note_failure(const Error& error) {
  failures_.add();
  if (!std::exchange(failing_, true)) log_.error("store.write_failed", {{"detail", error.detail}});
  read_only_.set(error.code == Code::read_only);
}

void Writer::note_success() {
  if (!std::exchange(failing_, false)) return;
  log_.info("store.write_recovered");
  read_only_.set(0);
}

void Writer::run_schema(Job& job) {
  changed_.clear();
  Result<void> done = left_ ? Result<void>(moved_away()) : broken_ ? Result<void>(disk_is_broken()) : say(Word::begin);
  if (recorder_) recorder_->row_by_row(false);
  if (done.ok()) done = job.schema(db_.get());
  if (recorder_) recorder_->row_by_row(true);
  if (done.ok()) done = commit();
  if (done.ok()) {
    note_success();
    statements_.clear();  // columns have come or gone
    changed_.insert(job.changes.begin(), job.changes.end());
    if (recorder_)
      for (const std::string& table : job.changes) recorder_->dropped(table);
    job.result.emplace(Outcome{});
  } else {
    if (!broken_) look_at_disk();
    rollback();
    if (done.error().code == Code::read_only) note_failure(done.error());
    job.result.emplace(done.error());
  }
}

StillView::Changes Writer::record() {
  if (recorder_) return recorder_->take();
  recorder_ = std::make_unique<Recorder>(db_.get());
  return {};
}

void Writer::hold(std::chrono::milliseconds longest) {
  {
    const std::lock_guard lock(mutex_);
    held_until_ = std::chrono::steady_clock::now() + longest;
  }
  wake_.notify_one();  // it has to see the end of it
}

bool Writer::held() const { return held_until_ > std::chrono::steady_clock::now(); }

void Writer::go_on() {
  {
    const std::lock_guard lock(mutex_);
    held_until_ = Deadline::min();
  }
  wake_.notify_one();
}

bool Writer::leave() {
  {
    const std::lock_guard lock(mutex_);
    if (!held()) return false;
    left_ = true;
    held_until_ = Deadline::min();
  }
  wake_.notify_one();  // who waits is told
  return true;
}

void Writer::come_back() { left_ = false; }

/// Whether the mutation under way has had its time, which runs from the first question: who is not asked is short.
bool Writer::late() {
  if (!limited_) return false;
  const auto now = std::chrono::steady_clock::now();
  if (until_ == kNoDeadline) until_ = now + sizes_.statement_limit;
  return now > until_;
}

/// When it is ended at its limit, SQLite has undone the whole transaction: attempt() finds it so.
Result<Touched> Writer::apply_in_time(const Mutation& mutation) {
  meter_.reset();
  until_ = kNoDeadline;
  limited_ = true;
  Result<Touched> touched = apply(mutation);
  limited_ = false;
  return touched;
}

Result<Outcome> Writer::apply(const Batch& batch) {
  Outcome outcome;
  outcome.reserve(batch.mutations.size());
  for (const Mutation& mutation : batch.mutations) {
    TRY(Touched touched, apply_in_time(mutation));
    if (!met(mutation.expect, touched.count)) return Error(mutation.otherwise);
    outcome.push_back(std::move(touched));
  }
  return outcome;
}

Result<Touched> Writer::apply(const Mutation& mutation) {
  // RETURNING costs each insert a table of its own and a journal of the pages it touches: the row is read back instead.
  Prepared* row = nullptr;
  if (mutation.kind == Mutation::Kind::insert && !mutation.returning.empty()) {
    TRY(row, statements_.get_row(mutation));
  }
  TRY(Prepared * prepared, statements_.get(mutation, shape_, row == nullptr));
  Value stamp;
  for (Bound& bound : shape_.bound) {
    if (!bound.value || !std::holds_alternative<Stamp>(*bound.value)) continue;
    if (is_null(stamp)) {
      TRY(stamp, stamps_.next(mutation.table, clock_.now_ms()));
    }
    bound.value = &stamp;
  }
  sqlite3_stmt* s = prepared->statement.get();
  const Running running(s);
  prepared->bind(shape_.bound);
  Touched touched;
  TRY(touched.rows, rows_of(*prepared));
  if (mutation.kind == Mutation::Kind::check) {
    touched.count = std::get<std::int64_t>(touched.rows.front().cell(0));
    touched.rows.clear();
    return touched;
  }
  touched.count = sqlite3_changes64(db_.get());
  if (!row || touched.count == 0) return touched;
  const Running reading(row->statement.get());
  sqlite3_bind_int64(row->statement.get(), 1, sqlite3_last_insert_rowid(db_.get()));
  TRY(touched.rows, rows_of(*row));
  return touched;
}

/// Steps a bound statement to its end.
Result<std::vector<Row>> Writer::rows_of(Prepared& prepared) {
  sqlite3_stmt* s = prepared.statement.get();
  std::vector<Row> rows;
  int rc;
  while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
    const auto& names = prepared.names();
    std::vector<Value> cells;
    cells.reserve(names->size());
    for (std::size_t i = 0; i < names->size(); ++i) cells.push_back(column(s, static_cast<int>(i)));
    rows.emplace_back(names, std::move(cells));
  }
  if (rc != SQLITE_DONE) return error_of(db_.get(), rc, Access::write);
  return rows;
}

void Writer::hand_back(std::span<const JobPtr> jobs) {
  std::map<Loop*, std::vector<JobPtr>> by_loop;
  for (const JobPtr& job : jobs) by_loop[job->loop].push_back(job);
  std::map<Loop*, std::function<void()>> feeds;
  if (!changed_.empty()) {
    watchers_.count(changed_);
    feeds = watchers_.calls_for(changed_);
  }
  changed_.clear();
  for (auto& [loop, list] : by_loop) {
    auto feed = feeds.extract(loop);
    auto finish = [list = std::move(list), feed = feed ? std::move(feed.mapped()) : nullptr] {
      for (const JobPtr& job : list) job->finish();
      if (feed) feed();
    };
    if (loop) loop->post(std::move(finish));
    else finish();
  }
  for (auto& [loop, feed] : feeds) {
    if (loop) loop->post(std::move(feed));
    else feed();
  }
}

int Writer::wal_grew(void* self, sqlite3*, const char*, int pages) {
  static_cast<Writer*>(self)->wal_pages_ = pages;
  return SQLITE_OK;
}

void Writer::checkpoint(bool idle) {
  if (wal_pages_ < copied_pages_) copied_pages_ = 0;  // the file restarted
  const int fresh = wal_pages_ - copied_pages_;
  if (fresh == 0 || broken_ || (!idle && fresh < sizes_.checkpoint_pages)) return;
  // A move reads one snapshot for long: waiting for it would not help.
  const bool restart = !recorder_ && wal_pages_ / kRestartAfter >= sizes_.checkpoint_pages;
  sqlite3_busy_timeout(db_.get(), 100);
  int pages = 0, copied = 0;
  const int rc = sqlite3_wal_checkpoint_v2(db_.get(), nullptr, restart ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE,
                                           &pages, &copied);
  const bool good = rc == SQLITE_OK || rc == SQLITE_BUSY;
  if (!good) {
    look_at_disk();
    if (!copying_fails_) log_.error("store.checkpoint_failed", {{"detail", sqlite3_errmsg(db_.get())}});
  }
  copying_fails_ = !good;
  sqlite3_busy_timeout(db_.get(), 5000);
  checkpoints_.add();
  if (good) copied_pages_ = std::max(copied, copied_pages_);
}

}  // namespace mandate::store::sqlite
