// What every engine writes down of an app's table, in its table mandate_columns.
#pragma once

#include "store/store.h"

namespace mandate::store {

/// How a type is spelt there.
std::string_view name_of(Type type);
/// text for a word that is none.
Type type_named(std::string_view word);

/// invalid_request for a table or column that cannot be called so: empty, longer than 256 bytes, control characters, or
/// the beginning of an engine's own names.
Result<void> check_name(const std::string& name);

/// Among the specs of Store::ensure_indexes: what the others do not name stays. A spec without columns.
inline IndexSpec others_stay() { return {}; }
/// Whether one of them says so.
bool others_stay(const std::vector<IndexSpec>& specs);
/// Whether what failed so may do the next time: somebody was in the way, the server was busy. Anything else fails again.
bool passes(const Error& error);

/// What every index of an IndexSpec is called in front.
inline constexpr std::string_view kIndexPrefix = "mandate_x_";
/// The engine's name for an index of that table: the same for the same columns, kind and order.
std::string index_name(const std::string& table, const IndexSpec& spec);
/// The refusal of a unique index over rows that are not: its hint names the columns.
Error not_unique(const IndexSpec& spec, const Error& cause);

/// The columns of a table in their order; what Store::describe gives.
Task<std::vector<ColumnSpec>> columns_written_down(Store& store, std::string table, Deadline deadline = kNoDeadline);

}  // namespace mandate::store
