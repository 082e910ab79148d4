// Threads for work that would hold a loop: password hashing, RSA private keys, scans.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/loop.h"

namespace mandate {

/// A bounded queue before a fixed number of threads. Refuses instead of queueing for longer than the work is worth (RL-9).
class CpuPool {
 public:
  /// `queue_limit`: jobs that may wait; above it run() gives Code::overloaded at once. So it does when those that wait would
  /// take `longest_wait`, going by what jobs took lately: better refused now than later. 0 = only the number counts.
  CpuPool(std::size_t threads, std::size_t queue_limit, std::chrono::milliseconds longest_wait = std::chrono::milliseconds(0));
  ~CpuPool();

  /// Runs `work` on a pool thread and resumes the awaiting coroutine on its own loop.
  /// Code::overloaded when the queue is full, Code::timeout when `deadline` passed before a thread was free.
  template <class T>
  Task<T> run(std::function<Result<T>()> work, Deadline deadline = kNoDeadline) {
    Signal<T> signal;
    Result<void> queued = submit([&signal, &work, deadline] {
      if (std::chrono::steady_clock::now() > deadline) signal.set(Error(Code::timeout, "The server is busy."));
      else signal.set(work());
    });
    CO_CHECK(std::move(queued));
    Result<T> result = co_await signal;
    co_return result;
  }

  /// Queues a job whose end nobody awaits. Code::overloaded when the queue is full.
  Result<void> submit(std::function<void()> job);

 private:
  void work();
  bool full() const;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  std::size_t queue_limit_;
  std::chrono::duration<double> longest_wait_, usual_{0};  ///< usual_: what a job takes, the latest weighing most
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace mandate
