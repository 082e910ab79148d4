// One server goes, another comes, the listening sockets stay (RL-11).
#include <fcntl.h>

#include "http/listener.h"
#include "tests/http/server_test_base.h"

namespace mandate::http::test {
namespace {

constexpr std::string_view kHello = "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n";
constexpr std::string_view kClose = "GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

class Upgrade : public ServerTest {
 protected:
  static int copy(int fd) { return ::fcntl(fd, F_DUPFD_CLOEXEC, 0); }
  static Sockets copies(const Sockets& sockets) {
    Sockets out = sockets;
    for (int& fd : out.doors) fd = copy(fd);
    for (int* fd : {&out.owner, &out.observer})
      if (*fd >= 0) *fd = copy(*fd);
    return out;
  }
  std::unique_ptr<Server> next(Sockets sockets) {
    ServerOptions same = options;
    same.sockets = std::move(sockets);
    auto out = make_server(same, router, nullptr, clock, random, log, metrics);
    EXPECT_TRUE(out->start().ok());
    return out;
  }
  static bool one_answer(const std::string& got) { return got.ends_with("}"); }
};

TEST_F(Upgrade, ASocketThatASupervisorKeepsOutlivesTheServer) {
  const auto fd = listen_tcp("127.0.0.1", 0, false);
  ASSERT_TRUE(fd.ok());
  const int kept = copy(*fd);
  options.loops = 3;
  options.drain_delay = std::chrono::milliseconds(20);
  options.sockets.doors = {*fd};
  options.sockets.kept = true;
  start();
  EXPECT_EQ(server->port(), port_of(kept));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(status_of(exchange(kClose)), 200);
  server->drain();
  server->wait();
  RawClient early(port_of(kept));
  ASSERT_TRUE(early.connected());
  early.send(kClose);
  const auto second = next({{kept}, -1, -1, true});
  EXPECT_EQ(status_of(early.receive()), 200);
}

TEST_F(Upgrade, OneLoopAcceptsFromEverySocketItIsGiven) {
  options.loops = 3;
  start();
  ServerOptions one = options;
  one.loops = 1;
  one.sockets = copies(server->sockets());
  ASSERT_EQ(one.sockets.doors.size(), 3U);
  auto second = make_server(one, router, nullptr, clock, random, log, metrics);
  ASSERT_TRUE(second->start().ok());
  server->retire({});
  server->wait();
  for (int i = 0; i < 30; ++i) EXPECT_EQ(status_of(exchange(kClose)), 200);
}

TEST_F(Upgrade, WhatIsNoListeningSocketIsRefused) {
  options.sockets.doors = {::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const auto wrong = make_server(options, router, nullptr, clock, random, log, metrics);
  EXPECT_FALSE(wrong->start().ok());
  ::close(options.sockets.doors.front());
}

TEST_F(Upgrade, WhileItHoldsNothingBeginsAndAfterwardsNothingIsMissing) {
  options.loops = 2;
  start();
  RawClient here(server->port());
  here.send(kHello);
  EXPECT_EQ(status_of(here.receive(one_answer)), 200);
  RawClient slow(server->port());
  slow.send("GET /slow HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  gate.await_entered(1);
  server->hold();
  EXPECT_FALSE(server->quiet());
  here.send(kHello);
  RawClient newcomer(server->port());
  newcomer.send(kClose);
  gate.open();
  EXPECT_EQ(status_of(slow.receive()), 200);
  EXPECT_TRUE(server->quiet());
  server->go_on();
  EXPECT_EQ(status_of(here.receive(one_answer)), 200);
  EXPECT_EQ(status_of(newcomer.receive()), 200);
}

TEST_F(Upgrade, RoutesMayBeReplacedWhileItHolds) {
  start();
  RawClient half(server->port());
  half.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 4\r\n\r\nab");
  EXPECT_EQ(status_of(exchange(kClose)), 200);
  server->hold();
  const auto other = std::make_shared<Router>(&log);
  other->post("/echo", [](Request& r) -> Task<Response> { co_return Response::text(200, "other " + std::string(r.body)); });
  server->go_on(other, other);
  router.reset();
  half.send("cd");
  EXPECT_TRUE(half.receive().ends_with("other abcd"));
  EXPECT_EQ(status_of(exchange(kClose)), 404);
}

TEST_F(Upgrade, WhoHasLeftPassesOnWhatItStillHears) {
  options.loops = 2;
  start();
  RawClient idle(server->port()), held(server->port());
  for (RawClient* client : {&idle, &held}) {
    client->send(kHello);
    EXPECT_EQ(status_of(client->receive(one_answer)), 200);
  }
  server->hold();
  held.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  const auto second = next(copies(server->sockets()));
  std::atomic<int> passed{0};
  server->retire([&](Passed one) {
    ++passed;
    EXPECT_EQ(one.address, "127.0.0.1");
    EXPECT_FALSE(one.secure);
    second->welcome(std::move(one));
  });
  const std::string body(300'000, 'x');
  idle.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 300000\r\n\r\n" + body);
  const std::string large = idle.receive(), small = held.receive();
  EXPECT_TRUE(large.ends_with("\r\n\r\n" + body));
  EXPECT_NE(large.find("Connection: close"), std::string::npos);
  EXPECT_EQ(status_of(small), 200);
  EXPECT_TRUE(small.ends_with("abcde"));
  EXPECT_EQ(passed, 2);
  server->wait();
}

TEST_F(Upgrade, WhenTheOtherDiesOverARequestItsPeerIsHungUpOn) {
  start();
  RawClient client(server->port());
  client.send(kHello);
  EXPECT_EQ(status_of(client.receive(one_answer)), 200);
  server->retire([](Passed one) { ::close(one.fd); });
  client.send(kHello);
  EXPECT_EQ(client.receive(), "");
  EXPECT_TRUE(client.closed());
  server->wait();
}

}  // namespace
}  // namespace mandate::http::test
