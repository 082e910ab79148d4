#include "server/upkeep.h"

#include <algorithm>
#include <unordered_map>

#include "oauth/revocations.h"
#include "store/lease.h"
#include "store/single_use.h"
#include "tenant/audit.h"
#include "tenant/shared_rates.h"

namespace mandate::server {
namespace {
// Who waits for the lease looks more often, so that the work rests for less than a second when it is given back.
constexpr std::chrono::milliseconds kPause{1000}, kLook{500};

/// What this node knows of a tenant's audit log.
struct Known {
  store::Store* store = nullptr;
  const std::atomic<std::uint64_t>* commits = nullptr;
  std::uint64_t sealed = 0;  ///< commits, when it was last sealed
  std::chrono::steady_clock::time_point sweep_at = {};
};
}  // namespace

// Outlives the Upkeep when a round is under way as the house closes.
struct Upkeep::Alive {
  explicit Alive(Parts p)
      : parts(std::move(p)), shared(parts.system.capabilities().shared), lease("upkeep", parts.node, kLease, parts.clock),
        leads(parts.metrics.gauge("mandate_upkeep_leads", "1 on the node that does the upkeep of all")),
        seconds(parts.metrics.histogram("mandate_upkeep_round_seconds", "One round of the upkeep")) {
    if (shared) rates.emplace(parts.limiter, parts.system, parts.node, parts.clock);
  }
  Known& known(const std::string& tenant, store::Store* store) {
    Known& out = tenants[tenant];
    // Commits before the first look are found when its turn comes.
    if (out.store != store) out = {store, store->commits("audit"), out.commits ? 0 : now_of(store->commits("audit")), {}};
    return out;
  }
  static std::uint64_t now_of(const std::atomic<std::uint64_t>* commits) { return commits ? commits->load(std::memory_order_acquire) : 0; }

  Parts parts;
  const bool shared;  ///< other nodes are at work on the same data
  store::Lease lease;
  Gauge& leads;
  Histogram& seconds;
  std::optional<tenant::SharedRates> rates;
  std::unordered_map<std::string, Known> tenants;
  std::string turn;  ///< the tenant visited last
  std::chrono::steady_clock::time_point sweep_rates_at = {};
  bool ended = false, led = false, telling_failed = false, at_work = false, gave_back = false;
  std::atomic<bool> leaving{false};
  std::unique_ptr<Loop::Timer> timer, telling;
};

Upkeep::Upkeep(Parts parts) : alive_(std::make_shared<Alive>(std::move(parts))) {}

Upkeep::~Upkeep() {
  alive_->ended = true;
  alive_->timer.reset();
  alive_->telling.reset();
}

void Upkeep::start() {
  later(alive_);
  if (alive_->shared) tell_later(alive_);
}

void Upkeep::later(const std::shared_ptr<Alive>& alive) {
  alive->timer = alive->parts.loop.after(alive->shared && !alive->led ? kLook : kPause, [weak = std::weak_ptr<Alive>(alive)] {
    const auto alive = weak.lock();
    if (!alive || alive->ended || alive->leaving) return;
    ++alive->parts.busy;
    alive->at_work = true;
    spawn(round(alive), [alive, begun = std::chrono::steady_clock::now()](Result<void> done) {
      if (alive->ended) return;
      alive->at_work = false;
      --alive->parts.busy;
      alive->seconds.observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count());
      if (!done.ok()) alive->parts.log.warn("upkeep failed", {{"code", name(done.error().code)}, {"detail", done.error().detail}});
      if (alive->leaving) give_back(alive);
      else later(alive);
    });
  });
}

void Upkeep::leave() {
  if (alive_->leaving.exchange(true)) return;
  ++alive_->parts.busy;
  alive_->parts.loop.post([alive = alive_] {
    if (!alive->ended && !alive->at_work) give_back(alive);  // else at the round's end
  });
}

void Upkeep::give_back(const std::shared_ptr<Alive>& alive) {
  if (std::exchange(alive->gave_back, true)) return;  // a round ended before what leave() posted came
  spawn(alive->lease.give_back(alive->parts.system), [alive](Result<void> done) {
    if (alive->ended) return;
    if (alive->led) alive->parts.log.info(done.ok() ? "upkeep.given_back" : "upkeep.not_given_back", {{"node", alive->parts.node}});
    alive->led = false;
    alive->leads.set(0);
    --alive->parts.busy;
  });
}

void Upkeep::tell_later(const std::shared_ptr<Alive>& alive) {
  alive->telling = alive->parts.loop.after(tenant::SharedRates::kEvery, [weak = std::weak_ptr<Alive>(alive)] {
    const auto alive = weak.lock();
    if (!alive || alive->ended) return;
    ++alive->parts.busy;
    spawn(alive->rates->exchange(), [alive](Result<void> done) {
      if (alive->ended) return;
      --alive->parts.busy;
      // Said once: until it works again this node limits by what it knows.
      if (!done.ok() && !alive->telling_failed)
        alive->parts.log.warn("rates.not_shared", {{"code", name(done.error().code)}, {"detail", done.error().detail}});
      alive->telling_failed = !done.ok();
      tell_later(alive);
    });
  });
}

