// What a foreign file writes in its cells, as columns hold it. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tables/importing/import.h"
#include "tables/schema.h"

namespace mandate::tables::importing {

/// What a name of the file means: system columns in the spelling of any dialect (`__version` and `Version`), unless the table has
/// an own column of that name. `bare`: only names with "__" are ours (in V1 createdAt, version and deleted are columns as any other).
Role role_of_name(const Schema& schema, bool bare, std::string_view name);

/// A moment as SQL Server, PostgreSQL, SQLite and ISO 8601 write it: a blank or T between date and time, up to nine digits of a
/// second, a blank before the offset, an offset without minutes, none for UTC; also /Date(ms)/.
std::optional<Millis> moment_of(std::string_view text);

/// The version as clients were shown it: 8 bytes (SQL Server's rowversion) or 16 (a guid) in hexadecimal become base64, other text
/// stays. nullopt when it is longer than any.
std::optional<std::string> version_of(const Json& value);

/// The cell in the form that the column's own conversion reads: 0, 1, t and f for truths, dates of dumps, 0x… and \x… for bytes,
/// {…} around a guid. `texts`: JSON and points are parsed out of their text. What fits nothing comes back as it is; text that begins as
/// an object or a list and is none is the caller's to refuse.
Json readable(const Json& value, store::Type type, const Declared* declared, bool texts);

/// The columns that `import` needs beside those of the schema, with the declared type or the one that the first value suggests.
/// invalid_request: a name that no column may have, an unknown type, a value that no column holds.
Result<std::vector<store::ColumnSpec>> columns_wanted(const Schema& schema, bool bare, const Import& import);

/// A row ready to be written.
struct Ready {
  std::int64_t line = 0;
  store::Value id;                   ///< null: the row has none
  std::vector<store::Cell> cells;    ///< own columns
  std::optional<Millis> created, updated;
  std::optional<std::string> version;
  std::optional<bool> deleted;
};

/// bad_request with a sentence for people: a value that its column cannot hold, an id that is none, a name given twice, a time
/// that is to come, a deleted row for a table that keeps none. Members whose column is not there are left out: they are null.
Result<Ready> ready(const Schema& schema, bool bare, const Row& row, bool texts, Millis now);

}  // namespace mandate::tables::importing
