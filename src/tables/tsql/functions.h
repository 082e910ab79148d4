// The functions that a script's SQL may call.
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "tables/tsql/value.h"

namespace mandate::tables::tsql {

/// What functions know besides their arguments. One moment is now for a whole statement, as in T-SQL.
struct Surroundings {
  Millis now = 0;
  Random* random = nullptr;
  Value identity;           ///< the last whole-number id given; null: none
  std::int64_t rows = 0;    ///< touched or read by the statement before
};

struct Call {
  std::vector<Value>& args;
  int part;  ///< DatePart, of functions that take one
  const Surroundings& around;
};

struct Function {
  std::string_view name;  ///< in upper case
  std::size_t least, most;
  Type type;              ///< of what it gives; null: that of its arguments
  bool takes_part;        ///< the first argument is a part of a date
  bool takes_null;        ///< else a null among its arguments is its value
  bool changes;           ///< gives another value each time
  Result<Value> (*run)(Call call);
};

/// In any letter case; null for what is none. Texts they make end at a megabyte (bad_request).
const Function* function_named(std::string_view name);
/// @@IDENTITY and its cousins, by what follows the signs.
const Function* global_named(std::string_view name);

/// CAST and CONVERT; `style` is CONVERT's third argument.
struct Cast;
Result<Value> cast_to(const Cast& cast, Value value, std::optional<int> style);

/// Text against a pattern of LIKE: % _ [a-z] [^a-z], without letter case. `escape`: 0 = none. `step` is asked now and then
/// and ends the search when it says so.
Result<bool> like(std::string_view text, std::string_view pattern, char32_t escape, const std::function<bool()>& enough);

/// a op b for + - * / %, with T-SQL's meanings of texts, dates and whole numbers.
Result<Value> arithmetic(char op, const Value& a, const Value& b);

}  // namespace mandate::tables::tsql
