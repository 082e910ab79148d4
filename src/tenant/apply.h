// Brings a tenant to what its file says.
#pragma once

#include "tenant/desired.h"
#include "tenant/directory.h"

namespace mandate::tenant {

struct Applied {
  std::string tenant;
  bool dry_run = false, made_tenant = false;
  std::vector<Change> changes;
  std::vector<MadeSecret> made;     ///< empty on a dry run: nothing was kept
  std::vector<std::string> people;  ///< made, or to be made; others were there
};

/// Asked with the plan right before it is committed, or at the same place of a dry run; its error is the end of it. What it finds
/// counts for the very configuration that the plan replaces.
using LastLook = std::function<Task<void>(const DesiredPlan&)>;

/// Plans and, unless `dry_run`, writes all changes of configuration with one config.changed audit row in one batch, then
/// makes the missing people one by one. Applying the same file again changes nothing.
/// Errors: those of plan_desired; conflict when somebody else changed the tenant meanwhile: apply again.
Task<Applied> apply_desired(TenantDirectory& directory, UserSeeder& seeder, Desired desired, bool dry_run,
                            const http::Request& request, const Clock& clock, Random& random, LastLook look = {});

/// The one audit row of a change of configuration.
store::Mutation config_changed(const std::vector<Change>& changes, const http::Request& request, Millis now);

}  // namespace mandate::tenant
