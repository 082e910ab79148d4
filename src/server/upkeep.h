// What the house does by itself, on one loop.
//   Once a second: chain the audit logs that this node has written to.
//   Of several nodes the one that holds the lease: visit some tenants more, each in its turn, chain what a node that died has
//   left open, sweep what has expired and purge what was deleted long ago. A turn takes a minute, or longer where there are many tenants: the work of a second
//   does not grow with them.
//   Every quarter of a second, where there are several nodes: tell the others what was taken under rate limits, and hear
//   what they tell.
#pragma once

#include <atomic>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/metrics.h"
#include "tenant/rate_limit.h"
#include "tenant/tenants.h"

namespace mandate::server {

/// Made, started and destroyed on one loop.
class Upkeep {
 public:
  /// How long the work rests at most when the node that does it dies, plus a quarter and a second.
  static constexpr std::chrono::seconds kLease{10};
  /// Tenants that are visited in a second, besides those with news.
  static constexpr std::size_t kVisits = 16;
  /// A tenant is swept no more often.
  static constexpr std::chrono::seconds kSweepEvery{60};

  struct Parts {
    Loop& loop;
    const tenant::Tenants& tenants;
    store::Store& system;      ///< where the lease is, and what is told of rates
    tenant::RateLimiter& limiter;
    std::string node;          ///< this node's name, another one with every start
    const Clock& clock;
    Log& log;
    Metrics& metrics;
    std::atomic<int>& busy;    ///< rounds under way: what the loops should wait for when they end
    std::function<Task<void>(tenant::Here)> purge = {};  ///< asked with each sweep of a tenant; empty = nothing to purge
  };
  explicit Upkeep(Parts parts);
  ~Upkeep();
  void start();
  /// Lets another node do the upkeep at once, and does none any more itself. From any thread, while the loop runs; `busy` falls
  /// when it is so.
  void leave();

 private:
  struct Alive;
  static void later(const std::shared_ptr<Alive>& alive);
  static void tell_later(const std::shared_ptr<Alive>& alive);
  static void give_back(const std::shared_ptr<Alive>& alive);
  static Task<void> round(std::shared_ptr<Alive> alive);
  static Task<void> seal(std::shared_ptr<Alive> alive, std::string tenant_name, store::Store* store);
  static Task<void> visit(std::shared_ptr<Alive> alive, std::string tenant_name);
  static Task<bool> is_ours(std::shared_ptr<Alive> alive);
  std::shared_ptr<Alive> alive_;
};

}  // namespace mandate::server
