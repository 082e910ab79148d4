// One run of a job's script: `function J()`, with the tables of its service (mobile-backend-wire 5.2, 5.7).
#pragma once

#include <functional>

#include "scripts/host.h"
#include "tables/bindings.h"
#include "tables/service_calls.h"

namespace mandate::tables::jobs {

/// What the scheduler starts. Server-wide.
class Scripts {
 public:
  virtual ~Scripts() = default;
  /// Done when nothing of the run is left. What the script asks for is refused once `ours` says no. server_error (the script
  /// threw; the detail is its stack), timeout (longer than the job may take), not_found (its file is not there).
  virtual Task<void> run(tenant::Here here, const tenant::Service* service, const tenant::Job* job, std::function<bool()> ours) = 0;
};

/// "/scheduler/cleanup.js": the script's name in stack traces and in the log.
std::string job_source(const tenant::Job& job);

/// Everything must outlive it; thread-safe. `files` may be null: then jobs whose script is a file are not found.
std::unique_ptr<Scripts> make_job_scripts(scripts::Host& host, Tables& tables, ScriptLog& lines, ServiceCalls* calls, OtherCalls others = {});

}  // namespace mandate::tables::jobs
