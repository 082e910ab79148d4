// Rows that are too many for one transaction: they go a piece at a time.
#pragma once

#include "store/store.h"

namespace mandate::store {

/// Asked before each step of a work that takes many, by who may have lost the right to it meanwhile.
class Permit {
 public:
  virtual ~Permit() = default;
  /// What goes first in the transaction of the next step. conflict: there must be none.
  virtual Task<std::vector<Mutation>> next() = 0;
};

/// Rows of an internal table that go. `key`: columns by which one of them is told from the others.
struct Bunch {
  std::string table;
  std::vector<std::string> key;
  ExprPtr where;
};

inline constexpr std::int64_t kPieceRows = 500;

/// Removes them, and gives how many. What is gone stays gone when a piece fails: call it again.
/// `permit` may be null; it must outlive the task.
Task<std::int64_t> remove_bunch(Store& store, Bunch bunch, Permit* permit);

}  // namespace mandate::store
