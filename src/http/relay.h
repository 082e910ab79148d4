// One request that another process answers: its bytes go out on a Unix socket, the answer's bytes come back.
#pragma once

#include <memory>
#include <string>

#include "http/io_loop.h"
#include "http/peer_group.h"

namespace mandate::http {

/// Its loop only. It belongs to its group and ends with Peer::finished_elsewhere.
class Relay final : public IoLoop::Ready {
 public:
  /// `theirs`: the end for the other process. Null when there are no descriptors left.
  static std::unique_ptr<Relay> make(PeerGroup& group, Exchange* exchange, int& theirs);
  ~Relay();
  void on_readable() override;
  void on_writable() override;

 private:
  Relay(PeerGroup& group, Exchange* exchange, int fd);
  void end(bool complete);

  PeerGroup& group_;
  Exchange* exchange_;  ///< null when it is over
  int fd_;
  std::size_t written_ = 0;
  std::string request_, answer_;
  std::unique_ptr<IoLoop::Watch> watch_;
};

}  // namespace mandate::http
