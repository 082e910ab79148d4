// The JSON files beside a service's scripts: T.json, A.json, J.json, push.json, datamodel.json (mobile-backend-wire 4.7).
#pragma once

#include "tables/code/derive.h"
#include "tenant/codec/reader.h"

namespace mandate::tables::code {

/// route → verb or operation in lower case, or "*" → level. Problems are named by `path`.
std::map<std::string, tenant::CustomApi::Verbs, std::less<>> read_routes(const Json& file, const std::string& path, tenant::Problems& problems);

/// The levels of the four operations: those of "/", or where it is not named of "*"; what is not said is as in `model`, or
/// admin.
tenant::TablePermissions table_permissions(const std::map<std::string, tenant::CustomApi::Verbs, std::less<>>& routes,
                                           const std::optional<tenant::TablePermissions>& model);

/// Tables of datamodel.json into `out`: name, permissions in any of the spellings that tools wrote, kind of id.
void read_data_model(const Json& file, const std::string& path, tenant::Problems& problems, std::map<std::string, DerivedTable>& out);

/// scheduler/J.json in the members of a job of the tenant's file.
JsonObject job_of(const Json& file, const std::string& path, tenant::Problems& problems);

}  // namespace mandate::tables::code
