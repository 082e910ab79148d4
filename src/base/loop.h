// The event loop as the rooms see it: a place to come back to. Implemented by http/; only http/ sees Asio.
#pragma once

#include <chrono>
#include <coroutine>
#include <functional>
#include <memory>
#include <vector>

#include "base/task.h"

namespace mandate {

/// One per core; a coroutine stays on the loop where it started.
class Loop {
 public:
  virtual ~Loop() = default;

  /// Runs `fn` on this loop, soon. Callable from any thread.
  virtual void post(std::function<void()> fn) = 0;

  /// Runs `fn` on this loop after `delay`. Call on this loop only. The returned handle cancels on destruction.
  class Timer {
   public:
    virtual ~Timer() = default;
  };
  [[nodiscard]] virtual std::unique_ptr<Timer> after(std::chrono::milliseconds delay, std::function<void()> fn) = 0;

  /// Runs `fn` once at the end of the current tick: the moment to flush what the tick gathered.
  virtual void at_end_of_tick(std::function<void()> fn) = 0;

  /// Calls `fn` whenever `fd` is readable, until the returned handle is destroyed. Call on this loop only.
  [[nodiscard]] virtual std::unique_ptr<Timer> when_readable(int fd, std::function<void()> fn) = 0;
  /// The same for writable; level-triggered, so drop the handle when nothing is left to write.
  [[nodiscard]] virtual std::unique_ptr<Timer> when_writable(int fd, std::function<void()> fn) = 0;

  /// Runs `fn` when the loop ends, before anything it keeps goes; the latest first. For what lives per loop and must not
  /// outlive it. Call on this loop only.
  void at_end(std::function<void()> fn) { endings_.push_back(std::move(fn)); }

  /// A small number, 0 … count-1, for state kept per loop.
  virtual std::size_t index() const = 0;

  /// The loop running on this thread; null elsewhere. The one piece of ambient state: which thread am I on.
  static Loop* current();

 protected:
  static void set_current(Loop* loop);
  /// For destructors of the loops: runs what at_end() was given.
  void end() {
    while (!endings_.empty()) {
      const auto fn = std::move(endings_.back());
      endings_.pop_back();
      fn();
    }
  }

 private:
  std::vector<std::function<void()>> endings_;
};

/// co_await sleep_for(d): resumes on the same loop.
inline Task<void> sleep_for(std::chrono::milliseconds delay) {
  struct Awaiter {
    std::chrono::milliseconds delay;
    std::unique_ptr<Loop::Timer> timer;
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> h) {
      timer = Loop::current()->after(delay, [h] { h.resume(); });
    }
    void await_resume() {}
  };
  Awaiter awaiter{delay, nullptr};
  co_await awaiter;
  co_return ok();
}

/// One-shot meeting point between a coroutine and a callback on another thread.
///   Signal<int> s;  start([&s] { s.set(5); });  auto r = co_await s;   // resumes on the awaiting loop
/// `set` may come before or after the await, once, from any thread; the Signal must outlive both.
template <class T>
class Signal {
 public:
  void set(Result<T> value) {
    Loop* loop = loop_;
    if (!loop) {
      finish(std::move(value));
      return;
    }
    loop->post([this, v = std::make_shared<Result<T>>(std::move(value))] { finish(std::move(*v)); });
  }
  /// Like set, for a caller already on the awaiting loop: resumes at once.
  void set_here(Result<T> value) { finish(std::move(value)); }

  bool await_ready() const { return value_.has_value(); }
  void await_suspend(std::coroutine_handle<> h) { waiting_ = h; }
  Result<T> await_resume() { return std::move(*value_); }

 private:
  void finish(Result<T> value) {
    value_.emplace(std::move(value));
    if (auto h = std::exchange(waiting_, {})) h.resume();
  }
  Loop* loop_ = Loop::current();
  std::coroutine_handle<> waiting_;
  std::optional<Result<T>> value_;
};

}  // namespace mandate
