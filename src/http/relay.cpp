#include "http/relay.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

#include "http/peer.h"

namespace mandate::http {
namespace {

/// The request as it came, but for the cutting of its chunks.
std::string text_of(const Exchange& exchange) {
  std::string out(exchange.head_bytes);
  const std::string_view body = exchange.request.body;
  if (!exchange.framing.chunked) return out.append(body);
  if (!body.empty()) {
    char size[16];
    out.append(size, std::to_chars(size, size + sizeof size, body.size(), 16).ptr).append("\r\n").append(body).append("\r\n");
  }
  return out.append("0\r\n\r\n");
}

}  // namespace

std::unique_ptr<Relay> Relay::make(PeerGroup& group, Exchange* exchange, int& theirs) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) return nullptr;
  std::unique_ptr<Relay> made(new Relay(group, exchange, ends[0]));
  made->watch_ = group.loop.watch(ends[0], *made);
  if (!made->watch_) {
    made->exchange_ = nullptr;
    ::close(ends[1]);
    return nullptr;
  }
  theirs = ends[1];
  made->watch_->wait_writable();
  return made;
}

Relay::Relay(PeerGroup& group, Exchange* exchange, int fd)
    : group_(group), exchange_(exchange), fd_(fd), request_(text_of(*exchange)) {}

Relay::~Relay() {
  watch_.reset();
  ::close(fd_);
  // The group ends, and with it the peer, who waits for nothing any more.
  if (!exchange_) return;
  if (exchange_->peer) Peer::finished_elsewhere(exchange_, {});
  else group_.release(exchange_);
}

void Relay::on_writable() {
  while (written_ < request_.size()) {
    const ssize_t n = ::send(fd_, request_.data() + written_, request_.size() - written_, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return watch_->wait_writable();
    if (n < 0) break;  // refused before its end: there may be an answer all the same
    written_ += static_cast<std::size_t>(n);
  }
  request_ = {};
  watch_->wait_readable();
}

void Relay::on_readable() {
  char buffer[16 << 10];
  for (;;) {
    const ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return watch_->wait_readable();
    if (n <= 0) return end(n == 0);
    answer_.append(buffer, static_cast<std::size_t>(n));
  }
}

void Relay::end(bool complete) {
  Exchange* exchange = std::exchange(exchange_, nullptr);
  Peer::finished_elsewhere(exchange, complete ? std::string_view(answer_) : std::string_view());
  group_.bury(*this);
}

}  // namespace mandate::http
