// What the endpoints of services share. Inside the room only.
#pragma once

#include "management/desk.h"

namespace mandate::management {

/// The service an address names, /admin/services/{service}/… with tenant= in the query.
struct Site {
  tenant::Here here;
  const tenant::Service* service = nullptr;  ///< of here.config
};
/// not_found, and what tenant_of() says.
Result<Site> site_of(const Deps& deps, const http::Request& request);

/// Writes `mutations` and one audit row of `changes` on top of `revision`. conflict when somebody else changed the tenant
/// since, with a text that says so of `what` ("deployed", "changed").
Task<void> commit_changes(Deps& deps, const http::Request& request, std::string tenant, std::uint64_t revision,
                          std::vector<tenant::Change> changes, std::vector<store::Mutation> mutations, std::string what);

JsonArray changes_json(const std::vector<tenant::Change>& changes);

}  // namespace mandate::management
