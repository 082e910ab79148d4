// Readiness of many sockets, each registered once and told by edges. No Asio in here; io_loop.cpp watches fd() for us.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>

#include "http/io_loop.h"

namespace mandate::http {

/// An epoll instance of its own. A socket is added with EPOLLET when it is watched and taken out when its watch ends;
/// between the two no request costs a call of epoll_ctl. One loop.
class EdgePoll : public std::enable_shared_from_this<EdgePoll> {
 public:
  EdgePoll();
  ~EdgePoll();
  EdgePoll(const EdgePoll&) = delete;
  EdgePoll& operator=(const EdgePoll&) = delete;

  /// Readable while there is something for run(); -1 when the system gave us no epoll instance.
  int fd() const { return fd_; }
  /// Null when the descriptor cannot be watched.
  std::unique_ptr<IoLoop::Watch> watch(int fd, IoLoop::Ready& ready);

  /// Tells everybody who is ready now. True when more is waiting that fd() does not show, or is likely to: run again soon.
  /// After an exception from a callback the next call goes on with the one behind it.
  bool run();
  /// Called when a watch asks for a turn outside of run().
  void on_soon(std::function<void()> call) { on_soon_ = std::move(call); }

 private:
  class Watched;
  static constexpr std::size_t kBatch = 128, kBusy = 4;

  void soon(Watched& watched);
  void forget(Watched& watched);

  int fd_;
  std::array<epoll_event, kBatch> events_;
  std::size_t at_ = 0, count_ = 0;
  Watched* current_ = nullptr;
  std::deque<Watched*> soon_;  ///< asked for a turn whatever the descriptor says; null: gone meanwhile
  std::function<void()> on_soon_;
  bool running_ = false;
};

}  // namespace mandate::http
