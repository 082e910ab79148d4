// Changes of an app's tables: made on a connection of their own, by a thread that may wait.
#pragma once

#include "store/postgres/core.h"

namespace mandate::store::postgres {

Result<void> ensure_table(Core& core, const std::string& tenant, const std::string& table, const std::vector<ColumnSpec>& columns);
/// A table that lacks nothing is not touched, nor are the locks of others waited for. Unique ones take as long as the rows ask for,
/// while nobody writes. The others of a table with many rows are given back: for make_indexes_behind().
Result<std::vector<IndexSpec>> ensure_indexes(Core& core, const std::string& tenant, const std::string& table, const std::vector<IndexSpec>& indexes);
/// An ordinary one, while others read and write. timeout when somebody else is making one of that table. `wake`: a descriptor
/// that ends the wait when it is readable; what the server has begun it ends. One that cannot be made is not left there half made.
Result<void> make_index_behind(Core& core, const std::string& tenant, const std::string& table, const IndexSpec& spec, int wake);
Result<void> drop_table(Core& core, const std::string& tenant, const std::string& table);

/// Reads every row of every table of a tenant; the text names what is damaged (RL-21).
Result<std::string> check(Core& core, const std::string& tenant);

}  // namespace mandate::store::postgres
