// What the house does by itself, once a second on one loop: chain the audit log, sweep what has expired.
#pragma once

#include <atomic>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "tenant/tenants.h"

namespace mandate::server {

/// Made, started and destroyed on one loop.
class Upkeep {
 public:
  /// `busy` is raised while a round is under way, which is what the loops should wait for when they end.
  Upkeep(Loop& loop, const tenant::Tenants& tenants, const Clock& clock, Log& log, std::atomic<bool>& busy);
  ~Upkeep();
  void start();

 private:
  struct Alive;
  void later();
  static Task<void> round(std::shared_ptr<Alive> alive);
  std::shared_ptr<Alive> alive_;
};

}  // namespace mandate::server
