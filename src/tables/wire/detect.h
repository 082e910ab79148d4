// Which dialect a request speaks (mobile-backend-wire 0.3).
#pragma once

#include <optional>
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

/// By the signs of a request, in the order of 0.3; `table` (may be null) decides for callers that give none. bad_request with
/// a readable text for a version nobody knows, unless `any_version`.
Result<Dialect> detect(const http::Request& request, const QueryParameters& query, const tenant::Table* table, bool any_version = false);

/// "v1" … "v4"; nullopt for anything else.
std::optional<Dialect> dialect_of(std::string_view word);

}  // namespace mandate::tables::wire
