// The query options of V3 and V4 (mobile-backend-wire 1.8, 1.9) become a Query, and the link to the next page.
#pragma once

#include "tables/wire/family.h"

namespace mandate::tables::wire {

struct DatasyncQuery {
  odata::Query query;
  bool include_deleted = false, no_script = false;
  std::int64_t page = 100;
  std::string after;                ///< $skiptoken as it came
  QueryParameters own;              ///< parameters that belong to the app
};

/// For a read the `$` options are read, those of a list only where it is one; for writes they are passed over. Names match
/// without case. bad_request: an option nobody knows, a value out of range.
Result<DatasyncQuery> read_datasync_query(const QueryParameters& parameters, Dialect dialect, const tenant::Table& table, bool read, bool one_row);

/// __includedeleted=true, both in any letter case.
bool includes_deleted(const QueryParameters& parameters);

/// The query of the next page: the client's own parameters as it wrote them, then `$skip`, the rest of `$top`, and `token`
/// where it is not empty.
std::string next_query(std::string_view query, std::int64_t skip, std::optional<std::int64_t> top, std::string_view token);

}  // namespace mandate::tables::wire
