// An upgrade, seen from the process that comes; the other side and the words are in handover.h.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "base/log.h"
#include "http/server.h"
#include "server/channel.h"

namespace mandate::server {

class TakeOver {
 public:
  /// Asks the running server for its sockets. `alone`: our data may be held by one process only.
  /// not_found: nobody runs there. Other errors: it does, and will not.
  static Result<std::unique_ptr<TakeOver>> ask(const std::string& path, bool alone, Log& log);
  ~TakeOver();

  /// The running server's, for our own.
  const http::Sockets& sockets() const { return sockets_; }
  /// Its hand-over socket, from done() on ours; -1 when it has none.
  int handover() const { return handover_; }
  /// Returns when the stores may be opened. Blocks, for as long as the other one waits for its requests in flight.
  /// temporarily_unavailable: they did not end, and it goes on.
  Result<void> let_go();
  /// We accept: the other one may leave. From then on `server` answers what it still hears.
  void done(http::Server& server);
  /// The other one is still there, and may pass on requests.
  bool attached() const { return attached_; }

 private:
  TakeOver(Channel channel, Log& log) : channel_(std::move(channel)), log_(log) {}
  Channel channel_;
  Log& log_;
  bool alone_ = false;
  http::Sockets sockets_;
  int handover_ = -1;
  int wake_[2] = {-1, -1};
  std::atomic<bool> attached_{false};
  std::thread thread_;
};

}  // namespace mandate::server
