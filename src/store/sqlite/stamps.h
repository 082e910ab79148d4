// The numbers that Stamp cells become: per table, only ever growing, never below the clock.
#pragma once

#include <string>
#include <unordered_map>
#include <unordered_set>

#include "base/clock.h"
#include "store/sqlite/handle.h"

namespace mandate::store::sqlite {

/// Used by the writer only, inside its transaction, so numbers come in commit order.
class Stamps {
 public:
  explicit Stamps(sqlite3* db) : db_(db) {}
  Result<Millis> next(const std::string& table, Millis now);
  /// Writes what grew into the transaction under way: a clock set back and a restart change nothing (RL-6).
  Result<void> save();

 private:
  sqlite3* db_;
  Stmt load_, store_;
  std::unordered_map<std::string, Millis> last_;
  std::unordered_set<std::string> grown_;
};

}  // namespace mandate::store::sqlite
