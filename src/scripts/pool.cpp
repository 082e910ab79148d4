#include "scripts/pool.h"

namespace mandate::scripts {
namespace {
constexpr std::size_t kMostCalls = 4096;
constexpr std::size_t kMostUnsent = 64 << 20;
constexpr std::size_t kMostRealms = 16;   // Workers of one child, about 9 MB each
constexpr std::size_t kMostScripts = 1000;
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

Pool::Pool(HostOptions options, Loop& home, Log& log, PoolMetrics& metrics)
    : options_(std::move(options)), home_(home), log_(log), metrics_(metrics), watchdog_{.limit = options_.limits.cpu} {
  for (std::size_t i = 0; i < std::max<std::size_t>(1, options_.children); ++i) slots_.emplace_back();
}

Pool::~Pool() = default;

void Pool::start(std::shared_ptr<Running> call) {
  metrics_.calls.add();
  call->began = Clock::now();
  call->until = std::min(call->call.deadline, call->began + options_.limits.wall);
  if (stopped_) return fail(call, metrics_.unavailable, Error(Code::temporarily_unavailable, "The server is shutting down."));
  if (calls_.size() >= kMostCalls) return fail(call, metrics_.overloaded, Error(Code::overloaded, "Too many scripts are running."));
  do ++last_call_;
  while (last_call_ == 0 || calls_.contains(last_call_));
  call->id = last_call_;
  calls_.emplace(call->id, call);
  metrics_.in_flight.add(1);
  place(call);
  watch();
}

void Pool::place(const std::shared_ptr<Running>& call) {
  ++call->attempts;
  Result<Slot*> slot = choose();
  if (!slot.ok()) return fail(call, metrics_.unavailable, std::move(slot).error());
  if ((*slot)->child->unsent() > kMostUnsent) return fail(call, metrics_.overloaded, Error(Code::overloaded, "Too many scripts are running."));
  run_in(**slot, call);
}

Result<Pool::Slot*> Pool::choose() {
  Slot* best = nullptr;
  for (Slot& slot : slots_)
    if (!best || slot.calls.size() < best->calls.size()) best = &slot;
  if (!best->child) CHECK_OK(fill(*best));
  // The spare is begun after the first child, so that the first caller does not wait for two.
  if (!spare_.child && Clock::now() >= not_before_ && best->up) (void)fill(spare_);
  return best;
}

Result<void> Pool::fill(Slot& slot) {
  if (&slot != &spare_ && spare_.child && spare_.calls.empty()) {
    std::swap(slot, spare_);
    return ok();
  }
  if (Clock::now() < not_before_) return Error(Code::temporarily_unavailable, why_not_);
  ChildOptions options;
  options.node = options_.node;
  options.run_as = options_.run_as;
  options.process_mb = options_.limits.process_mb;
  options.frame_bytes = 2 * options_.limits.answer_bytes + (64 << 10);
  options.settings = to_json(JsonObject{{"cpu", options_.limits.cpu.count()}, {"heap", options_.limits.heap_mb}, {"answer", options_.limits.answer_bytes}});
  // A slot moves when the spare takes a place, so a child is found by itself.
  auto self = std::make_shared<Child*>(nullptr);
  const auto with_slot = [this, self](auto&& fn) {
    if (spare_.child.get() == *self) return fn(spare_);
    for (Slot& each : slots_)
      if (each.child.get() == *self) return fn(each);
  };
  Child::Events events;
  events.frame = [this, with_slot](const Frame& frame) { with_slot([&](Slot& at) { on_frame(at, frame); }); };
  events.ended = [this, with_slot](std::string reason) { with_slot([&](Slot& at) { on_ended(at, std::move(reason)); }); };
  Result<std::unique_ptr<Child>> child = Child::spawn(options, home_, std::move(events));
  if (!child.ok()) {
    log_.error("scripts.unavailable", {{"hint", child.error().hint}, {"detail", child.error().detail}});
    not_before_ = Clock::now() + std::chrono::seconds(1);
    why_not_ = child.error().hint.empty() ? "The script process cannot be started." : child.error().hint;
    return Error(Code::temporarily_unavailable, why_not_, child.error().detail);
  }
  *self = child->get();
  slot = Slot{};
  slot.child = std::move(*child);
  slot.began = Clock::now();
  metrics_.starts.add();
  metrics_.children.add(1);
  log_.info("scripts.child_started", {{"pid", slot.child->pid()}, {"spare", &slot == &spare_}});
  return ok();
}

Pool::Realm& Pool::realm_of(Slot& slot, const std::string& name) {
  auto found = slot.realms.find(name);
  if (found != slot.realms.end() && found->second.scripts.size() >= kMostScripts && found->second.busy == 0) {
    end_realm(slot, found->second.number);
    found = slot.realms.end();
  }
  if (found == slot.realms.end()) {
    if (slot.realms.size() >= kMostRealms) {
      const Realm* idle = nullptr;
      for (const auto& [_, realm] : slot.realms)
        if (realm.busy == 0 && (!idle || realm.used < idle->used)) idle = &realm;
      if (idle) end_realm(slot, idle->number);
    }
    found = slot.realms.emplace(name, Realm{}).first;
    found->second.number = ++last_realm_;
    found->second.pulse.heard = Clock::now();
    slot.by_number.emplace(found->second.number, name);
  }
  found->second.used = Clock::now();
  return found->second;
}

void Pool::end_realm(Slot& slot, std::uint32_t number) {
  slot.child->send({FrameType::terminate, 0, 0, number, 0, "{}"});
  const auto name = slot.by_number.find(number);
  if (name == slot.by_number.end()) return;
  slot.realms.erase(name->second);
  slot.by_number.erase(name);
}

void Pool::run_in(Slot& slot, const std::shared_ptr<Running>& call) {
  Realm& realm = realm_of(slot, call->call.realm);
  call->realm = realm.number;
  ++realm.busy;
  slot.calls.insert(call->id);
  if (call->kind == Running::Kind::check) {
    const std::string text = to_json(JsonObject{{"name", call->call.name}, {"source", call->call.source}});
    slot.child->send({FrameType::check, 0, 0, realm.number, call->id, text});
    return;
  }
  auto known = realm.scripts.find(call->call.name);
  if (known == realm.scripts.end() || known->second.first != call->call.version) {
    if (known == realm.scripts.end()) known = realm.scripts.emplace(call->call.name, std::pair(0, static_cast<std::uint16_t>(realm.scripts.size() + 1))).first;
    known->second.first = call->call.version;
    const std::string text = to_json(JsonObject{{"name", call->call.name}, {"source", call->call.source}});
    slot.child->send({FrameType::script, 0, known->second.second, realm.number, 0, text});
  }
  slot.child->send({FrameType::call, 0, known->second.second, realm.number, call->id, call->context});
}

Pool::Slot* Pool::slot_of(const Running& call) {
  if (spare_.calls.contains(call.id)) return &spare_;
  for (Slot& slot : slots_)
    if (slot.calls.contains(call.id)) return &slot;
  return nullptr;
}

void Pool::forget(const std::shared_ptr<Running>& call) {
  if (Slot* slot = slot_of(*call)) {
    slot->calls.erase(call->id);
    const auto name = slot->by_number.find(call->realm);
    if (name != slot->by_number.end()) {
      Realm& realm = slot->realms.at(name->second);
      if (realm.busy > 0) --realm.busy;
    }
  }
  call->realm = 0;
}

// Gives the answer to whoever waits. The call itself may go on.
void Pool::finish(const std::shared_ptr<Running>& call, Result<Json> result) {
  if (std::exchange(call->answered, true)) return;
  metrics_.seconds.observe(std::chrono::duration<double>(Clock::now() - call->began).count());
  // The signal lives in the call: whoever is woken keeps it.
  call->done.set(std::move(result));
}

void Pool::fail(const std::shared_ptr<Running>& call, Counter& counter, Error error) {
  counter.add();
  forget(call);
  if (calls_.erase(call->id) > 0) metrics_.in_flight.add(-1);
  finish(call, std::move(error));
  run_suspects();
}

// A call that lost its Worker. What has had no effect may be run again: alone, when its process died and nobody knows why.
void Pool::retry(const std::shared_ptr<Running>& call, Counter& counter, const Error& error, bool alone) {
  if (call->touched || call->attempts >= 3 || (alone && call->attempts >= 2) || stopped_) return fail(call, counter, error);
  metrics_.retries.add();
  forget(call);
  if (!alone) return place(call);
  suspects_.push_back(call);
  run_suspects();
}

void Pool::run_suspects() {
  if (suspects_.empty() || stopped_ || !spare_.calls.empty()) return;
  const std::shared_ptr<Running> call = suspects_.front();
  if (!spare_.child) {
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
  metrics_.in_flight.set(0);
  metrics_.children.set(0);
  for (Slot& slot : slots_) slot = Slot{};
  spare_ = Slot{};
  dead_.clear();
}

}  // namespace mandate::scripts
