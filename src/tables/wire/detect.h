// Which dialect a request speaks (mobile-backend-wire 0.3).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/request.h"
#include "tables/operations.h"

namespace mandate::tables::wire {

/// Query parameters, decoded, in the client's order.
using QueryParameters = std::vector<std::pair<std::string, std::string>>;

/// The version of header or query, in any letter case of the name; the query wins. Empty when there is none.
std::string api_version(const http::Request& request, const QueryParameters& query);

/// V1 or V2; `table` (may be null) decides for callers that give no sign. bad_request with a readable text for a version
/// nobody knows, and for Datasync clients (3.0.x).
Result<Dialect> detect(const http::Request& request, const QueryParameters& query, const tenant::Table* table);

}  // namespace mandate::tables::wire
