// One thread and one connection for all writes and all checkpoints: whatever has gathered in the queue becomes one
// transaction, one fdatasync, one message to each loop (engine.md §2).
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <span>
#include <thread>

#include "base/log.h"
#include "base/metrics.h"
#include "store/sqlite/functions.h"
#include "store/sqlite/job.h"
#include "store/sqlite/recorder.h"
#include "store/sqlite/stamps.h"
#include "store/sqlite/statements.h"
#include "store/watchers.h"

namespace mandate::store::sqlite {

class Writer {
 public:
  struct Sizes {
    std::size_t queue;     ///< batches that may wait
    int checkpoint_pages;  ///< in the WAL before they are copied
    std::chrono::milliseconds statement_limit;  ///< what a mutation may take
  };
  Writer(Db db, const Clock& clock, Log& log, Metrics& metrics, Sizes sizes);
  /// Finishes what is queued.
  ~Writer();

  /// Code::overloaded when too much waits. Thread-safe.
  Result<void> push(std::span<const JobPtr> jobs);

  // For a move.
  /// Before all that waits, and also while it is held.
  Result<void> push_urgent(JobPtr job);
  // On the writer's thread, in a job's `schema`:
  /// What was touched since the last call; the first begins the recording.
  StillView::Changes record();
  void end_recording() { recorder_.reset(); }
  /// Nothing that is not urgent is run after this job, until go_on() or `longest` has passed.
  void hold(std::chrono::milliseconds longest);
  // From any thread:
  void go_on();
  /// Ends writing for good, if it is still held; else false.
  bool leave();
  /// After leave(): as before it.
  void come_back();

  const std::atomic<std::uint64_t>& commits() const { return commits_; }
  Watchers& watchers() { return watchers_; }
  /// False once the disk refused a write or a sync: from then on nothing is written (RL-4). Thread-safe.
  bool writable() const { return !broken_.load(std::memory_order_relaxed) && !left_.load(std::memory_order_relaxed); }

 private:
  void work();
  void run_all(std::vector<JobPtr>& jobs);
  void run_group(std::span<const JobPtr> group);
  bool attempt(std::span<const JobPtr> group);
  void run_schema(Job& job);
  bool held() const;  ///< under mutex_
  void look_at_disk();
  void note_failure(const Error& error);
  void note_success();
  Result<Outcome> apply(const Batch& batch);
  Result<Touched> apply_in_time(const Mutation& mutation);
  bool late();
  Result<Touched> apply(const Mutation& mutation);
  Result<std::vector<Row>> rows_of(Prepared& prepared);
  enum class Word { begin, commit, savepoint, release, undo };
  Result<void> say(Word word);
  Result<void> commit();
  void rollback();
  void hand_back(std::span<const JobPtr> jobs);
  void checkpoint(bool idle);
  static int wal_grew(void* writer, sqlite3*, const char*, int pages);

  Db db_;
  const Clock& clock_;
  Log& log_;
  Sizes sizes_;
  Meter& meter_;
  bool limited_ = false;          ///< a mutation is under way; nothing else that is said here is ever cut
  Deadline until_ = kNoDeadline;  ///< its end, once somebody asked
  Statements statements_;
  Shape shape_;
  Stamps stamps_;
  Stmt words_[5];  ///< the transaction's own statements, by Word
  Watchers watchers_;
  std::set<std::string> changed_;  ///< by the group under way
  int wal_pages_ = 0;              ///< in the WAL file
  int copied_pages_ = 0;           ///< of them, already in the database
  bool failing_ = false;           ///< the last commit could not be written
  bool copying_fails_ = false;     ///< nor could the last checkpoint
  std::atomic<bool> broken_{false};
  std::atomic<bool> left_{false};     ///< the data has moved elsewhere
  std::unique_ptr<Recorder> recorder_;  ///< while a move follows; ends before the connection

  Counter &mutations_, &groups_, &failures_, &checkpoints_;
  Gauge &queued_, &read_only_;
  Histogram& commit_seconds_;

  std::atomic<std::uint64_t> commits_{1};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<JobPtr> queue_, urgent_;
  bool stopping_ = false;
  Deadline held_until_ = Deadline::min();  ///< under mutex_
  std::thread thread_;
};

}  // namespace mandate::store::sqlite
