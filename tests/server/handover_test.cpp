// Who may have the listening sockets, and what becomes of a hand-over that nobody finishes.
#include "server/handover.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "http/listener.h"
#include "server/take_over.h"

namespace mandate::server {
namespace {

namespace fs = std::filesystem;

class HandoverTest : public ::testing::Test {
 protected:
  HandoverTest() : directory(fs::temp_directory_path() / ("mandate_handover_" + random.hex(6))) {
    fs::create_directories(directory);
    path = directory / "h.sock";
    options.loops = 2;
    server = http::make_server(options, std::make_shared<http::Router>(&log), nullptr, clock, random, log, metrics);
    EXPECT_TRUE(server->start().ok());
    auto listening = http::listen_unix(path, SOCK_SEQPACKET);
    EXPECT_TRUE(listening.ok());
    handover = std::make_unique<Handover>(Handover::Parts{*server, true, [this] { return ++closed, closes; },
                                                          [this]() -> Result<void> { ++opened; server->go_on(); opened.notify_all(); return {}; },
                                                          [] {}, [] {}, [](const Error&) {}, log}, *listening);
  }
  ~HandoverTest() override {
    handover->stop();
    server->drain();
    server->wait();
    handover.reset();
    fs::remove_all(directory);
  }

  SystemClock clock;
  SystemRandom random;
  Log log{clock, Level::error};
  Metrics metrics;
  fs::path directory;
  std::string path;
  http::ServerOptions options;
  std::unique_ptr<http::Server> server;
  bool closes = true;
  std::atomic<int> closed{0}, opened{0};
  std::unique_ptr<Handover> handover;
};

TEST_F(HandoverTest, OneOfOurUserGetsEveryListeningSocket) {
  auto next = TakeOver::ask(path, true, log);
  ASSERT_TRUE(next.ok());
  EXPECT_EQ((*next)->sockets().doors.size(), 2U);
  for (const int fd : (*next)->sockets().doors) EXPECT_EQ(http::port_of(fd), server->port());
  EXPECT_GE((*next)->handover(), 0);
}

TEST_F(HandoverTest, AnotherUserGetsNothing) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can be somebody else";
  fs::permissions(directory, fs::perms(0777));
  fs::permissions(path, fs::perms(0777));
  const pid_t child = ::fork();
  if (child == 0) {
    // No more than system calls: the parent has threads.
    if (::setresuid(65534, 65534, 65534) != 0) ::_exit(1);
    const int fd = ::socket(AF_UNIX, SOCK_SEQPACKET, 0);
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    std::memcpy(where.sun_path, path.c_str(), path.size() + 1);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) ::_exit(2);
    constexpr std::string_view kHello = "mandate-handover 1 alone";
    (void)!::send(fd, kHello.data(), kHello.size(), MSG_NOSIGNAL);
    char buffer[64];
    ::_exit(::recv(fd, buffer, sizeof buffer, 0) > 0 ? 3 : 0);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(closed, 0);
}

TEST_F(HandoverTest, WhoGoesAwayWithTheStoresGivesThemBack) {
  {
    auto next = TakeOver::ask(path, true, log);
    ASSERT_TRUE(next.ok());
    ASSERT_TRUE((*next)->let_go().ok());
    EXPECT_EQ(closed, 1);
  }
  opened.wait(0);
  EXPECT_EQ(opened, 1);
  EXPECT_FALSE(handover->left());
  EXPECT_TRUE(TakeOver::ask(path, true, log).ok());  // and the next one is heard
}

TEST_F(HandoverTest, WhatDoesNotEndKeepsTheStores) {
  closes = false;
  auto next = TakeOver::ask(path, false, log);  // one of the two has SQLite
  ASSERT_TRUE(next.ok());
  const auto answer = (*next)->let_go();
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Code::temporarily_unavailable);
  EXPECT_EQ(opened, 0);
}

TEST_F(HandoverTest, OneThatSpeaksOtherwiseIsSentAway) {
  auto channel = Channel::dial(path);
  ASSERT_TRUE(channel.ok());
  ASSERT_TRUE(channel->send("mandate-handover 7 alone").ok());
  const auto answer = channel->receive(std::chrono::seconds(10));
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Code::not_found);
}

TEST_F(HandoverTest, NobodyThereIsSaidSo) {
  const auto asked = TakeOver::ask(directory / "nobody.sock", true, log);
  ASSERT_FALSE(asked.ok());
  EXPECT_EQ(asked.error().code, Code::not_found);
}

}  // namespace
}  // namespace mandate::server
