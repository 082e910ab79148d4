// Gives every node of a query its type, and refuses what does not go together.
#pragma once

#include "tables/odata/edm.h"
#include "tables/odata/query.h"
#include "tables/schema.h"

namespace mandate::tables::odata {

/// A typed node. `role` is set for a bare column, because ids and versions compare in their own way.
struct Typed {
  store::ExprPtr expr;
  Edm edm = Edm::unknown;
  Role role = Role::own;
  std::shared_ptr<const Meaning> meaning = nullptr;  ///< of an enumeration's column
  bool is_literal() const { return expr->op == store::Op::literal; }
  bool is_null() const { return is_literal() && store::is_null(expr->value); }
};

/// What the tree meets.
struct Setting {
  const Schema& schema;
  Dialect dialect;
  bool dynamic_schema = false;               ///< V1 and V2: a column that is not there makes no rows instead of an error
  std::optional<Millis> now = std::nullopt;  ///< what now() yields; without it the function is refused
};

class Typing {
 public:
  explicit Typing(const Setting& setting) : setting_(setting) {}

  /// Any value: for orderings.
  Result<Typed> value(const Tree& tree);
  /// A condition: a bare boolean becomes `= true`. V1 and V2 leave out what is neither true nor false, as their SQL did; in V3
  /// and V4 a comparison is always one of both: null differs from every value, and neither is less (OData 4.01 part 2, 5.1.1.1).
  Result<store::ExprPtr> condition(const Tree& tree, bool negated = false);
  /// True when a column was not there and the table is allowed to lack it.
  bool unknown_column() const { return unknown_column_; }

 private:
  Result<Typed> column(const Tree& tree);
  Result<std::pair<Typed, Typed>> sides(const Tree& tree);
  Result<store::ExprPtr> comparison(const Tree& tree, bool negated);
  Result<store::ExprPtr> membership(const Tree& tree, bool negated);
  Result<Typed> arithmetic(const Tree& tree);
  Result<Typed> function(const Tree& tree);
  bool two_valued() const { return is_datasync(setting_.dialect); }

  const Setting setting_;
  bool unknown_column_ = false;
};

}  // namespace mandate::tables::odata
