#include "server/process.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>

#include "http/listener.h"
#include "http/server.h"
#include "server/given_sockets.h"
#include "server/handover.h"
#include "server/house.h"
#include "server/keeper.h"
#include "server/mover.h"
#include "server/notify.h"
#include "server/take_over.h"
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

int status_of(const Error& error) {
  return error.code == Code::conflict && error.hint.find("newer") != std::string::npos ? kNewerData : kCannotStart;
}

}  // namespace

int run(std::vector<std::string> arguments, const Edition& edition) {
  if (!arguments.empty() && arguments.front() == "move") {
    forbid_core_dumps();
    const SystemClock clock;
    SystemRandom random;
    return move_offline({arguments.begin() + 1, arguments.end()}, edition, clock, random);
  }
  const auto environment = Config::process_environment();
  auto config = Config::load(arguments, environment);
  if (!config.ok()) return complain(kWrongOptions, config.error().hint);
  const auto given = given_sockets(environment, ::getpid());
  if (!given.ok()) return complain(kWrongOptions, given.error().hint);
  const std::string supervisor = environment("NOTIFY_SOCKET").value_or("");
  // They are for this process, not for the children of the scripts.
  for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET"}) ::unsetenv(name);
  forbid_core_dumps();
  allow_descriptors();

  // Signals go to this thread alone; all other threads, that of the log too, inherit the mask.
  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

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

  // RL-11: an upgrade. The sockets come from the process before us, or from a supervisor, or we bind them.
  const bool alone = config->text("store").empty();
  const std::string handover_path = config->text("handover_socket").empty() ? data + "/handover.sock" : config->text("handover_socket");
  std::unique_ptr<TakeOver> before;
  std::atomic<bool> leaving{false};
  options.sockets = *given;
  if (config->flag("take_over")) {
    auto asked = TakeOver::ask(handover_path, alone, log);
    if (asked.ok()) before = std::move(*asked), options.sockets = before->sockets();
    else if (asked.error().code != Code::not_found) return complain(kCannotStart, asked.error().hint);
    else log.info("takeover.nobody", {{"socket", handover_path}});
  }

  HouseOptions of_the_house = house_options(*config, std::move(*key));
  of_the_house.edition = edition;
  Keeper keeper([house = std::move(of_the_house), &clock, &random, &log, &metrics] {
    return std::make_unique<House>(house, clock, random, log, metrics);
  });
  options.before_accepting = [&]() -> Task<void> {
    if (before) CO_CHECK(before->let_go());  // nothing else runs on this loop yet
    Task<void> opening = keeper.open();
    co_return co_await opening;
  };
  options.ready = [&keeper] { return keeper.ready(); };
  // Who leaves still answers for the one before it, whom it has promised to.
  options.working = [&] { return keeper.working() || (leaving && before && before->attached()); };
  options.after_draining = [&keeper] { keeper.stop(); };
  const std::unique_ptr<http::Server> server =
      http::make_server(options, keeper.house().routes(), keeper.house().owner_routes(), clock, random, log, metrics);
  if (auto started = server->start(); !started.ok())
    return complain(status_of(started.error()), started.error().hint.empty() ? started.error().detail : started.error().hint);
  if (before) before->done(*server);

  int status = 0;
  std::unique_ptr<Handover> after;
  if (handover_path != "-") {
    const auto listening = before && before->handover() >= 0 ? Result<int>(before->handover()) : http::listen_unix(handover_path, SOCK_SEQPACKET);
    const auto wake_main = [] { ::kill(::getpid(), SIGTERM); };
    if (listening.ok())
      after = std::make_unique<Handover>(
          Handover::Parts{*server, alone, [&] { return keeper.close(*server, config->duration("handover_limit")); },
                          [&] { return keeper.open_again(*server); }, [&leaving] { leaving = true; }, wake_main,
                          [&, wake_main](const Error& error) { status = status_of(error), wake_main(); }, log},
          *listening);
    else log.warn("handover.unavailable", {{"reason", listening.error().hint}, {"detail", listening.error().detail}});
  }
  notify(supervisor, "READY=1\nMAINPID=" + std::to_string(::getpid()));

  for (int signal = 0; sigwait(&signals, &signal) == 0;) {
    if (signal != SIGHUP) break;
    (void)server->reload_certificate();  // says itself in the log how it went
  }
  // Who is told twice from the keyboard does not wait; SIGTERM may well come again while we drain.
  sigset_t impatience;
  sigemptyset(&impatience);
  sigaddset(&impatience, SIGINT);
  pthread_sigmask(SIG_UNBLOCK, &impatience, nullptr);
  if (after) after->stop();
  if (status != 0) return complain(status, "after a hand-over that failed, the data could not be opened again");
  keeper.leave();
  const bool left = after && after->left();
  if (!left) notify(supervisor, "STOPPING=1");
  server->drain();
  server->wait();
  before.reset();
  after.reset();
  if (!left && handover_path != "-") ::unlink(handover_path.c_str());
  log.info("stopped");
  return 0;
}

}  // namespace mandate::server
