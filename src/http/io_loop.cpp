#include "http/io_loop.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <unordered_map>

#include "http/edge_poll.h"

namespace mandate::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

/// A descriptor in the reactor. Counted by hand: pending waits keep it alive, all on one thread.
struct Watched {
  Watched(asio::io_context& io) : descriptor(io) {}
  asio::posix::stream_descriptor descriptor;
  IoLoop::Ready* ready = nullptr;
  int references = 0;
  bool reading = false, writing = false;
};

class Hold {
 public:
  explicit Hold(Watched* w) : watched_(w) { ++watched_->references; }
  Hold(const Hold& other) : Hold(other.watched_) {}
  Hold(Hold&& other) noexcept : watched_(std::exchange(other.watched_, nullptr)) {}
  Hold& operator=(const Hold&) = delete;
  ~Hold() {
    if (watched_ && --watched_->references == 0) delete watched_;
  }
  Watched* operator->() const { return watched_; }

 private:
  Watched* watched_;
};

class DescriptorWatch final : public IoLoop::Watch {
 public:
  DescriptorWatch(std::shared_ptr<asio::io_context> io, IoLoop::Ready& ready)
      : io_(std::move(io)), state_(new Watched(*io_)) {
    state_->ready = &ready;
  }
  ~DescriptorWatch() override {
    state_->ready = nullptr;
    if (state_->descriptor.is_open()) state_->descriptor.release();
  }
  bool assign(int fd) {
    error_code error;
    state_->descriptor.assign(fd, error);
    return !error;
  }
  void wait_readable() override {
    if (state_->reading) return;
    state_->reading = true;
    state_->descriptor.async_wait(asio::posix::stream_descriptor::wait_read, [hold = state_](error_code) {
      hold->reading = false;
      if (hold->ready) hold->ready->on_readable();
    });
  }
  void wait_writable() override {
    if (state_->writing) return;
    state_->writing = true;
    state_->descriptor.async_wait(asio::posix::stream_descriptor::wait_write, [hold = state_](error_code) {
      hold->writing = false;
      if (hold->ready) hold->ready->on_writable();
    });
  }
  void readable_soon() override {
    asio::post(state_->descriptor.get_executor(), [hold = state_] {
      if (hold->ready) hold->ready->on_readable();
    });
  }

 private:
  std::shared_ptr<asio::io_context> io_;  // a handle may outlive its loop
  Hold state_;
};

/// What when_readable and when_writable of one descriptor share: the reactor takes each descriptor once.
class Interests final : public IoLoop::Ready {
 public:
  std::shared_ptr<std::function<void()>> read, write;
  std::unique_ptr<IoLoop::Watch> watch;

  void arm() {
    if (read) watch->wait_readable();
    if (write) watch->wait_writable();
  }
  void on_readable() override { call(read, [](IoLoop::Watch& w) { w.wait_readable(); }, &Interests::read); }
  void on_writable() override { call(write, [](IoLoop::Watch& w) { w.wait_writable(); }, &Interests::write); }

 private:
  using Slot = std::shared_ptr<std::function<void()>> Interests::*;
  // The callback may drop its own handle, and with it this object; `alive_` tells.
  void call(std::shared_ptr<std::function<void()>> fn, void (*again)(IoLoop::Watch&), Slot slot) {
    if (!fn) return;
    const std::weak_ptr<bool> alive = alive_;
    (*fn)();
    if (!alive.expired() && this->*slot) again(*watch);
  }
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

struct TimerState {
  explicit TimerState(asio::io_context& io) : timer(io) {}
  asio::steady_timer timer;
  std::function<void()> fn;
};

struct TimerHandle final : Loop::Timer {
  TimerHandle(std::shared_ptr<asio::io_context> i, std::shared_ptr<TimerState> s) : io(std::move(i)), state(std::move(s)) {}
  ~TimerHandle() override {
    state->fn = nullptr;
    state->timer.cancel();
  }
  std::shared_ptr<asio::io_context> io;
  std::shared_ptr<TimerState> state;
};

using InterestMap = std::unordered_map<int, std::unique_ptr<Interests>>;
using InterestSlot = std::shared_ptr<std::function<void()>> Interests::*;

struct InterestHandle final : Loop::Timer {
  InterestHandle(std::shared_ptr<InterestMap> m, int f, InterestSlot s) : map(std::move(m)), fd(f), slot(s) {}
  ~InterestHandle() override {
    const auto at = map->find(fd);
    if (at == map->end()) return;
    (*at->second).*slot = nullptr;
    if (!at->second->read && !at->second->write) map->erase(at);
  }
  std::shared_ptr<InterestMap> map;
  int fd;
  InterestSlot slot;
};

/// The streams of a loop hang on one descriptor of the reactor: it is armed once for all that became ready together.
class Streams final : public IoLoop::Ready {
 public:
  Streams(const std::shared_ptr<asio::io_context>& io, std::function<void()> at_end)
      : io_(*io), at_end_(std::move(at_end)), watch_(io, *this) {
    poll_->on_soon([this] { again(); });
    if (watch_.assign(poll_->fd())) watch_.wait_readable();
  }
  ~Streams() { poll_->on_soon({}); }
  std::unique_ptr<IoLoop::Watch> watch(int fd, IoLoop::Ready& ready) { return poll_->watch(fd, ready); }
  /// Streams are being told: what waits for the end of the tick is called when they all have been.
  bool telling() const { return telling_; }

