// What the store can leave out before a statement runs over its rows. The statement's own conditions are asked again of
// what is left, so this only has to keep enough.
#pragma once

#include "store/store.h"
#include "tables/tsql/resolve.h"
#include "tables/tsql/functions.h"

namespace mandate::tables::tsql {

struct Reading {
  store::Plan plan;
  std::vector<std::size_t> slots;  ///< for each column of the plan, which of the table's it is
  bool exact = false;              ///< the plan's condition is all of WHERE
};

/// Rows come in the order of their ids, on every engine.
Reading reading_of(const Load& load, const std::vector<Value>& values, const Surroundings& around);

/// Lets the store sort and stop where a query of one table wants but its first rows. Nothing may have been written to the
/// table meanwhile that the store does not know.
void narrow(Reading& reading, const Query& query, const Load& load, const std::vector<Value>& values, const Surroundings& around);

/// Whether the query only counts the rows of the reading.
bool only_counts(const Query& query, const Reading& reading);

}  // namespace mandate::tables::tsql
