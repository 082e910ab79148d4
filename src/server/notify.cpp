#include "server/notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

namespace mandate::server {

void notify(const std::string& socket, const std::string& lines) {
  sockaddr_un where{};
  if (socket.empty() || socket.size() >= sizeof where.sun_path) return;
  where.sun_family = AF_UNIX;
  std::memcpy(where.sun_path, socket.data(), socket.size());
  if (where.sun_path[0] == '@') where.sun_path[0] = '\0';
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket.size() + (where.sun_path[0] ? 1 : 0));
  (void)::sendto(fd, lines.data(), lines.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&where), size);
  ::close(fd);
}

}  // namespace mandate::server
