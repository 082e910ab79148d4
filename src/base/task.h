// Task<T>: a coroutine that yields a Result<T>. Lazy, awaited once, resumed on the loop that awaits it.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

#include "base/result.h"

namespace mandate {

template <class T = void>
class Task;

namespace detail {

struct PromiseBase {
  std::coroutine_handle<> continuation = std::noop_coroutine();

  static void* operator new(std::size_t size);
  static void operator delete(void* frame, std::size_t size);

  std::suspend_always initial_suspend() noexcept { return {}; }
  struct Final {
    bool await_ready() noexcept { return false; }
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> self) noexcept {
      return self.promise().continuation;
    }
    void await_resume() noexcept {}
  };
  Final final_suspend() noexcept { return {}; }
};

template <class T>
struct Promise : PromiseBase {
  std::optional<Result<T>> result;
  std::exception_ptr bug;

  Task<T> get_return_object();
  void return_value(Result<T> r) { result.emplace(std::move(r)); }
  void unhandled_exception() { bug = std::current_exception(); }
  Result<T> take() {
    if (bug) std::rethrow_exception(bug);
    return std::move(*result);
  }
};

}  // namespace detail

/// A lazy coroutine. `co_await task` runs it and gives a Result<T>; exceptions pass through (they mean a bug).
/// co_return a T, an Error or a Result<T>; in a Task<void> `co_return Result<void>{}` or `co_return ok();`.
/// Not thread-safe: start and resume it on one loop. Dropping an unfinished Task destroys its frame.
template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;
  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      if (handle_) handle_.destroy();
      handle_ = std::exchange(other.handle_, {});
    }
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) noexcept {
    handle_.promise().continuation = awaiting;
    return handle_;
  }
  Result<T> await_resume() { return handle_.promise().take(); }

 private:
  std::coroutine_handle<promise_type> handle_;
};

template <class T>
Task<T> detail::Promise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}

/// The success of a Task<void> or Result<void>.
inline Result<void> ok() { return {}; }

/// A value that is already there, as a Task.
template <class T>
Task<T> ready(T value) {
  co_return value;
}

/// Starts a task that nobody awaits. `done` is called with its result (or with a server_error for an exception,
/// whose text is in the detail), on whichever loop finished it.
template <class T, class Done>
void spawn(Task<T> task, Done done);

namespace detail {
struct Detached {
  struct promise_type {
    Detached get_return_object() noexcept { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }
  };
};

template <class T, class Done>
Detached run_detached(Task<T> task, Done done) {
  std::optional<Result<T>> result;
  try {
    result.emplace(co_await task);
  } catch (const std::exception& bug) {
    result.emplace(Error(Code::server_error, "", bug.what()));
  }
  done(std::move(*result));
}
}  // namespace detail

template <class T, class Done>
void spawn(Task<T> task, Done done) {
  detail::run_detached(std::move(task), std::move(done));
}

}  // namespace mandate
