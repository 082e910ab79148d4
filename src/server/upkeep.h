// What the house does by itself, once a second on one loop: chain the audit log, sweep what has expired.
#pragma once

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "tenant/tenants.h"

namespace mandate::server {

/// Made, started and destroyed on one loop.
class Upkeep {
 public:
  Upkeep(Loop& loop, const tenant::Tenants& tenants, const Clock& clock, Log& log);
  ~Upkeep();
  void start();

 private:
  struct Alive;
  void later();
  static Task<void> round(std::shared_ptr<Alive> alive);
  std::shared_ptr<Alive> alive_;
};

}  // namespace mandate::server
