#include "server/pushing.h"

namespace mandate::server {

Pushing::Pushing(Parts parts)
    : parts_(parts), registrations(parts.clock, parts.random), senders(parts.fetch, parts.tenants.vault(), parts.clock, parts.random),
      sends(parts.clock, parts.random, [this] { wake(); }), calls(sends, senders, parts.random, parts.clock) {}

void Pushing::mount(http::Routes& routes) {
  push::mount(routes, {parts_.tenants, parts_.bearers, registrations, parts_.fetch, parts_.limiter, parts_.log, parts_.metrics, parts_.on_register, &parts_.clock});
}

void Pushing::start(Loop& loop, store::Store& system, std::atomic<int>& busy) {
  const std::lock_guard lock(mutex_);
  runner_ = std::make_unique<push::Runner>(push::Runner::Parts{loop, parts_.tenants, system, registrations, senders, parts_.random.token(12),
                                                               parts_.clock, parts_.random, parts_.log, parts_.metrics, busy});
  runner_->start();
}

void Pushing::stop() {
  const std::lock_guard lock(mutex_);
  runner_.reset();
}

void Pushing::wake() {
  const std::lock_guard lock(mutex_);
  if (runner_) runner_->wake();
}

}  // namespace mandate::server
