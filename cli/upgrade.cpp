#include "upgrade.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <iostream>

namespace mandate::cli {
namespace {

constexpr int kFailed = 1;

/// Where the new process says "READY=1": a socket in a directory that only we may enter.
class Ear {
 public:
  Ear() {
    char name[] = "/tmp/mandate-upgrade-XXXXXX";
    if (!::mkdtemp(name)) return;
    directory_ = name;
    path_ = directory_ + "/notify";
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    std::memcpy(where.sun_path, path_.c_str(), path_.size() + 1);
    fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (::bind(fd_, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) ::close(std::exchange(fd_, -1));
  }
  ~Ear() {
    if (fd_ >= 0) ::close(fd_);
    if (directory_.empty()) return;
    ::unlink(path_.c_str());
    ::rmdir(directory_.c_str());
  }
  bool open() const { return fd_ >= 0; }
  const std::string& path() const { return path_; }
  /// What was said, or nothing within that time.
  std::string hear(std::chrono::milliseconds longest) const {
    pollfd wait{fd_, POLLIN, 0};
    if (::poll(&wait, 1, static_cast<int>(longest.count())) <= 0) return {};
    char text[512];
    const ssize_t n = ::recv(fd_, text, sizeof text, 0);
    return n > 0 ? std::string(text, static_cast<std::size_t>(n)) : std::string();
  }

 private:
  std::string directory_, path_;
  int fd_ = -1;
};

void tell(const std::string& socket, const std::string& text) {
  sockaddr_un where{};
  if (socket.empty() || socket.size() >= sizeof where.sun_path) return;
  where.sun_family = AF_UNIX;
  std::memcpy(where.sun_path, socket.data(), socket.size());
  const bool abstract = socket[0] == '@';
  if (abstract) where.sun_path[0] = '\0';
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket.size() + (abstract ? 0 : 1));
  (void)::sendto(fd, text.data(), text.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&where), size);
  ::close(fd);
}

}  // namespace

int upgrade(std::vector<std::string> command, std::chrono::seconds longest) {
  const Ear ear;
  if (!ear.open()) return std::cerr << "mandate: cannot make a socket in /tmp: " << std::strerror(errno) << "\n", kFailed;
  const char* supervisor = std::getenv("NOTIFY_SOCKET");
  const std::string outer = supervisor ? supervisor : "";
  command.emplace_back("--take-over");
  std::vector<char*> words;
  for (std::string& word : command) words.push_back(word.data());
  words.push_back(nullptr);
  ::setenv("NOTIFY_SOCKET", ear.path().c_str(), 1);
  const pid_t child = ::fork();
  if (child < 0) return std::cerr << "mandate: " << std::strerror(errno) << "\n", kFailed;
  if (child == 0) {
    ::setsid();
    ::execvp(words[0], words.data());
    std::cerr << "mandate: " << words[0] << ": " << std::strerror(errno) << "\n";
    ::_exit(127);
  }
  const std::string mine = "MAINPID=" + std::to_string(child);
  for (const auto end = std::chrono::steady_clock::now() + longest; std::chrono::steady_clock::now() < end;) {
    const std::string said = ear.hear(std::chrono::milliseconds(50));
    if (said.find("READY=1") != std::string::npos && said.ends_with(mine)) {
      tell(outer, "READY=1\n" + mine);
      std::cout << "mandated " << child << " serves\n";
      return 0;
    }
    int status = 0;
    if (::waitpid(child, &status, WNOHANG) != child) continue;
    std::cerr << "mandate: the new server ended; the old one goes on\n";
    return WIFEXITED(status) ? WEXITSTATUS(status) : kFailed;
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  std::cerr << "mandate: the new server did not serve within " << longest.count() << " s and was ended\n";
  return kFailed;
}

}  // namespace mandate::cli
