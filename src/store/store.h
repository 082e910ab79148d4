// The seam every engine implements. Typed operations on tables, each awaitable, each allowed to be merged with others of
// the same tick. Written for a synchronous embedded engine and an asynchronous remote one alike: nothing here promises
// that a call completes without waiting, and nothing needs a connection that stays the same between calls.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/task.h"
#include "store/expr.h"
#include "store/value.h"

namespace mandate::store {

/// Added by the engine at the root of every plan and mutation that carries it (design rule 3 of security 0.3):
/// only rows whose `column` equals `value` exist for this caller.
struct Owner {
  std::string column;
  Value value;
};

struct Order {
  ExprPtr by;
  bool descending = false;
};

/// A read. Pure data, made by the rooms, compiled and cached by shape in the engine.
struct Plan {
  std::string table;
  std::vector<std::string> select;  ///< column names; empty = all, in table order
  ExprPtr where;                    ///< null = all rows
  std::optional<Owner> owner;
  std::vector<Order> order;
  std::optional<std::int64_t> limit;
  std::int64_t offset = 0;
  bool count = false;  ///< also the number of rows without limit and offset
  /// No further row once the cells read make up as many bytes; 0 = no limit. The first row always comes.
  std::size_t most_bytes = 0;
  Deadline deadline = kNoDeadline;
};

struct Cell {
  std::string column;
  Value value;
};

/// One change. Built with the helpers below.
struct Mutation {
  /// A check touches nothing and announces nothing: it counts the rows of `where` at that moment, for Expect. Others may change
  /// them before this batch commits: it says what was true a moment ago without a round trip of its own.
  enum class Kind { insert, upsert, update, remove, check };
  /// What must be true of the rows it touched; else the whole batch is undone and Batch fails with `otherwise`.
  enum class Expect { anything, one, at_least_one, none };

  Kind kind = Kind::insert;
  std::string table;
  std::vector<Cell> set;                  ///< insert: all cells; update: the changed ones
  std::vector<std::string> conflict_key;  ///< upsert: the unique columns
  ExprPtr where;                          ///< update, remove, check
  std::optional<Owner> owner;
  std::vector<std::string> returning;     ///< columns of the touched rows to give back; {"*"} = all; a check gives none
  Expect expect = Expect::anything;
  Code otherwise = Code::conflict;
  bool hold = false;                      ///< check: the rows it counts are not changed by others before this batch is done
};

Mutation insert(std::string table, std::vector<Cell> cells);
Mutation upsert(std::string table, std::vector<std::string> key, std::vector<Cell> cells);
Mutation update(std::string table, ExprPtr where, std::vector<Cell> set);
Mutation remove(std::string table, ExprPtr where);
Mutation check(std::string table, ExprPtr where, Mutation::Expect expect, Code otherwise);

/// Mutations that happen together or not at all, in order.
struct Batch {
  std::vector<Mutation> mutations;
  Deadline deadline = kNoDeadline;  ///< for the wait in the queue; a commit under way is never cancelled

  Batch& add(Mutation m) { mutations.push_back(std::move(m)); return *this; }
};

struct Touched {
  std::int64_t count = 0;
  std::vector<Row> rows;  ///< when `returning` was asked for
};
/// One entry per mutation.
using Outcome = std::vector<Touched>;

/// Shape of an app's table, kept by the engine; internal tables come from migrations instead.
struct ColumnSpec {
  std::string name;
  Type type = Type::text;
  bool unique = false;  ///< with an index
  bool index = false;
  bool dictionary = false;  ///< the index of a text column is in dictionary order (serves Expr::dictionary), not byte order
};

/// An index over columns of an app's table, beside those that came with its columns (ColumnSpec).
struct IndexSpec {
  std::vector<std::string> columns;
  bool unique = false;              ///< no two rows have the same values, byte for byte; a null is like no other
  std::vector<bool> dictionary;     ///< per column, of text: in dictionary order; absent = byte order. Never of unique ones
};

struct Capabilities {
  std::string_view engine;        ///< "sqlite", "postgres"
  bool reads_are_inline = false;  ///< a get completes without leaving the loop
  bool shared = false;            ///< other nodes may be at work on the same data
};

/// Thread-safe: call from any loop; the result arrives on the loop that asked.
/// Errors everywhere: timeout, overloaded, read_only (disk full, I/O error on write), corrupt, server_error.
class Store {
 public:
  virtual ~Store() = default;

  virtual Capabilities capabilities() const = 0;

  /// The first row of the plan, if any.
  virtual Task<std::optional<Row>> get(Plan plan) = 0;

  struct Listed {
    std::int64_t rows = 0;
    std::optional<std::int64_t> total;  ///< with Plan::count
    bool cut = false;                   ///< Plan::most_bytes kept rows back
  };
  /// Streams rows to `each` in order, on the calling loop. Returning false from `each` ends the reading.
  virtual Task<Listed> list(Plan plan, std::function<bool(const RowView&)> each) = 0;

  /// All or nothing, durable when it returns. A violated unique index is Code::conflict, an unmet Expect its `otherwise`.
  virtual Task<Outcome> mutate(Batch batch) = 0;

  /// Creates the table or adds what it lacks; never drops or retypes. Idempotent; two at once both succeed.
  virtual Task<void> ensure_table(std::string table, std::vector<ColumnSpec> columns) = 0;
  /// Makes the table's IndexSpecs these and no others, without touching its rows. Idempotent. Code::conflict, with the columns
  /// as its hint, when rows that are there have what a unique one forbids; then nothing has changed.
  virtual Task<void> ensure_indexes(std::string table, std::vector<IndexSpec> indexes) = 0;
  /// Drops an app's table and its rows. Idempotent.
  virtual Task<void> drop_table(std::string table) = 0;
  /// The table's columns as the engine holds them; empty when it does not exist.
  virtual Task<std::vector<ColumnSpec>> describe(std::string table) = 0;

  /// Reads every page and index; the text names what is damaged, empty when sound (RL-21).
  virtual Task<std::string> check() = 0;

  /// Calls `changed(table)` on the loop that watches, after each commit that touched a watched table.
  /// The returned handle ends it.
  class Watch {
   public:
    virtual ~Watch() = default;
  };
  [[nodiscard]] virtual std::unique_ptr<Watch> watch(std::vector<std::string> tables, std::function<void(std::string_view)> changed) = 0;

  /// False when the disk refused a write: nothing is written any more until the store is opened anew (RL-4). A full disk
  /// is not meant, that ends by itself. Thread-safe.
  virtual bool writable() const { return true; }

  /// Counts the commits that touched `table`. It is raised before any of them is acknowledged: what a read that began at
  /// a number found is what another would find as long as the number stands. Lives as long as the store.
  /// Null: this engine cannot tell, read again.
  virtual const std::atomic<std::uint64_t>* changes(std::string_view /*table*/) { return nullptr; }

  /// Counts the commits of this process that touched `table`, from when it is first asked for; other nodes' may count too.
  /// Lives as long as the store. Null: this engine cannot tell.
  virtual const std::atomic<std::uint64_t>* commits(std::string_view table) { return changes(table); }
};

/// All rows of a plan, kept. For internal tables, not for pages of an app's.
Task<std::vector<Row>> rows(Store& store, Plan plan);

}  // namespace mandate::store