  void on_readable() override { run(); }
  void on_writable() override {}

 private:
  void again() {
    if (std::exchange(posted_, true)) return;
    asio::post(io_, [this] {
      posted_ = false;
      run();
    });
  }
  void run() {
    // While much is going on, a look costs less than arming; it goes behind what else the loop has to do.
    bool more = true;  // also when a callback throws
    struct Next {
      Streams& streams;
      bool& more;
      ~Next() {
        streams.telling_ = false;
        if (more) streams.again();
        else streams.watch_.wait_readable();
      }
    } next{*this, more};
    telling_ = true;
    const bool waiting = poll_->run();
    telling_ = false;
    at_end_();
    more = waiting;
  }

  asio::io_context& io_;
  std::function<void()> at_end_;
  std::shared_ptr<EdgePoll> poll_ = std::make_shared<EdgePoll>();
  DescriptorWatch watch_;
  bool posted_ = false, telling_ = false;
};

class AsioLoop final : public IoLoop {
 public:
  AsioLoop(std::size_t index, std::function<void(std::string_view)> on_bug) : index_(index), on_bug_(std::move(on_bug)) {}
  ~AsioLoop() override { end(); }

  void run() override {
    set_current(this);
    const auto work = asio::make_work_guard(*io_);
    while (!io_->stopped()) {
      try {
        io_->run();
      } catch (const std::exception& bug) {
        on_bug_(bug.what());
      }
    }
    set_current(nullptr);
  }
  void stop() override { io_->stop(); }

  void post(std::function<void()> fn) override { asio::post(*io_, std::move(fn)); }

  std::unique_ptr<Timer> after(std::chrono::milliseconds delay, std::function<void()> fn) override {
    auto state = std::make_shared<TimerState>(*io_);
    state->fn = std::move(fn);
    state->timer.expires_after(delay);
    state->timer.async_wait([state](error_code error) {
      // Moved out: the callback may drop its own handle.
      if (auto call = std::exchange(state->fn, nullptr); call && !error) call();
    });
    return std::make_unique<TimerHandle>(io_, std::move(state));
  }

  void at_end_of_tick(std::function<void()> fn) override {
    end_of_tick_.push_back(std::move(fn));
    if (end_of_tick_.size() > 1 || streams_.telling()) return;
    // A post goes behind everything this tick has already made ready.
    asio::post(*io_, [this] { end_tick(); });
  }

  std::unique_ptr<Timer> when_readable(int fd, std::function<void()> fn) override {
    return interest(fd, &Interests::read, std::move(fn));
  }
  std::unique_ptr<Timer> when_writable(int fd, std::function<void()> fn) override {
    return interest(fd, &Interests::write, std::move(fn));
  }

  std::unique_ptr<Watch> watch(int fd, Ready& ready) override {
    auto made = std::make_unique<DescriptorWatch>(io_, ready);
    if (!made->assign(fd)) return nullptr;
    return made;
  }
  std::unique_ptr<Watch> watch_stream(int fd, Ready& ready) override { return streams_.watch(fd, ready); }
  std::size_t index() const override { return index_; }

 private:
  void end_tick() {
    if (end_of_tick_.empty()) return;
    auto flush = std::exchange(end_of_tick_, {});
    for (auto& each : flush) each();
  }

  std::unique_ptr<Timer> interest(int fd, InterestSlot slot, std::function<void()> fn) {
    auto& there = (*interests_)[fd];
    if (!there) {
      there = std::make_unique<Interests>();
      there->watch = watch(fd, *there);
    }
    (*there).*slot = std::make_shared<std::function<void()>>(std::move(fn));
    if (there->watch) there->arm();
    return std::make_unique<InterestHandle>(interests_, fd, slot);
  }

  std::size_t index_;
  std::function<void(std::string_view)> on_bug_;
  std::shared_ptr<asio::io_context> io_ = std::make_shared<asio::io_context>(1);
  std::vector<std::function<void()>> end_of_tick_;
  std::shared_ptr<InterestMap> interests_ = std::make_shared<InterestMap>();
  Streams streams_{io_, [this] { end_tick(); }};
};

}  // namespace

std::unique_ptr<IoLoop> IoLoop::make(std::size_t index, std::function<void(std::string_view)> on_bug) {
  return std::make_unique<AsioLoop>(index, std::move(on_bug));
}

}  // namespace mandate::http
