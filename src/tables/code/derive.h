// What a service's folder says: which tables with which scripts and permissions, which custom APIs, which jobs
// (mobile-backend-wire 4.7, 5.1). Pure.
#pragma once

#include <optional>
#include <vector>

#include "tables/code/folder.h"
#include "tenant/desired.h"

namespace mandate::tables::code {

struct DerivedTable {
  std::string name;                                    ///< as its files spell it
  std::optional<tenant::TablePermissions> permissions; ///< nullopt: the folder says nothing of them
  std::optional<bool> integer_id, soft_delete;         ///< of datamodel.json, for a table that is not there yet
  std::map<std::string, std::string> scripts;          ///< operation, or tenant::kHooks → path
  bool of_app = false;                                 ///< an app says it, with these members of the tenant's file
  JsonObject settings;
  std::map<std::string, std::string> levels;           ///< … and of its operations these; what it does not say stays
  JsonArray seed;                                      ///< rows of a table that is not there yet
};

struct Derived {
  std::map<std::string, DerivedTable> tables;  ///< by lower-case name
  tenant::Service service;                     ///< its apis, jobs and code.push_permission
  std::vector<std::string> scripts;            ///< paths of the service's own scripts, for a check of their syntax
  std::vector<std::string> notices;            ///< what was not taken over, for the one who deploys
};

/// invalid_request; the hint has one line for each thing wrong, with its file. Of a folder whose app has to be run to say what it
/// has (Derived::service.code.app), add_app() brings the rest.
Result<Derived> derive(const Files& files);

/// Tables whose first rows are to be written: those that are not there yet, and those of which a deployment that ended on its way
/// left them. By lower-case name.
std::set<std::string> unsown(const Derived& derived, const tenant::Objects& current, const std::string& service);

/// What the tenant should be with this folder as the service's version `version`: its scripts are those of the folder and no
/// others; tables it names are made or given its permissions, others are left alone. Those that an app had and the folder does
/// not name are withheld (tables/app_acts.h): what kept their rows apart may have been its code.
tenant::Desired desire(const Derived& derived, const Files& files, const tenant::Objects& current, const std::string& tenant,
                       const std::string& service, std::int64_t version, const std::string& hash);

}  // namespace mandate::tables::code
