// A PostgreSQL of the test's own: as an unprivileged user, on a free port, in a temporary directory. Nothing of it is
// left when the test ends, however it ends (tests/support/postgres_server.mjs keeps it).
#pragma once

#include <sys/types.h>

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace mandate::test {

struct PostgresServerOptions {
  /// Off: faster, and as good as long as the machine itself does not die.
  bool fsync = false;
  /// With a certificate of its own for localhost and 127.0.0.1, see certificate().
  bool tls = false;
  /// Lines of postgresql.conf, e.g. "synchronous_standby_names = 'standby'", "max_connections = 20".
  std::vector<std::string> settings = {};
};

/// One server process and its data. What fails throws std::runtime_error with the server's own words. Thread-safe.
class PostgresServer {
 public:
  /// Makes the data (the first time about a second, later a copy) and starts the server.
  explicit PostgresServer(const PostgresServerOptions& options = {});
  /// Stops the server and removes its directory. Does nothing in a forked child.
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;

  /// As the superuser `postgres`, over TCP with SCRAM.
  std::string url(std::string_view database = "postgres") const;
  /// A new empty database (UTF-8, C.UTF-8), owned by the ordinary user `mandate`; its URL as that user.
  std::string create_database();
  /// Drops one that create_database() made, also under those who are still connected.
  void drop_database(const std::string& url);

  int port() const { return port_; }
  const std::string& password() const { return password_; }
  /// Holds the data, the log and the unix socket.
  const std::string& directory() const { return directory_; }
  std::string certificate() const { return directory_ + "/server.crt"; }

  enum class Stop { fast, immediate };
  void stop(Stop how = Stop::fast);
  /// All its processes at once by SIGKILL, as when its machine dies. The data stays.
  void kill9();
  /// After stop() or kill9(): on the same data and port. Returns when it takes connections.
  void start();
  /// SIGSTOP and SIGCONT to all its processes, as when its machine hangs.
  void pause();
  void resume();
  /// A line for postgresql.conf, read at once by a running server.
  void configure(const std::string& line);

  /// A copy that follows this server by streaming and answers reads. `name` is what synchronous_standby_names calls it.
  std::unique_ptr<PostgresServer> standby(const std::string& name = "standby", const PostgresServerOptions& options = {}) const;
  /// Makes a standby take writes; returns when it does.
  void promote();

 private:
  PostgresServer(const PostgresServerOptions& options, const std::vector<std::string>& more);
  void spawn(std::vector<std::string> arguments);
  std::string ask(const std::string& command);
  std::string answer();

  pid_t owner_ = 0, keeper_ = 0;
  int socket_ = -1;
  std::mutex mutex_;
  std::string unread_;
  int port_ = 0;
  std::string password_, directory_;
};

/// The one of this process, started on first use and gone at exit. Not for tests that stop it.
PostgresServer& shared_postgres();

}  // namespace mandate::test
