// Changes of an app's tables: made on a connection of their own, by a thread that may wait.
#pragma once

#include "store/postgres/core.h"

namespace mandate::store::postgres {

Result<void> ensure_table(Core& core, const std::string& tenant, const std::string& table, const std::vector<ColumnSpec>& columns);
Result<void> drop_table(Core& core, const std::string& tenant, const std::string& table);

/// How the catalogue of columns spells a type.
const char* name_of(Type type);

/// The read behind describe(), and one of its rows.
Plan description_of(const std::string& table);
ColumnSpec column_of(const RowView& row);

/// Reads every row of every table of a tenant; the text names what is damaged (RL-21).
Result<std::string> check(Core& core, const std::string& tenant);

}  // namespace mandate::store::postgres
