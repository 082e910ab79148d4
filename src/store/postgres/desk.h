// What one loop works with: its reads and writes, and the statements and tables it has met.
#pragma once

#include <unordered_map>

#include "store/postgres/reads.h"
#include "store/postgres/writes.h"

namespace mandate::store::postgres {

/// Use on its loop only.
class Desk : public std::enable_shared_from_this<Desk> {
 public:
  Desk(Loop& loop, Core& core);
  void start();
  void close();

  /// What is known of a table; null when it has to be read first.
  TablePtr known(std::string_view tenant, std::string_view table);
  /// Files what was read: the rows of describe().
  TablePtr keep(std::string_view tenant, const std::string& table, const std::vector<ColumnSpec>& columns);
  void forget(std::string_view tenant, std::string_view table);

  /// The ask for a plan, ready to be pushed.
  Result<ReadAskPtr> ask_for(std::string_view tenant, const Plan& plan, Wanted wanted, const TablePtr& table);
  /// Adds the statement for one mutation of the ask's batch.
  Result<void> add_step(WriteAsk& ask, const Mutation& mutation, const TablePtr& table);

  Result<void> push(ReadAskPtr ask);
  Result<void> push(WriteAskPtr ask);

 private:
  struct Known {
    StatementPtr one, many;
  };
  void flush_at_end_of_tick();
  void watch_time();
  void fill(const Statement& statement, std::string_view tenant, Parameters& out, Result<void>& filled) const;
  StatementPtr named(Statement statement);

  Loop& loop_;
  Core& core_;
  std::shared_ptr<Reads> reads_;
  std::shared_ptr<Writes> writes_;
  std::unordered_map<std::string, Known> statements_;
  std::unordered_map<std::string, TablePtr> tables_;
  std::uint64_t version_ = 0;
  Shape shape_;
  bool scheduled_ = false, closed_ = false;
  std::unique_ptr<Loop::Timer> timer_;
};

}  // namespace mandate::store::postgres
