// Plans and mutations as SQL with bound parameters. Their shape (everything but the bound values) is cheap to read off
// and names the prepared statement; the SQL text is made only when a shape is met for the first time.
#pragma once

#include <string>
#include <vector>

#include "store/store.h"

namespace mandate::store::sqlite {

/// A value for a parameter; points into the plan or mutation it was read from.
struct Bound {
  const Value* value = nullptr;  ///< null: `number` is meant
  std::int64_t number = 0;
};

/// Reused from call to call, so that a hot path allocates nothing.
struct Shape {
  std::string key;
  std::vector<Bound> bound;
  void clear() { key.clear(), bound.clear(); }
};

/// SQLite's name for a row's own number; a column of this name hides it.
constexpr const char* kRowNumber = "_rowid_";

enum class Wanted { rows, first, count };

void read_shape(const Plan& plan, Wanted wanted, Shape& out);
/// Without `returning` the mutation is taken as one that gives no rows back.
void read_shape(const Mutation& mutation, Shape& out, bool returning = true);

/// Parameters are ?1, ?2 … in the order of Shape::bound.
std::string sql_of(const Plan& plan, Wanted wanted);
std::string sql_of(const Mutation& mutation, bool returning = true);
/// What `mutation` returns, of the row with the number ?1.
std::string sql_of_row(const Mutation& mutation);

/// At most how many levels the SQL of an expression has.
std::size_t depth_of(const Expr& expression);

/// The cells as written: the owner's column always carries the owner's value, whatever the caller put there (DA-3).
std::vector<const Cell*> cells_of(const Mutation& mutation);

}  // namespace mandate::store::sqlite
