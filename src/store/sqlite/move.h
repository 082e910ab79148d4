// The two ends of a move whose data lies in SQLite files: a directory, one file for each tenant.
#pragma once

#include <memory>
#include <mutex>
#include <span>

#include "store/migrate.h"
#include "store/sqlite/sqlite.h"

namespace mandate::store {

/// The stores of a directory, which go on serving while they are moved. Outlives them.
class SqliteSource final : public MoveSource {
 public:
  explicit SqliteSource(std::string directory) : directory_(std::move(directory)) {}

  /// Whoever opens a store tells it here. temporarily_unavailable at the moment of the switch and after it. Thread-safe.
  Result<void> add(const std::string& tenant, SqliteStore& store);
  const std::string& directory() const { return directory_; }

  Result<MoveMark> mark() override;
  Result<bool> follow(const std::function<void(const std::string&)>&) override { return true; }
  Result<std::vector<std::string>> tenants() override;
  Result<std::unique_ptr<StillView>> view(const std::string& tenant) override;
  Result<void> hold(std::chrono::milliseconds longest) override;
  void resume() override;
  void give_up() override;
  Result<void> leave(const MoveMark& mark) override;

 private:
  std::string directory_;
  std::mutex mutex_;
  std::map<std::string, SqliteStore*> stores_;
  bool closed_ = false;  ///< to further stores
};

/// A directory that becomes a house's. Made (0700) when missing. `migrations` outlive it.
std::unique_ptr<MoveTarget> sqlite_target(std::string directory, std::span<const Migration> migrations, const Clock& clock);

/// The names of the database files in a directory: "system" and the tenants.
std::vector<std::string> sqlite_files(const std::string& directory);

}  // namespace mandate::store
