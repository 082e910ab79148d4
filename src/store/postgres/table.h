// What the engine knows of a table: where it lies, its columns and their types.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "store/postgres/cells.h"

namespace mandate::store::postgres {

/// The column in front of every key of the rooms' tables.
inline constexpr std::string_view kTenantColumn = "mandate_tenant";

struct Column {
  std::string name;      ///< as the rooms and apps spell it
  std::string sql;       ///< quoted; another name when the spelling is longer than PostgreSQL takes
  Kind kind = Kind::text;
  bool not_null = false;
};

/// Immutable.
struct Table {
  std::uint64_t id = 0;       ///< of this description, for caches
  std::string name;
  std::string sql;            ///< quoted, with its schema
  bool shared = false;        ///< a room's: rows of all tenants, told apart by kTenantColumn
  std::vector<Column> columns;

  /// By name without case, as SQLite finds them. Null when there is none.
  const Column* find(std::string_view column) const;
};
using TablePtr = std::shared_ptr<const Table>;

/// "name" with its quotes doubled; a name of more than 63 bytes is cut and told apart by a hash of the whole.
std::string identifier(std::string_view name);
/// 'text' as SQL has it.
std::string literal_sql(std::string_view text);

}  // namespace mandate::store::postgres
