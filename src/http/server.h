// Listeners, loops and the drain.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/task.h"
#include "http/router.h"

namespace mandate::http {

struct Limits {
  std::size_t request_line = 16 << 10;
  std::size_t header_bytes = 16 << 10;
  std::size_t header_fields = 100;
  std::chrono::milliseconds header_timeout{10'000}, tls_timeout{10'000}, write_stall{30'000}, idle_timeout{75'000},
      request_timeout{30'000};
  std::size_t body_rate = 500;  ///< bytes per second, after body_grace
  std::chrono::milliseconds body_grace{5'000};
  std::size_t connections = 20'000;
};

/// Listening sockets that somebody else made: a supervisor, or the process before this one.
struct Sockets {
  std::vector<int> doors;        ///< of the public port; one or more, none = bind it
  int owner = -1, observer = -1; ///< of the admin socket and of the metrics; -1 = bind them
  bool kept = false;             ///< somebody else goes on holding them: when we go they must stay as they are
};

/// A request on its way to the process that has taken over: its bytes come through `fd`, and so goes its answer.
struct Passed {
  int fd = -1;          ///< owned by who receives it
  bool secure = false;  ///< it came over TLS
  bool owner = false;   ///< it came through the admin socket
  std::string address;  ///< who asks
};

struct ServerOptions {
  Sockets sockets;                 ///< instead of binding; owned by the server from start() on
  std::string address = "127.0.0.1";
  int port = 0;                    ///< HTTP and TLS on one port, the first byte decides; 0 = any free one
  std::string metrics_address = "127.0.0.1";
  int metrics_port = -1;           ///< Prometheus text at /metrics; -1 = off, 0 = any free one
  std::string admin_socket;        ///< Unix socket of the owner, mode 0600; empty = none
  std::string certificate_file, key_file;  ///< PEM; empty = plain HTTP only
  std::size_t loops = 1;
  std::vector<std::string> trusted_proxies;
  /// What else must be well for /ready on the metrics listener to say yes; asked on a loop. Empty = nothing else.
  std::function<bool()> ready;
  /// Runs on the first loop after the sockets are bound and before the first peer is accepted: peers that come meanwhile
  /// wait in the kernel's queue. Its error ends start().
  std::function<Task<void>()> before_accepting;
  /// Asked on every loop while draining, once all requests are answered: whether something that they began still goes on.
  /// The loops stay for it until drain_limit. Empty = nothing does.
  std::function<bool()> working;
  /// Runs on the first loop when the last request is answered and nothing goes on, before that loop ends.
  std::function<void()> after_draining;
  std::chrono::milliseconds drain_delay{0};
  std::chrono::milliseconds drain_limit{25'000};
  Limits limits;
};

/// Owns the loops and their threads. Handlers run on the loop that accepted the peer.
class Server {
 public:
  virtual ~Server() = default;
  /// Binds and starts the threads. conflict: the address is taken.
  virtual Result<void> start() = 0;
  virtual int port() const = 0;
  virtual int metrics_port() const = 0;
  /// Loops, for what starts work of its own (index order). Valid after construction; they run after start().
  virtual std::vector<Loop*> loops() = 0;
  /// RL-10: readiness goes false, listeners stay for drain_delay, requests in flight finish, then everything ends.
  virtual void drain() = 0;
  virtual bool draining() const = 0;

  // An upgrade, in the process that goes (RL-11). Not on a loop's thread; they return when it is so on every loop.
  /// The listening sockets, borrowed, from start() until drain() or retire(). Whoever holds a copy keeps the queues alive.
  virtual Sockets sockets() const = 0;
  /// Nobody is accepted and no request begins: peers wait in the kernel's queue, requests of those who are here in ours.
  virtual void hold() = 0;
  /// While holding: no handler is at work any more.
  virtual bool quiet() const = 0;
  /// Takes hold() back. Routes, when given, replace those of before.
  virtual void go_on(std::shared_ptr<const Router> routes = {}, std::shared_ptr<const Router> owner_routes = {}) = 0;
  /// The sockets are another's now. Peers that are here are served to the end, each answer closing; those that ask nothing
  /// are left alone until drain_limit. With `pass` requests are answered by the other process. Then as after drain().
  virtual void retire(std::function<void(Passed)> pass) = 0;
  /// In the process that comes: answers a request that another passes on. From any thread.
  virtual void welcome(Passed passed) = 0;

  /// Reads certificate and key again; on an error the old ones stay (RL-7).
  virtual Result<void> reload_certificate() = 0;
  /// Returns when drained.
  virtual void wait() = 0;
};

/// `admin` answers on the admin socket (null = public routes there too).
std::unique_ptr<Server> make_server(ServerOptions options, std::shared_ptr<const Router> router,
                                    std::shared_ptr<const Router> admin, const Clock& clock, Random& random, Log& log,
                                    Metrics& metrics);

/// Makes a development CA and a certificate for localhost, *.localhost, 127.0.0.1 and ::1 in `directory` when absent:
/// ca.pem, server.pem, server.key (0600). Not for production.
Result<void> ensure_dev_certificate(const std::string& directory, const Clock& clock, Random& random);

}  // namespace mandate::http
