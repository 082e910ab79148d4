#include "http/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "http/wire/trusted_proxies.h"

namespace mandate::http {
namespace {

constexpr int kBacklog = 4096;
constexpr int kPerTick = 128;  // so that a flood of newcomers does not starve the peers
constexpr std::chrono::milliseconds kPause{100};
constexpr std::string_view kFull =
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

Result<Address> socket_address(const std::string& text, int port) {
  Address out;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&out.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&out.storage);
  if (::inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(static_cast<std::uint16_t>(port));
    out.size = sizeof *v4;
  } else if (::inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(static_cast<std::uint16_t>(port));
    out.size = sizeof *v6;
  } else {
    return Error(Code::bad_request, "Listen on an IP address.", text);
  }
  return out;
}

Error refusal(const std::string& where) {
  const Code code = errno == EADDRINUSE ? Code::conflict : Code::bad_request;
  return Error(code, code == Code::conflict ? "The address is taken." : "Cannot listen there.",
               where + ": " + std::strerror(errno));
}

Result<int> bound(const std::string& address, int port, bool shared) {
  TRY(const Address where, socket_address(address, port));
  const int fd = ::socket(where.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return Error(Code::server_error, {}, std::strerror(errno));
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (shared) ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&where.storage), where.size) != 0) {
    Error error = refusal(address + ":" + std::to_string(port));
    ::close(fd);
    return error;
  }
  return fd;
}

std::string name_of(const sockaddr_storage& from) {
  char text[INET6_ADDRSTRLEN] = {};
  if (from.ss_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(from).sin_addr, text, sizeof text);
    return text;
  }
  if (from.ss_family != AF_INET6) return "local";
  wire::AddressBytes bytes;
  std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6&>(from).sin6_addr, bytes.size());
  return wire::format_address(bytes);
}

}  // namespace

Result<void> probe_tcp(const std::string& address, int port) {
  TRY(const int fd, bound(address, port, false));
  // Binding beside a socket that shares its port succeeds with SO_REUSEADDR only while nobody listens; ask by listening.
  const bool free = ::listen(fd, 1) == 0;
  Error error = refusal(address + ":" + std::to_string(port));
  ::close(fd);
  if (!free) return error;
  return {};
}

Result<int> listen_tcp(const std::string& address, int port, bool shared) {
  TRY(const int fd, bound(address, port, shared));
  if (::listen(fd, kBacklog) != 0) {
    Error error = refusal(address + ":" + std::to_string(port));
    ::close(fd);
    return error;
  }
  return fd;
}

Result<int> listen_unix(const std::string& path, int type) {
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  if (path.size() >= sizeof where.sun_path) return Error(Code::bad_request, "The path of a Unix socket is too long.", path);
  std::memcpy(where.sun_path, path.c_str(), path.size() + 1);
  const auto* address = reinterpret_cast<const sockaddr*>(&where);
  const int fd = ::socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return Error(Code::server_error, {}, std::strerror(errno));
  struct stat there {};
  if (::lstat(path.c_str(), &there) == 0) {
    const int probe = ::socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    const bool alive = !S_ISSOCK(there.st_mode) || ::connect(probe, address, sizeof where) == 0;
    ::close(probe);
    if (alive) {
      ::close(fd);
      return Error(Code::conflict, type == SOCK_STREAM ? "The admin socket is taken." : "The hand-over socket is taken.", path);
    }
    ::unlink(path.c_str());
  }
  // Private from its first moment: the mask first, then the mode in so many words.
  const mode_t mask = ::umask(0177);
  const int result = ::bind(fd, address, sizeof where);
  ::umask(mask);
  if (result != 0 || ::chmod(path.c_str(), 0600) != 0 || ::listen(fd, kBacklog) != 0) {
    Error error = refusal(path);
    ::close(fd);
    return error;
  }
  return fd;
}

Result<int> adopt_listener(int fd) {
  int listens = 0;
  socklen_t size = sizeof listens;
  if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || !listens)
    return Error(Code::bad_request, "A socket handed to the server does not listen.", "descriptor " + std::to_string(fd));
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  return fd;
}

int port_of(int fd) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size) != 0) return 0;
  return ntohs(name.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(name).sin6_port
                                          : reinterpret_cast<sockaddr_in&>(name).sin_port);
}

Listener::Listener(PeerGroup& group, const Door& door, int fd, std::size_t most, bool kept)
    : group_(group), door_(door), fd_(fd), most_(most), kept_(kept) {}

Listener::~Listener() {
  watch_.reset();
  if (fd_ >= 0) ::close(fd_);
}

void Listener::start() {
  watch_ = group_.loop.watch(fd_, *this);
  if (watch_) watch_->wait_readable();
}

void Listener::pause() {
  pause_.reset();
  watch_.reset();
}

void Listener::release() {
  pause();
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void Listener::hold_off() {
  if (kept_) return;  // the filter would be on the others' socket too
  // Drops segments whose flags (byte 13 of the TCP header) hold SYN, takes the rest.
  sock_filter code[] = {{BPF_LD | BPF_B | BPF_ABS, 0, 0, 13},
                        {BPF_JMP | BPF_JSET | BPF_K, 0, 1, 0x02},
                        {BPF_RET | BPF_K, 0, 0, 0},
                        {BPF_RET | BPF_K, 0, 0, 0xFFFFFFFF}};
  const sock_fprog program{4, code};
  ::setsockopt(fd_, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

void Listener::finish() {
  if (fd_ >= 0 && !kept_) accept_all();
  release();
}

void Listener::on_readable() {
  if (accept_all()) watch_->wait_readable();
}

bool Listener::accept_all() {
  for (int i = 0; i < kPerTick; ++i) {
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    const int fd = ::accept4(fd_, reinterpret_cast<sockaddr*>(&from), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED || errno == EPROTO) return true;
      const auto now = std::chrono::steady_clock::now();
      if (now - last_complaint_ > std::chrono::seconds(10)) {
        last_complaint_ = now;
        group_.log.error("cannot accept", {{"error", std::strerror(errno)}});
      }
      pause_ = group_.loop.after(kPause, [this] {
        if (watch_) watch_->wait_readable();
      });
      return false;
    }
    if (group_.size() >= most_) {
      [[maybe_unused]] const auto sent = ::send(fd, kFull.data(), kFull.size(), MSG_NOSIGNAL);
      ::close(fd);
      continue;
    }
    if (from.ss_family != AF_UNIX) {
      const int on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    group_.welcome(door_, fd, name_of(from));
  }
  return true;
}

}  // namespace mandate::http
