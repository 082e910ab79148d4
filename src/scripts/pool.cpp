#include "scripts/pool.h"

namespace mandate::scripts {
namespace {
constexpr std::size_t kMostCalls = 4096;
constexpr std::size_t kMostUnsent = 64 << 20;
constexpr std::size_t kMostRealms = 16;   // Workers of one child, about 9 MB each
constexpr std::size_t kMostScripts = 1000;
constexpr int kMostAttempts = 4;
constexpr std::size_t kMostBundle = 40 << 20;
using Clock = std::chrono::steady_clock;

Counter& failures(Metrics& metrics, std::string reason) {
  return metrics.counter("mandate_scripts_failures_total", "Script calls that failed, by reason.", {{"reason", std::move(reason)}});
}
}  // namespace

PoolMetrics::PoolMetrics(Metrics& m)
    : calls(m.counter("mandate_scripts_calls_total", "Script calls started.")),
      threw(failures(m, "threw")), syntax(failures(m, "syntax")), cpu(failures(m, "cpu")), heap(failures(m, "heap")), died(failures(m, "died")),
      timeout(failures(m, "timeout")), overloaded(failures(m, "overloaded")), unavailable(failures(m, "unavailable")),
      starts(m.counter("mandate_scripts_children_started_total", "Script processes started.")),
      restarts(m.counter("mandate_scripts_children_died_total", "Script processes that died or were killed and replaced.")),
      retries(m.counter("mandate_scripts_retries_total", "Script calls run again because a neighbour ended their Worker or process.")),
      in_flight(m.gauge("mandate_scripts_in_flight", "Script calls under way.")),
      children(m.gauge("mandate_scripts_children", "Script processes alive, the spare included.")),
      seconds(m.histogram("mandate_scripts_call_seconds", "Time from a script call to its answer.")) {}

Pool::Pool(HostOptions options, Loop& home, Log& log, PoolMetrics& metrics, std::shared_ptr<std::atomic<std::size_t>> under_way)
    : options_(std::move(options)), home_(home), log_(log), metrics_(metrics), under_way_(std::move(under_way)), watchdog_{.limit = options_.limits.cpu} {
  for (std::size_t i = 0; i < std::max<std::size_t>(1, options_.children); ++i) slots_.push_back(std::make_shared<Slot>());
}

Pool::~Pool() = default;

void Pool::start(std::shared_ptr<Running> call) {
  metrics_.calls.add();
  call->began = Clock::now();
  call->until = std::min(call->call.deadline, call->began + (call->call.wall.count() ? call->call.wall : options_.limits.wall));
  if (stopped_) return fail(call, metrics_.unavailable, Error(Code::temporarily_unavailable, "The server is shutting down."));
  if (calls_.size() >= kMostCalls) return fail(call, metrics_.overloaded, Error(Code::overloaded, "Too many scripts are running."));
  do ++last_call_;
  while (last_call_ == 0 || calls_.contains(last_call_));
  call->id = last_call_;
  calls_.emplace(call->id, call);
  count();
  place(call);
  watch();
}

void Pool::place(const std::shared_ptr<Running>& call) {
  ++call->attempts;
  Result<Place*> chosen = choose();
  if (!chosen.ok()) return fail(call, metrics_.unavailable, std::move(chosen).error());
  run_in(**chosen, call);
}

Result<Pool::Place*> Pool::choose() {
  Place* best = nullptr;
  for (Place& place : slots_)
    if (!best || place->calls.size() < (*best)->calls.size()) best = &place;
  if (!(*best)->child) CHECK_OK(fill(*best));
  // The spare is begun after the first child, so that the first caller does not wait for two.
  if (!spare_->child && Clock::now() >= not_before_ && (*best)->up) (void)fill(spare_);
  return best;
}

Result<void> Pool::fill(Place& place) {
  if (&place != &spare_ && spare_->child && spare_->calls.empty()) {
    std::swap(place, spare_);
    return ok();
  }
  if (Clock::now() < not_before_) return Error(Code::temporarily_unavailable, why_not_);
  ChildOptions options;
  options.node = options_.node;
  options.run_as = options_.run_as;
  options.process_mb = options_.limits.process_mb;
  options.frame_bytes = 2 * options_.limits.answer_bytes + (64 << 10);
  options.settings = to_json(JsonObject{{"cpu", options_.limits.cpu.count()}, {"heap", options_.limits.heap_mb}, {"answer", options_.limits.answer_bytes}});
  Slot* slot = place.get();  // owns the child, so it is there when the child speaks
  Child::Events events;
  events.frame = [this, slot](const Frame& frame) { on_frame(*slot, frame); };
  events.ended = [this, slot](std::string reason) { on_ended(*slot, std::move(reason)); };
  Result<std::unique_ptr<Child>> child = Child::spawn(options, home_, std::move(events));
  if (!child.ok()) {
    log_.error("scripts.unavailable", {{"hint", child.error().hint}, {"detail", child.error().detail}});
    not_before_ = Clock::now() + std::chrono::seconds(1);
    why_not_ = child.error().hint.empty() ? "The script process cannot be started." : child.error().hint;
    return Error(Code::temporarily_unavailable, why_not_, child.error().detail);
  }
  *slot = Slot{};
  slot->child = std::move(*child);
  slot->began = Clock::now();
  metrics_.starts.add();
  metrics_.children.add(1);
  log_.info("scripts.child_started", {{"pid", slot->child->pid()}, {"spare", slot == spare_.get()}});
  return ok();
}

// The realm's Worker in this place. A child whose lines are spent goes on with the calls it has; another takes its place.
Result<Pool::Realm*> Pool::realm_of(Place& place, const std::string& name) {
  auto found = place->realms.find(name);
  if (found != place->realms.end() && found->second.scripts.size() >= kMostScripts && found->second.busy == 0) {
    end_realm(*place, found->second.number);
    found = place->realms.end();
  }
  if (found == place->realms.end()) {
    if (place->realms.size() >= kMostRealms) {
      const Realm* idle = nullptr;
      for (const auto& [_, realm] : place->realms)
        if (realm.busy == 0 && (!idle || realm.used < idle->used)) idle = &realm;
      if (idle) end_realm(*place, idle->number);
    }
    const std::uint32_t number = ++last_realm_;
    if (!place->child->open(number)) {
      retire(place);
      CHECK_OK(fill(place));
      if (!place->child->open(number)) return Error(Code::temporarily_unavailable, "The script process cannot be used.");
    }
    found = place->realms.emplace(name, Realm{}).first;
    found->second.name = name;
    found->second.number = number;
    found->second.pulse.heard = Clock::now();
    place->by_number.emplace(number, &found->second);
  }
  found->second.used = Clock::now();
  return &found->second;
}

void Pool::retire(Place& place) {
  place->retiring = true;
  if (place->calls.empty()) place->child->kill();
  retiring_.push_back(std::exchange(place, std::make_shared<Slot>()));
}

void Pool::end_realm(Slot& slot, std::uint32_t number) {
  slot.child->send({FrameType::terminate, 0, 0, number, 0, "{}"});
  forget_realm(slot, number);
}

void Pool::forget_realm(Slot& slot, std::uint32_t number) {
  const auto found = slot.by_number.find(number);
  if (found == slot.by_number.end()) return;
  const std::string name = found->second->name;
  slot.by_number.erase(found);
  slot.realms.erase(name);
}

void Pool::run_in(Place& place, const std::shared_ptr<Running>& call) {
  Result<Realm*> opened = realm_of(place, call->call.realm);
  if (!opened.ok()) return fail(call, metrics_.unavailable, std::move(opened).error());
  Realm& realm = **opened;
  Slot& slot = *place;
  if (slot.child->unsent(realm.number) > kMostUnsent) return fail(call, metrics_.overloaded, Error(Code::overloaded, "Too many scripts are running."));
  call->realm = realm.number;
  call->slot = &slot;
  ++realm.busy;
  slot.calls.emplace(call->id, call);
  const auto source = [&] { return to_json(JsonObject{{"name", call->call.name}, {"source", call->call.source}, {"kind", call->call.kind}}); };
  if (call->kind == Running::Kind::check) {
    const std::string text = source();
    return slot.child->send({FrameType::check, 0, 0, realm.number, call->id, text});
  }
  if (call->call.bundle && call->call.bundle->version != realm.bundle && bundle_bytes(*call->call.bundle) > kMostBundle)
    return fail(call, metrics_.threw, Error(Code::server_error, "", "the service's files are larger than " + std::to_string(kMostBundle >> 20) + " MB"));
  tell_surroundings(slot, realm, call->call);
  // The jobs of one file are scripts of their own: a script is made for the one function that is called in it.
  const std::string key = call->call.kind == "job" ? call->call.name + "\n" + call->call.context : call->call.name;
  auto known = realm.scripts.find(key);
  if (known == realm.scripts.end() || known->second.first != call->call.version) {
    if (known == realm.scripts.end()) known = realm.scripts.emplace(key, std::pair(0, static_cast<std::uint16_t>(realm.scripts.size() + 1))).first;
    known->second.first = call->call.version;
    const std::string text = source();
    slot.child->send({FrameType::script, 0, known->second.second, realm.number, 0, text});
  }
  const std::uint8_t with_files = call->call.bundle ? 1 : 0;
  slot.child->send({FrameType::call, with_files, known->second.second, realm.number, call->id, call->call.context});
}

// Files and settings, when they are other than those the Worker has. Calls under way keep what they began with.
void Pool::tell_surroundings(Slot& slot, Realm& realm, const Call& call) {
  if (call.environment && call.environment != realm.environment) {
    if (!realm.environment || *realm.environment != *call.environment) slot.child->send({FrameType::environment, 0, 0, realm.number, 0, *call.environment});
    realm.environment = call.environment;
  }
  if (!call.bundle || call.bundle->version == realm.bundle) return;
  realm.bundle = call.bundle->version;
  const std::string text = bundle_text(*call.bundle);
  slot.child->send({FrameType::bundle, 0, 0, realm.number, 0, text});
}

void Pool::forget(const std::shared_ptr<Running>& call) {
  if (call->slot) {
    Slot& slot = *static_cast<Slot*>(call->slot);
    slot.calls.erase(call->id);
    const auto found = slot.by_number.find(call->realm);
    if (found != slot.by_number.end() && found->second->busy > 0) --found->second->busy;
    if (slot.retiring && slot.calls.empty() && slot.child) slot.child->kill();
  }
  call->slot = nullptr;
  call->realm = 0;
}

// Nothing of the call is left running.
void Pool::over(const std::shared_ptr<Running>& call) {
  forget(call);
  calls_.erase(call->id);
  count();
  run_suspects();
}

void Pool::count() {
  under_way_->store(calls_.size(), std::memory_order_relaxed);
  metrics_.in_flight.set(static_cast<double>(calls_.size()));
}

// Gives the answer to whoever waits. The call itself may go on.
void Pool::finish(const std::shared_ptr<Running>& call, Result<Json> result) {
  if (std::exchange(call->answered, true)) return;
  metrics_.seconds.observe(std::chrono::duration<double>(Clock::now() - call->began).count());
  call->result.emplace(std::move(result));
  // Not from inside our own loops over calls and frames; and those who were answered together go on together.
  if (finished_.empty()) home_.post([self = shared_from_this()] { self->deliver(); });
  finished_.push_back(call);
}

void Pool::deliver() {
  const auto finished = std::exchange(finished_, {});
  std::map<Loop*, std::vector<std::shared_ptr<Running>>> elsewhere;
  // The signal lives in the call: whoever is woken keeps it.
  for (const auto& call : finished)
    if (call->loop == &home_) call->done.set_here(std::move(*call->result));
    else elsewhere[call->loop].push_back(call);
  for (auto& [loop, calls] : elsewhere)
    loop->post([calls = std::move(calls)] {
      for (const auto& call : calls) call->done.set_here(std::move(*call->result));
    });
}

void Pool::fail(const std::shared_ptr<Running>& call, Counter& counter, Error error) {
  counter.add();
  finish(call, std::move(error));
  over(call);
}

// A call that lost its Worker. What has had no effect may be run again: alone, when it may be the one that ended its
// process. One that was alone when the process died is known to have done it.
void Pool::retry(const std::shared_ptr<Running>& call, Counter& counter, const Error& error, bool alone) {
  if (call->touched || call->alone || call->attempts >= kMostAttempts || stopped_) return fail(call, counter, error);
  metrics_.retries.add();
  forget(call);
  if (!alone) return place(call);
  call->alone = true;
  suspects_.push_back(call);
  run_suspects();
}

void Pool::run_suspects() {
  if (suspects_.empty() || stopped_ || !spare_->calls.empty()) return;
  const std::shared_ptr<Running> call = suspects_.front();
  if (!spare_->child) {
    Result<void> filled = fill(spare_);
    if (!filled.ok()) {
      suspects_.pop_front();
      return fail(call, metrics_.unavailable, std::move(filled).error());
    }
  }
  suspects_.pop_front();
  ++call->attempts;
  run_in(spare_, call);
}

void Pool::stop() {
  if (std::exchange(stopped_, true)) return;
  timer_.reset();
  suspects_.clear();
  const auto calls = std::exchange(calls_, {});
  for (const auto& [_, call] : calls) fail(call, metrics_.died, Error(Code::temporarily_unavailable, "The server is shutting down."));
  metrics_.children.set(0);
  for (const Place& place : slots_) *place = Slot{};
  *spare_ = Slot{};
  retiring_.clear();
  dead_.clear();
}

}  // namespace mandate::scripts
