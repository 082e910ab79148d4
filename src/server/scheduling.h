// Jobs put together: their door, what the desk asks for, and the scheduler while the house keeps itself.
#pragma once

#include <memory>
#include <mutex>

#include "tables/jobs/door.h"
#include "tables/jobs/scheduler.h"

namespace mandate::server {

class Scheduling {
 public:
  struct Parts {
    const tenant::Tenants& tenants;
    identity::Bearers& bearers;
    std::unique_ptr<tables::jobs::Scripts> scripts;
    const Clock& clock;
    Random& random;
    Log& log;
    Metrics& metrics;
  };
  explicit Scheduling(Parts parts);
  void mount(http::Routes& routes);
  /// On `loop`, on which stop() must be called too. `busy` is raised while something is written.
  void start(Loop& loop, store::Store& system, std::atomic<int>& busy);
  /// Another server may run the jobs: see Scheduler::leave. From any thread.
  void leave();
  void stop();

 private:
  Parts parts_;
  std::mutex mutex_;  ///< of scheduler_: runs are asked for on any loop
  std::unique_ptr<tables::jobs::Scheduler> scheduler_;

 public:
  tables::jobs::Desk desk;
};

}  // namespace mandate::server
