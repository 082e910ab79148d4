// Which members of items and rows are moments: scripts get those as Date, as the runtime of the first generation gave them
// (mobile-backend-wire 5.2). The types of the columns say it, not the look of a text.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "tables/operations.h"

namespace mandate::tables {

/// What Tables::columns() gives.
using ColumnTypes = std::vector<std::pair<std::string, store::Type>>;

/// Whether any member of an item from outside could be a moment: without one its table need not be asked for types.
bool may_have_dates(const JsonObject& item);

/// {member: milliseconds} of an item from outside: members of date columns, and those that would make one. Never the id.
JsonObject dates_of_item(const JsonObject& item, const ColumnTypes& columns, Dialect dialect);

/// The members of a row of storage that are moments, in the row's own spelling.
JsonArray dates_of_row(const JsonObject& row, const ColumnTypes& columns, Dialect dialect);
/// The same for rows of a list; `selected`: the columns it asked for, in the spelling that the rows have.
JsonArray dates_of_rows(const ColumnTypes& columns, const std::vector<std::string>& selected, Dialect dialect);

/// Only the columns that the configuration names: what apps of the second generation had as dates.
ColumnTypes declared_of(ColumnTypes columns, const tenant::Table& table);

}  // namespace mandate::tables
