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

/// Among the acts of a table: an app had it, and the folder that runs now does not name it.
inline constexpr std::string_view kWithheld = "withheld";

/// … and: the first rows that the app gives it are not all written yet.
inline constexpr std::string_view kUnsown = "unsown";

/// Whether requests reach the table. An app serves the tables that it names; others of its service are there for its code and
/// for the master key, as a table whose file was taken out of the folder is. So it is with the tables of an app that is no more:
/// what kept their rows apart may have been its code.
inline bool is_served(const tenant::Service& service, const tenant::Table& table) {
  const auto acts = service.code.app_acts.find(ascii_lower(table.name));
  return acts == service.code.app_acts.end() ? service.code.app.empty() : !acts->second.contains(kWithheld);
}

/// Whether JavaScript has a say in what is read of the table, or nothing of it is read: then its rows are shown in no answer but
/// that of a read. Which hooks a file has is known there only, so any file counts.
inline bool is_read_through_code(const tenant::Service& service, const tenant::Table& table) {
  if (is_of_app(service, table, Operation::read) || !is_served(service, table)) return true;
  for (const std::string_view each : {name(Operation::read), tenant::kHooks})
    if (const auto found = table.scripts.find(each); found != table.scripts.end() && !found->second.source.empty()) return true;
  return false;
}

}  // namespace mandate::tables
