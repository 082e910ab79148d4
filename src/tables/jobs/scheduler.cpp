#include "tables/jobs/scheduler.h"

#include <map>
#include <set>

#include "base/url.h"
#include "tenant/making.h"
#include "tenant/schedule.h"

namespace mandate::tables::jobs {
namespace {

constexpr std::chrono::milliseconds kPause{1000};
constexpr std::int64_t kAtOnce = 100;
constexpr Millis kSweepEvery = 3'600'000;
constexpr std::string_view kUnkept = "The text of its error cannot be kept.";

/// A run that has ended and is not yet written down.
struct Ended {
  store::Store* store = nullptr;
  std::string tenant, id;
  std::string_view state;
  std::string error;
  Millis at = 0;
  bool told = false;  ///< the log has it that it could not be written
};

/// Whether the store would say the same of the same values for ever.
bool lasting(const Error& error) {
  return error.code == Code::invalid_request || error.code == Code::bad_request || error.code == Code::payload_too_large;
}

bool any_jobs(const tenant::Tenant& tenant) {
  if (!tenant.enabled) return false;
  for (const auto& [name, service] : tenant.services)
    if (!service.jobs.empty()) return true;
  return false;
}

const tenant::Job* job_of(const tenant::Tenant& tenant, std::string_view service, std::string_view job) {
  const auto found = tenant.services.find(service);
  return found == tenant.services.end() ? nullptr : found->second.job(job);
}

std::string_view state_of(const Result<void>& done) {
  if (done.ok()) return state::kSucceeded;
  return done.error().code == Code::timeout ? state::kTimedOut : state::kFailed;
}

}  // namespace

Task<std::string> Desk::ask(store::Store& store, std::string service, const tenant::Job& job) {
  const Millis now = clock_.now_ms();
  const std::string id = new_run_id(now, random_);
  NewRun run{std::move(service), ascii_lower(job.name), "asked", now};
  store::Batch batch;
  batch.add(file_run(id, run, now));
  Task<store::Outcome> filing = store.mutate(std::move(batch));
  const Result<store::Outcome> filed = co_await filing;
  if (!filed.ok() && filed.error().code == Code::conflict) co_return Error(Code::conflict, "The job has a run that has not ended.");
  if (!filed.ok()) co_return filed.error();
  if (wake) wake();
  co_return id;
}

/// What is remembered of a tenant, so that a tenant where nothing happens costs nothing.
struct Scheduler::Known {
  store::Store* store = nullptr;
  std::uint64_t revision = 0;   ///< of the configuration that the times were looked at for
  std::uint64_t seen = 0;       ///< changes of job_runs, when it was last looked at
  Millis next_at = 0;           ///< the first time of a job; 0: none
  Millis sweep_at = 0;
  bool adopted = false;         ///< what others left running has been ended
  bool doubt = false;           ///< a run may be marked as running that is not
  bool again = false;           ///< the last look failed: look once more
};

// Outlives the Scheduler when a round or a run is under way as the house closes.
struct Scheduler::Alive {
  explicit Alive(Parts p)
      : parts(std::move(p)), lease("jobs", parts.node, kLease, parts.clock),
        leads(parts.metrics.gauge("mandate_jobs_leads", "1 on the server that runs the jobs.")),
        under_way(parts.metrics.gauge("mandate_jobs_running", "Runs of jobs under way.")) {}
  Counter& runs(std::string_view outcome) {
    return parts.metrics.counter("mandate_jobs_runs_total", "Runs of jobs by what became of them.", {{"outcome", std::string(outcome)}});
  }
  bool ours() const { return !ended && lease.held(); }
  /// Without jobs, and looked at since it has none: what is left of those it had must not wait for others of their names.
  bool at_rest(const tenant::Here& here) const {
    const auto known = tenants.find(here->name);
    return !any_jobs(*here) && known != tenants.end() && known->second.store == here.store && known->second.revision == here->revision &&
           !known->second.again && !known->second.doubt;
  }

