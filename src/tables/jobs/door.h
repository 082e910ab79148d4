// POST /jobs/{job}: whoever holds the master key, or a token of a scheduler, has a job run (mobile-backend-wire 5.7).
#pragma once

#include "http/router.h"
#include "identity/bearer.h"
#include "identity/shown_keys.h"
#include "tables/jobs/scheduler.h"

namespace mandate::tables::jobs {

/// Everything must outlive the routes.
struct DoorDeps {
  const tenant::Tenants& tenants;
  identity::Bearers& bearers;
  Desk& desk;
  const Clock& clock;
  Log& log;
  Metrics& metrics;
};

/// What a scheduler's token must say: HS256 by the key that follows from the service's system key as that of user tokens
/// from its master key; `exp`; `uid` "cron"; `urn:microsoft:appid` the service; `urn:microsoft:scope` the job. Pure.
bool is_cron_token(std::string_view token, std::string_view system_key, std::string_view service, std::string_view job, std::int64_t now);

/// 200 with an empty body once the run is filed; 401; 404 for a job that is not there; 409 while the job has a run that has
/// not ended.
void mount(http::Routes& routes, const DoorDeps& deps);

}  // namespace mandate::tables::jobs
