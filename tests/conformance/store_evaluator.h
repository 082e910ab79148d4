// What an expression means for one row, in plain C++: the judge of every engine's SQL.
#pragma once

#include <map>

#include "store/expr.h"

namespace mandate::store {

using PlainRow = std::map<std::string, Value>;

/// Null for unknown (three-valued logic); booleans are bool.
Value evaluate(const Expr& expr, const PlainRow& row);
/// Whether a WHERE keeps the row.
bool keeps(const Expr& expr, const PlainRow& row);

}  // namespace mandate::store
