// What becomes of the calls of a Worker or a process that ended. Only who is to blame fails, and who may have had an
// effect; all others are run again, elsewhere and at once.
#include "scripts/pool.h"

namespace mandate::scripts {

void Pool::on_gone(Slot& slot, const Frame& frame) {
  Result<Json> value = parse_json(frame.text);
  const JsonObject none;
  const JsonObject& object = value.ok() && value->is_object() ? value->as_object() : none;
  const std::string reason(text_member(object, "reason").value_or(""));
  const auto running = integer_member(object, "running").value_or(0);
  const auto found = slot.by_number.find(frame.realm);
  const std::string realm = found == slot.by_number.end() ? "" : found->second->name;
  forget_realm(slot, frame.realm);
  std::vector<std::shared_ptr<Running>> lost;
  for (const auto& [_, call] : slot.calls)
    if (call->realm == frame.realm) lost.push_back(call);
  if (lost.empty()) return;
  const bool heap = reason == "heap", cpu = reason == "terminated";
  Counter& counter = heap ? metrics_.heap : cpu ? metrics_.cpu : metrics_.died;
  const std::string why = heap ? "the script used more than " + std::to_string(options_.limits.heap_mb) + " MB of memory"
                          : cpu ? "the script held its thread for more than " + std::to_string(options_.limits.cpu.count()) + " ms"
                                : "the script's Worker ended: " + reason;
  log_.warn("scripts.worker_ended", {{"realm", realm}, {"reason", why}, {"calls", lost.size()}});
  for (const auto& call : lost) {
    if (call->id == static_cast<std::uint32_t>(running)) fail(call, counter, Error(Code::server_error, "", why));
    else retry(call, counter, Error(Code::server_error, "", "a neighbour ended the Worker: " + why), false);
  }
}

void Pool::on_ended(Slot& slot, std::string reason) {
  metrics_.children.add(-1);
  const bool young = !slot.up, retired = slot.retiring && slot.calls.empty();
  if (!retired) {
    metrics_.restarts.add();
    log_.warn("scripts.child_died", {{"reason", reason}, {"calls", slot.calls.size()}, {"spare", &slot == spare_.get()}});
  }

  // Who is suspected: the realms that had gone silent, and in them whoever held the thread. Without any sign, everybody whose
  // process dies a second time; the first time it may have been ended from outside.
  std::vector<std::shared_ptr<Running>> suspects, innocent, guilty;
  const bool signs = std::ranges::any_of(slot.by_number, [](const auto& each) { return each.second->pulse.asked || each.second->pulse.told; });
  for (const auto& [_, call] : slot.calls) {
    const auto realm = slot.by_number.find(call->realm);
    const bool silent = realm != slot.by_number.end() && (realm->second->pulse.asked || realm->second->pulse.told);
    const std::uint32_t holding = silent ? realm->second->holding : 0;
    if (young || (signs && !silent) || (holding != 0 && holding != call->id) || (!signs && call->deaths++ == 0)) innocent.push_back(call);
    else if (holding == call->id && realm->second->pulse.told) guilty.push_back(call);
    else suspects.push_back(call);
  }

  Place* place = nullptr;
  for (Place& each : slots_)
    if (each.get() == &slot) place = &each;
  dead_.push_back(std::move(slot.child));
  for (const auto* calls : {&suspects, &innocent, &guilty})
    for (const auto& call : *calls) call->slot = nullptr, call->realm = 0;
  const bool retiring = slot.retiring;
  slot = Slot{};
  if (retiring) retiring_.remove_if([&](const Place& each) { return each.get() == &slot; });
  if (young && ++failed_starts_ >= 3) {
    not_before_ = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    why_not_ = "Scripts cannot run on this server: Node does not start.";
    log_.error("scripts.unavailable", {{"hint", why_not_}, {"detail", reason}});
  }
  // The warm spare takes over at once, and the next one is begun, before anybody is run again.
  if (!young && !stopped_) {
    if (place && spare_->child) (void)fill(*place);
    if (!spare_->child) (void)fill(spare_);
  }
  const Error error(Code::server_error, "", "the script's process died: " + reason);
  for (const auto& call : guilty) fail(call, metrics_.cpu, Error(Code::server_error, "", "the script held its thread for more than " + std::to_string(options_.limits.cpu.count()) + " ms, and its process was ended"));
  for (const auto& call : innocent) retry(call, metrics_.died, error, false);
  for (const auto& call : suspects) retry(call, metrics_.died, error, true);
  watch();
}

}  // namespace mandate::scripts
