// The smallest server: a 60-byte answer through the router, to be set against nginx `return 200` in the same run.
//   bench_http PORT [LOOPS [CERTIFICATE_DIRECTORY]]
#include <signal.h>

#include <cstdio>

#include "http/server.h"

int main(int argc, char** argv) {
  using namespace mandate;
  SystemClock clock;
  SystemRandom random;
  Log log(clock, Level::warn);
  Metrics metrics;
  auto router = std::make_shared<http::Router>(&log);
  router->get("/hello", [](http::Request&) -> Task<http::Response> {
    co_return http::Response::json(200, std::string(R"({"message":"sixty bytes of JSON, no more and no less, ok"})"));
  });
  http::ServerOptions options;
  options.port = argc > 1 ? std::atoi(argv[1]) : 8080;
  options.loops = argc > 2 ? static_cast<std::size_t>(std::atoi(argv[2])) : 1;
  if (argc > 3) {
    const std::string directory = argv[3];
    if (!http::ensure_dev_certificate(directory, clock, random).ok()) return 1;
    options.certificate_file = directory + "/server.pem";
    options.key_file = directory + "/server.key";
  }
  auto server = http::make_server(options, router, nullptr, clock, random, log, metrics);
  sigset_t ends;
  ::sigemptyset(&ends);
  ::sigaddset(&ends, SIGTERM);
  ::sigaddset(&ends, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  if (!server->start().ok()) return 1;
  int signal = 0;
  ::sigwait(&ends, &signal);
  server->drain();
  server->wait();
}