namespace {

Task<void> sweep(store::Store& store, const Clock& clock) {
  store::Batch batch;
  batch.add(store::sweep_single_use(clock.now_ms()));
  for (store::Mutation& mutation : oauth::sweep_tokens(clock.now_ms())) batch.add(std::move(mutation));
  Task<store::Outcome> sweeping = store.mutate(std::move(batch));
  CO_CHECK(co_await sweeping);
  co_return ok();
}

/// The one after `last` in a circle; sorted, as Tenants gives them.
const std::string& next_of(const std::vector<std::string>& names, const std::string& last) {
  const auto found = std::upper_bound(names.begin(), names.end(), last);
  return found == names.end() ? names.front() : *found;
}

}  // namespace

/// Asked before every step. What is done after the answer harms nobody, even when the node sleeps in between: what has
/// expired for one has expired for all.
Task<bool> Upkeep::is_ours(std::shared_ptr<Alive> alive) {
  if (alive->ended || alive->leaving) co_return false;
  if (!alive->shared) co_return true;
  Task<bool> keeping = alive->lease.keep(alive->parts.system);
  const Result<bool> kept = co_await keeping;
  if (alive->ended) co_return false;
  const bool leads = alive->lease.held();
  if (leads != alive->led) alive->parts.log.info(leads ? "upkeep.begun" : "upkeep.lost", {{"node", alive->parts.node}, {"fence", alive->lease.fence()}});
  alive->led = leads;
  alive->leads.set(leads ? 1 : 0);
  if (!kept.ok()) co_return kept.error();
  co_return leads && !alive->leaving;
}

/// Several nodes may do it at once: of two seals of the same rows the store lets one stand.
Task<void> Upkeep::seal(std::shared_ptr<Alive> alive, std::string tenant_name, store::Store* store) {
  const std::uint64_t commits = Alive::now_of(alive->known(tenant_name, store).commits);
  Task<void> sealing = tenant::seal_audit(*store);
  const Result<void> sealed = co_await sealing;
  if (alive->ended) co_return ok();
  if (sealed.ok()) alive->known(tenant_name, store).sealed = commits;
  // The other tenants' turn comes all the same.
  else alive->parts.log.warn("upkeep failed", {{"tenant", tenant_name}, {"code", name(sealed.error().code)}, {"detail", sealed.error().detail}});
  co_return ok();
}

Task<void> Upkeep::visit(std::shared_ptr<Alive> alive, std::string tenant_name) {
  const auto here = alive->parts.tenants.by_name(tenant_name);
  if (!here.ok()) co_return ok();
  Task<void> sealing = seal(alive, tenant_name, here->store);
  CO_CHECK(co_await sealing);
  const auto now = alive->parts.clock.steady();
  if (alive->ended || now < alive->known(tenant_name, here->store).sweep_at) co_return ok();
  alive->known(tenant_name, here->store).sweep_at = now + kSweepEvery;
  Task<void> sweeping = sweep(*here->store, alive->parts.clock);
  const Result<void> swept = co_await sweeping;
  if (!swept.ok() && !alive->ended)
    alive->parts.log.warn("upkeep failed", {{"tenant", tenant_name}, {"code", name(swept.error().code)}, {"detail", swept.error().detail}});
  if (alive->ended || !alive->parts.purge) co_return ok();
  Task<void> purging = alive->parts.purge(*here);
  const Result<void> purged = co_await purging;
  if (!purged.ok() && !alive->ended)
    alive->parts.log.warn("upkeep failed", {{"tenant", tenant_name}, {"code", name(purged.error().code)}, {"detail", purged.error().detail}});
  co_return ok();
}

Task<void> Upkeep::round(std::shared_ptr<Alive> alive) {
  const Parts& parts = alive->parts;
  const std::vector<std::string> names = parts.tenants.names();
  for (const std::string& tenant_name : names) {
    if (alive->ended || alive->leaving) co_return ok();
    const auto here = parts.tenants.by_name(tenant_name);
    if (!here.ok()) continue;
    const Known& known = alive->known(tenant_name, here->store);
    if (Alive::now_of(known.commits) == known.sealed) continue;
    Task<void> sealing = seal(alive, tenant_name, here->store);
    CO_CHECK(co_await sealing);
  }
  for (std::size_t i = 0; i < std::min(names.size(), kVisits); ++i) {
    Task<bool> asking = is_ours(alive);
    CO_TRY(const bool ours, co_await asking);
    if (!ours) co_return ok();
    alive->turn = next_of(names, alive->turn);
    Task<void> visiting = visit(alive, alive->turn);
    CO_CHECK(co_await visiting);
  }
  Task<bool> asking = is_ours(alive);
  CO_TRY(const bool ours, co_await asking);
  if (!ours || !alive->shared || parts.clock.steady() < alive->sweep_rates_at) co_return ok();
  alive->sweep_rates_at = parts.clock.steady() + kSweepEvery;
  Task<void> rates = tenant::sweep_rate_news(parts.system);
  co_return co_await rates;
}

}  // namespace mandate::server
