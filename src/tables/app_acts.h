// What a service's app of the second generation has to do with its tables (mobile-backend-wire 5.10). Pure.
#pragma once

#include "base/url.h"
#include "tables/operations.h"
#include "tenant/tenant.h"

namespace mandate::tables {

/// Whether the app's own functions stand around the operation.
inline bool is_of_app(const tenant::Service& service, const tenant::Table& table, Operation operation) {
  if (service.code.app.empty()) return false;
  const auto acts = service.code.app_acts.find(ascii_lower(table.name));
  return acts != service.code.app_acts.end() && acts->second.contains(name(operation));
}

/// Whether requests reach the table. An app serves the tables that it names; others of its service are there for its code and
/// for the master key, as a table whose file was taken out of the folder is.
inline bool is_served(const tenant::Service& service, const tenant::Table& table) {
  return service.code.app.empty() || service.code.app_acts.contains(ascii_lower(table.name));
}

}  // namespace mandate::tables
