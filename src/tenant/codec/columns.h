// What a table's configuration says of its columns, indexes, relations and rules.
#pragma once

#include "tenant/codec/codec.h"

namespace mandate::tenant {

/// `per_user: true` (the column is userId) and `user_id_column`, which names another.
void read_owner(ObjectReader& in, Table& table);
/// `columns`, `unique`, `indexes`, `rules`. What a table says of itself is checked here; whether relations and rules fit the
/// other tables is found by who knows the whole service. After read_owner().
void read_columns(ObjectReader& in, Table& table);
void write_columns(JsonObject& out, const Table& table);

}  // namespace mandate::tenant
