// A condition or computed value over one row: the tree every engine compiles to its own SQL with bound parameters.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "store/value.h"

namespace mandate::store {

enum class Op {
  literal,  ///< value
  column,   ///< text = column name, checked against the catalogue before it gets here
  and_, or_, not_,
  eq, ne, lt, le, gt, ge,  ///< eq/ne with a null literal mean IS [NOT] NULL, on either side
  add, sub, mul, div, mod, negate,
  in,       ///< args[0] in args[1…]
  among,    ///< args[0] is among the values of args[1], a column, in the rows of the app's table `text` for which args[2] holds
  call,     ///< function(args…)
};

/// OData functions of mobile-backend-wire 3.3, with its meanings (zero-based, case-insensitive search, half away from zero),
/// and below them the pieces that the casts and functions of OData 4 are made of. Null in, null out.
enum class Function {
  none,
  substringof, startswith, endswith, concat, indexof, replace, substring, length, tolower, toupper, trim,
  year, month, day, hour, minute, second, floor, ceiling, round,
  number_text,  ///< a number as text, 3 for 3.0
  truth_text,   ///< a boolean as "true" or "false"
  moment_text,  ///< a date as yyyy-MM-ddTHH:mm:ss.fffZ; null outside the years 1 to 9999
  text_number,  ///< a text that writes out a number; null when it does not
  text_moment,  ///< a text in ISO 8601 as a date; null when it is none
  whole,        ///< a number without its fraction, as an integer; null when it is too large for one
  day_start,    ///< the date's midnight in UTC
  time_of_day,  ///< milliseconds since the date's midnight in UTC
  fraction,     ///< the fraction of the date's second, 0 to 0.999
  distance,     ///< kilometres between two points, each a text of GeoJSON (store/geo.h); null when one is none
};

/// What a tree node yields; the engine needs it for text collation and for division.
enum class Type { unknown, boolean, integer, real, text, date, json };

struct Expr;
using ExprPtr = std::shared_ptr<const Expr>;

/// Immutable; share freely between threads.
struct Expr {
  Op op = Op::literal;
  Type type = Type::unknown;
  Value value;                         ///< for literal; a date literal is Millis with type date
  std::string text;                    ///< for column and among; elsewhere a mark of whoever made the tree, no engine looks at it
  Function function = Function::none;  ///< for call
  std::vector<ExprPtr> args;
  /// Text comparison: true = case-insensitive dictionary order (what apps see), false = byte order (ids, keys, tokens).
  bool dictionary = false;
};

ExprPtr literal(Value value, Type type = Type::unknown);
ExprPtr column(std::string name, Type type = Type::unknown);
/// Whether `value` is among the `key`s of the rows of `table` for which `condition` holds. Columns below it carry their types.
ExprPtr among(ExprPtr value, std::string table, ExprPtr key, ExprPtr condition);
/// The tables that `expr` looks into by among; null has none.
void tables_of(const ExprPtr& expr, std::vector<std::string>& out);
ExprPtr make(Op op, std::vector<ExprPtr> args, Type type = Type::boolean);
ExprPtr call(Function function, std::vector<ExprPtr> args, Type type);
/// column = value, byte order: the shape of nearly every internal look-up.
ExprPtr equals(std::string column_name, Value value);
/// a AND b; either may be null (= true).
ExprPtr both(ExprPtr a, ExprPtr b);

}  // namespace mandate::store
