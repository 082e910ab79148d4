// What one connection of a script remembers: its transaction and what T-SQL's globals say.
#pragma once

#include <map>
#include <set>
#include <string>

#include "store/store.h"
#include "tables/tsql/resolve.h"
#include "tables/tsql/machine.h"

namespace mandate::tables::tsql {

/// Rows of one table that were changed and not yet written. A row is known by its id as text.
class Changes {
 public:
  struct Pending {
    enum class State { inserted, updated, removed } state = State::inserted;
    Row row;                     ///< as it is now
    Millis base = 0;             ///< its stamp when it was read
    std::set<std::size_t> slots; ///< updated: what was changed
  };
  explicit Changes(TablePtr table) : table_(std::move(table)) {}

  /// conflict: the row was inserted here already.
  Result<void> insert(Row row);
  void update(const Row& before, Row after, const std::set<std::size_t>& slots);
  void remove(const Row& row);

  const std::map<std::string, Pending>& rows() const { return rows_; }
  const TablePtr& table() const { return table_; }
  /// What was read, as it looks after these changes. Only columns that were read are there.
  void lay_over(Rows& rows) const;
  /// One mutation a row; a row that changed since it was read ends the batch with precondition_failed.
  void add_to(store::Batch& batch) const;

 private:
  std::string key(const Row& row) const;
  TablePtr table_;
  std::map<std::string, Pending> rows_;
};

/// By the table's name in the store, so that all write them in one order.
using AllChanges = std::map<std::string, Changes>;
Changes& changes_of(AllChanges& all, const TablePtr& table);
std::size_t count_of(const AllChanges& all);

/// Not thread-safe; for one statement at a time.
struct Session {
  bool in_transaction = false;
  AllChanges changes;        ///< of the transaction
  Value identity;            ///< the last whole-number id
  std::int64_t touched = 0;  ///< @@ROWCOUNT
  bool busy = false;
};

/// A value as the store keeps it; bad_request when the column cannot hold it.
Result<store::Value> stored(const TableInfo::Column& column, const Value& value);

}  // namespace mandate::tables::tsql
