// A Loop for tests of rooms that need no sockets, and run(): drive a Task to its end.
#pragma once

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <stdexcept>

#include "base/loop.h"

namespace mandate::test {

/// Single-threaded; becomes Loop::current() of the thread that made it. Posts may come from other threads.
class TestLoop final : public Loop {
 public:
  /// `index` differs between loops of one test, as it does between those of a server.
  explicit TestLoop(std::size_t index = 0) : wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)), index_(index) { set_current(this); }
  ~TestLoop() override {
    end();
    set_current(nullptr);
    ::close(wake_);
  }

  void post(std::function<void()> fn) override {
    {
      const std::lock_guard lock(mutex_);
      queue_.push_back(std::move(fn));
    }
    const std::uint64_t one = 1;
    [[maybe_unused]] auto n = ::write(wake_, &one, sizeof one);
  }
  std::unique_ptr<Timer> after(std::chrono::milliseconds delay, std::function<void()> fn) override {
    const int id = ++next_;
    timers_[id] = {std::chrono::steady_clock::now() + delay, std::move(fn)};
    return std::make_unique<Handle>([this, id] { timers_.erase(id); });
  }
  void at_end_of_tick(std::function<void()> fn) override { end_of_tick_.push_back(std::move(fn)); }
  std::unique_ptr<Timer> when_readable(int fd, std::function<void()> fn) override { return watch(fd, POLLIN, std::move(fn)); }
  std::unique_ptr<Timer> when_writable(int fd, std::function<void()> fn) override { return watch(fd, POLLOUT, std::move(fn)); }
  std::size_t index() const override { return index_; }

  /// Runs until `done` says so; throws after `limit`, so a test that waits for nothing fails instead of hanging.
  void run_until(const std::function<bool()>& done, std::chrono::seconds limit = std::chrono::seconds(60)) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!done()) {
      if (std::chrono::steady_clock::now() > end) throw std::runtime_error("TestLoop: nothing happened in time");
      tick();
    }
  }

 private:
  struct Handle : Timer {
    explicit Handle(std::function<void()> c) : cancel(std::move(c)) {}
    ~Handle() override { cancel(); }
    std::function<void()> cancel;
  };
  struct Due {
    std::chrono::steady_clock::time_point at;
    std::function<void()> fn;
  };
  struct Watched {
    int fd;
    short events;
    std::function<void()> fn;
  };

  std::unique_ptr<Timer> watch(int fd, short events, std::function<void()> fn) {
    const int id = ++next_;
    watched_[id] = {fd, events, std::move(fn)};
    return std::make_unique<Handle>([this, id] { watched_.erase(id); });
  }

  void tick() {
    std::deque<std::function<void()>> ready;
    {
      const std::lock_guard lock(mutex_);
      ready.swap(queue_);
    }
    for (auto& fn : ready) fn();
    const auto now = std::chrono::steady_clock::now();
    std::vector<int> due;
    for (auto& [id, timer] : timers_)
      if (timer.at <= now) due.push_back(id);
    for (int id : due) {
      auto it = timers_.find(id);
      if (it == timers_.end()) continue;
      auto fn = std::move(it->second.fn);
      timers_.erase(it);
      fn();
    }
    auto flush = std::exchange(end_of_tick_, {});
    for (auto& fn : flush) fn();
    {
      const std::lock_guard lock(mutex_);
      if (!queue_.empty() || !end_of_tick_.empty()) return;
    }
    if (!ready.empty() || !due.empty()) return;
    std::vector<pollfd> fds{{wake_, POLLIN, 0}};
    std::vector<int> ids{0};
    for (auto& [id, w] : watched_) fds.push_back({w.fd, w.events, 0}), ids.push_back(id);
    ::poll(fds.data(), fds.size(), 5);
    if (fds[0].revents) {
      std::uint64_t n;
      [[maybe_unused]] auto r = ::read(wake_, &n, sizeof n);
    }
    for (std::size_t i = 1; i < fds.size(); ++i) {
      if (!fds[i].revents) continue;
      auto it = watched_.find(ids[i]);
      if (it == watched_.end()) continue;
      auto fn = it->second.fn;
      fn();
    }
  }

  int wake_, next_ = 0;
  std::size_t index_;
  std::mutex mutex_;
  std::deque<std::function<void()>> queue_;
  std::vector<std::function<void()>> end_of_tick_;
  std::map<int, Due> timers_;
  std::map<int, Watched> watched_;
};

/// Drives `task` on `loop` and gives its result.
template <class T>
Result<T> run(TestLoop& loop, Task<T> task) {
  std::optional<Result<T>> result;
  spawn(std::move(task), [&](Result<T> r) { result.emplace(std::move(r)); });
  loop.run_until([&] { return result.has_value(); });
  return std::move(*result);
}

}  // namespace mandate::test
