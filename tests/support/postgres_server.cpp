#include "tests/support/postgres_server.h"

#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>
#include <stdexcept>

namespace mandate::test {
namespace {

/// Longer than anything the keeper itself waits for.
constexpr int kPatienceMs = 90'000;

std::vector<std::string> arguments_of(const PostgresServerOptions& options) {
  std::vector<std::string> out{"node", MANDATE_SOURCE_DIR "/tests/support/postgres_server.mjs"};
  if (options.fsync) out.push_back("--fsync");
  if (options.tls) out.push_back("--tls");
  for (const std::string& line : options.settings) out.push_back("--set=" + line);
  return out;
}

}  // namespace

PostgresServer::PostgresServer(const PostgresServerOptions& options) : PostgresServer(options, {}) {}

PostgresServer::PostgresServer(const PostgresServerOptions& options, const std::vector<std::string>& more) : owner_(::getpid()) {
  std::vector<std::string> arguments = arguments_of(options);
  arguments.insert(arguments.end(), more.begin(), more.end());
  spawn(std::move(arguments));
  try {
    std::istringstream told(answer());
    told >> port_ >> password_ >> directory_;
  } catch (...) {
    ::close(socket_);
    ::waitpid(keeper_, nullptr, 0);
    throw;
  }
}

PostgresServer::~PostgresServer() {
  ::close(socket_);
  if (::getpid() != owner_) return;  // it is the parent's
  while (::waitpid(keeper_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void PostgresServer::spawn(std::vector<std::string> arguments) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throw std::runtime_error("socketpair");
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_adddup2(&files, ends[1], STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  // A session of its own: Ctrl-C is for the test; the keeper clears up after it.
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const int failed = ::posix_spawnp(&keeper_, "node", &files, &attributes, argv.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&files);
  ::close(ends[1]);
  socket_ = ends[0];
  if (failed) {
    ::close(socket_);
    throw std::runtime_error("node cannot be started");
  }
}

std::string PostgresServer::answer() {
  while (unread_.find('\n') == std::string::npos) {
    pollfd ready{socket_, POLLIN, 0};
    if (::poll(&ready, 1, kPatienceMs) < 0 && errno == EINTR) continue;
    char bytes[4096];
    const ssize_t n = ready.revents ? ::read(socket_, bytes, sizeof bytes) : 0;
    if (n <= 0)
      throw std::runtime_error(ready.revents ? "the keeper of PostgreSQL ended" : "the keeper of PostgreSQL does not answer");
    unread_.append(bytes, static_cast<std::size_t>(n));
  }
  const std::size_t end = unread_.find('\n');
  const std::string line = unread_.substr(0, end);
  unread_.erase(0, end + 1);
  if (line == "ok") return "";
  if (!line.starts_with("ok ")) throw std::runtime_error("PostgreSQL: " + line);
  return line.substr(3);
}

std::string PostgresServer::ask(const std::string& command) {
  std::lock_guard lock(mutex_);
  const std::string line = command + "\n";
  if (::send(socket_, line.data(), line.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(line.size()))
    throw std::runtime_error("the keeper of PostgreSQL ended");
  return answer();
}

std::string PostgresServer::url(std::string_view database) const {
  return "postgres://postgres:" + password_ + "@127.0.0.1:" + std::to_string(port_) + "/" + std::string(database);
}

std::string PostgresServer::create_database() { return ask("database"); }
void PostgresServer::drop_database(const std::string& url) { ask("drop " + url.substr(url.rfind('/') + 1)); }
void PostgresServer::stop(Stop how) { ask(how == Stop::fast ? "stop fast" : "stop immediate"); }
void PostgresServer::kill9() { ask("kill9"); }
void PostgresServer::start() { ask("start"); }
void PostgresServer::pause() { ask("signal STOP"); }
void PostgresServer::resume() { ask("signal CONT"); }
void PostgresServer::configure(const std::string& line) { ask("configure " + line); }
void PostgresServer::promote() { ask("promote"); }

std::unique_ptr<PostgresServer> PostgresServer::standby(const std::string& name, const PostgresServerOptions& options) const {
  return std::unique_ptr<PostgresServer>(new PostgresServer(options, {"--standby-of=" + url(), "--name=" + name}));
}

PostgresServer& shared_postgres() {
  static PostgresServer server;
  return server;
}

}  // namespace mandate::test
