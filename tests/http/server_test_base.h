// A running server on loopback and a raw socket to talk to it byte by byte.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <mutex>

#include "base/url.h"
#include "http/server.h"

namespace mandate::http::test {

/// A blocking TCP client without any idea of HTTP.
class RawClient {
 public:
  explicit RawClient(int port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
  }
  explicit RawClient(int fd, bool) : fd_(fd), connected_(true) {}
  ~RawClient() { ::close(fd_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool connected() const { return connected_; }
  int fd() const { return fd_; }
  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  void shutdown_write() { ::shutdown(fd_, SHUT_WR); }
  /// Everything until the other end closes, or until `enough` says so, or five seconds are over.
  std::string receive(const std::function<bool(const std::string&)>& enough = {}) {
    std::string& got = got_;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    closed_ = false;
    while (!(enough && enough(got))) {
      pollfd wait{fd_, POLLIN, 0};
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
      if (left.count() <= 0 || ::poll(&wait, 1, static_cast<int>(left.count())) <= 0) break;
      char buffer[16384];
      const ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
      if (n <= 0) {
        closed_ = true;
        break;
      }
      got.append(buffer, static_cast<std::size_t>(n));
    }
    return std::exchange(got, {});
  }
  bool closed() const { return closed_; }

 private:
  int fd_;
  bool connected_ = false, closed_ = false;
  std::string got_;
};

inline int status_of(std::string_view answer) {
  return answer.starts_with("HTTP/1.1 ") && answer.size() > 12 ? std::atoi(std::string(answer.substr(9, 3)).c_str()) : 0;
}
inline int answers_in(std::string_view text) {
  int n = 0;
  for (std::size_t at = 0; (at = text.find("HTTP/1.1 ", at)) != std::string_view::npos; ++at) ++n;
  return n;
}

/// A handler waits here until the test opens it; every waiting request is on its own loop.
class Gate {
 public:
  Task<void> pass() {
    Signal<bool> signal;
    {
      const std::lock_guard lock(mutex_);
      if (!open_) waiting_.push_back(&signal);
      else signal.set_here(true);
    }
    ++entered_;
    entered_.notify_all();
    const Result<bool> done = co_await signal;
    co_return ok();
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    for (Signal<bool>* signal : waiting_) signal->set(true);
    waiting_.clear();
  }
  /// Until `count` handlers have arrived.
  void await_entered(int count) {
    for (int seen = entered_; seen < count; seen = entered_) entered_.wait(seen);
  }

 private:
  std::mutex mutex_;
  bool open_ = false;
  std::vector<Signal<bool>*> waiting_;
  std::atomic<int> entered_{0};
};

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() {
    options.limits.header_timeout = std::chrono::seconds(4);
    router = std::make_shared<Router>(&log);
    router->get("/hello", [](Request&) -> Task<Response> { co_return Response::json(200, std::string(R"({"hello":1})")); });
    router->post("/echo", [](Request& r) -> Task<Response> { co_return Response::text(200, r.body); });
    router->get("/item/{id}", [](Request& r) -> Task<Response> { co_return Response::text(200, r.params[0]); });
    router->put("/item/{id}", [](Request& r) -> Task<Response> { co_return Response::text(200, "put " + r.params[0]); });
    router->get("/slow", [this](Request& r) -> Task<Response> {
      const std::string_view said = r.headers.get("X-Said");
      Task<void> wait = gate.pass();
      const Result<void> passed = co_await wait;
      co_return Response::text(200, said);
    });
    router->get("/who", [](Request& r) -> Task<Response> {
      co_return Response::text(200, r.peer + " " + r.origin() + " " + std::string(r.headers.get("X-Forwarded-For")) +
                                        (r.local_admin ? " admin" : ""));
    });
    auto seen = [](Request& r) -> Task<Response> {
      std::string out;
      for (const auto& field : r.headers.all()) out += ascii_lower(field.name) + "=" + std::string(field.value) + ";";
      co_return Response::text(200, out);
    };
    router->get("/headers", seen);
    router->post("/headers", seen);
    router->get("/bug", [](Request&) -> Task<Response> {
      throw std::runtime_error("select secret from table");
      co_return Response(200);
    });
    router->get("/page", [](Request&) -> Task<Response> { co_return Response::html(200, "<p>hi</p>"); });
  }
  ~ServerTest() override {
    gate.open();
    if (server) {
      server->drain();
      server->wait();
    }
  }

  void start() {
    server = make_server(options, router, admin, clock, random, log, metrics);
    const Result<void> started = server->start();
    ASSERT_TRUE(started.ok());
  }
  /// One request, everything that comes back until the server closes or one complete answer is there.
  std::string exchange(std::string_view bytes) {
    RawClient client(server->port());
    client.send(bytes);
    client.shutdown_write();
    return client.receive();
  }

  ServerOptions options;
  SystemClock clock;
  SystemRandom random;
  std::mutex lines_mutex;
  std::vector<std::string> lines;
  Log log{clock, Level::info, [this](std::string_view line) {
            const std::lock_guard lock(lines_mutex);
            lines.emplace_back(line);
          }};
  Metrics metrics;
  Gate gate;
  std::shared_ptr<Router> router;
  std::shared_ptr<const Router> admin;
  std::unique_ptr<Server> server;
};

}  // namespace mandate::http::test
