#include "scripts/channel.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

namespace mandate::scripts {

Channel::Channel(Loop& loop, int socket, std::size_t frame_bytes, Events events)
    : loop_(loop), events_(std::move(events)), socket_(socket), reader_(frame_bytes) {
  readable_ = loop_.when_readable(socket_, [this] { read(); });
}

Channel::~Channel() {
  *alive_ = false;
  readable_.reset();
  writable_.reset();
  ::close(socket_);
}

void Channel::send(const Frame& frame) {
  if (closed_) return;
  append_frame(out_, frame);
  if (flushing_ || writable_) return;
  flushing_ = true;
  loop_.at_end_of_tick([this, alive = alive_] {
    if (!*alive) return;
    flushing_ = false;
    flush();
  });
}

void Channel::flush() {
  while (!closed_ && unsent() > 0) {
    const ssize_t n = ::send(socket_, out_.data() + out_at_, unsent(), MSG_NOSIGNAL);
    if (n < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        if (!writable_) writable_ = loop_.when_writable(socket_, [this] { flush(); });
        return;
      }
      // The reader sees the end, after what the other side still had to say.
      break;
    }
    out_at_ += static_cast<std::size_t>(n);
  }
  out_.clear();
  out_at_ = 0;
  writable_.reset();
}

void Channel::read(int turns) {
  if (reading_) return;  // a frame's own consequences asked for it
  reading_ = true;
  char chunk[65'536];
  const std::shared_ptr<bool> alive = alive_;
  for (; turns > 0 && !closed_; --turns) {
    const ssize_t n = ::recv(socket_, chunk, sizeof chunk, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (n <= 0) {
      reading_ = false;
      return close("closed its socket");
    }
    reader_.feed({chunk, static_cast<std::size_t>(n)});
    while (!closed_) {
      Result<std::optional<Frame>> next = reader_.next();
      if (!next.ok()) {
        reading_ = false;
        return close("spoke nonsense: " + next.error().detail);
      }
      if (!next->has_value()) break;
      events_.frame(**next);
      if (!*alive) return;
    }
    if (static_cast<std::size_t>(n) < sizeof chunk) break;
  }
  reading_ = false;
}

void Channel::close(std::string reason) {
  if (std::exchange(closed_, true)) return;
  readable_.reset();
  writable_.reset();
  const auto closed = std::move(events_.closed);
  closed(std::move(reason));
}

}  // namespace mandate::scripts
