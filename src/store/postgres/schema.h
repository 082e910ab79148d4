// Changes of an app's tables: made on a connection of their own, by a thread that may wait.
#pragma once

#include "store/postgres/core.h"

namespace mandate::store::postgres {

Result<void> ensure_table(Core& core, const std::string& tenant, const std::string& table, const std::vector<ColumnSpec>& columns);
/// A table that lacks nothing is not touched, nor are the locks of others waited for. Takes as long as its rows ask for.
Result<void> ensure_indexes(Core& core, const std::string& tenant, const std::string& table, const std::vector<IndexSpec>& indexes);
Result<void> drop_table(Core& core, const std::string& tenant, const std::string& table);

/// Reads every row of every table of a tenant; the text names what is damaged (RL-21).
Result<std::string> check(Core& core, const std::string& tenant);

}  // namespace mandate::store::postgres
