// A listening socket on one loop.
#pragma once

#include <memory>
#include <string>

#include "http/io_loop.h"
#include "http/peer_group.h"

namespace mandate::http {

/// A bound, listening, non-blocking TCP socket. `shared`: several may listen there (one per loop).
/// Errors: conflict (taken), bad_request (no such address).
Result<int> listen_tcp(const std::string& address, int port, bool shared);
/// Is nobody there yet? A shared listener would not notice. conflict otherwise.
Result<void> probe_tcp(const std::string& address, int port);
/// A Unix socket, mode 0600; a left-over file of a server that is gone is replaced.
Result<int> listen_unix(const std::string& path);
int port_of(int fd);

/// Accepts into a group of peers. Out of descriptors it pauses instead of spinning (RL-16). Its loop only.
class Listener final : public IoLoop::Ready {
 public:
  Listener(PeerGroup& group, const Door& door, int fd, std::size_t most);
  ~Listener();
  void start();
  /// No new handshakes; those under way may finish and be accepted (RL-10: closing at once would reset them).
  void hold_off();
  /// Takes in what already stands in the queue, then closes.
  void finish();

  void on_readable() override;
  void on_writable() override {}

 private:
  /// False when accepting had to be paused.
  bool accept_all();
  PeerGroup& group_;
  const Door& door_;
  int fd_;
  std::size_t most_;
  std::unique_ptr<IoLoop::Watch> watch_;
  std::unique_ptr<Loop::Timer> pause_;
  std::chrono::steady_clock::time_point last_complaint_{};
};

}  // namespace mandate::http
