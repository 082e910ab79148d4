// Carries what is filed: expands a send to its devices, delivers, tries again, forgets devices that are gone.
//
// At least once: a delivery's row goes after the platform's answer. Killed in between, it is sent again with the same id,
// by which APNs knows it. Where several nodes share the data, one of them carries at a time (store/lease.h).
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "base/log.h"
#include "base/loop.h"
#include "base/metrics.h"
#include "push/registrations.h"
#include "push/senders/senders.h"
#include "tenant/tenants.h"

namespace mandate::push {

inline constexpr int kMostAttempts = 10;
/// 5 s, doubled with every attempt, at most an hour, a fifth more or less by chance; never sooner than the platform asked.
std::int64_t pause_before(int attempts, std::int64_t asked_ms, Random& random);

/// What carries for all tenants. On one loop, destroyed on it.
class Runner {
 public:
  struct Parts {
    Loop& loop;
    const tenant::Tenants& tenants;
    store::Store& system;     ///< keeps the lease
    Registrations& registrations;
    Senders& senders;
    std::string node;         ///< another name with every start
    const Clock& clock;
    Random& random;
    Log& log;
    Metrics& metrics;
    std::atomic<int>& busy;   ///< raised while a round is under way
  };
  explicit Runner(Parts parts);
  ~Runner();
  void start();
  /// Something was filed: do not wait for the next round. From any thread, also before start().
  void wake();
  /// What a round does for one tenant, once; true when there is more to do at once. For tests, too.
  Task<bool> carry(tenant::Here here);

 private:
  struct Alive;
  static void later(const std::shared_ptr<Alive>& alive, bool soon);
  static Task<bool> round(std::shared_ptr<Alive> alive);
  static Task<bool> carry(std::shared_ptr<Alive> alive, tenant::Here here);
  std::shared_ptr<Alive> alive_;
};

}  // namespace mandate::push
