#include "server/upkeep.h"

#include "oauth/revocations.h"
#include "store/single_use.h"
#include "tenant/audit.h"

namespace mandate::server {
namespace {
constexpr std::chrono::milliseconds kPause{1000};
constexpr int kSweepEvery = 60;  ///< rounds
}  // namespace

// Outlives the Upkeep when a round is under way as the house closes.
struct Upkeep::Alive {
  Loop& loop;
  const tenant::Tenants& tenants;
  const Clock& clock;
  Log& log;
  std::atomic<bool>& busy;
  bool ended = false;
  int rounds = 0;
  std::unique_ptr<Loop::Timer> timer;
};

Upkeep::Upkeep(Loop& loop, const tenant::Tenants& tenants, const Clock& clock, Log& log, std::atomic<bool>& busy)
    : alive_(std::make_shared<Alive>(Alive{loop, tenants, clock, log, busy, false, 0, nullptr})) {}

Upkeep::~Upkeep() {
  alive_->ended = true;
  alive_->timer.reset();
}

void Upkeep::start() { later(); }

void Upkeep::later() {
  const std::weak_ptr<Alive> weak = alive_;
  alive_->timer = alive_->loop.after(kPause, [this, weak] {
    const auto alive = weak.lock();
    if (!alive || alive->ended) return;
    alive->busy = true;
    spawn(round(alive), [this, alive](Result<void> done) {
      if (alive->ended) return;
      alive->busy = false;
      if (!done.ok()) alive->log.warn("upkeep failed", {{"code", name(done.error().code)}, {"detail", done.error().detail}});
      later();
    });
  });
}

namespace {

Task<void> keep(store::Store& store, const Clock& clock, bool sweep) {
  Task<void> sealing = tenant::seal_audit(store);
  CO_CHECK(co_await sealing);
  if (!sweep) co_return ok();
  store::Batch batch;
  batch.add(store::sweep_single_use(clock.now_ms()));
  for (store::Mutation& mutation : oauth::sweep_tokens(clock.now_ms())) batch.add(std::move(mutation));
  Task<store::Outcome> sweeping = store.mutate(std::move(batch));
  CO_CHECK(co_await sweeping);
  co_return ok();
}

}  // namespace

Task<void> Upkeep::round(std::shared_ptr<Alive> alive) {
  const bool sweep = ++alive->rounds % kSweepEvery == 0;
  for (const std::string& tenant_name : alive->tenants.names()) {
    if (alive->ended) co_return ok();
    auto here = alive->tenants.by_name(tenant_name);
    if (!here.ok()) continue;
    Task<void> keeping = keep(*here->store, alive->clock, sweep);
    const Result<void> kept = co_await keeping;
    // The other tenants' turn comes all the same.
    if (!kept.ok())
      alive->log.warn("upkeep failed", {{"tenant", tenant_name}, {"code", name(kept.error().code)}, {"detail", kept.error().detail}});
  }
  co_return ok();
}

}  // namespace mandate::server
