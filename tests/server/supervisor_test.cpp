// A supervisor as sd_listen_fds(3) and sd_notify(3) describe it: it binds, starts, listens for READY=1, stops, starts again,
// and its sockets stay what they are.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>

#include "http/listener.h"
#include "tests/support/temp_store.h"

namespace mandate::server {
namespace {

struct Fd {
  explicit Fd(int n = -1) : fd(n) {}
  Fd(Fd&& other) noexcept : fd(std::exchange(other.fd, -1)) {}
  Fd& operator=(Fd&&) = delete;
  ~Fd() { if (fd >= 0) ::close(fd); }
  int fd;
};

class Supervisor : public ::testing::TestWithParam<bool> {
 protected:
  Supervisor() {
    for (Fd* door : {&door_, &metrics_}) {
      auto bound = http::listen_tcp("127.0.0.1", 0, false);
      EXPECT_TRUE(bound.ok());
      door->fd = *bound;
    }
    // GetParam(): an abstract name, as systemd in containers has it.
    ear_path_ = GetParam() ? "@" + dir_.path() : dir_.path() + "/notify";
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    std::memcpy(where.sun_path, ear_path_.data(), ear_path_.size());
    if (GetParam()) where.sun_path[0] = '\0';
    ear_.fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + ear_path_.size() + (GetParam() ? 0 : 1));
    EXPECT_EQ(::bind(ear_.fd, reinterpret_cast<const sockaddr*>(&where), size), 0);
  }
  ~Supervisor() override {
    if (child_ > 0) ::kill(child_, SIGKILL), ::waitpid(child_, nullptr, 0);
  }

  /// As systemd does: descriptors from 3 on, everything else closed, LISTEN_PID said by the child of itself.
  void start() {
    std::vector<std::string> arguments{MANDATED, "--data-dir", dir_.path() + "/data", "--master-key-file", dir_.path() + "/key", "--log-level", "error"};
    std::vector<char*> argv;
    for (std::string& each : arguments) argv.push_back(each.data());
    argv.push_back(nullptr);
    const std::string notify = "NOTIFY_SOCKET=" + ear_path_;
    char pid[32];
    child_ = ::fork();
    if (child_ != 0) return;
    // 3 and 4 may be among those we have.
    const int door = ::fcntl(door_.fd, F_DUPFD, 100), metrics = ::fcntl(metrics_.fd, F_DUPFD, 100);
    ::dup2(door, 3), ::dup2(metrics, 4);
    ::close_range(5, ~0U, 0);
    std::snprintf(pid, sizeof pid, "LISTEN_PID=%d", ::getpid());
    char fds[] = "LISTEN_FDS=2", names[] = "LISTEN_FDNAMES=public:metrics";
    char* environment[] = {pid, fds, names, const_cast<char*>(notify.c_str()), nullptr};
    ::execve(argv[0], argv.data(), environment);
    ::_exit(99);
  }
  std::string told(int longest_ms = 30'000) {
    pollfd watched{ear_.fd, POLLIN, 0};
    if (::poll(&watched, 1, longest_ms) <= 0) return "nothing";
    char buffer[512];
    const ssize_t got = ::recv(ear_.fd, buffer, sizeof buffer, 0);
    return got > 0 ? std::string(buffer, static_cast<std::size_t>(got)) : "nothing";
  }
  int ended() {
    int status = -1;
    ::waitpid(std::exchange(child_, 0), &status, 0);
    return status;
  }
  /// Connects, and asks; the queue of a socket that nobody serves takes it.
  Fd ask(int listening, const std::string& path) {
    Fd out(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(static_cast<std::uint16_t>(http::port_of(listening)));
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(out.fd, reinterpret_cast<const sockaddr*>(&where), sizeof where), 0);
    const std::string text = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    EXPECT_EQ(::send(out.fd, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
    return out;
  }
  std::string answer(const Fd& peer) {
    std::string out;
    char buffer[4096];
    pollfd watched{peer.fd, POLLIN, 0};
    while (::poll(&watched, 1, 30'000) > 0) {
      const ssize_t got = ::recv(peer.fd, buffer, sizeof buffer, 0);
      if (got <= 0) break;
      out.append(buffer, static_cast<std::size_t>(got));
    }
    return out;
  }

  const test::TempDir dir_;
  Fd door_, metrics_, ear_;
  std::string ear_path_;
  pid_t child_ = 0;
};

TEST_P(Supervisor, HearsWhenItServesAndWhenItStopsAndWhoCameInBetweenIsServed) {
  const Fd early = ask(door_.fd, "/health");
  start();
  const pid_t first = child_;
  EXPECT_EQ(told(), "READY=1\nMAINPID=" + std::to_string(first));
  EXPECT_TRUE(answer(early).starts_with("HTTP/1.1 200")) << "who came before it was started";
  EXPECT_TRUE(answer(ask(metrics_.fd, "/ready")).starts_with("HTTP/1.1 200"));
  ::kill(first, SIGTERM);
  EXPECT_EQ(told(), "STOPPING=1");
  EXPECT_EQ(ended(), 0);
  const Fd between = ask(door_.fd, "/health");
  start();
  EXPECT_EQ(told(), "READY=1\nMAINPID=" + std::to_string(child_));
  EXPECT_TRUE(answer(between).starts_with("HTTP/1.1 200")) << "who came while nobody was there";
  ::kill(child_, SIGTERM);
  EXPECT_EQ(told(), "STOPPING=1");
  EXPECT_EQ(ended(), 0);
}

INSTANTIATE_TEST_SUITE_P(, Supervisor, ::testing::Bool(), [](const auto& info) { return info.param ? "AbstractName" : "Path"; });

}  // namespace
}  // namespace mandate::server
