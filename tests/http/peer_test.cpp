// One socket's life: keep-alive, pipelining, time limits, proxies, doors.
#include <sys/stat.h>
#include <sys/un.h>

#include "tests/http/server_test_base.h"

namespace mandate::http::test {
namespace {

constexpr std::string_view kHello = "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n";
constexpr std::string_view kClose = "GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

class PeerTest : public ServerTest {};

std::string body_of(const std::string& answer) { return answer.substr(std::min(answer.size(), answer.find("\r\n\r\n") + 4)); }

TEST_F(PeerTest, AnAnswerHasTheStandardReasonAndNoServerName) {
  start();
  const std::string answer = exchange(kClose);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_NE(answer.find("\r\nContent-Length: 11\r\n"), std::string::npos);
  EXPECT_NE(answer.find("\r\nContent-Type: application/json; charset=utf-8\r\n"), std::string::npos);
  EXPECT_NE(answer.find("\r\nReferrer-Policy: no-referrer\r\n"), std::string::npos);
  EXPECT_NE(answer.find("\r\nDate: "), std::string::npos);
  EXPECT_NE(answer.find("\r\nX-Request-Id: "), std::string::npos);
  EXPECT_EQ(answer.find("Server:"), std::string::npos);
}

TEST_F(PeerTest, RequestsInARowShareTheConnection) {
  start();
  RawClient client(server->port());
  for (int i = 0; i < 5; ++i) {
    client.send(kHello);
    EXPECT_EQ(status_of(client.receive([](const std::string& got) { return got.ends_with("}"); })), 200);
    EXPECT_FALSE(client.closed());
  }
}

TEST_F(PeerTest, PipelinedRequestsAreAnsweredInOrder) {
  start();
  RawClient client(server->port());
  std::string all;
  for (int i = 0; i < 500; ++i) all += "GET /item/" + std::to_string(i) + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  all += "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc";
  all += kClose;
  client.send(all);
  const std::string got = client.receive();
  EXPECT_EQ(answers_in(got), 502);
  std::size_t at = 0;
  for (int i = 0; i < 500; ++i) {
    at = got.find("\r\n\r\n" + std::to_string(i) + "HTTP/1.1", at);
    ASSERT_NE(at, std::string::npos) << i;
  }
  EXPECT_NE(got.find("\r\n\r\nabcHTTP/1.1"), std::string::npos);
}

TEST_F(PeerTest, ASlowHandlerHoldsBackTheNextAnswerAndKeepsItsOwnBytes) {
  start();
  RawClient client(server->port());
  client.send("GET /slow HTTP/1.1\r\nHost: localhost\r\nX-Said: first\r\n\r\n" + std::string(kHello));
  gate.await_entered(1);
  RawClient other(server->port());  // reuses the loop's read buffer meanwhile
  other.send("GET /item/other HTTP/1.1\r\nHost: localhost\r\nX-Filler: " + std::string(2000, 'z') + "\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(body_of(other.receive()), "other");
  client.send(kClose);
  gate.open();
  const std::string got = client.receive();
  EXPECT_EQ(answers_in(got), 3);
  EXPECT_NE(got.find("\r\n\r\nfirstHTTP/1.1"), std::string::npos) << got;
}

TEST_F(PeerTest, RequestsFollowedByTheEndOfTheStreamAreAnsweredAndThenTheConnectionEnds) {
  start();
  RawClient client(server->port());
  client.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\nGET /item/2 HTTP/1.1\r\nHost: a\r\n\r\n");
  client.shutdown_write();
  EXPECT_EQ(answers_in(client.receive()), 2);
  EXPECT_TRUE(client.closed());
}

TEST_F(PeerTest, WhatComesWhileAHandlerIsAtWorkIsReadWhenItIsDone) {
  start();
  RawClient client(server->port());
  client.send("GET /slow HTTP/1.1\r\nHost: a\r\nX-Said: one\r\n\r\n");
  gate.await_entered(1);
  client.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
  client.shutdown_write();
  gate.open();
  EXPECT_EQ(answers_in(client.receive()), 2);
  EXPECT_TRUE(client.closed());
}

TEST_F(PeerTest, WhoHangsUpMidwayHurtsNobody) {
  start();
  {
    RawClient client(server->port());
    client.send("GET /slow HTTP/1.1\r\nHost: localhost\r\nX-Said: gone\r\n\r\n");
    gate.await_entered(1);
  }
  gate.open();
  EXPECT_EQ(status_of(exchange(kClose)), 200);
}

TEST_F(PeerTest, ALargeBodyArrivesWholeAndALargeAnswerLeavesWhole) {
  start();
  const std::string body(900'000, 'b');
  RawClient client(server->port());
  std::thread sender([&] {
    client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 900000\r\n\r\n");
    client.send(body);
  });
  const std::string got = client.receive();
  sender.join();
  EXPECT_TRUE(body_of(got) == body) << got.size();
}

TEST_F(PeerTest, ExpectContinueIsAnsweredBeforeTheBody) {
  start();
  RawClient client(server->port());
  client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(client.receive([](const std::string& got) { return got.ends_with("\r\n\r\n"); }), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("hello");
  EXPECT_EQ(body_of(client.receive()), "hello");
  EXPECT_EQ(status_of(exchange("POST /echo HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 9999999\r\n\r\n")), 413);
}

TEST_F(PeerTest, ARouteMayAnswerForABodyThatWasNotTakenInItsOwnWords) {
  RouteOptions options;
  options.body_limit = 10;
  options.answers_refusals = true;
  router->post("/own", [](Request& request) -> Task<Response> {
    if (!request.refused) co_return Response::text(200, std::string(request.body));
    co_return Response::json(request.refused, std::string(R"({"code":)" + std::to_string(request.refused) + "}"));
  }, options);
  start();
  const std::string head = "POST /own HTTP/1.1\r\nHost: localhost\r\n", next = "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n";
  for (const auto& [name, bytes, status] : std::vector<std::tuple<std::string, std::string, int>>{
           {"declared too long", head + "Content-Length: 11\r\n\r\nhello world" + next, 413},
           {"too long by its chunks", head + "Transfer-Encoding: chunked\r\n\r\n6\r\nhello \r\n6\r\nworld!\r\n0\r\n\r\n" + next, 413},
           {"malformed chunks", head + "Transfer-Encoding: chunked\r\n\r\nx\r\n" + next, 400}}) {
    const std::string answer = exchange(bytes);
    EXPECT_EQ(status_of(answer), status) << name;
    EXPECT_EQ(body_of(answer), "{\"code\":" + std::to_string(status) + "}") << name;
    EXPECT_NE(answer.find("Connection: close"), std::string::npos) << name;
    EXPECT_EQ(answers_in(answer), 1) << name << ": nothing after it is read";
  }
  EXPECT_EQ(status_of(exchange(head + "Connection: close\r\nContent-Length: 5\r\n\r\nhello")), 200);
}

TEST_F(PeerTest, HeadHasTheLengthButNotTheBody) {
  start();
  const std::string answer = exchange("HEAD /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_NE(answer.find("Content-Length: 11"), std::string::npos);
  EXPECT_EQ(body_of(answer), "");
}

TEST_F(PeerTest, AMethodOverrideOnPostIsTheMethodThatCounts) {
  start();
  const auto with = [&](std::string_view method, std::string_view over) {
    return exchange(std::string(method) + " /item/7 HTTP/1.1\r\nHost: localhost\r\nX-HTTP-Method-Override: " + std::string(over) +
                    "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  };
  EXPECT_EQ(body_of(with("POST", "put")), "put 7");
  EXPECT_EQ(status_of(with("POST", "DELETE")), 405);
  EXPECT_EQ(body_of(with("GET", "PUT")), "7");
}

TEST_F(PeerTest, UnknownMethodsOfKnownPathsAre405AndOptions204) {
  start();
  const auto ask = [&](std::string_view method) {
    return exchange(std::string(method) + " /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  };
  EXPECT_NE(ask("DELETE").find("405 Method Not Allowed\r\n"), std::string::npos);
  EXPECT_NE(ask("DELETE").find("\r\nAllow: GET, HEAD, OPTIONS\r\n"), std::string::npos);
  EXPECT_TRUE(ask("OPTIONS").starts_with("HTTP/1.1 204 No Content"));
  EXPECT_EQ(ask("OPTIONS").find("Content-Length"), std::string::npos);
  EXPECT_NE(ask("TRACE").find("\r\nAllow: "), std::string::npos);
}

TEST_F(PeerTest, AnExceptionIsA500WithoutItsText) {
  start();
  const std::string answer = exchange("GET /bug HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(status_of(answer), 500);
  EXPECT_EQ(answer.find("secret"), std::string::npos);
  const std::lock_guard lock(lines_mutex);
  EXPECT_TRUE(std::any_of(lines.begin(), lines.end(), [](const std::string& l) { return l.find("select secret") != l.npos; }));
}

TEST_F(PeerTest, WhatIsSaidAboutTheClientCountsOnlyFromATrustedProxy) {
  start();
  const std::string request =
      "GET /who HTTP/1.1\r\nHost: Example.com:443\r\nX-Forwarded-For: 6.6.6.6, 9.9.9.9, 10.0.0.2\r\nX-Forwarded-Proto: https\r\n"
      "X-Real-Ip: 5.5.5.5\r\nConnection: close\r\n\r\n";
  EXPECT_EQ(body_of(exchange(request)), "127.0.0.1 http://example.com:443 ");
  server->drain();
  server->wait();
  options.trusted_proxies = {"127.0.0.0/8", "10.0.0.0/8"};
  start();
  EXPECT_EQ(body_of(exchange(request)), "9.9.9.9 https://example.com 6.6.6.6, 9.9.9.9, 10.0.0.2");
}

TEST_F(PeerTest, NamesWithAnUnderscoreAndForgedProxyFieldsAreDropped) {
  start();
  const std::string answer = exchange(
      "GET /headers HTTP/1.1\r\nHost: localhost\r\nX_Zumo_Master: a\r\nX-Forwarded-Host: evil\r\nForwarded: for=1.1.1.1\r\n"
      "X-Arr-Ssl: 1\r\nX-Kept: b\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(body_of(answer), "host=localhost;x-kept=b;connection=close;");
}

TEST_F(PeerTest, ASlowHeadIs408) {
  options.limits.header_timeout = std::chrono::milliseconds(80);
  start();
  RawClient client(server->port());
  client.send("GET /hello HT");
  const std::string answer = client.receive();
  EXPECT_EQ(status_of(answer), 408);
  EXPECT_TRUE(client.closed());
  RawClient silent(server->port());
  EXPECT_EQ(silent.receive(), "");
  EXPECT_TRUE(silent.closed());
}

TEST_F(PeerTest, ASlowHeadOfManyBytesIs408Too) {
  options.limits.header_timeout = std::chrono::milliseconds(150);
  start();
  RawClient client(server->port());
  std::atomic<bool> over{false};
  std::thread drip([&] {
    client.send("GET /hello HTTP/1.1\r\n");
    while (!over) {
      client.send("A: b\r\n");
      pollfd none{-1, 0, 0};
      ::poll(&none, 1, 20);
    }
  });
  EXPECT_EQ(status_of(client.receive([](const std::string& got) { return got.size() > 12; })), 408);
  over = true;
  drip.join();
}

TEST_F(PeerTest, ASlowBodyIs408) {
  options.limits.body_grace = std::chrono::milliseconds(60);
  start();
  RawClient client(server->port());
  client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc");
  EXPECT_EQ(status_of(client.receive()), 408);
  EXPECT_TRUE(client.closed());
}

TEST_F(PeerTest, AnIdleConnectionIsClosed) {
  options.limits.idle_timeout = std::chrono::milliseconds(60);
  start();
  RawClient client(server->port());
  client.send(kHello);
  EXPECT_EQ(answers_in(client.receive()), 1);
  EXPECT_TRUE(client.closed());
}

TEST_F(PeerTest, WhoDoesNotReadIsCutOff) {
  options.limits.write_stall = std::chrono::milliseconds(100);
  router->get("/flood", [](Request&) -> Task<Response> { co_return Response::text(200, std::string(32 << 20, 'a')); });
  start();
  RawClient client(server->port());
  client.send("GET /flood HTTP/1.1\r\nHost: localhost\r\n\r\n");
  pollfd wait{client.fd(), 0, 0};
  EXPECT_EQ(::poll(&wait, 1, 5000), 1);  // POLLHUP or POLLERR: nothing was read, and yet it is over
  EXPECT_LT(client.receive().size(), std::size_t{32} << 20);
}

TEST_F(PeerTest, AHandlerThatOverrunsIs503) {
  options.limits.request_timeout = std::chrono::milliseconds(80);
  start();
  RawClient client(server->port());
  client.send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const std::string answer = client.receive();
  EXPECT_EQ(status_of(answer), 503);
  EXPECT_NE(answer.find("Retry-After"), std::string::npos);
  gate.open();
}

TEST_F(PeerTest, ConnectionsBeyondTheLimitGet503) {
  options.limits.connections = 2;
  start();
  RawClient a(server->port()), b(server->port());
  for (RawClient* each : {&a, &b}) {
    each->send(kHello);
    EXPECT_EQ(status_of(each->receive([](const std::string& got) { return got.ends_with("}"); })), 200);
  }
  RawClient c(server->port());
  const std::string refused = c.receive();
  EXPECT_EQ(status_of(refused), 503);
  EXPECT_NE(refused.find("Retry-After"), std::string::npos);
}

TEST_F(PeerTest, TheOwnersSocketIsPrivateAndKnowsItself) {
  const std::string path = (std::filesystem::temp_directory_path() / ("mandate_admin_" + random.hex(6))).string();
  options.admin_socket = path;
  start();
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), where.sun_path);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&where), sizeof where), 0);
  RawClient client(fd, true);
  client.send("GET /who HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(body_of(client.receive()), "local http://localhost  admin");
  auto second = make_server(options, router, nullptr, clock, random, log, metrics);
  EXPECT_FALSE(second->start().ok());
  second.reset();
  server->drain();
  server->wait();
  server.reset();
  EXPECT_NE(::stat(path.c_str(), &info), 0);
}

TEST_F(PeerTest, MetricsAndHealthHaveTheirOwnListener) {
  options.metrics_port = 0;
  std::atomic<bool> well{true};
  options.ready = [&well] { return well.load(); };
  start();
  (void)exchange(kClose);
  (void)exchange("GET /item/7 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  const auto ask = [&](std::string_view path) {
    RawClient client(server->metrics_port());
    client.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    return client.receive();
  };
  const std::string text = ask("/metrics");
  EXPECT_NE(text.find(R"(mandate_http_requests_total{route="/item/{id}",status="2xx"} 1)"), std::string::npos) << text;
  EXPECT_NE(text.find("mandate_http_request_seconds_count"), std::string::npos);
  EXPECT_EQ(status_of(ask("/live")), 200);
  EXPECT_EQ(status_of(ask("/ready")), 200);
  well = false;
  EXPECT_EQ(status_of(ask("/ready")), 503);
  EXPECT_EQ(status_of(exchange("GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")), 404);
}

TEST_F(PeerTest, OutOfDescriptorsItWaitsAndRecovers) {
  start();
  RawClient held(server->port());
  held.send(kHello);
  EXPECT_EQ(status_of(held.receive([](const std::string& got) { return got.ends_with("}"); })), 200);
  std::vector<int> hoard;
  for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) {
    hoard.push_back(fd);
    if (hoard.size() > 100'000) break;
  }
  ASSERT_FALSE(hoard.empty());
  ::close(hoard.back());
  hoard.pop_back();
  RawClient late(server->port());  // takes the last descriptor, none is left to accept it
  EXPECT_TRUE(late.connected());
  held.send(kHello);
  EXPECT_EQ(status_of(held.receive([](const std::string& got) { return got.ends_with("}"); })), 200);
  for (int fd : hoard) ::close(fd);
  late.send(kClose);
  EXPECT_EQ(status_of(late.receive()), 200);
}

}  // namespace
}  // namespace mandate::http::test
