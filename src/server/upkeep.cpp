#include "server/upkeep.h"

#include "oauth/revocations.h"
#include "store/lease.h"
#include "store/single_use.h"
#include "tenant/audit.h"
#include "tenant/shared_rates.h"

namespace mandate::server {
namespace {
constexpr std::chrono::milliseconds kPause{1000};
constexpr int kSweepEvery = 60;  ///< rounds
}  // namespace

// Outlives the Upkeep when a round is under way as the house closes.
struct Upkeep::Alive {
  explicit Alive(Parts p)
      : parts(std::move(p)), shared(parts.system.capabilities().shared), lease("upkeep", parts.node, kLease, parts.clock),
        leads(parts.metrics.gauge("mandate_upkeep_leads", "1 on the node that does the upkeep of all")) {
    if (shared) rates.emplace(parts.limiter, parts.system, parts.node, parts.clock);
  }
  Parts parts;
  const bool shared;  ///< other nodes are at work on the same data
  store::Lease lease;
  Gauge& leads;
  std::optional<tenant::SharedRates> rates;
  bool ended = false, led = false, telling_failed = false;
  int rounds = 0;
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
  alive->timer = alive->parts.loop.after(kPause, [weak = std::weak_ptr<Alive>(alive)] {
    const auto alive = weak.lock();
    if (!alive || alive->ended) return;
    ++alive->parts.busy;
    spawn(round(alive), [alive](Result<void> done) {
      if (alive->ended) return;
      --alive->parts.busy;
      if (!done.ok()) alive->parts.log.warn("upkeep failed", {{"code", name(done.error().code)}, {"detail", done.error().detail}});
      later(alive);
    });
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

Task<void> seal(store::Store& store) {
  Task<void> sealing = tenant::seal_audit(store);
  co_return co_await sealing;
}

Task<void> sweep(store::Store& store, const Clock& clock) {
  store::Batch batch;
  batch.add(store::sweep_single_use(clock.now_ms()));
  for (store::Mutation& mutation : oauth::sweep_tokens(clock.now_ms())) batch.add(std::move(mutation));
  Task<store::Outcome> sweeping = store.mutate(std::move(batch));
  CO_CHECK(co_await sweeping);
  co_return ok();
}

}  // namespace

/// Asked before every step. What is done after the answer harms nobody, even when the node sleeps in between: of two
/// sealings of the same rows the store lets one stand, and what has expired for one has expired for all.
Task<bool> Upkeep::is_ours(std::shared_ptr<Alive> alive) {
  if (alive->ended) co_return false;
  if (!alive->shared) co_return true;
  Task<bool> keeping = alive->lease.keep(alive->parts.system);
  const Result<bool> kept = co_await keeping;
  const bool leads = alive->lease.held();
  if (leads != alive->led) alive->parts.log.info(leads ? "upkeep.begun" : "upkeep.lost", {{"node", alive->parts.node}, {"fence", alive->lease.fence()}});
  alive->led = leads;
  alive->leads.set(leads ? 1 : 0);
  if (!kept.ok()) co_return kept.error();
  co_return leads && !alive->ended;
}

Task<void> Upkeep::round(std::shared_ptr<Alive> alive) {
  const Parts& parts = alive->parts;
  const bool sweeps = ++alive->rounds % kSweepEvery == 0;
  for (const std::string& tenant_name : parts.tenants.names()) {
    auto here = parts.tenants.by_name(tenant_name);
    if (!here.ok()) continue;
    for (const bool sweeping : {false, true}) {
      if (sweeping && !sweeps) continue;
      Task<bool> asking = is_ours(alive);
      CO_TRY(const bool ours, co_await asking);
      if (!ours) co_return ok();
      Task<void> working = sweeping ? sweep(*here->store, parts.clock) : seal(*here->store);
      const Result<void> done = co_await working;
      // The other tenants' turn comes all the same.
      if (!done.ok())
        parts.log.warn("upkeep failed", {{"tenant", tenant_name}, {"code", name(done.error().code)}, {"detail", done.error().detail}});
    }
  }
  Task<bool> asking = is_ours(alive);
  CO_TRY(const bool ours, co_await asking);
  if (!ours || !sweeps || !alive->shared) co_return ok();
  Task<void> rates = tenant::sweep_rate_news(parts.system);
  co_return co_await rates;
}

}  // namespace mandate::server
