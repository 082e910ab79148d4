#include "server/channel.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace mandate::server {
namespace {
constexpr std::size_t kMostDescriptors = 253, kLongest = 4096;  // SCM_MAX_FD; our own words are short
constexpr std::chrono::seconds kPatience{10};
}  // namespace

Channel::Channel(Channel&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Channel::~Channel() {
  if (fd_ >= 0) ::close(fd_);
}

Result<Channel> Channel::dial(const std::string& path) {
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  if (path.size() >= sizeof where.sun_path) return Error(Code::bad_request, "The path of a Unix socket is too long.", path);
  std::memcpy(where.sun_path, path.c_str(), path.size() + 1);
  Channel out(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (out.fd_ < 0) return Error(Code::server_error, {}, std::strerror(errno));
  if (::connect(out.fd_, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) {
    const bool nobody = errno == ENOENT || errno == ECONNREFUSED;
    return Error(nobody ? Code::not_found : Code::forbidden, "Cannot speak to the running server: " + path + ".", std::strerror(errno));
  }
  if (!out.same_user()) return Error(Code::forbidden, "The server at " + path + " runs as another user.");
  return out;
}

bool Channel::same_user() const {
  ucred who{};
  socklen_t size = sizeof who;
  return ::getsockopt(fd_, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 && who.uid == ::geteuid();
}

Result<void> Channel::send(const std::string& text, std::span<const int> descriptors) {
  if (descriptors.size() > kMostDescriptors) return Error(Code::server_error, {}, "too many descriptors for one message");
  iovec bytes{const_cast<char*>(text.data()), text.size()};
  alignas(cmsghdr) char room[CMSG_SPACE(kMostDescriptors * sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  if (!descriptors.empty()) {
    message.msg_control = room;
    message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(head), descriptors.data(), descriptors.size_bytes());
  }
  const timeval patience{kPatience.count(), 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  while (::sendmsg(fd_, &message, MSG_NOSIGNAL) < 0)
    if (errno != EINTR) return Error(Code::not_found, "The other server is gone.", std::strerror(errno));
  return {};
}

Result<Channel::Message> Channel::receive(std::chrono::milliseconds longest, int wake) {
  pollfd watched[] = {{fd_, POLLIN, 0}, {wake, POLLIN, 0}};  // poll passes over a negative descriptor
  int ready;
  while ((ready = ::poll(watched, 2, longest.count() < 0 ? -1 : static_cast<int>(longest.count()))) < 0 && errno == EINTR) {}
  if (ready <= 0 || !watched[0].revents) return Error(Code::timeout, "The other server is silent.");
  Message out;
  out.text.resize(kLongest);
  iovec bytes{out.text.data(), out.text.size()};
  alignas(cmsghdr) char room[CMSG_SPACE(kMostDescriptors * sizeof(int))];
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = room;
  message.msg_controllen = sizeof room;
  ssize_t got;
  while ((got = ::recvmsg(fd_, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {}
  for (cmsghdr* head = got < 0 ? nullptr : CMSG_FIRSTHDR(&message); head; head = CMSG_NXTHDR(&message, head)) {
    if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t had = out.descriptors.size(), more = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    out.descriptors.resize(had + more);
    std::memcpy(out.descriptors.data() + had, CMSG_DATA(head), more * sizeof(int));
  }
  if (got <= 0) return Error(Code::not_found, "The other server is gone.");
  if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
    for (const int fd : out.descriptors) ::close(fd);
    return Error(Code::bad_request, "The other server does not speak as this one does.");
  }
  out.text.resize(static_cast<std::size_t>(got));
  return out;
}

}  // namespace mandate::server