  Parts parts;
  store::Lease lease;
  Gauge &leads, &under_way;
  std::map<std::string, Known> tenants;
  std::vector<Ended> unwritten;
  std::set<std::string> mine;  ///< runs from before they are marked as running until their end is written
  std::size_t running = 0;
  std::int64_t fence = 0;  ///< the holding of the lease that `tenants` is of
  bool ended = false, started = false, at_work = false, woken = false, led = false, failing = false, gave_back = false;
  std::atomic<bool> leaving{false};
  std::unique_ptr<Loop::Timer> timer;
};

Scheduler::Scheduler(Parts parts) : alive_(std::make_shared<Alive>(std::move(parts))) {}

Scheduler::~Scheduler() {
  alive_->ended = true;
  alive_->timer.reset();
}

void Scheduler::start() {
  alive_->started = true;
  later(alive_, true);
}

void Scheduler::wake() {
  alive_->parts.loop.post([weak = std::weak_ptr<Alive>(alive_)] {
    const auto alive = weak.lock();
    if (!alive || alive->ended || !alive->started) return;
    alive->woken = true;
    if (!alive->at_work) later(alive, true);
  });
}

void Scheduler::leave() {
  if (alive_->leaving.exchange(true)) return;
  ++alive_->parts.busy;  // until the duty is given away
  wake();
}

void Scheduler::later(const std::shared_ptr<Alive>& alive, bool soon) {
  alive->timer = alive->parts.loop.after(soon ? std::chrono::milliseconds(0) : kPause, [weak = std::weak_ptr<Alive>(alive)] {
    const auto alive = weak.lock();
    if (!alive || alive->ended || alive->at_work) return;
    alive->at_work = true;
    alive->woken = false;
    ++alive->parts.busy;
    spawn(round(alive), [alive](Result<void> done) {
      alive->at_work = false;
      if (alive->ended) return;
      --alive->parts.busy;
      // Said once; the next second tries again.
      if (!done.ok() && !alive->failing) alive->parts.log.warn("jobs.failed", {{"code", name(done.error().code)}, {"detail", done.error().detail}});
      alive->failing = !done.ok();
      if (!alive->gave_back) later(alive, alive->woken && done.ok());
    });
  });
}

Task<void> Scheduler::round() {
  Task<void> rounding = round(alive_);
  co_return co_await rounding;
}

Task<bool> Scheduler::is_ours(std::shared_ptr<Alive> alive) {
  if (alive->ended) co_return false;
  Task<bool> keeping = alive->lease.keep(alive->parts.system);
  const Result<bool> kept = co_await keeping;
  if (alive->ended) co_return false;
  const bool leads = alive->lease.held();
  if (leads != alive->led) alive->parts.log.info(leads ? "jobs.lead_begun" : "jobs.lead_lost", {{"node", alive->parts.node}, {"fence", alive->lease.fence()}});
  if (leads && alive->lease.fence() != alive->fence) alive->tenants.clear();  // others may have been at work meanwhile
  if (leads) alive->fence = alive->lease.fence();
  alive->led = leads;
  alive->leads.set(leads ? 1 : 0);
  if (!kept.ok()) co_return kept.error();
  co_return leads;
}

Task<void> Scheduler::round(std::shared_ptr<Alive> alive) {
  const Parts& parts = alive->parts;
  Task<void> writing = write_ended(alive);
  CO_CHECK(co_await writing);
  if (alive->ended) co_return ok();
  if (alive->leaving && alive->running == 0 && alive->unwritten.empty()) {
    if (std::exchange(alive->gave_back, true)) co_return ok();
    Task<void> giving = alive->lease.give_back(parts.system);
    Result<void> given = co_await giving;
    if (alive->ended) co_return ok();
    alive->led = false;
    alive->leads.set(0);
    --alive->parts.busy;
    co_return given;
  }
  if (alive->led && !alive->lease.held()) {  // where nobody has jobs the duty is not kept
    alive->led = false;
    alive->leads.set(0);
    parts.log.info("jobs.lead_lost", {{"node", parts.node}, {"fence", alive->lease.fence()}});
  }
  for (const std::string& tenant_name : parts.tenants.names()) {
    if (alive->ended) co_return ok();
    const Result<tenant::Here> here = parts.tenants.by_name(tenant_name);
    if (!here.ok() || alive->at_rest(*here)) continue;
    Task<bool> asking = is_ours(alive);
    CO_TRY(const bool ours, co_await asking);
    if (!ours || alive->leaving) co_return ok();
    Task<void> visiting = visit(alive, *here);
    const Result<void> visited = co_await visiting;
    if (alive->ended) co_return ok();
    // The other tenants' turn comes all the same. Said once; the next second tries again.
    if (!visited.ok() && !std::exchange(alive->tenants[tenant_name].again, true))
      parts.log.warn("jobs.failed", {{"tenant", tenant_name}, {"code", name(visited.error().code)}, {"detail", visited.error().detail}});
  }
  co_return ok();
}

/// Ends of runs, each with its own batch: what a store does not take now is tried again with the next round, and none waits for
/// another's.
Task<void> Scheduler::write_ended(std::shared_ptr<Alive> alive) {
  const Parts& parts = alive->parts;
  std::set<const store::Store*> silent;  // one that lets us wait does so once a round
  for (std::size_t i = 0; i < alive->unwritten.size();) {
    const Ended end = alive->unwritten[i];
    if (silent.contains(end.store)) {
      ++i;
      continue;
    }
    store::Batch batch;
    batch.add(end_run(end.id, parts.node, end.state, end.error, end.at));
    Task<store::Outcome> writing = end.store->mutate(std::move(batch));
    const Result<store::Outcome> written = co_await writing;
    if (alive->ended) co_return ok();
    Ended& kept = alive->unwritten[i];  // others may have been added behind it meanwhile
    if (!written.ok() && !std::exchange(kept.told, true))
      parts.log.warn("jobs.end_unwritten", {{"tenant", end.tenant}, {"run", end.id}, {"code", name(written.error().code)}, {"detail", written.error().detail}});
    if (!written.ok() && lasting(written.error()) && end.error != kUnkept) {
      kept.error = kUnkept;  // what the script said is all that can be wrong with it
      continue;
    }
    if (!written.ok() && !lasting(written.error())) {
      if (written.error().code == Code::timeout || written.error().code == Code::overloaded) silent.insert(end.store);
      ++i;
      continue;
    }
    if (!written.ok()) alive->tenants[end.tenant].doubt = true;
    alive->mine.erase(end.id);
    alive->unwritten.erase(alive->unwritten.begin() + static_cast<std::ptrdiff_t>(i));
  }
  co_return ok();
}

Task<void> Scheduler::visit(std::shared_ptr<Alive> alive, tenant::Here here) {
  store::Store& store = *here.store;
  const Millis now = alive->parts.clock.now_ms();
  const std::atomic<std::uint64_t>* counted = store.changes("job_runs");
  const std::uint64_t changes = counted ? counted->load(std::memory_order_acquire) : 0;
  Known& known = alive->tenants[here->name];
  if (known.store != here.store) known = Known{.store = here.store};
  const bool due = known.next_at && known.next_at <= now;
  if (known.adopted && !known.doubt && !known.again && counted && changes == known.seen && known.revision == here->revision && !due) co_return ok();

  const bool jobs = any_jobs(*here);
  const bool looks = known.doubt || (jobs && (!known.adopted || now >= known.sweep_at));
  if (looks) {
    Task<std::vector<store::Row>> looking = runs_in(store, std::string(state::kRunning), kAtOnce * 10);
    CO_TRY(const std::vector<store::Row> left, co_await looking);
    if (!alive->ours()) co_return ok();  // what another runs by now is not for us to end
    store::Batch batch;
    batch.mutations = abandon(left, alive->parts.node, alive->mine, now);
    if (!batch.mutations.empty()) {
      alive->parts.log.warn("jobs.abandoned", {{"tenant", here->name}, {"runs", batch.mutations.size()}});
      alive->runs(state::kAbandoned).add(static_cast<double>(batch.mutations.size()));
      Task<store::Outcome> ending = store.mutate(std::move(batch));
      CO_TRY([[maybe_unused]] const store::Outcome ended, co_await ending);
    }
    alive->tenants[here->name].doubt = false;
  }
  if (alive->ended) co_return ok();
  if (jobs && now >= alive->tenants[here->name].sweep_at) {
    alive->tenants[here->name].sweep_at = now + kSweepEvery;
    store::Batch sweep;
    sweep.add(sweep_runs(now));
    Task<store::Outcome> sweeping = store.mutate(std::move(sweep));
    CO_TRY([[maybe_unused]] const store::Outcome swept, co_await sweeping);
  }
  Task<void> timing = look_at_times(alive, here);
  CO_CHECK(co_await timing);
  std::vector<store::Row> waiting;
  if (here->enabled) {
    Task<std::vector<store::Row>> reading = runs_in(store, std::string(state::kWaiting), kAtOnce);
    CO_TRY(waiting, co_await reading);
  }
  for (const store::Row& row : waiting) {
    if (!alive->ours() || alive->leaving) co_return ok();
    Task<void> beginning = begin(alive, here, row);
    CO_CHECK(co_await beginning);
  }
  if (alive->ended) co_return ok();
  Known& after = alive->tenants[here->name];
  after.adopted = after.adopted || looks;
  after.again = false;
  after.seen = changes;
  after.revision = here->revision;
  co_return ok();
}

/// Brings the times of the store to what the configuration says, and files what is due.
Task<void> Scheduler::look_at_times(std::shared_ptr<Alive> alive, tenant::Here here) {
  store::Store& store = *here.store;
  const Millis now = alive->parts.clock.now_ms();
  Task<std::vector<Time>> reading = times(store);
  CO_TRY(const std::vector<Time> kept, co_await reading);
  std::map<std::pair<std::string, std::string>, Time> by_job;
  const auto timed = [&here](const tenant::Job* job) { return here->enabled && job && job->enabled && tenant::has_times(*job); };
  store::Batch batch;
  for (const Time& time : kept) {
    const tenant::Job* job = job_of(*here, time.service, time.job);
    if (timed(job)) by_job[{time.service, time.job}] = time;
    else batch.add(remove_time(time));
  }
  Millis first = 0;
  std::vector<std::pair<const tenant::Job*, Time>> due;
  for (const auto& [service_name, service] : here->services)
    for (const auto& [lower, job] : service.jobs) {
      if (!timed(&job)) continue;
      Time& time = by_job[{service_name, lower}];
      if (time.schedule != tenant::schedule_text(job)) {
        time = {service_name, lower, tenant::schedule_text(job), tenant::next_run(job, now)};
        batch.add(set_time(time));
      }
      if (time.next_at && time.next_at <= now) due.emplace_back(&job, time);
      else if (time.next_at && (!first || time.next_at < first)) first = time.next_at;
    }
  if (!batch.mutations.empty()) {
    Task<store::Outcome> writing = store.mutate(std::move(batch));
    CO_TRY([[maybe_unused]] const store::Outcome written, co_await writing);
  }
  for (const auto& [job, time] : due) {
    if (!alive->ours() || alive->leaving) co_return ok();
    Task<Millis> firing = fire(alive, here, job, time);
    CO_TRY(const Millis next, co_await firing);
    if (next && (!first || next < first)) first = next;
  }
  if (!alive->ended) alive->tenants[here->name].next_at = first;
  co_return ok();
}

/// Files the run of a time that has come, and moves the time on; gives the next.
Task<Millis> Scheduler::fire(std::shared_ptr<Alive> alive, tenant::Here here, const tenant::Job* job, Time time) {
  const Parts& parts = alive->parts;
  store::Store& store = *here.store;
  const Millis now = parts.clock.now_ms();
  const bool missed = now - time.next_at >= kMissedAfter;
  const bool made_up = missed && job->missed == "all";
  const Millis next = made_up ? tenant::next_run(*job, std::max(time.next_at, now - kMadeUpFor)) : tenant::next_run(*job, now);
  if (missed) parts.log.info("jobs.missed", {{"tenant", here->name}, {"service", time.service}, {"job", job->name}, {"due", iso8601(time.next_at)}, {"then", job->missed}});
  const bool too_old = made_up && now - time.next_at > kMadeUpFor;
  const NewRun run{time.service, time.job, "schedule", time.next_at};
  store::Batch batch;
  batch.add(move_time(time, next));  // of two who both think that it is their duty one succeeds
  if (!(missed && job->missed == "skip") && !too_old) batch.add(file_run(new_run_id(now, parts.random), run, now));
  Task<store::Outcome> filing = store.mutate(std::move(batch));
  const Result<store::Outcome> filed = co_await filing;
  if (filed.ok()) co_return next;
  if (alive->ended || filed.error().code == Code::not_found) co_return next;  // another has done it
  if (filed.error().code != Code::conflict) co_return filed.error();
  // The run before has not ended. What is to be made up for waits; another time is let go.
  if (made_up) co_return Millis{0};  // the end of that run is a change, which brings us back
  store::Batch skipping;
  skipping.add(move_time(time, next));
  skipping.add(note_skipped(new_run_id(now, parts.random), run, now, "The run before had not ended."));
  Task<store::Outcome> skip = store.mutate(std::move(skipping));
  const Result<store::Outcome> skipped = co_await skip;
  if (!skipped.ok() && skipped.error().code != Code::not_found) co_return skipped.error();
  if (alive->ended) co_return next;
  alive->runs(state::kSkipped).add();
  parts.log.warn("jobs.skipped", {{"tenant", here->name}, {"service", time.service}, {"job", job->name}, {"due", iso8601(time.next_at)}});
  co_return next;
}

Task<void> Scheduler::begin(std::shared_ptr<Alive> alive, tenant::Here here, store::Row row) {
  const Parts& parts = alive->parts;
  const std::string id(row.text("id"));
  const tenant::Job* job = job_of(*here, row.text("service"), row.text("job"));
  store::Batch batch;
  batch.add(begin_run(id, parts.node, parts.clock.now_ms()));
  if (!job) batch.add(end_run(id, parts.node, state::kFailed, "The service has no such job any more.", parts.clock.now_ms()));
  alive->mine.insert(id);
  Task<store::Outcome> writing = here.store->mutate(std::move(batch));
  const Result<store::Outcome> written = co_await writing;
  if (!written.ok() || !job) alive->mine.erase(id);
  // The answer may be all that was lost: then it is marked as running, and is not begun again.
  if (!written.ok()) alive->tenants[here->name].doubt = true;
  if (!written.ok() && written.error().code == Code::not_found) co_return ok();
  if (!written.ok()) co_return written.error();
  if (alive->ended || !job) co_return ok();
  const tenant::Service* service = &here->services.find(row.text("service"))->second;
  parts.log.info("jobs.run_begun", {{"tenant", here->name}, {"service", service->name}, {"job", job->name}, {"run", id}, {"reason", row.text("reason")}});
  alive->under_way.set(static_cast<double>(++alive->running));
  // `then` is the tenant that `service` is of, as long as this is asked.
  std::function<bool()> ours = [weak = std::weak_ptr<Alive>(alive), then = here.config, service] {
    const auto alive = weak.lock();
    return alive && alive->ours() && tenant::still_there(alive->parts.tenants, *then, *service);
  };
  spawn(parts.scripts.run(here, service, job, std::move(ours)), [alive, here, service, job, id](Result<void> done) {
    if (alive->ended) return;
    const Parts& parts = alive->parts;
    const std::string_view state = state_of(done);
    alive->under_way.set(static_cast<double>(--alive->running));
    alive->runs(state).add();
    std::string why = done.ok() ? std::string() : done.error().detail.empty() ? done.error().hint : done.error().detail;
    parts.log.info("jobs.run_ended", {{"tenant", here->name}, {"service", service->name}, {"job", job->name}, {"run", id}, {"state", state}});
    alive->unwritten.push_back({here.store, here->name, id, state, std::move(why), parts.clock.now_ms()});
    alive->woken = true;
    if (alive->started && !alive->at_work) later(alive, true);
  });
  co_return ok();
}

}  // namespace mandate::tables::jobs
