// The children and the calls in them. Everything here happens on one loop, the pool's home.
#pragma once

#include <atomic>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "scripts/child.h"
#include "scripts/host.h"
#include "scripts/watchdog.h"

namespace mandate::scripts {

/// One call on its way. The signal and the binding belong to the loop that asked; the rest to the pool.
struct Running {
  enum class Kind { table, check };
  Running(Kind k, Call c, std::shared_ptr<Binding> b) : kind(k), call(std::move(c)), binding(std::move(b)), loop(Loop::current()) {}

  Kind kind;
  Call call;
  std::shared_ptr<Binding> binding;
  Loop* loop;
  Signal<Json> done;

  std::chrono::steady_clock::time_point began, until;
  std::uint32_t id = 0, realm = 0;
  void* slot = nullptr;   ///< the pool's: the process it is in
  int attempts = 0, deaths = 0;  ///< times it was handed over; processes that died with it without a sign of who did it
  bool touched = false;   ///< it asked for something or has answered: it may have had an effect, so it is not run again
  bool alone = false;     ///< it is run with no other in its process
  bool answered = false;
  std::optional<Result<Json>> result;  ///< on its way to whoever waits
};

struct PoolMetrics {
  explicit PoolMetrics(Metrics& metrics);
  Counter &calls, &threw, &syntax, &cpu, &heap, &died, &timeout, &overloaded, &unavailable, &starts, &restarts, &retries;
  Gauge &in_flight, &children;
  Histogram& seconds;
};

class Pool : public std::enable_shared_from_this<Pool> {
 public:
  /// `under_way` is kept at the number of calls that have not ended.
  Pool(HostOptions options, Loop& home, Log& log, PoolMetrics& metrics, std::shared_ptr<std::atomic<std::size_t>> under_way);
  ~Pool();

  void start(std::shared_ptr<Running> call);
  void stop();

 private:
  /// A realm's Worker in one child. A new Worker gets a new number, so that late frames of the old one are known.
  struct Realm {
    std::string name;
    std::uint32_t number = 0;
    std::map<std::string, std::pair<std::uint64_t, std::uint16_t>, std::less<>> scripts;  ///< name, of a job also its function → version, slot
    std::string bundle;  ///< version of the files that it was sent last; empty: none
    std::shared_ptr<const std::string> environment;
    std::size_t busy = 0;
    Pulse pulse;
    std::uint32_t holding = 0;  ///< the call that held the silent Worker's thread, as the main thread told
    std::chrono::steady_clock::time_point used{};
  };
  struct Slot {
    std::unique_ptr<Child> child;
    bool up = false;        ///< said hello
    bool retiring = false;  ///< takes no more calls; ends with its last one
    std::chrono::steady_clock::time_point began{};
    std::map<std::string, Realm, std::less<>> realms;
    std::unordered_map<std::uint32_t, Realm*> by_number;
    std::unordered_map<std::uint32_t, std::shared_ptr<Running>> calls;
  };
  using Place = std::shared_ptr<Slot>;  ///< stays the same when the spare takes a dead child's place

  // pool.cpp: where a call runs, and what becomes of it
  void place(const std::shared_ptr<Running>& call);
  Result<Place*> choose();
  Result<void> fill(Place& place);
  void run_in(Place& place, const std::shared_ptr<Running>& call);
  Result<Realm*> realm_of(Place& place, const std::string& name);
  void tell_surroundings(Slot& slot, Realm& realm, const Call& call);
  void retire(Place& place);
  void end_realm(Slot& slot, std::uint32_t number);
  void forget_realm(Slot& slot, std::uint32_t number);
  void finish(const std::shared_ptr<Running>& call, Result<Json> result);
  void deliver();
  void forget(const std::shared_ptr<Running>& call);
  void over(const std::shared_ptr<Running>& call);
  void count();
  void fail(const std::shared_ptr<Running>& call, Counter& counter, Error error);
  void retry(const std::shared_ptr<Running>& call, Counter& counter, const Error& error, bool alone);
  void run_suspects();
  // pool_frames.cpp: what a child says
  void on_frame(Slot& slot, const Frame& frame);
  void on_hello(Slot& slot, const Frame& frame);
  void on_result(const std::shared_ptr<Running>& call, const Frame& frame);
  void on_invoke(const std::shared_ptr<Running>& call, const Frame& frame);
  void on_console(const std::shared_ptr<Running>& call, const Frame& frame);
  void on_failed(Slot& slot, const std::shared_ptr<Running>& call, const Frame& frame);
  void on_checked(const std::shared_ptr<Running>& call, const Frame& frame);
  void answer(std::uint32_t id, std::uint16_t sequence, Result<Json> result);
  // pool_deaths.cpp: what becomes of the calls of a Worker or a process that ended
  void on_gone(Slot& slot, const Frame& frame);
  void on_ended(Slot& slot, std::string reason);
  // pool_watch.cpp: limits
  void watch();
  void tick();
  void tick_slot(Slot& slot);

  HostOptions options_;
  Loop& home_;
  Log& log_;
  PoolMetrics& metrics_;
  const std::shared_ptr<std::atomic<std::size_t>> under_way_;
  Watchdog watchdog_;
  std::list<Place> slots_, retiring_;
  Place spare_ = std::make_shared<Slot>();  ///< warm; takes a dead child's place, and meanwhile runs suspects one at a time
  std::unordered_map<std::uint32_t, std::shared_ptr<Running>> calls_;
  std::list<std::shared_ptr<Running>> suspects_;  ///< calls one of which ended a process, to be run alone
  std::vector<std::shared_ptr<Running>> finished_;  ///< to be told at the end of what is being read
  std::uint32_t last_call_ = 0, last_realm_ = 0;
  int failed_starts_ = 0;
  std::chrono::steady_clock::time_point not_before_{};
  std::string why_not_;
  std::unique_ptr<Loop::Timer> timer_;
  std::vector<std::unique_ptr<Child>> dead_;  ///< destroyed at the next tick, not inside their own events
  bool stopped_ = false;
};

}  // namespace mandate::scripts
