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

/// By the signs of a request, in the order of 0.3; `table` (may be null) decides for callers that give none, and for versions that
/// nobody knows (tenant/service_rules.h).
Dialect detect(const http::Request& request, const QueryParameters& query, const tenant::Table* table);

/// POST may stand for another verb (mobile-backend-wire 0.4 #16); every check is made for the verb that is meant (DA-10).
http::Method effective_method(const http::Request& request);

/// "v1" … "v4"; nullopt for anything else.
std::optional<Dialect> dialect_of(std::string_view word);

}  // namespace mandate::tables::wire
