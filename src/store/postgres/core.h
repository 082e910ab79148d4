// What the loops of one cluster share. Thread-safe.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <set>

#include "base/cpu_pool.h"
#include "store/postgres/postgres.h"
#include "store/postgres/session.h"
#include "store/postgres/table.h"
#include "store/watchers.h"

namespace mandate::store::postgres {

/// Milliseconds by the database's clock: what nodes sweep goes by one clock, not by theirs.
inline constexpr const char* kDatabaseNow = "(extract(epoch FROM now()) * 1000)::bigint";

class Core {
 public:
  Core(PostgresOptions options, Log& log, Metrics& metrics);

  const PostgresOptions& options() const { return options_; }
  Log& log() { return log_; }
  Millis now() const { return options_.clock->now_ms(); }
  /// The schema of a tenant's own tables.
  std::string schema_of(std::string_view tenant) const { return options_.schema + ":" + std::string(tenant); }

  /// A connection ready for statements: schema, time limits. Blocks; for the pool's threads.
  Result<Connection> connect();
  /// A connection that writes, with a stream of its own.
  struct Writing {
    Connection connection;
    std::string stream;
  };
  Result<Writing> connect_to_write();
  bool own_stream(const std::string& stream) const;

  /// Threads that may wait: for connecting, and for changes of the schema.
  CpuPool& waiting() { return waiting_; }
  /// The thread that makes indexes that are waited for, one after the other: a large one holds up neither connecting nor other changes.
  CpuPool& building() { return building_; }

  /// Reads the rooms' tables from the database's catalogue. Blocks.
  Result<void> learn_shared_tables(PGconn* connection);
  TablePtr shared_table(std::string_view name) const;
  std::uint64_t next_id() { return ids_.fetch_add(1); }

  /// Raised when a tenant's tables may have changed their columns: what was learnt of them is learnt anew.
  std::uint64_t schema_version() const { return schema_version_.load(std::memory_order_acquire); }
  void schema_changed(const std::string& tenant);
  /// Every tenant's, and the rooms'.
  void every_schema_changed();
  /// Whose tables changed after `version`; nullopt = everybody's.
  std::optional<std::set<std::string>> changed_since(std::uint64_t version) const;

  Watchers& watchers(std::string_view tenant);
  /// Tells who watches, on their loops. `here`: a loop whose calls are made at once by the caller.
  void tell(std::string_view tenant, const std::set<std::string>& tables);
  /// Nothing that was remembered may be trusted any more.
  void distrust();
  /// Whether other nodes keep this table of the rooms in memory, so that a commit that touches it has to be announced.
  bool announced(std::string_view table) const;

  // Metrics.
  Counter &reads, &merged_reads, &mutations, &commits, &retries, &timeouts, &lost_links, &doubts, &failures;
  Gauge &links, &queued, &indexes_waiting;
  Histogram& commit_seconds;

 private:
  PostgresOptions options_;
  Log& log_;
  mutable std::mutex mutex_;
  std::map<std::string, TablePtr, std::less<>> shared_;
  std::map<std::string, std::unique_ptr<Watchers>, std::less<>> watchers_;
  std::set<std::string> streams_;
  std::deque<std::pair<std::uint64_t, std::string>> schema_changes_;  ///< the last ones, by version
  std::uint64_t forgotten_changes_ = 0;                               ///< those up to here are not in the list
  std::atomic<std::uint64_t> ids_{1}, schema_version_{1};
  CpuPool waiting_, building_;  ///< end first: their jobs use the rest
};

}  // namespace mandate::store::postgres
