// mandated: reads its options, builds the house, opens the doors, and leaves in order.
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdio>
#include <filesystem>

#include "http/server.h"
#include "server/house.h"
#include "server/mover.h"
#include "tenant/master_key.h"

namespace mandate::server {
namespace {

namespace fs = std::filesystem;

// What the process tells its parent: 1 = could not start, 2 = wrong options, 3 = the data is of a newer version (RL-14).
constexpr int kCannotStart = 1, kWrongOptions = 2, kNewerData = 3;

int complain(int status, const std::string& line) {
  std::fprintf(stderr, "mandated: %s\n", line.c_str());
  return status;
}

// KS-2: keys and passwords are in this memory, so it must not end on a disk.
void forbid_core_dumps() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0);
  ::umask(0077);
}

// A connection is a descriptor, and the usual soft limit is 1024 (RL-8, RL-16).
void allow_descriptors() {
  rlimit now{};
  if (::getrlimit(RLIMIT_NOFILE, &now) != 0) return;
  now.rlim_cur = now.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &now);
}

Level level_of(const std::string& word) {
  return word == "debug" ? Level::debug : word == "warn" ? Level::warn : word == "error" ? Level::error : Level::info;
}

http::ServerOptions server_options(const Config& config) {
  http::ServerOptions out;
  const std::string data = config.text("data_dir");
  out.address = config.text("address");
  out.port = static_cast<int>(config.integer("port"));
  out.metrics_address = config.text("metrics_address");
  out.metrics_port = static_cast<int>(config.integer("metrics_port"));
  out.admin_socket = config.text("admin_socket").empty() ? data + "/admin.sock" : config.text("admin_socket");
  out.certificate_file = config.text("certificate");
  out.key_file = config.text("key");
  out.loops = static_cast<std::size_t>(config.integer("loops"));
  // What the rooms keep per loop has 64 places.
  if (out.loops == 0) out.loops = std::clamp(std::thread::hardware_concurrency(), 1U, 64U);
  out.trusted_proxies = config.list("trusted_proxies");
  out.drain_delay = config.duration("drain_delay");
  out.drain_limit = config.duration("drain_limit");
  out.limits.request_line = config.bytes("request_line_limit");
  out.limits.header_bytes = config.bytes("header_bytes_limit");
  out.limits.header_fields = static_cast<std::size_t>(config.integer("header_fields_limit"));
  out.limits.header_timeout = config.duration("header_timeout");
  out.limits.tls_timeout = config.duration("tls_timeout");
  out.limits.write_stall = config.duration("write_stall_timeout");
  out.limits.idle_timeout = config.duration("idle_timeout");
  out.limits.request_timeout = config.duration("request_timeout");
  out.limits.body_rate = config.bytes("body_rate_least");
  out.limits.connections = static_cast<std::size_t>(config.integer("connections_limit"));
  return out;
}

int run(std::vector<std::string> arguments) {
  if (!arguments.empty() && arguments.front() == "move") {
    forbid_core_dumps();
    const SystemClock clock;
    SystemRandom random;
    return move_offline({arguments.begin() + 1, arguments.end()}, clock, random);
  }
  auto config = Config::load(arguments, Config::process_environment());
  if (!config.ok()) return complain(kWrongOptions, config.error().hint);
  forbid_core_dumps();
  allow_descriptors();

  const SystemClock clock;
  SystemRandom random;
  Log log(clock, level_of(config->text("log_level")));
  Metrics metrics;
  const std::string data = config->text("data_dir");
  if (auto mine = tenant::ensure_private_directory(data); !mine.ok()) return complain(kCannotStart, mine.error().hint);
  const std::string key_file = config->text("master_key_file").empty() ? tenant::default_master_key_file(data) : config->text("master_key_file");
  auto key = tenant::load_or_create_master_key(key_file, data, random);
  if (!key.ok()) return complain(kCannotStart, key.error().hint);

  http::ServerOptions options = server_options(*config);
  if (options.certificate_file.empty()) {
    const std::string tls = data + "/tls";
    std::error_code ignored;
    fs::create_directories(tls, ignored);
    if (auto made = http::ensure_dev_certificate(tls, clock, random); !made.ok())
      return complain(kCannotStart, "the development certificate: " + made.error().hint + made.error().detail);
    options.certificate_file = tls + "/server.pem";
    options.key_file = tls + "/server.key";
  }

  // Signals go to this thread alone; the loops' threads inherit the mask.
  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  House house(house_options(*config, std::move(*key)), clock, random, log, metrics);
  options.before_accepting = [&]() -> Task<void> {
    Task<void> opening = house.open();
    auto opened = co_await opening;
    if (opened.ok()) house.start_upkeep(*Loop::current());
    co_return opened;
  };
  options.ready = [&house] { return house.ready(); };
  options.working = [&house] { return house.working(); };
  options.after_draining = [&house] { house.stop(); };
  const std::unique_ptr<http::Server> server = http::make_server(options, house.routes(), house.owner_routes(), clock, random, log, metrics);
  if (auto started = server->start(); !started.ok()) {
    const Error& error = started.error();
    return complain(error.code == Code::conflict && error.hint.find("newer") != std::string::npos ? kNewerData : kCannotStart,
                    error.hint.empty() ? error.detail : error.hint);
  }

  for (int signal = 0; sigwait(&signals, &signal) == 0;) {
    if (signal != SIGHUP) break;
    (void)server->reload_certificate();  // says itself in the log how it went
  }
  server->drain();
  server->wait();
  log.info("stopped");
  return 0;
}

}  // namespace
}  // namespace mandate::server

int main(int argc, char** argv) { return mandate::server::run(std::vector<std::string>(argv + 1, argv + argc)); }
