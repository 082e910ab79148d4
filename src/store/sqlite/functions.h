// Functions and the collation that plain SQL lacks (mobile-backend-wire 3.3), registered on every connection.
#pragma once

#include "base/result.h"

struct sqlite3;

namespace mandate::store::sqlite {

/// The collation's name: case-insensitive, accent-sensitive dictionary order.
inline constexpr const char* kDictionary = "MANDATE_DICT";

/// Registers MANDATE_DICT and the mandate_* functions. All are deterministic and give NULL for NULL.
Result<void> add_functions(sqlite3* db);

}  // namespace mandate::store::sqlite
