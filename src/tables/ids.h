// What an id may be (mobile-backend-wire 1.3).
#pragma once

#include "base/json.h"
#include "tables/schema.h"

namespace mandate::tables {

/// 1-255 characters; no control characters, none of " + ? \ / `, not "." or "..".
bool valid_id(std::string_view id);

/// What V3 and V4 take for a new row: a letter or digit, then up to 126 of letters, digits, "_ . - :" and the bar.
bool valid_datasync_id(std::string_view id);

/// The id of a URL as the column holds it. bad_request with the texts of mobile-backend-wire 2.11.
Result<store::Value> id_of_url(const Schema& schema, std::string_view id);

/// The id a client chose in an insert; nullopt when the server is to choose (absent, null, empty, 0 for integers).
Result<std::optional<std::string>> chosen_id(const Schema& schema, Dialect dialect, const Json* member);

/// "An item with id 'X' does not exist."
Error no_such_item(std::string_view id);

}  // namespace mandate::tables
