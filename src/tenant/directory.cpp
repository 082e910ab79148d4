#include "tenant/directory.h"

#include "base/url.h"
#include "tenant/codec/names.h"
#include "tenant/keys.h"
#include "tenant/secrets.h"
#include "tenant/snapshot.h"

namespace mandate::tenant {

namespace {
constexpr std::chrono::milliseconds kRetry{500};
}  // namespace

struct TenantDirectory::Slot {
  std::string name;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<store::Store::Watch> watch;
  std::shared_ptr<const Tenant> config;  ///< under the directory's mutex
  bool listed = false;                   ///< under it too; before, nobody is served: a restart would not know the tenant
  bool reloading = false, again = false;  ///< on the watching loop
};

struct TenantDirectory::Retries {
  Loop* loop;
  std::map<std::string, std::unique_ptr<Loop::Timer>, std::less<>> timers;
};

/// What a look-up sees: immutable, replaced whole.
struct TenantDirectory::View {
  std::map<std::string, Here, std::less<>> by_name, by_host;
  std::optional<Here> otherwise;
};

TenantDirectory::TenantDirectory(OpenStore open_store, Vault vault, CpuPool& pool, const Clock& clock, Random& random, Log& log,
                                 std::string default_tenant)
    : open_store_(std::move(open_store)), vault_(std::move(vault)), pool_(pool), clock_(clock), random_(random), log_(log),
      default_tenant_(std::move(default_tenant)), view_(std::make_shared<View>()) {}

TenantDirectory::~TenantDirectory() = default;

std::shared_ptr<const TenantDirectory::View> TenantDirectory::view() const {
  const Loop* loop = Loop::current();
  if (loop && loop->index() < cached_.size()) {
    Cached& mine = cached_[loop->index()];
    if (mine.version == version_.load(std::memory_order_acquire)) return mine.view;
    const std::lock_guard lock(mutex_);
    mine.view = view_;
    mine.version = version_.load(std::memory_order_relaxed);
    return mine.view;
  }
  const std::lock_guard lock(mutex_);
  return view_;
}

Result<Here> TenantDirectory::by_host(std::string_view host) const {
  const std::shared_ptr<const View> now = view();
  auto found = now->by_host.find(host);
  if (found == now->by_host.end()) found = now->by_host.find(host_without_port(host));
  if (found != now->by_host.end()) return found->second;
  if (now->otherwise) return *now->otherwise;
  return Error(Code::misdirected_request, "No tenant answers at this host name.");
}

Result<Here> TenantDirectory::by_name(std::string_view name) const {
  const std::shared_ptr<const View> now = view();
  const auto found = now->by_name.find(name);
  if (found == now->by_name.end()) return Error(Code::not_found, "There is no tenant of that name.");
  return found->second;
}

std::vector<std::string> TenantDirectory::names() const {
  std::vector<std::string> out;
  for (const auto& [name, here] : view()->by_name) out.push_back(name);
  return out;
}

bool TenantDirectory::writable() const {
  const std::lock_guard lock(mutex_);
  return (!system_ || system_->writable()) &&
         std::all_of(slots_.begin(), slots_.end(), [](const auto& entry) { return entry.second->store->writable(); });
}

TenantDirectory::Slot* TenantDirectory::slot(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = slots_.find(name);
  return found == slots_.end() ? nullptr : found->second.get();
}

void TenantDirectory::publish(Slot& slot, std::shared_ptr<const Tenant> config) {
  const std::lock_guard lock(mutex_);
  // Two loads may overlap; the older must not win.
  if (slot.config && slot.config->revision > config->revision) return;
  slot.config = std::move(config);
  show();
}

void TenantDirectory::list(Slot& slot) {
  const std::lock_guard lock(mutex_);
  if (std::exchange(slot.listed, true)) return;
  show();
}

bool TenantDirectory::published(const Slot& slot) const {
  const std::lock_guard lock(mutex_);
  return slot.config && slot.listed;
}

void TenantDirectory::show() {
  auto next = std::make_shared<View>();
  for (const auto& [name, s] : slots_) {
    if (!s->config || !s->listed) continue;
    const Here here{s->config, s->store.get()};
    next->by_name.emplace(name, here);
    for (const std::string& host : s->config->hosts) next->by_host.emplace(ascii_lower(host), here);
    for (const auto& [service_name, service] : s->config->services)
      for (const std::string& host : service.hosts) next->by_host.emplace(ascii_lower(host), here);
  }
  if (const auto found = next->by_name.find(default_tenant_); found != next->by_name.end())
    next->otherwise = found->second;
  else if (default_tenant_.empty() && next->by_name.size() == 1)
    next->otherwise = next->by_name.begin()->second;
  view_ = std::move(next);
  version_.fetch_add(1, std::memory_order_release);
}

Task<void> TenantDirectory::open() {
  CO_TRY(system_, open_store_("system"));
  if (Loop* loop = Loop::current()) {
    retries_ = std::make_shared<Retries>(Retries{loop, {}});
    // A timer must not outlive its loop.
    loop->at_end([weak = std::weak_ptr<Retries>(retries_)] {
      if (const auto retries = weak.lock()) retries->timers.clear();
    });
  }
  // Before the first look, so that nothing falls in between.
  system_watch_ = system_->watch({"config"}, [this](std::string_view) { list_changed(); });
  CO_CHECK(co_await admit_listed());
  log_.info("tenants.open", {{"tenants", names().size()}});
  co_return ok();
}

/// One that cannot be opened does not keep the others out; the first error is told.
Task<void> TenantDirectory::admit_listed() {
  CO_TRY(const Objects listed, co_await load_objects(*system_));
  std::optional<Error> failed;
  for (const auto& [key, object] : listed) {
    if (key.kind != kind::kTenantName) continue;
    const Slot* there = slot(key.name);
    if (there && published(*there)) continue;
    const Result<void> admitted = co_await admit(key.name);
    if (admitted.ok()) list(*slot(key.name));
    else if (!failed) failed = admitted.error();
  }
  if (failed) co_return *failed;
  co_return ok();
}

Task<void> TenantDirectory::admit(std::string name) {
  if (!slot(name)) {
    const Result<Slot*> opened = co_await open_slot(name);
    // This node is making it at this moment.
    if (!opened.ok() && opened.error().code != Code::conflict) co_return opened.error();
  }
  Task<void> completing = complete(name);
  co_return co_await completing;
}

void TenantDirectory::list_changed() {
  if (listing_) {
    list_again_ = true;
    return;
  }
  listing_ = true;
  const std::size_t before = names().size();
  ++reading_;
  spawn(admit_listed(), [this, before](Result<void> done) {
    listing_ = false;
    if (done.ok() && names().size() != before) log_.info("tenants.open", {{"tenants", names().size()}});
    if (!done.ok()) {
      log_.error("tenants.list.failed", {{"detail", done.error().detail}});
      again_later("", done.error(), [this] { list_changed(); });
    }
    if (std::exchange(list_again_, false)) list_changed();
    --reading_;
  });
}

void TenantDirectory::again_later(std::string what, const Error& error, std::function<void()> again) {
  Loop* loop = Loop::current();
  if (error.code == Code::corrupt || !retries_ || retries_->loop != loop) return;
  retries_->timers[std::move(what)] = loop->after(kRetry, std::move(again));
}

Task<TenantDirectory::Slot*> TenantDirectory::open_slot(std::string name) {
  CO_TRY(std::unique_ptr<store::Store> store, open_store_(name));
  auto made = std::make_unique<Slot>();
  made->name = name;
  made->store = std::move(store);
  made->watch = made->store->watch({"config"}, [this, name](std::string_view) { changed(name); });
  Slot* slot = made.get();
  const std::lock_guard lock(mutex_);
  const bool fresh = slots_.emplace(name, std::move(made)).second;
  if (!fresh) co_return Error(Code::conflict, "A tenant of that name exists.");
  co_return slot;
}

Task<Here> TenantDirectory::create(std::string name) {
  if (const std::string problem = tenant_name_problem(name); !problem.empty())
    co_return Error(Code::invalid_request, "tenant: '" + name.substr(0, 80) + "' " + problem);
  // One that is not listed is what an attempt that failed left.
  if (const Slot* there = slot(name); there && published(*there)) co_return Error(Code::conflict, "A tenant of that name exists.");
  CO_CHECK(co_await admit(name));
  // Listed last: a crash in between leaves a file that the next attempt completes.
  StoredObject entry;
  entry.body = {{"created_at", clock_.now_ms()}};
  store::Batch batch;
  // Inserted: of two nodes that make it at once, one has made it.
  store::Mutation listing = write_object({std::string(kind::kTenantName), name}, entry);
  listing.kind = store::Mutation::Kind::insert;
  listing.conflict_key.clear();
  batch.add(std::move(listing));
  const Result<store::Outcome> listed = co_await system_->mutate(std::move(batch));
  if (!listed.ok() && listed.error().code != Code::conflict) co_return listed.error();
  list(*slot(name));
  if (!listed.ok()) co_return Error(Code::conflict, "A tenant of that name exists.");
  log_.info("tenant.created", {{"tenant", name}});
  co_return by_name(name);
}

/// Makes what every tenant has and this one lacks: its revision, its keys, its default service. Then publishes it.
Task<void> TenantDirectory::complete(std::string name) {
  CO_TRY(const Objects have, co_await objects(name));
  const std::uint64_t from = revision_of(have);
  std::vector<store::Mutation> changes;
  const ObjectKey service{std::string(kind::kService), std::string(kDefaultService)};
  if (!have.contains(service)) {
    StoredObject made;
    made.revision = from + 1;
    for (const std::string& path : needed_secrets(kind::kService, made.body))
      made.sealed[path] = vault_.seal(random_.token(), secret_context(service, path));
    changes.push_back(write_object(service, made));
  }
  CO_TRY(std::vector<store::Mutation> keys, co_await missing_keys(name, have, from + 1));
  for (store::Mutation& key : keys) changes.push_back(std::move(key));
  if (changes.empty() && from > 0) {
    CO_CHECK(co_await reload(name));
    co_return ok();
  }
  Result<void> written = co_await commit(name, from, std::move(changes));
  // Another node was quicker: what it made is as good.
  if (!written.ok() && written.error().code == Code::conflict) written = co_await reload(name);
  co_return written;
}

Task<std::vector<store::Mutation>> TenantDirectory::missing_keys(const std::string& name, const Objects& have, std::uint64_t revision) {
  std::vector<store::Mutation> out;
  for (const jose::Alg alg : signing_algs(have)) {
    for (const std::string_view state : {"current", "next"}) {
      const bool there = std::any_of(have.begin(), have.end(), [&](const auto& entry) {
        return entry.first.kind == kind::kSigningKey && text_member(entry.second.body, "alg") == jose::name(alg) &&
               text_member(entry.second.body, "state") == state;
      });
      if (there) continue;
      std::function<Result<std::pair<ObjectKey, StoredObject>>()> work = [&] {
        return make_signing_key(alg, state, name, vault_, clock_.now_ms());
      };
      CO_TRY(auto made, co_await pool_.run(std::move(work)));
      made.second.revision = revision;
      out.push_back(write_object(made.first, made.second));
    }
  }
  co_return out;
}

Task<Objects> TenantDirectory::objects(std::string name) {
  Slot* here = slot(name);
  if (!here) co_return Error(Code::not_found, "There is no tenant of that name.");
  Result<Objects> found = co_await load_objects(*here->store);
  co_return found;
}

Task<void> TenantDirectory::commit(std::string name, std::uint64_t revision, std::vector<store::Mutation> changes) {
  Slot* here = slot(name);
  if (!here) co_return Error(Code::not_found, "There is no tenant of that name.");
  store::Batch batch;
  batch.add(raise_revision(revision));
  for (store::Mutation& change : changes) batch.add(std::move(change));
  CO_TRY([[maybe_unused]] store::Outcome written, co_await here->store->mutate(std::move(batch)));
  CO_CHECK(co_await reload(name));
  co_return ok();
}

Task<void> TenantDirectory::reload(std::string name) {
  Slot* here = slot(name);
  if (!here) co_return Error(Code::not_found, "There is no tenant of that name.");
  CO_TRY(const Objects found, co_await load_objects(*here->store));
  Problems problems;
  CO_TRY(std::shared_ptr<const Tenant> config, build_snapshot(name, found, vault_, clock_.now_ms(), problems));
  for (const Problem& problem : problems.list())
    log_.warn("tenant.config.problem", {{"tenant", name}, {"at", problem.path}, {"problem", problem.text}});
  publish(*here, std::move(config));
  co_return ok();
}

void TenantDirectory::changed(std::string name) {
  Slot* here = slot(name);
  if (!here) return;
  if (here->reloading) {
    here->again = true;
    return;
  }
  here->reloading = true;
  ++reading_;
  spawn(reload(name), [this, here, name](Result<void> done) {
    here->reloading = false;
    if (!done.ok()) {
      log_.error("tenant.reload.failed", {{"tenant", name}, {"detail", done.error().detail}});
      again_later(name, done.error(), [this, name] { changed(name); });
    }
    if (std::exchange(here->again, false)) changed(name);
    --reading_;
  });
}

Task<void> TenantDirectory::rotate_keys(std::string name, std::optional<jose::Alg> alg, bool revoke, std::vector<store::Mutation> also) {
  CO_TRY(const Here here, by_name(name));
  CO_TRY(const Objects have, co_await objects(name));
  const std::uint64_t from = revision_of(have);
  const Millis now = clock_.now_ms();
  std::vector<store::Mutation> changes = std::move(also);
  const std::vector<jose::Alg> algs = signing_algs(have);
  if (alg && std::find(algs.begin(), algs.end(), *alg) == algs.end())
    co_return Error(Code::invalid_request, "This tenant has no " + std::string(jose::name(*alg)) + " keys.");
  for (const jose::Alg each : algs) {
    if (alg && *alg != each) continue;
    std::function<Result<std::pair<ObjectKey, StoredObject>>()> work = [&] {
      return make_signing_key(each, "next", name, vault_, now);
    };
    CO_TRY(auto fresh, co_await pool_.run(std::move(work)));
    plan_rotation(have, each, std::move(fresh), longest_token_lifetime(*here.config), revoke, from + 1, now, changes);
  }
  CO_CHECK(co_await commit(name, from, std::move(changes)));
  log_.info("tenant.keys.rotated", {{"tenant", name}, {"revoked", revoke}});
  co_return ok();
}

}  // namespace mandate::tenant
