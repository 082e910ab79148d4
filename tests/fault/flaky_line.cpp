#include "tests/fault/flaky_line.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace mandate::test {
namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

bool send_all(int fd, const char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t n = ::send(fd, bytes, size, MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

}  // namespace

FlakyLine::FlakyLine(int port) : to_(port) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 128) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("FlakyLine: no port");
  port_ = ntohs(address.sin_port);
  wake_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  thread_ = std::thread([this] { work(); });
}

FlakyLine::~FlakyLine() {
  over_ = true;
  wake();
  thread_.join();
  for (Pair& pair : pairs_) drop(pair);
  ::close(listener_);
  ::close(wake_);
}

void FlakyLine::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(wake_, &one, sizeof one);
}

void FlakyLine::break_all(Break how) {
  {
    const std::lock_guard lock(mutex_);
    for (Pair& pair : pairs_) {
      if (pair.state != Pair::State::whole) continue;
      ++broken_;
      pair.state = how == Break::reset     ? Pair::State::reset
                   : how == Break::half    ? Pair::State::half
                   : how == Break::swallow ? Pair::State::swallow
                                           : Pair::State::garble;
    }
  }
  wake();
}

void FlakyLine::drop(Pair& pair) {
  const linger now{1, 0};  // a reset, not a farewell
  for (const int fd : {pair.node, pair.server}) {
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    ::close(fd);
  }
}

void FlakyLine::accept() {
  const int node = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (node < 0) return;
  const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(to_);
  Pair pair{node, server};
  const int yes = 1;
  const timeval patience{2, 0};
  for (const int fd : {node, server}) {
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  }
  if (cut_ || ::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return drop(pair);
  pairs_.push_back(pair);
}

/// False: the pair is over.
bool FlakyLine::from_node(Pair& pair) {
  char bytes[65536];
  const ssize_t got = ::recv(pair.node, bytes, sizeof bytes, MSG_DONTWAIT);
  if (got <= 0) return false;
  const auto n = static_cast<std::size_t>(got);
  switch (pair.state) {
    case Pair::State::half: (void)send_all(pair.server, bytes, n / 2); return false;
    case Pair::State::swallow: pair.state = Pair::State::silent; break;
    case Pair::State::garble: pair.state = Pair::State::noisy; break;
    default: break;
  }
  return send_all(pair.server, bytes, n);
}

bool FlakyLine::from_server(Pair& pair) {
  char bytes[65536];
  const ssize_t n = ::recv(pair.server, bytes, sizeof bytes, MSG_DONTWAIT);
  if (n <= 0 || pair.state == Pair::State::silent) return false;
  if (pair.state != Pair::State::noisy) return send_all(pair.node, bytes, static_cast<std::size_t>(n));
  const std::string noise(64, '\xff');
  return send_all(pair.node, noise.data(), noise.size());
}

void FlakyLine::work() {
  while (!over_) {
    std::vector<pollfd> fds{{wake_, POLLIN, 0}, {listener_, static_cast<short>(stalled_ ? 0 : POLLIN), 0}};
    std::vector<std::list<Pair>::iterator> of;
    {
      const std::lock_guard lock(mutex_);
      for (auto pair = pairs_.begin(); pair != pairs_.end();) {
        if (cut_ || pair->state == Pair::State::reset) {
          drop(*pair);
          pair = pairs_.erase(pair);
          continue;
        }
        if (!stalled_) {
          fds.push_back({pair->node, POLLIN, 0});
          fds.push_back({pair->server, POLLIN, 0});
          of.push_back(pair);
        }
        ++pair;
      }
    }
    ::poll(fds.data(), fds.size(), -1);
    std::uint64_t count;
    [[maybe_unused]] const auto n = ::read(wake_, &count, sizeof count);
    if (over_) return;
    const std::lock_guard lock(mutex_);
    if (stalled_) continue;
    if (fds[1].revents) accept();
    for (std::size_t i = 0; i < of.size(); ++i) {
      bool goes_on = true;
      if (fds[2 + 2 * i].revents) goes_on = from_node(*of[i]);
      if (goes_on && fds[3 + 2 * i].revents) goes_on = from_server(*of[i]);
      if (goes_on) continue;
      drop(*of[i]);
      pairs_.erase(of[i]);
    }
  }
}

}  // namespace mandate::test
