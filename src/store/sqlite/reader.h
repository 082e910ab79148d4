// A connection that only reads, and the rows it read.
#pragma once

#include <atomic>
#include <optional>

#include "store/sqlite/functions.h"
#include "store/sqlite/statements.h"

namespace mandate::store::sqlite {

/// Rows copied out of a statement: read as one piece, so a reading that must start again has given nothing away yet.
class Page {
 public:
  Store::Listed listed;
  /// Calls `each` until it says no; counts the rows given.
  void deliver(const std::function<bool(const RowView&)>& each);

 private:
  friend class Reader;
  struct Item {
    unsigned char kind;  ///< SQLite's type of the cell
    std::uint32_t size;
    union {
      std::int64_t integer;
      double real;
      std::size_t at;
    };
  };
  class View;
  void add(sqlite3_stmt* statement, int column);
  std::size_t size() const { return bytes_.size() + items_.size() * sizeof(Item); }
  std::shared_ptr<const std::vector<std::string>> names_;
  std::vector<Item> items_;
  std::string bytes_;
  std::size_t rows_ = 0;
};

/// What a reading may cost.
struct Budget {
  /// Of SQLite's machine, the bytes that functions look at included; 0 = only time counts. Steps differ in length: with a
  /// limit on them also about 20 ms are one.
  int steps = 0;
  Deadline until = kNoDeadline;
};

/// For one thread at a time.
class Reader {
 public:
  /// `commits` counts the writer's commits: a snapshot older than the last one is never read from.
  static Result<std::unique_ptr<Reader>> open(const Place& place, const std::atomic<std::uint64_t>& commits);

  /// Code::timeout when the budget is spent; then `outran_steps` tells which of the two it was.
  Result<std::optional<Row>> first(const Plan& plan, Budget budget);
  Result<Page> page(const Plan& plan, Budget budget);
  bool outran_steps() const { return outran_steps_; }

  /// Puts the readings up to `end_snapshot` under one read transaction: half the price of a point read (engine.md §2).
  void share_snapshot() { shared_ = true; }
  void end_snapshot();
  /// No limit for what follows on this connection until the next reading.
  void spend_freely() { set_budget({}); }

  sqlite3* db() { return db_.get(); }

 private:
  Reader(Db db, const std::atomic<std::uint64_t>& commits);
  Result<void> begin();
  Result<Prepared*> prepared_for(const Plan& plan, Wanted wanted, Budget budget);
  Result<std::optional<Row>> read_first(const Plan& plan, Budget budget);
  Result<void> read_into(Page& page, const Plan& plan, Wanted wanted, Budget budget);
  void set_budget(Budget budget);
  bool spend(std::int64_t steps);

  Db db_;
  Meter& meter_;
  Statements statements_;
  Shape shape_;
  const std::atomic<std::uint64_t>& commits_;
  Stmt begin_, commit_;
  bool shared_ = false, in_snapshot_ = false;
  bool outran_steps_ = false;  ///< the loop's share, in steps or in time
  bool slow_ = false;          ///< of them, the steps: it will be so the next time
  std::uint64_t seen_ = 0;
  Budget budget_;
  std::int64_t spent_ = 0;
  Deadline loop_until_ = kNoDeadline;  ///< from the first look at the budget on
};

}  // namespace mandate::store::sqlite
