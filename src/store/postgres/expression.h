// Conditions and computed values, typed: PostgreSQL compares like with like only, so what the other engine converts while
// it runs is converted in the text.
#pragma once

#include "store/postgres/binder.h"

namespace mandate::store::postgres {

struct Piece {
  std::string sql;
  Kind kind = Kind::none;  ///< none: the null literal
};

/// invalid_request for a column that the table lacks.
Result<Piece> expression_of(const Expr& e, const Table& table, Binder& binder);
/// As something WHERE takes.
Result<std::string> condition_of(const Expr& e, const Table& table, Binder& binder);
/// " COLLATE …": dictionary order, or bytes.
std::string_view collation(bool dictionary);

}  // namespace mandate::store::postgres
