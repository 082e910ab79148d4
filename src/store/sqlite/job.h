// One piece of work for the writer, and the place where its asker waits.
#pragma once

#include <coroutine>
#include <functional>
#include <future>
#include <memory>
#include <optional>

#include "base/loop.h"
#include "store/store.h"

struct sqlite3;

namespace mandate::store::sqlite {

struct Job {
  Batch batch;
  /// Instead of the batch: work in a transaction of its own (schema changes).
  std::function<Result<void>(sqlite3*)> schema;
  /// Tables changed by `schema`.
  std::vector<std::string> changes;

  Loop* loop = Loop::current();  ///< null: the asker's thread has no loop and blocks
  std::optional<Result<Outcome>> result;

  /// For an asker that has no loop to come back to: it waits on its own thread.
  void block() {
    loop = nullptr;
    blocked.emplace();
  }
  /// On the asker's loop, or on the writer thread for an asker that blocks.
  void finish() {
    if (!loop) return blocked->set_value();
    done = true;
    if (auto h = std::exchange(waiting, {})) h.resume();
  }

  // The asker's side.
  bool done = false;
  std::coroutine_handle<> waiting;
  std::optional<std::promise<void>> blocked;
};
using JobPtr = std::shared_ptr<Job>;

/// co_await it: the job's result. Safe to destroy while waiting (a request that is dropped); the job goes on.
class Waiting {
 public:
  explicit Waiting(JobPtr job) : job_(std::move(job)) {}
  Waiting(const Waiting&) = delete;
  ~Waiting() {
    if (job_->loop) job_->waiting = {};
  }
  bool await_ready() {
    if (!job_->loop) job_->blocked->get_future().wait();
    return !job_->loop || job_->done;
  }
  void await_suspend(std::coroutine_handle<> h) { job_->waiting = h; }
  Result<Outcome> await_resume() { return std::move(*job_->result); }

 private:
  JobPtr job_;
};

}  // namespace mandate::store::sqlite
