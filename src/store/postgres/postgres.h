// The scale-out engine: PostgreSQL 15 or what speaks its protocol and dialect, shared by any number of nodes
// (engine.md §2). One database holds every tenant: the rooms' tables are shared and carry the tenant in each key, an
// app's tables lie in a schema of their tenant (ADR 0010).
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "store/migrate.h"
#include "store/store.h"

namespace mandate::store {

struct PostgresOptions {
  /// As libpq reads it: postgres://user@host1,host2/database?target_session_attrs=read-write&sslmode=verify-full …
  std::string url = {};
  /// Schema of the shared tables; an app's tables lie in "<schema>:<tenant>".
  std::string schema = "mandate";
  /// For Stamps and expiry. Both must outlive the cluster.
  const Clock* clock = nullptr;
  Random* random = nullptr;
  /// Connections of each loop: for reads, and for writes. At least 1 each.
  std::size_t read_connections = 2, write_connections = 2;
  /// How many reads, or batches of writes, may share one round trip; 1 = each for itself.
  std::size_t most_together = 256;
  /// Reads and batches of a loop that may wait; above it Code::overloaded.
  std::size_t queue_limit = 10'000;
  /// What a statement may take at all (DA-8), and how long a caller without a deadline waits for its answer.
  std::chrono::milliseconds statement_limit{5000};
  /// How long one try to connect may take.
  std::chrono::milliseconds connect_limit{5000};
  /// How often a node asks what the others changed; a notification makes it ask at once (RL-20).
  std::chrono::milliseconds feed_every{250};
  /// Up to so many rows an index is made before whoever asked for it goes on. Of more, an ordinary index is made behind, while
  /// others write; a unique one is waited for all the same.
  std::size_t rows_indexed_at_once = 10'000;
  /// Whether to listen for notifications. Without them the feed alone carries the news.
  bool notifications = true;
};

/// One database and the connections to it. Destroy it after the Stores it gave and before the loops that used them.
class PostgresCluster : public Migratable {
 public:
  /// The Store of one tenant. Costs no round trip: nothing is opened.
  virtual std::unique_ptr<Store> tenant(std::string_view name) = 0;
};

/// Connects (blocking, for starting up) and makes the engine's own tables and functions. Code::overloaded when no server
/// can be reached, Code::forbidden when it refuses the user, Code::invalid_request for a URL libpq cannot read.
Result<std::unique_ptr<PostgresCluster>> open_postgres(PostgresOptions options, Log& log, Metrics& metrics);

}  // namespace mandate::store
