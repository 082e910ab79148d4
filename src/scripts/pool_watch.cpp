// Limits: the wall clock of each call, the thread of each Worker, the life of each process.
#include "scripts/pool.h"

namespace mandate::scripts {
namespace {
using Clock = std::chrono::steady_clock;
constexpr auto kStart = std::chrono::seconds(15);
constexpr auto kIdleWorker = std::chrono::minutes(10);
}  // namespace

void Pool::watch() {
  if (timer_ || stopped_) return;
  const auto wait = std::max(std::chrono::milliseconds(10), std::min(watchdog_.interval(), options_.limits.wall / 12));
  timer_ = home_.after(wait, [weak = weak_from_this()] {
    if (const auto pool = weak.lock()) pool->tick();
  });
}

void Pool::tick() {
  timer_.reset();
  dead_.clear();
  const auto now = Clock::now();
  std::vector<std::shared_ptr<Running>> late;
  for (const auto& [_, call] : calls_)
    if (now >= call->until) late.push_back(call);
  for (const auto& call : late) {
    const auto* slot = static_cast<const Slot*>(call->slot);
    if (slot && slot->child) slot->child->send({FrameType::cancel, 0, 0, call->realm, call->id, "{}"});
    suspects_.remove(call);
    if (call->answered) over(call);
    else fail(call, metrics_.timeout, Error(Code::timeout, "The script did not answer in time.", "neither execute nor respond brought an answer within the wall limit"));
  }
  for (const auto* list : {&slots_, &retiring_})
    for (const Place& place : *list) tick_slot(*place);
  tick_slot(*spare_);
  run_suspects();
  // Nothing to watch while nothing runs; the next call starts the clock again.
  if (!calls_.empty() || !dead_.empty()) watch();
}

void Pool::tick_slot(Slot& slot) {
  if (!slot.child) return;
  const auto now = Clock::now();
  if (!slot.up) {
    if (now - slot.began > kStart) slot.child->kill();
    return;
  }
  std::vector<std::uint32_t> idle;
  for (auto& [name, realm] : slot.realms) {
    if (realm.busy == 0 && now - realm.used > kIdleWorker) idle.push_back(realm.number);
    switch (watchdog_.look(realm.pulse, realm.busy > 0, now)) {
      case Verdict::fine: break;
      case Verdict::ask:
        realm.holding = 0;
        slot.child->send({FrameType::ping, 0, 0, realm.number, 0, "{}"});
        slot.child->send({FrameType::who, 0, 0, realm.number, 0, "{}"});
        break;
      case Verdict::end_worker:
        log_.warn("scripts.worker_held", {{"realm", name}, {"limit_ms", options_.limits.cpu.count()}});
        slot.child->send({FrameType::terminate, 0, 0, realm.number, 0, "{}"});
        break;
      case Verdict::kill_process:
        log_.warn("scripts.child_disobeyed", {{"realm", name}, {"pid", slot.child->pid()}});
        slot.child->kill();
        return;
    }
  }
  for (const std::uint32_t number : idle) end_realm(slot, number);
}

}  // namespace mandate::scripts
