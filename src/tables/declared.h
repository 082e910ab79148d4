// Columns as the configuration declares them: what they take, what they must have, what they have when nobody says.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "tables/operations.h"
#include "tables/schema.h"
#include "tenant/tenant.h"

namespace mandate::tables {

/// string number integer boolean datetime date time duration guid binary enum point json; nullopt for anything else.
std::optional<odata::Edm> edm_of_word(std::string_view word);
/// What holds a column of that type; nullopt for a word that is none.
std::optional<store::Type> declared_type(std::string_view word);

/// A column of the configuration, ready for use. invalid_request when its default is no value of it; the hint says why.
Result<Declared> declare(const tenant::TableColumn& column);

/// A JSON value as the column holds it. bad_request with a hint that names `member`: no value of its type, too long, null where
/// one is required. `sent` is the client's spelling of the column.
Result<store::Value> value_of(const Declared& column, std::string_view sent, const Json& value);

/// What a whole row must have beyond what was sent: defaults, and bad_request naming a required member that is missing. The
/// column `owner` is somebody else's business.
Result<void> complete(const Schema& schema, std::string_view owner, std::vector<store::Cell>& cells);

}  // namespace mandate::tables
