// What the children say.
#include "scripts/pool.h"

namespace mandate::scripts {
namespace {

using Clock = std::chrono::steady_clock;

JsonLimits limits_of(const Limits& limits) {
  return {.bytes = 2 * limits.answer_bytes + (64 << 10), .depth = 72, .members = 10'000, .values = 1'000'000, .string_bytes = limits.answer_bytes};
}

// Keeps the binding, the word and the arguments for as long as the answer takes.
Task<Json> invoke(std::shared_ptr<Binding> binding, std::string method, Json arguments) {
  Task<Json> asked = binding->invoke(method, std::move(arguments));
  Result<Json> answer = co_await asked;
  co_return answer;
}

std::string text_of(const Json& value, std::string_view name) {
  const auto* object = value.if_object();
  return std::string(object ? text_member(*object, name).value_or("") : "");
}

// "/table/T.insert.js:3\n…source…\n    ^\n\nSyntaxError: Unexpected token" → where and what, for the one who wrote it.
std::string syntax_hint(const std::string& stack, const std::string& message) {
  const std::string where = stack.substr(0, stack.find('\n'));
  return where.empty() || where.find(".js:") == std::string::npos ? message : where + ": " + message;
}

}  // namespace

void Pool::on_frame(Slot& slot, const Frame& frame) {
  if (const auto name = slot.by_number.find(frame.realm); name != slot.by_number.end()) slot.realms.at(name->second).pulse.hear(Clock::now());
  switch (frame.type) {
    case FrameType::hello: return on_hello(slot, frame);
    case FrameType::gone: return on_gone(slot, frame);
    case FrameType::pong: return;
    default: break;
  }
  const auto found = calls_.find(frame.call);
  if (found == calls_.end() || found->second->realm != frame.realm || !slot.calls.contains(frame.call)) return;  // ended meanwhile
  const std::shared_ptr<Running> call = found->second;
  switch (frame.type) {
    case FrameType::result: {
      call->touched = true;
      Result<Json> value = parse_json(frame.text, limits_of(options_.limits));
      if (!value.ok()) return fail(call, metrics_.threw, Error(Code::server_error, "", "the script's answer cannot be read: " + value.error().hint));
      if (frame.flags & 1) {
        forget(call);
        if (calls_.erase(call->id) > 0) metrics_.in_flight.add(-1);
      }
      finish(call, std::move(value));
      if (frame.flags & 1) run_suspects();
      return;
    }
    case FrameType::ended:
      forget(call);
      if (calls_.erase(call->id) > 0) metrics_.in_flight.add(-1);
      return run_suspects();
    case FrameType::invoke: return on_invoke(slot, call, frame);
    case FrameType::console: return on_console(call, frame);
    case FrameType::failed: return on_failed(call, frame);
    case FrameType::checked: return on_checked(call, frame);
    default: return;  // a word of ours, sent back: nothing follows from it
  }
}

void Pool::on_hello(Slot& slot, const Frame& frame) {
  Result<Json> hello = parse_json(frame.text);
  const std::string version = hello.ok() ? text_of(*hello, "node") : "";
  slot.up = true;
  failed_starts_ = 0;
  if (std::atoi(version.c_str()) < 18) {
    why_not_ = "Scripts need Node.js 18 or later on this server; it has " + version + ".";
    not_before_ = Clock::now() + std::chrono::minutes(1);
    log_.error("scripts.unavailable", {{"hint", why_not_}});
    slot.child->kill();
    return;
  }
  if (!spare_.child && !stopped_) (void)fill(spare_);
}

void Pool::on_invoke(Slot&, const std::shared_ptr<Running>& call, const Frame& frame) {
  call->touched = true;
  Result<Json> value = parse_json(frame.text, limits_of(options_.limits));
  const std::uint32_t id = call->id;
  const std::uint16_t sequence = frame.sequence;
  if (!value.ok() || !value->is_object()) return answer(id, sequence, Error(Code::bad_request, "The arguments cannot be read: " + (value.ok() ? "" : value.error().hint)));
  std::string method = text_of(*value, "method");
  Json arguments = value->as_object()["arguments"];
  auto go = [binding = call->binding, method = std::move(method), arguments = std::move(arguments), id, sequence, home = &home_, weak = weak_from_this()]() mutable {
    spawn(invoke(std::move(binding), std::move(method), std::move(arguments)), [id, sequence, home, weak](Result<Json> result) {
      auto shared = std::make_shared<Result<Json>>(std::move(result));
      auto back = [id, sequence, weak, shared] {
        if (const auto pool = weak.lock()) pool->answer(id, sequence, std::move(*shared));
      };
      if (Loop::current() == home) back();
      else home->post(back);
    });
  };
  if (call->loop == &home_ && Loop::current() == &home_) go();
  else call->loop->post(std::move(go));
}

void Pool::answer(std::uint32_t id, std::uint16_t sequence, Result<Json> result) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;
  Slot* slot = slot_of(*found->second);
  if (!slot || !slot->child) return;
  if (result.ok()) {
    const std::string text = to_json(*result);
    if (text.size() <= options_.limits.heap_mb << 18) {
      slot->child->send({FrameType::answer, 1, sequence, found->second->realm, id, text});
      return;
    }
    result = Error(Code::payload_too_large, "The rows are too many for a script to hold.");
  }
  const Error& error = result.error();
  if (!error.detail.empty()) log_.warn("scripts.binding_failed", {{"script", found->second->call.name}, {"code", name(error.code)}, {"detail", error.detail}});
  const std::string text = to_json(JsonObject{{"code", name(error.code)}, {"message", error.hint}, {"statusCode", http_status(error.code)}});
  slot->child->send({FrameType::answer, 0, sequence, found->second->realm, id, text});
}

void Pool::on_console(const std::shared_ptr<Running>& call, const Frame& frame) {
  Result<Json> value = parse_json(frame.text);
  if (!value.ok()) return;
  auto go = [binding = call->binding, level = text_of(*value, "level"), text = text_of(*value, "text")] { binding->console(level, text); };
  if (call->loop == &home_) go();
  else call->loop->post(std::move(go));
}

void Pool::on_failed(const std::shared_ptr<Running>& call, const Frame& frame) {
  Result<Json> value = parse_json(frame.text, limits_of(options_.limits));
  const std::string kind = value.ok() ? text_of(*value, "kind") : "threw";
  const std::string message = value.ok() ? text_of(*value, "message") : "The script failed with something that cannot be read.";
  std::string stack = value.ok() ? text_of(*value, "stack") : "";
  if (stack.empty()) stack = message;
  if (kind == "unknown") {  // the Worker is younger than what it was told
    const Slot* slot = slot_of(*call);
    if (slot)
      if (const auto name = slot->by_number.find(call->realm); name != slot->by_number.end()) const_cast<Slot*>(slot)->realms.at(name->second).scripts.erase(call->call.name);
    return retry(call, metrics_.died, Error(Code::server_error, "", "the script was lost"), false);
  }
  if (call->answered && call->binding) {  // nobody waits for the error any more; the log still should have it
    auto note = [binding = call->binding, stack] { binding->console("error", stack); };
    if (call->loop == &home_) note();
    else call->loop->post(note);
  }
  Counter& counter = kind == "syntax" ? metrics_.syntax : kind == "cpu" ? metrics_.cpu : metrics_.threw;
  fail(call, counter, Error(Code::server_error, "", stack));
}

void Pool::on_checked(const std::shared_ptr<Running>& call, const Frame& frame) {
  forget(call);
  if (calls_.erase(call->id) > 0) metrics_.in_flight.add(-1);
  run_suspects();
  if (frame.flags & 1) return finish(call, Json(true));
  Result<Json> value = parse_json(frame.text, limits_of(options_.limits));
  const std::string message = value.ok() ? text_of(*value, "message") : "The script cannot be compiled.";
  finish(call, Error(Code::invalid_request, syntax_hint(value.ok() ? text_of(*value, "stack") : "", message)));
}

void Pool::on_gone(Slot& slot, const Frame& frame) {
  Result<Json> value = parse_json(frame.text);
  const std::string reason = value.ok() ? text_of(*value, "reason") : "";
  const auto running = value.ok() && value->is_object() ? integer_member(value->as_object(), "running").value_or(0) : 0;
  std::string realm;
  if (const auto name = slot.by_number.find(frame.realm); name != slot.by_number.end()) {
    realm = name->second;
    slot.realms.erase(name->second);
    slot.by_number.erase(name);
  }
  std::vector<std::shared_ptr<Running>> lost;
  for (const std::uint32_t id : slot.calls)
    if (const auto call = calls_.find(id); call != calls_.end() && call->second->realm == frame.realm) lost.push_back(call->second);
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
  metrics_.restarts.add();
  const bool young = !slot.up;
  const bool was_spare = &slot == &spare_;
  log_.warn("scripts.child_died", {{"reason", reason}, {"calls", slot.calls.size()}, {"spare", was_spare}});
  const auto calls = slot.calls;
  dead_.push_back(std::move(slot.child));
  slot = Slot{};
  if (young && ++failed_starts_ >= 3) {
    not_before_ = Clock::now() + std::chrono::seconds(5);
    why_not_ = "Scripts cannot run on this server: Node does not start.";
    log_.error("scripts.unavailable", {{"hint", why_not_}, {"detail", reason}});
  }
  for (const std::uint32_t id : calls) {
    const auto found = calls_.find(id);
    if (found == calls_.end()) continue;
    const std::shared_ptr<Running> call = found->second;
    call->realm = 0;
    // A child that never came up is nobody's fault; one that died is somebody's, and the suspects are tried alone.
    retry(call, metrics_.died, Error(Code::server_error, "", "the script's process died: " + reason), !young);
  }
  if (!spare_.child && !stopped_ && Clock::now() >= not_before_ && !young) (void)fill(spare_);
  watch();
}

}  // namespace mandate::scripts
