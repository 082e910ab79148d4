// Moving the data from one engine to another: of the house that runs, and of one that nobody serves.
#pragma once

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include "base/config.h"
#include "base/log.h"
#include "management/moves.h"
#include "server/edition.h"
#include "store/postgres/postgres.h"
#include "store/sqlite/move.h"

namespace mandate::server {

/// Where data lies, as the owner writes it: "sqlite:DIRECTORY" or "postgres://…".
struct MovePlace {
  std::string directory, url, schema;
  bool sqlite() const { return url.empty(); }
  /// For people and for marks, without a password: what a server is started with.
  std::string shown() const;
};
/// invalid_request for anything else.
Result<MovePlace> move_place(const std::string& text, const std::string& schema);

/// A house on SQLite moves while it serves.
class Mover final : public management::Moves {
 public:
  /// `postgres`: what else concerns it than URL and schema. All must outlive the mover.
  Mover(store::SqliteSource& source, store::PostgresOptions postgres, std::vector<store::Migration> migrations, const Clock& clock, Random& random, Log& log);
  /// Gives up what is under way.
  ~Mover() override { stop(); }
  void stop();

  Result<void> start(const std::string& from, const std::string& to, const std::string& schema) override;
  JsonObject progress(std::size_t after) const override;

 private:
  Result<void> move(const MovePlace& from, const MovePlace& to);
  void say(const std::string& line);

  store::SqliteSource& source_;
  store::PostgresOptions postgres_;
  const Clock& clock_;
  Random& random_;
  Log& log_;
  const std::vector<store::Migration> migrations_;
  std::atomic<bool> stop_{false};
  mutable std::mutex mutex_;
  std::string state_ = "none", problem_;
  std::vector<std::string> lines_;
  std::thread thread_;
};

/// `mandated move --from A --to B [options]`, for data that no server holds, and from PostgreSQL. Says how it goes on stdout.
/// Gives what the process ends with: 0, 1 = it failed, 2 = wrong options.
int move_offline(const std::vector<std::string>& arguments, const Edition& edition, const Clock& clock, Random& random);

}  // namespace mandate::server
