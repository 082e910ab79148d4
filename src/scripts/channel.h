// One end of a socketpair that carries frames.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/loop.h"
#include "scripts/frames.h"

namespace mandate::scripts {

/// All on one loop. Closes its socket with itself.
class Channel {
 public:
  struct Events {
    std::function<void(const Frame&)> frame;         ///< the text lives until it returns
    std::function<void(std::string reason)> closed;  ///< once: by the other side, or by us because it spoke nonsense
  };
  Channel(Loop& loop, int socket, std::size_t frame_bytes, Events events);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  /// Queues a frame; the frames of one tick leave in one write.
  void send(const Frame& frame);
  std::size_t unsent() const { return out_.size() - out_at_; }
  /// Takes what has arrived and was not seen yet, as far as `turns` buffers.
  void read(int turns = 16);

 private:
  void flush();
  void close(std::string reason);

  Loop& loop_;
  Events events_;
  int socket_;
  FrameReader reader_;
  std::string out_;
  std::size_t out_at_ = 0;
  bool flushing_ = false, closed_ = false, reading_ = false;
  std::unique_ptr<Loop::Timer> readable_, writable_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace mandate::scripts
