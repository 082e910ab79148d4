// An upgrade, seen from the process that goes: its listening sockets are handed to the one that comes (RL-11).
//
//   new                               old
//   mandate-handover 1 alone|shared ─▶
//                                    ◀─ sockets alone|shared … + descriptors
//   alone: let-go                   ─▶ holds requests, waits for those in flight, closes the stores
//                                    ◀─ yours                                        (or: busy, and it goes on)
//   opens its stores, accepts
//   done                            ─▶ retires
//                                    ◀─ peer plain|secure|owner ADDRESS + descriptor (alone: a request that still came)
//   The new one is gone before it said done: the old one goes on, opening its stores again if it had closed them.
//
// "alone": one of the two keeps its data in SQLite, which one process holds at a time.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "http/server.h"
#include "server/channel.h"

namespace mandate::server {

class Handover {
 public:
  struct Parts {
    http::Server& server;
    bool alone;
    /// Closes the stores while the server holds; false when what is under way did not end in time, and nothing is closed.
    std::function<bool()> close_stores;
    /// Opens them again and lets the server go on with them.
    std::function<Result<void>()> open_stores;
    std::function<void()> leaving;             ///< another serves
    std::function<void()> left;                ///< and the server retires
    std::function<void(const Error&)> broken;  ///< the stores do not open again: this process is of no use any more
    Log& log;
  };
  /// `listening`: a descriptor of listen_unix(…, SOCK_SEQPACKET), taken over. Runs a thread.
  Handover(Parts parts, int listening);
  ~Handover();
  /// No other hand-over begins; one under way is brought to its end first.
  void stop();
  /// Another process serves and has the listening sockets, this thread's too; the server retires.
  bool left() const { return left_; }

 private:
  void run();
  void serve(Channel channel);
  /// Between "let-go" and "done". True when the other one serves now.
  bool let_go(Channel& channel);
  void pass_on(Channel& channel);

  Parts parts_;
  int listening_;
  int wake_[2] = {-1, -1};
  std::atomic<bool> left_{false};
  std::mutex mutex_;
  std::condition_variable told_;
  bool over_ = false;
  std::deque<http::Passed> passed_;
  std::thread thread_;
};

}  // namespace mandate::server
