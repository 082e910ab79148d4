// A snapshot of one database file on a connection of its own.
#pragma once

#include "store/move.h"
#include "store/sqlite/handle.h"

namespace mandate::store::sqlite {

/// A StillView that waits for its moment.
class Snapshot final : public StillView {
 public:
  static Result<std::unique_ptr<Snapshot>> connect(const Place& place);

  /// On the writer's thread, between two transactions: what is committed now is what will be seen.
  Result<void> begin(Changes changes);

  Result<std::vector<MovedTable>> tables() override;
  Result<void> all(const MovedTable& table, const EachMoved& each) override;
  Result<void> some(const MovedTable& table, const RowNames& names, const EachMoved& each) override;
  const Changes& changes() const override { return changes_; }

 private:
  explicit Snapshot(Db db) : db_(std::move(db)) {}

  Db db_;
  Changes changes_;
};

/// The tables of a file, without the engine's bookkeeping.
Result<std::vector<MovedTable>> moved_tables(sqlite3* db);
/// Rows of a table in the order of their numbers, or those of `only`. invalid_request when a cell is not of its column's type.
Result<void> moved_rows(sqlite3* db, const MovedTable& table, const RowNames* only, const EachMoved& each);
/// "column" IS ?N, the `place`-th of a key; nulls are equal.
std::string key_condition(const std::string& column, std::size_t place);

}  // namespace mandate::store::sqlite
