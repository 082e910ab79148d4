// Prepared statements of one connection by shape, the least recently used forgotten first.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "store/sqlite/compile.h"
#include "store/sqlite/handle.h"

namespace mandate::store::sqlite {

struct Prepared {
  std::string shape;
  Stmt statement;
  bool slow = false;  ///< outran its steps on the loop once: goes to the pool at once from then on

  /// Names of the result's columns. Also right after the schema changed under the statement.
  const std::shared_ptr<const std::vector<std::string>>& names();
  void bind(const std::vector<Bound>& values);

 private:
  std::shared_ptr<const std::vector<std::string>> names_;
  int prepared_again_ = -1;
};

class Statements {
 public:
  explicit Statements(sqlite3* db, std::size_t most = 500) : db_(db), most_(most) {}
  /// What the two latest calls gave is valid: of them neither is the one forgotten first.
  Result<Prepared*> get(const Plan& plan, Wanted wanted, Shape& shape);
  /// Without `returning`: as if the mutation gave no rows back.
  Result<Prepared*> get(const Mutation& mutation, Shape& shape, bool returning = true);
  /// Reads what an insert gives back by the number of its row; null when a column hides the number.
  Result<Prepared*> get_row(const Mutation& insert);
  /// Forgets all: the schema changed.
  void clear() { by_shape_.clear(), used_.clear(); }

 private:
  Prepared* find(std::string_view key);
  Result<Prepared*> add(const std::string& key, const std::string& sql);

  sqlite3* db_;
  std::size_t most_;
  std::string row_key_;
  std::list<Prepared> used_;  ///< the latest in front
  std::unordered_map<std::string_view, std::list<Prepared>::iterator> by_shape_;
};

/// Resets on leaving, so that no statement holds a snapshot.
class Running {
 public:
  explicit Running(sqlite3_stmt* statement) : statement_(statement) {}
  ~Running();
  Running(const Running&) = delete;

 private:
  sqlite3_stmt* statement_;
};

}  // namespace mandate::store::sqlite
