// Moving all data from one engine to another. The source is copied as it stood at one moment while it goes on serving,
// what changed meanwhile is carried after it, both sides are compared row by row, and only then the source is left.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "store/store.h"

namespace mandate::store {

struct MovedTable {
  std::string name;
  bool app = false;  ///< an app's, with indexes of its own; else a room's, whose migrations made it
  std::vector<ColumnSpec> columns;
  /// Columns by which the source names rows of this table; empty: it names them by numbers of its own.
  std::vector<std::string> key;
  /// Whether a key has at most one row. Else a name stands for all rows that have it.
  bool key_is_unique = true;
};

/// How a source names a row: the cells of MovedTable::key, or one number.
using RowName = std::vector<Value>;
struct OrderOfNames {
  bool operator()(const RowName& a, const RowName& b) const;
};
using RowNames = std::set<RowName, OrderOfNames>;

/// Given a row: its number in the source (or which one it is, where the source has none), and its cells in the order of MovedTable::columns, as moved_cell has them.
using EachMoved = std::function<Result<void>(std::int64_t number, const std::vector<Value>& cells)>;

/// The cell as both engines have it: booleans 0 or 1. invalid_request when it does not fit the type, which a table file
/// written by other hands may hold: the hint says what is there.
Result<Value> moved_cell(Value cell, Type type);
/// All cells of a row; the hint names table, column and row.
Result<void> fit_cells(const MovedTable& table, std::int64_t number, std::vector<Value>& cells);

/// How many rows, and a checksum of them that depends neither on their order nor on the engine.
class MoveSum {
 public:
  void add(const std::vector<Value>& cells);
  bool operator==(const MoveSum&) const = default;
  std::int64_t rows() const { return rows_; }
  std::string hex() const;

 private:
  std::int64_t rows_ = 0;
  unsigned __int128 sum_ = 0;
};

/// One tenant's data as it stood at one moment; what is written later is not seen. For one thread.
class StillView {
 public:
  virtual ~StillView() = default;
  virtual Result<std::vector<MovedTable>> tables() = 0;
  virtual Result<void> all(const MovedTable& table, const EachMoved& each) = 0;
  /// Those of `names` that are there.
  virtual Result<void> some(const MovedTable& table, const RowNames& names, const EachMoved& each) = 0;
  /// Whether the table was dropped after the moment of the view and before all of it was read.
  virtual bool gone(const std::string&) const { return false; }

  /// What was touched between the view before this one and this.
  struct Changes {
    std::map<std::string, RowNames> rows;
    std::set<std::string> dropped;  ///< tables; they may have come again
    std::size_t count() const;
  };
  virtual const Changes& changes() const = 0;
};

/// What an interrupted move left to be known, on either side.
struct MoveMark {
  std::string state = {};  ///< "" none; target: arriving, complete, arrived; source: left
  std::string id = {};     ///< of the move
  std::string place = {};  ///< the other side, without a password
};

/// All methods block, for a thread that may wait; one thread at a time.
class MoveSource {
 public:
  virtual ~MoveSource() = default;
  virtual Result<MoveMark> mark() = 0;
  /// From now on it knows what changes. False: it cannot, and is held still for the whole copy; `say` is told why.
  virtual Result<bool> follow(const std::function<void(const std::string&)>& say) = 0;
  /// "system" and every tenant. Views that are asked for from now on stand at this moment or a later one; those of before end.
  virtual Result<std::vector<std::string>> tenants() = 0;
  virtual Result<std::unique_ptr<StillView>> view(const std::string& tenant) = 0;
  /// Nothing is written from now until resume() or leave(), or, when it follows, until `longest` has passed. Who writes waits.
  /// timeout when those who write did not come to their end in that time.
  virtual Result<void> hold(std::chrono::milliseconds longest) = 0;
  /// The hold ended by itself, since it took too long; what was seen in it will be seen again.
  virtual bool let_go() const { return false; }
  virtual void resume() = 0;
  /// The move is over without having left: nothing is held or followed any more.
  virtual void give_up() = 0;
  /// Nothing is ever written here again: the mark says where the data is. Fails, and changes nothing, when the hold ended
  /// by itself. Durable.
  virtual Result<void> leave(const MoveMark& mark) = 0;
};

/// All methods block, for a thread that may wait; one thread at a time.
class MoveTarget {
 public:
  virtual ~MoveTarget() = default;
  virtual Result<MoveMark> mark() = 0;
  /// Empties what an unfinished move left here and marks the place as arriving: no server starts on it.
  /// conflict when other data is here.
  virtual Result<void> begin(const MoveMark& mark) = 0;
  /// Makes the table, or the columns it lacks.
  virtual Result<void> make(const std::string& tenant, const MovedTable& table) = 0;
  virtual Result<void> drop(const std::string& tenant, const std::string& table) = 0;
  /// Takes the rows of `replaced` away and puts in those that `rows` gives.
  virtual Result<void> put(const std::string& tenant, const MovedTable& table, const RowNames& replaced,
                           const std::function<Result<void>(const EachMoved&)>& rows) = 0;
  virtual Result<void> all(const std::string& tenant, const MovedTable& table, const EachMoved& each) = 0;
  virtual Result<void> some(const std::string& tenant, const MovedTable& table, const RowNames& names, const EachMoved& each) = 0;
  /// What can be done before the source is left; then the mark says complete. Durable.
  virtual Result<void> complete(const MoveMark& mark) = 0;
  /// A server may start here. Durable, and may be said again.
  virtual Result<void> open(const MoveMark& mark) = 0;
};

struct MoveOptions {
  /// How long writers may wait at the switch. When it takes longer they go on, and it is tried again.
  std::chrono::milliseconds longest_hold{5000};
  int tries = 10;
  /// So few changes make a round that the switch is worth trying.
  std::size_t few = 1000;
  /// When it becomes true the move is given up: temporarily_unavailable.
  const std::atomic<bool>* stop = nullptr;
};

/// Told as the move proceeds: one line for people each.
using SayMove = std::function<void(const std::string& line)>;

/// The whole way. `id` names this move; `from` and `to` are what the marks say. Run again after an interruption it begins anew,
/// or, when the source was left already, opens the target. Errors: conflict (the target is in use; the source was left for
/// another place), invalid_request (a cell that fits nowhere), corrupt (the sides differ), what the engines say.
Result<void> move_all(MoveSource& source, MoveTarget& target, const std::string& id, const std::string& from, const std::string& to,
                      const MoveOptions& options, const SayMove& say);

}  // namespace mandate::store
