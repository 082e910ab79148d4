// Runs jobs at their times and when asked. Of several servers on one store one does it: it holds the lease "jobs".
//
// A run happens once at most. A server that loses the lease stops asking for anything on behalf of its runs before another
// can have it; what it left running is abandoned by the next, and not begun again. Times are kept in the store, so those that
// passed while no server ran are known: what then happens is the job's own choice (tenant::Job::missed).
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "base/log.h"
#include "base/loop.h"
#include "base/metrics.h"
#include "base/random.h"
#include "tables/jobs/runs.h"
#include "tables/jobs/script.h"

namespace mandate::tables::jobs {

/// A time that was not met for so long counts as missed.
inline constexpr Millis kMissedAfter = 60'000;
/// With missed: all, how far back times are made up for.
inline constexpr Millis kMadeUpFor = 86'400'000;

/// Files runs that somebody asks for. Thread-safe.
class Desk {
 public:
  Desk(const Clock& clock, Random& random) : clock_(clock), random_(random) {}
  /// Durable when it returns; the run's id. Code::conflict when the job has a run that has not ended.
  Task<std::string> ask(store::Store& store, std::string service, const tenant::Job& job);
  /// Called after each filing, from any thread. Set it before the first.
  std::function<void()> wake;

 private:
  const Clock& clock_;
  Random& random_;
};

/// On one loop, destroyed on it.
class Scheduler {
 public:
  static constexpr std::chrono::seconds kLease{10};

  struct Parts {
    Loop& loop;
    const tenant::Tenants& tenants;
    store::Store& system;   ///< keeps the lease
    Scripts& scripts;
    std::string node;       ///< another name with every start
    const Clock& clock;
    Random& random;
    Log& log;
    Metrics& metrics;
    std::atomic<int>& busy; ///< raised while a round is under way
  };
  explicit Scheduler(Parts parts);
  ~Scheduler();
  void start();
  /// A run was filed: do not wait for the next round. From any thread.
  void wake();
  /// Begins no more runs, and lets another server have the duty when those under way have ended; `busy` falls then. From any
  /// thread, while the loop runs.
  void leave();
  /// What a second does. For tests, too.
  Task<void> round();

 private:
  struct Alive;
  struct Known;
  static void later(const std::shared_ptr<Alive>& alive, bool soon);
  static Task<void> round(std::shared_ptr<Alive> alive);
  static Task<bool> is_ours(std::shared_ptr<Alive> alive);
  static Task<void> visit(std::shared_ptr<Alive> alive, tenant::Here here);
  static Task<void> look_at_times(std::shared_ptr<Alive> alive, tenant::Here here);
  static Task<Millis> fire(std::shared_ptr<Alive> alive, tenant::Here here, const tenant::Job* job, Time time);
  static Task<void> begin(std::shared_ptr<Alive> alive, tenant::Here here, store::Row row);
  static Task<void> write_ended(std::shared_ptr<Alive> alive);
  std::shared_ptr<Alive> alive_;
};

}  // namespace mandate::tables::jobs
