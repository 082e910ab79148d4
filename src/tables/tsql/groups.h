// Rows that count as one, and what becomes of their values. Inside the stage only.
#pragma once

#include <set>

#include "tables/tsql/machine.h"

namespace mandate::tables::tsql {

int compare_rows(const Row& a, const Row& b);

struct RowLess {
  bool operator()(const Row* a, const Row* b) const { return compare_rows(*a, *b) < 0; }
};
struct RowValueLess {
  bool operator()(const Row& a, const Row& b) const { return compare_rows(a, b) < 0; }
};
struct ValueLess {
  bool operator()(const Value& a, const Value& b) const { return order(a, b) < 0; }
};

/// One aggregate of one group.
class Fold {
 public:
  explicit Fold(const Expr& e) : e_(e) {}
  void count() { ++count_; }
  /// Nulls are passed over. bad_request for values that cannot be added.
  Result<void> add(Value value);
  Result<Value> result() const;

 private:
  const Expr& e_;
  std::int64_t count_ = 0;
  Value folded_;  ///< sum, least or greatest so far
  std::set<Value, ValueLess> seen_;
};

}  // namespace mandate::tables::tsql
