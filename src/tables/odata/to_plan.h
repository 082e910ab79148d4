// The tree meets the table: columns are found and typed, and a store::Plan comes out. Values never become text of a statement.
#pragma once

#include "store/store.h"
#include "tables/odata/query.h"
#include "tables/odata/typing.h"
#include "tables/schema.h"

namespace mandate::tables::odata {

struct Planned {
  store::Plan plan;      ///< table, where, order, limit, offset, count; the caller adds select, owner, deadline
  bool empty = false;    ///< the query names a column that a table with dynamic schema does not have: no rows
};

/// bad_request: a relation that is none; an unknown column of a table without dynamic schema, or types that do not go together ("Bad request", with
/// the detail for the log). Text is compared and ordered in dictionary order, ids byte by byte. The last key of the order
/// is the id, so that pages are stable. `default_top` holds when the query has no top. What V3 and V4 do not know is always an
/// error: for them `dynamic_schema` says nothing.
Result<Planned> to_plan(const Query& query, const Setting& setting, std::optional<std::int64_t> default_top);
/// Without a clock: now() is refused.
Result<Planned> to_plan(const Query& query, const Schema& schema, Dialect dialect, bool dynamic_schema,
                        std::optional<std::int64_t> default_top);

/// Only the condition, as a store condition; null for every row.
Result<store::ExprPtr> to_condition(const Tree& filter, const Setting& setting, bool& empty);
Result<store::ExprPtr> to_condition(const Tree& filter, const Schema& schema, Dialect dialect, bool dynamic_schema, bool& empty);

}  // namespace mandate::tables::odata
