#include "management/departures.h"

#include "push/sends.h"
#include "tables/code/code.h"
#include "tables/jobs/runs.h"
#include "tables/script_log.h"
#include "tenant/departed.h"

namespace mandate::management {
namespace {

constexpr int kTries = 5;

tenant::ObjectKey service_key(const std::string& service) { return {std::string(tenant::kind::kService), service}; }
Error another_is_at_it(const std::string& service) { return tenant::still_leaving(service); }

Task<bool> keep(store::Lease* lease, store::Store& store) {
  if (!lease) co_return true;
  Task<bool> keeping = lease->keep(store);
  Result<bool> kept = co_await keeping;
  co_return kept;
}

}  // namespace

/// Before each step: the lease is kept, the note stands, and nobody has the name.
class Departures::Steps final : public store::Permit {
 public:
  Steps(store::Lease* lease, store::Store& store, std::string service) : lease_(lease), store_(store), service_(std::move(service)) {}
  Task<std::vector<store::Mutation>> next() override {
    Task<bool> keeping = keep(lease_, store_);
    CO_TRY(const bool still, co_await keeping);
    if (!still) co_return another_is_at_it(service_);
    std::vector<store::Mutation> out = tenant::still_departed(service_);
    if (lease_) out.insert(out.begin(), lease_->fenced());
    co_return out;
  }

 private:
  store::Lease* const lease_;
  store::Store& store_;
  const std::string service_;
};

/// The right to work on one service, in this process.
class Departures::Turn {
 public:
  Turn(Departures& of, Key key) : of_(of), key_(std::move(key)) {
    const std::lock_guard lock(of_.mutex_);
    taken_ = of_.at_work_.insert(key_).second;
    if (!taken_ || !key_.first->capabilities().shared) return;
    lease_ = &of_.leases_.try_emplace(key_, "departed/" + key_.second, of_.node_, kLease, of_.clock_).first->second;
  }
  ~Turn() {
    if (!taken_) return;
    const std::lock_guard lock(of_.mutex_);
    of_.at_work_.erase(key_);
    if (over) of_.leases_.erase(key_);
  }
  Turn(const Turn&) = delete;
  bool taken() const { return taken_; }
  store::Lease* lease() const { return lease_; }  ///< null: no other node is at work here
  bool over = false;                              ///< the note is gone

 private:
  Departures& of_;
  Key key_;
  bool taken_ = false;
  store::Lease* lease_ = nullptr;
};

Task<void> Departures::clear(tenant::Here here, std::string service) { return work(std::move(here), std::move(service), false); }

Task<void> Departures::finish(tenant::Here here, std::string service) { return work(std::move(here), std::move(service), true); }

Task<void> Departures::work(tenant::Here here, std::string service, bool last) {
  Turn turn(*this, {here.store, service});
  if (!turn.taken()) co_return another_is_at_it(service);
  Task<void> removing = remove_all(here, service, last, turn.lease());
  const Result<void> removed = co_await removing;
  turn.over = last && removed.ok();
  if (turn.lease()) {
    Task<void> giving = turn.lease()->give_back(*here.store);
    [[maybe_unused]] const Result<void> given = co_await giving;  // else it runs out
  }
  // A step that was refused at its commit says no more than that.
  if (!removed.ok() && removed.error().code == Code::conflict) co_return another_is_at_it(service);
  co_return removed;
}

Task<void> Departures::remove_all(tenant::Here here, std::string service, bool last, store::Lease* lease) {
  store::Store& store = *here.store;
  Task<bool> taking = keep(lease, store);
  CO_TRY(const bool ours, co_await taking);
  if (!ours) co_return another_is_at_it(service);
  Task<tenant::Objects> loading = tenants_.objects(here->name);
  CO_TRY(const tenant::Objects objects, co_await loading);
  const auto note = objects.find(tenant::departed_key(service));
  if (note == objects.end()) co_return ok();
  if (objects.contains(service_key(service))) {
    Task<void> letting = remove_code(here, service, last, lease);
    co_return co_await letting;
  }

  Steps steps(lease, store, service);
  Task<std::size_t> dropping = tables_.drop_service(here, service, tenant::tables_of(note->second), &steps);
  CO_TRY(const std::size_t dropped, co_await dropping);
  std::vector<store::Bunch> bunches = push::forgetting(service);
  for (store::Bunch& each : tables::jobs::forgetting(service)) bunches.push_back(std::move(each));
  bunches.push_back(tables::ScriptLog::forgetting(service));
  for (store::Bunch& each : bunches) {
    Task<std::int64_t> removing = store::remove_bunch(store, std::move(each), &steps);
    CO_CHECK(co_await removing);
  }
  log_.info("service.cleared", {{"tenant", here->name}, {"service", service}, {"tables", dropped}, {"last", last}});
  Task<void> ending = remove_code(here, service, last, lease);
  co_return co_await ending;
}

/// The versions of its code, and with `last` the note: which files others have is known as of the revision that is raised here.
Task<void> Departures::remove_code(tenant::Here here, std::string service, bool last, store::Lease* lease) {
  for (int tries = 1;; ++tries) {
    Task<bool> keeping = keep(lease, *here.store);
    CO_TRY(const bool still, co_await keeping);
    if (!still) co_return another_is_at_it(service);
    Task<tenant::Objects> loading = tenants_.objects(here->name);
    CO_TRY(const tenant::Objects objects, co_await loading);
    if (!objects.contains(tenant::departed_key(service))) co_return ok();
    // A server that knows no notes made a service of that name. What is there is its own by now.
    const bool taken = objects.contains(service_key(service));
    if (taken) log_.warn("service.made_meanwhile", {{"tenant", here->name}, {"service", service}});
    Task<std::vector<store::Mutation>> reading = tables::code::forgetting(*here.store, service);
    CO_TRY(std::vector<store::Mutation> mutations, co_await reading);
    if (taken) mutations.clear();
    if (!last && !taken && mutations.empty()) co_return ok();
    if (lease) mutations.push_back(lease->fenced());
    if (lease && (last || taken)) mutations.push_back(store::remove("leases", store::equals("name", "departed/" + service)));
    if (last || taken) mutations.push_back(tenant::remove_object(tenant::departed_key(service)));
    Task<void> committing = tenants_.commit(here->name, tenant::revision_of(objects), std::move(mutations));
    Result<void> committed = co_await committing;
    if (committed.ok() || committed.error().code != Code::conflict || tries == kTries) co_return committed;
  }
}

Task<void> Departures::visit(tenant::Here here) {
  Task<tenant::Objects> loading = tenant::load_objects_of(*here.store, std::string(tenant::kind::kDepartedService));
  CO_TRY(const tenant::Objects notes, co_await loading);
  std::erase_if(seen_, [&](const auto& each) { return each.first.first == here.store && !notes.contains(tenant::departed_key(each.first.second)); });
  for (const auto& [object, note] : notes) {
    const Key key(here.store, object.name);
    const auto now = clock_.steady();
    const auto known = seen_.find(key);
    const bool fresh = known == seen_.end() || known->second.first != note.revision;
    if (!fresh && now - known->second.second < kLate) continue;
    Task<void> working = work(here, object.name, !fresh);
    const Result<void> done = co_await working;
    if (done.ok() && fresh) seen_[key] = {note.revision, now};
    if (!done.ok()) log_.warn("service.not_cleared", {{"tenant", here->name}, {"service", object.name}, {"code", name(done.error().code)}, {"detail", done.error().detail}});
  }
  co_return ok();
}

}  // namespace mandate::management
