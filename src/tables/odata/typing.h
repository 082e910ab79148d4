// Gives every node of a query its type, and refuses what does not go together.
#pragma once

#include "tables/odata/query.h"
#include "tables/schema.h"

namespace mandate::tables::odata {

/// A typed node. `role` is set for a bare column, because ids and versions compare in their own way.
struct Typed {
  store::ExprPtr expr;
  store::Type type = store::Type::unknown;
  Role role = Role::own;
  bool is_literal() const { return expr->op == store::Op::literal; }
  bool is_null() const { return is_literal() && store::is_null(expr->value); }
};

class Typing {
 public:
  Typing(const Schema& schema, Dialect dialect, bool dynamic_schema)
      : schema_(schema), dialect_(dialect), dynamic_schema_(dynamic_schema) {}

  /// Any value: for orderings.
  Result<Typed> value(const Tree& tree);
  /// A condition: a bare boolean becomes `= true`.
  Result<store::ExprPtr> condition(const Tree& tree);
  /// True when a column was not there and the table is allowed to lack it.
  bool unknown_column() const { return unknown_column_; }

 private:
  Result<Typed> column(const Tree& tree);
  Result<Typed> comparison(const Tree& tree);
  Result<Typed> arithmetic(const Tree& tree);
  Result<Typed> function(const Tree& tree);
  Result<Typed> version_comparison(store::Op op, const Typed& version, const Typed& other, bool swapped);

  const Schema& schema_;
  Dialect dialect_;
  bool dynamic_schema_, unknown_column_ = false;
};

}  // namespace mandate::tables::odata
