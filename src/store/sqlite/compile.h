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

enum class Wanted { rows, first, count };

void read_shape(const Plan& plan, Wanted wanted, Shape& out);
void read_shape(const Mutation& mutation, Shape& out);

/// Parameters are ?1, ?2 … in the order of Shape::bound.
std::string sql_of(const Plan& plan, Wanted wanted);
std::string sql_of(const Mutation& mutation);

/// The cells as written: the owner's column always carries the owner's value, whatever the caller put there (DA-3).
std::vector<const Cell*> cells_of(const Mutation& mutation);

}  // namespace mandate::store::sqlite
