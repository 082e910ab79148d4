// libcurl's multi interface on a Loop.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>

#include "base/loop.h"

namespace mandate::http::outbound {

/// All transfers of one loop. Its loop only; may be destroyed elsewhere when that loop has ended.
class Transfers {
 public:
  explicit Transfers(Loop& loop);
  ~Transfers();
  /// Runs a prepared easy handle (a CURL*) and gives its CURLcode. The handle is the caller's.
  Task<int> run(void* easy);

 private:
  struct Socket {
    std::unique_ptr<Loop::Timer> read, write;
  };
  struct Callbacks;
  void watch(int fd, int what);
  void set_timer(long milliseconds);
  void act(int fd, int what);

  Loop& loop_;
  void* multi_;
  std::unordered_map<int, Socket> sockets_;
  std::unique_ptr<Loop::Timer> timer_;
};

}  // namespace mandate::http::outbound
