// Tables and rows as both ends of a move read them.
#pragma once

#include "store/move.h"
#include "store/postgres/core.h"

namespace mandate::store::postgres {

/// The column by which a target knows the rows of its source again, until the move is over.
inline constexpr const char* kRowColumn = "mandate_row";

/// The rooms' tables, which all tenants share, by name.
Result<std::vector<std::string>> shared_tables(PGconn* connection, const std::string& schema);

/// Where a tenant's table lies, and what tells its rows from other tenants': " AND …" or nothing.
struct Whereabouts {
  std::string table, condition;
};
Whereabouts whereabouts(const Core& core, const std::string& tenant, const MovedTable& table);

/// A room's table as it moves, without a key.
MovedTable room_table(const Table& known);
/// Apps' tables of every tenant as `connection` sees them, without keys.
Result<std::map<std::string, std::vector<MovedTable>>> app_tables(PGconn* connection);

/// Types of the columns that name a row.
std::vector<Kind> key_kinds(const MovedTable& table);
/// Those rows of a table that have one of `names`.
Result<void> rows_by_name(PGconn* connection, const MovedTable& table, const Whereabouts& where, const RowNames& names,
                          const EachMoved& each);

/// Rows that `rest` ("AND …") leaves, through a cursor, within a transaction. `number`: an expression.
Result<void> moved_rows(PGconn* connection, const MovedTable& table, const std::string& from, const std::string& number,
                        const std::string& rest, const EachMoved& each);

}  // namespace mandate::store::postgres
