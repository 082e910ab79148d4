#include "http/edge_poll.h"

#include <unistd.h>

#include <algorithm>

namespace mandate::http {

/// One socket. An edge says that something came after the last look, so what is not wanted yet has to be remembered:
/// `readable_` stays true until the reader has met the end of the bytes.
class EdgePoll::Watched final : public IoLoop::Watch {
 public:
  Watched(std::shared_ptr<EdgePoll> poll, int fd, IoLoop::Ready& ready) : poll_(std::move(poll)), fd_(fd), ready_(ready) {}
  ~Watched() override {
    if (!added_) return;
    ::epoll_ctl(poll_->fd_, EPOLL_CTL_DEL, fd_, nullptr);
    poll_->forget(*this);
  }
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;

  bool add() {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = this;
    return added_ = ::epoll_ctl(poll_->fd_, EPOLL_CTL_ADD, fd_, &event) == 0;
  }

  void wait_readable() override {
    wants_read_ = true;
    if (readable_) poll_->soon(*this);
  }
  void wait_writable() override {
    wants_write_ = true;  // asked for after a write found no room, and room is an edge of its own
  }
  void readable_soon() override {
    wants_read_ = readable_ = true;
    poll_->soon(*this);
  }
  void drained(End end) override {
    // After a short read the end of the stream may be next, and it has no edge of its own any more.
    if (end == End::nothing_there || !hung_up_) readable_ = false;
  }

  void note(std::uint32_t events) {
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) hung_up_ = readable_ = true;
    if (events & EPOLLIN) readable_ = true;
  }
  /// Writing first: it makes room for what reading brings. The callee may end this watch.
  void tell(bool writable) {
    EdgePoll& poll = *poll_;
    if (writable && std::exchange(wants_write_, false)) {
      ready_.on_writable();
      if (poll.current_ != this) return;
    }
    if (readable_ && std::exchange(wants_read_, false)) ready_.on_readable();
  }

  bool queued = false;  ///< in soon_

 private:
  std::shared_ptr<EdgePoll> poll_;  // a handle may outlive its loop
  int fd_;
  IoLoop::Ready& ready_;
  bool added_ = false, wants_read_ = false, wants_write_ = false, readable_ = false, hung_up_ = false;
};

EdgePoll::EdgePoll() : fd_(::epoll_create1(EPOLL_CLOEXEC)) {}

EdgePoll::~EdgePoll() {
  if (fd_ >= 0) ::close(fd_);
}

std::unique_ptr<IoLoop::Watch> EdgePoll::watch(int fd, IoLoop::Ready& ready) {
  auto made = std::make_unique<Watched>(shared_from_this(), fd, ready);
  if (!made->add()) return nullptr;
  return made;
}

void EdgePoll::soon(Watched& watched) {
  if (std::exchange(watched.queued, true)) return;
  soon_.push_back(&watched);
  if (!running_ && soon_.size() == 1 && on_soon_) on_soon_();
}

void EdgePoll::forget(Watched& watched) {
  if (current_ == &watched) current_ = nullptr;
  for (std::size_t i = at_; i < count_; ++i)
    if (events_[i].data.ptr == &watched) events_[i].data.ptr = nullptr;
  if (watched.queued) std::replace(soon_.begin(), soon_.end(), &watched, static_cast<Watched*>(nullptr));
}

bool EdgePoll::run() {
  struct Running {
    explicit Running(EdgePoll& p) : poll(p) { poll.running_ = true; }
    ~Running() { poll.running_ = false, poll.current_ = nullptr; }
    EdgePoll& poll;
  } running(*this);

  if (at_ == count_) {
    const int n = ::epoll_wait(fd_, events_.data(), static_cast<int>(kBatch), 0);
    at_ = 0;
    count_ = n > 0 ? static_cast<std::size_t>(n) : 0;
  }
  const std::size_t found = count_;
  while (at_ < count_) {
    const epoll_event event = events_[at_++];
    current_ = static_cast<Watched*>(event.data.ptr);
    if (!current_) continue;
    current_->note(event.events);
    current_->tell((event.events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0);
  }
  // Those who asked before this point; who asks while they are told waits for the next turn.
  for (std::size_t left = soon_.size(); left > 0; --left) {
    current_ = soon_.front();
    soon_.pop_front();
    if (!current_) continue;
    current_->queued = false;
    current_->tell(false);
  }
  return !soon_.empty() || found >= kBusy;
}

}  // namespace mandate::http
