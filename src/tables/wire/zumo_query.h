// The query options of V1 and V2 (mobile-backend-wire 1.2) become a Query.
#pragma once

#include "tables/wire/family.h"

namespace mandate::tables::wire {

struct ZumoQuery {
  odata::Query query;
  SystemProperties system;
  bool include_deleted = false;
  bool no_script = false;
  std::int64_t page = 50;            ///< rows without $top
  std::string after;                 ///< V2: $skiptoken as it came
  QueryParameters own;   ///< parameters that belong to the app
};

/// For a read, and for a V2 delete by filter, the `$` options are read; for other writes they are passed over.
/// V1 refuses reserved names it does not know, V2 passes over them. bad_request; in V1 a bad query begins
/// "Invalid query specified. Error: ".
Result<ZumoQuery> read_query(const QueryParameters& parameters, Dialect dialect, const tenant::Table& table, bool options_count, bool one_row);

/// Parameters of the request; bad_request for text that is not UTF-8.
Result<QueryParameters> query_parameters(std::string_view query);

/// The same request one page on: full external URL, `$skip` advanced, `$top` the page (1.7). `token` (may be empty) says
/// behind which row, so that rows which others add or move meanwhile make no gap (docs/adr/0013).
std::string next_link(std::string table_url, const QueryParameters& parameters, std::int64_t skip, std::int64_t page, std::string_view token);

/// Rows that a client may have passed over by counting.
inline constexpr std::int64_t kMostSkip = 1'000'000;

}  // namespace mandate::tables::wire
