#include "server/scheduling.h"

namespace mandate::server {

Scheduling::Scheduling(Parts parts) : parts_(std::move(parts)), desk(parts_.clock, parts_.random) {
  desk.wake = [this] {
    const std::lock_guard lock(mutex_);
    if (scheduler_) scheduler_->wake();
  };
}

void Scheduling::mount(http::Routes& routes) {
  tables::jobs::mount(routes, {parts_.tenants, parts_.bearers, desk, parts_.clock, parts_.log, parts_.metrics});
}

void Scheduling::start(Loop& loop, store::Store& system, std::atomic<int>& busy) {
  const std::lock_guard lock(mutex_);
  scheduler_ = std::make_unique<tables::jobs::Scheduler>(tables::jobs::Scheduler::Parts{
      loop, parts_.tenants, system, *parts_.scripts, parts_.random.token(12), parts_.clock, parts_.random, parts_.log, parts_.metrics, busy});
  scheduler_->start();
}

void Scheduling::leave() {
  const std::lock_guard lock(mutex_);
  if (scheduler_) scheduler_->leave();
}

void Scheduling::stop() {
  const std::lock_guard lock(mutex_);
  scheduler_.reset();
}

}  // namespace mandate::server
