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
/// `type`: SOCK_STREAM, or SOCK_SEQPACKET for messages.
Result<int> listen_unix(const std::string& path, int type);
/// Makes a listening socket that came from elsewhere ours: non-blocking, closed on exec. bad_request when it is none.
Result<int> adopt_listener(int fd);
int port_of(int fd);

/// Accepts into a group of peers. Out of descriptors it pauses instead of spinning (RL-16). Its loop only.
class Listener final : public IoLoop::Ready {
 public:
  /// `kept`: others hold this socket too and go on with it when we close.
  Listener(PeerGroup& group, const Door& door, int fd, std::size_t most, bool kept = false);
  ~Listener();
  void start();
  /// Who comes waits in the kernel's queue, until start().
  void pause();
  /// Closes our end of a socket that another process goes on with; what stands in the queue is the other's.
  void release();
  const Door& door() const { return door_; }
  int fd() const { return fd_; }
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
  bool kept_;
  std::unique_ptr<IoLoop::Watch> watch_;
  std::unique_ptr<Loop::Timer> pause_;
  std::chrono::steady_clock::time_point last_complaint_{};
};

}  // namespace mandate::http
