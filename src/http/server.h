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

struct ServerOptions {
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
