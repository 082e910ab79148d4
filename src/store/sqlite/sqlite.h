// The embedded engine: one SQLite file, readers on the loops, one writer thread with group commit (engine.md §2).
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "store/migrate.h"
#include "store/move.h"
#include "store/store.h"

namespace mandate::store {

struct SqliteOptions {
  /// The database file. Its directory is made (0700) when missing, the file too (0600).
  std::string path = {};
  /// For Stamps. Must outlive the store.
  const Clock* clock = nullptr;
  /// Steps of SQLite's machine a read may take on the loop before it starts again in the scan pool; about 2 ms. Text that
  /// functions look at counts by its bytes.
  int loop_steps = 40'000;
  /// What a read, or one mutation, may take at all (DA-8); then Code::timeout.
  std::chrono::milliseconds statement_limit{5000};
  std::size_t scan_threads = 2;
  /// Batches that may wait for the writer; above it Code::overloaded.
  std::size_t queue_limit = 20'000;
  /// Largest size of the file in pages of 4 KiB; 0 = as the disk allows. Reached = disk full (Code::read_only).
  std::int64_t max_pages = 0;
  /// Pages in the WAL after which they are copied into the database; late, so that pages written often are
  /// copied once.
  int checkpoint_pages = 16'384;
  /// Name of the SQLite VFS beneath ours; empty = the system's own.
  std::string vfs = {};
};

/// A Store that also runs migrations. Destroy it before the loops that used it.
class SqliteStore : public Store, public Migratable {
 public:
  // For a move, on a thread that may wait. The store goes on serving.
  /// From the first on, what is touched between two of them is recorded. The view does not outlive the store.
  virtual Result<std::unique_ptr<StillView>> still() = 0;
  /// Ends the recording.
  virtual void unfollow() = 0;
  /// Batches wait, reads go on: until go_on(), or until `longest` has passed.
  virtual Result<void> hold(std::chrono::milliseconds longest) = 0;
  virtual void go_on() = 0;
  /// Ends writing for good, when it is still held; else false. Batches are refused with temporarily_unavailable.
  virtual bool leave() = 0;
  /// Takes leave() back.
  virtual void come_back() = 0;
};

/// Opens the file and holds it alone: a second opener anywhere gets Code::conflict (RL-22). A directory that cannot be
/// written is Code::read_only, one whose data has moved elsewhere or is not yet all there is Code::conflict, files or directories open to others are Code::forbidden (KS-2); the hint is one clear line.
Result<std::unique_ptr<SqliteStore>> open_sqlite(SqliteOptions options, Log& log, Metrics& metrics);

}  // namespace mandate::store
