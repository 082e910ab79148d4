// The push room put together: its doors, what scripts and the desk ask of it, and the runner while the house keeps itself.
#pragma once

#include <memory>
#include <mutex>

#include "push/bindings.h"
#include "push/mount.h"
#include "push/runner.h"

namespace mandate::server {

class Pushing {
 public:
  struct Parts {
    const tenant::Tenants& tenants;
    identity::Bearers& bearers;
    http::Fetch& fetch;
    tenant::RateLimiter& limiter;
    const Clock& clock;
    Random& random;
    Log& log;
    Metrics& metrics;
    push::OnRegister on_register = {};
  };
  explicit Pushing(Parts parts);
  void mount(http::Routes& routes);
  /// On `loop`, on which stop() must be called too. `busy` is raised while messages are on their way.
  void start(Loop& loop, store::Store& system, std::atomic<int>& busy);
  void stop();

 private:
  void wake();
  Parts parts_;
  std::mutex mutex_;  ///< of runner_: scripts wake it from any loop
  std::unique_ptr<push::Runner> runner_;

 public:
  push::Registrations registrations;
  push::Senders senders;
  push::Sends sends;
  push::ScriptCalls calls;
};

}  // namespace mandate::server
