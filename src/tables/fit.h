// An item from outside is fitted to the table's columns: names checked, values converted (mobile-backend-wire 1.4).
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "tables/schema.h"

namespace mandate::tables {

struct Fitted {
  std::vector<store::Cell> cells;           ///< own columns only
  std::vector<std::string> sent;            ///< the client's spelling of each cell, in the same order
  std::vector<store::ColumnSpec> missing;   ///< columns the table lacks, with the type the value suggests
  const Json* id = nullptr;                 ///< the item's "id" member; lives as long as the item
  std::optional<std::string> version;       ///< V2: "version" of the body, the version the client expects
  std::optional<bool> deleted;              ///< V3, V4: "deleted" of the body
};

/// bad_request: a name that no column may have, the same name in two spellings, a system property (V1: anything that
/// starts with "__" on string-id tables; V2: createdAt, updatedAt, deleted; V3 and V4 pass them over), objects and arrays outside JSON columns,
/// a value its column cannot hold. Nulls for columns that are not there are left out.
Result<Fitted> fit(const Schema& schema, Dialect dialect, const JsonObject& item);

/// Only what fit() says of system properties: for an item that a script sees before it is fitted.
Result<void> check_system_names(bool integer_id, Dialect dialect, const JsonObject& item);

/// bad_request: text of an indexed column that is longer than V1 holds there (mobile-backend-wire 1.4).
Result<void> check_indexed(const Declared& column, std::string_view sent, const store::Value& cell);

/// A JSON value as a column of that type holds it; bad_request "Bad request" with a detail when it cannot.
Result<store::Value> convert(const Json& value, store::Type type);

/// Milliseconds of YYYY-MM-DDTHH:MM:SS(.fff…)Z or of /Date(ms+hhmm)/; nullopt for other text.
std::optional<Millis> date_of(std::string_view text, Dialect dialect);

}  // namespace mandate::tables
