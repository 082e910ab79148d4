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

/// Before services of these names are made: what is left of deleted ones of the same names goes. conflict while another is at it.
Task<void> let_go(Deps& deps, tenant::Here here, std::vector<std::string> names);
/// After services were deleted: their rows go. What fails is logged, and done by the upkeep or before the next of that name.
Task<void> clear_departed(Deps& deps, tenant::Here here, std::vector<std::string> names);

JsonArray changes_json(const std::vector<tenant::Change>& changes);

}  // namespace mandate::management
