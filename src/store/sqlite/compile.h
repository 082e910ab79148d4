// Plans and mutations as SQL with bound parameters.
#pragma once

#include <string>
#include <vector>

#include "store/shape.h"

namespace mandate::store::sqlite {

/// SQLite's name for a row's own number; a column of this name hides it.
constexpr const char* kRowNumber = "_rowid_";

/// Parameters are ?1, ?2 … in the order of Shape::bound.
std::string sql_of(const Plan& plan, Wanted wanted);
std::string sql_of(const Mutation& mutation, bool returning = true);
/// What `mutation` returns, of the row with the number ?1.
std::string sql_of_row(const Mutation& mutation);

/// At most how many levels the SQL of an expression has.
std::size_t depth_of(const Expr& expression);

}  // namespace mandate::store::sqlite
