// Swagger 2.0 (OpenAPI 2.0) of a service's tables, as the V2 clients know them.
#pragma once

#include "http/request.h"
#include "tables/operations.h"

namespace mandate::tables::wire {

struct Described {
  const tenant::Table* table = nullptr;
  std::vector<std::pair<std::string, store::Type>> columns;  ///< as an answer shows them
};

/// The document. Operations that only administrators may do are left out: it is read by everybody.
JsonObject swagger_of(const tenant::Service& service, const http::Request& request, const std::vector<Described>& tables);

}  // namespace mandate::tables::wire
