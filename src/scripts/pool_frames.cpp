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
  return where.empty() || where.find("js:") == std::string::npos ? message : where + ": " + message;
}

}  // namespace

void Pool::on_frame(Slot& slot, const Frame& frame) {
  const auto realm = slot.by_number.find(frame.realm);
  if (frame.type == FrameType::holding) {
    if (realm != slot.by_number.end()) realm->second->holding = frame.call;
    return;
  }
  if (frame.type == FrameType::hello) return on_hello(slot, frame);
  if (frame.type == FrameType::gone) return on_gone(slot, frame);
  if (realm != slot.by_number.end()) realm->second->pulse.hear(Clock::now());
  if (frame.type == FrameType::pong) return;
  const auto found = slot.calls.find(frame.call);
  if (found == slot.calls.end() || found->second->realm != frame.realm) return;  // ended meanwhile
  const std::shared_ptr<Running> call = found->second;
  switch (frame.type) {
    case FrameType::result: return on_result(call, frame);
    case FrameType::ended: return over(call);
    case FrameType::invoke: return on_invoke(call, frame);
    case FrameType::console: return on_console(call, frame);
    case FrameType::failed: return on_failed(slot, call, frame);
    case FrameType::checked: return on_checked(call, frame);
    default: return;  // a word of ours, sent back: nothing follows from it
  }
}

void Pool::on_result(const std::shared_ptr<Running>& call, const Frame& frame) {
  call->touched = true;
  Result<Json> value = parse_json(frame.text, limits_of(options_.limits));
  if (!value.ok()) return fail(call, metrics_.threw, Error(Code::server_error, "", "the script's answer cannot be read: " + value.error().hint));
  finish(call, std::move(value));
  if (frame.flags & 1) over(call);
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
  if (!spare_->child && !stopped_) (void)fill(spare_);
}

void Pool::on_invoke(const std::shared_ptr<Running>& call, const Frame& frame) {
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
  const auto* slot = static_cast<const Slot*>(found->second->slot);
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

void Pool::on_failed(Slot& slot, const std::shared_ptr<Running>& call, const Frame& frame) {
  Result<Json> value = parse_json(frame.text, limits_of(options_.limits));
  const std::string kind = value.ok() ? text_of(*value, "kind") : "threw";
  const std::string message = value.ok() ? text_of(*value, "message") : "The script failed with something that cannot be read.";
  std::string stack = value.ok() ? text_of(*value, "stack") : "";
  if (stack.empty()) stack = message;
  if (kind == "unknown") {  // the Worker is younger than what it was told
    if (const auto realm = slot.by_number.find(call->realm); realm != slot.by_number.end()) realm->second->scripts.erase(call->call.name);
    return retry(call, metrics_.died, Error(Code::server_error, "", "the script was lost"), false);
  }
  if (call->answered && call->binding) {  // nobody waits for the error any more; the log still should have it
    auto note = [binding = call->binding, stack] { binding->console("error", stack); };
    if (call->loop == &home_) note();
    else call->loop->post(note);
  }
  Counter& counter = kind == "syntax" ? metrics_.syntax : kind == "cpu" ? metrics_.cpu : metrics_.threw;
  fail(call, counter, Error(kind == "broken" ? Code::invalid_request : Code::server_error, "", stack));
}

void Pool::on_checked(const std::shared_ptr<Running>& call, const Frame& frame) {
  over(call);
  if (frame.flags & 1) return finish(call, Json(true));
  Result<Json> value = parse_json(frame.text, limits_of(options_.limits));
  const std::string message = value.ok() ? text_of(*value, "message") : "The script cannot be compiled.";
  finish(call, Error(Code::invalid_request, syntax_hint(value.ok() ? text_of(*value, "stack") : "", message)));
}

}  // namespace mandate::scripts
