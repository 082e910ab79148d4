// Which rows of a select's tables belong together. Inside the stage only.
#pragma once

#include "tables/tsql/evaluate.h"

namespace mandate::tables::tsql {

/// Rows sorted by one of their values, so that those with a given one are found without looking at all.
class Index {
 public:
  Index(const Rows& rows, std::size_t slot, bool exact);
  /// Numbers of the rows that may have that value; nullopt: the value is of another family, all may.
  std::optional<std::vector<std::uint32_t>> find(const Value& value) const;

 private:
  int compare_values(const Value& a, const Value& b) const;
  const Rows& rows_;
  std::size_t slot_;
  bool exact_;
  bool mixed_ = false;
  std::vector<std::uint32_t> sorted_;  ///< nulls left out
};

/// A condition "column of source = something known before its rows are looked at".
struct Hint {
  std::size_t slot = 0;
  const Expr* probe = nullptr;
  bool exact = false;
};
/// One that `condition` demands, if it has any; null is no condition.
std::optional<Hint> hint_for(const Expr* condition, std::size_t source);

/// The conditions that must all hold.
std::vector<const Expr*> conjuncts(const Expr* condition);

}  // namespace mandate::tables::tsql
