// Apps' tables: made, widened, described. Their column types live in mandate_columns, since SQLite's own are vaguer.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "store/sqlite/handle.h"
#include "store/store.h"

namespace mandate::store::sqlite {

/// The engine's own tables. Idempotent.
Result<void> make_own_tables(sqlite3* db);

/// Within the writer's transaction. Columns are found without case; what is there stays as it is.
Result<void> ensure_table(sqlite3* db, const std::string& table, const std::vector<ColumnSpec>& columns);
Result<void> ensure_indexes(sqlite3* db, const std::string& table, const std::vector<IndexSpec>& indexes);
Result<void> drop_table(sqlite3* db, const std::string& table);

/// Every column of every app's table, table by table in their order.
struct CataloguedColumn {
  std::string table;
  ColumnSpec spec;
};
Result<std::vector<CataloguedColumn>> catalogued_columns(sqlite3* db);

}  // namespace mandate::store::sqlite
