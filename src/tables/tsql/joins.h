// Which rows of a select's tables belong together. Inside the stage only.
#pragma once

#include "tables/tsql/evaluate.h"

namespace mandate::tables::tsql {

/// Rows sorted by a value of each, so that those with a given one are found without looking at all.
class Index {
 public:
  Index(std::vector<Value> keys, bool exact);
  /// Numbers of the rows that may have that value; nullopt: the value is of another family, all may.
  std::optional<std::vector<std::uint32_t>> find(const Value& value) const;

 private:
  int compare_values(const Value& a, const Value& b) const;
  std::vector<Value> keys_;
  bool exact_;
  bool mixed_ = false;
  std::vector<std::uint32_t> sorted_;  ///< nulls left out
};

/// A condition "something of a source's row = something known before its rows are looked at".
struct Hint {
  const Expr* key = nullptr;
  const Expr* probe = nullptr;
  bool exact = false;
};
/// One that `condition` demands, if it has any; null is no condition.
std::optional<Hint> hint_for(const Expr* condition, std::size_t source);

/// The conditions that must all hold.
std::vector<const Expr*> conjuncts(const Expr* condition);

}  // namespace mandate::tables::tsql
