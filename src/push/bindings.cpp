#include "push/bindings.h"

#include "base/url.h"
#include "push/payload.h"
#include "push/tags.h"
#include "tenant/service_rules.h"

namespace mandate::push {
namespace {

constexpr std::size_t kTriedAtOnce = 20;
constexpr Millis kDay = 86'400'000;

/// The service sends to a hub's registrations, not to handles that its scripts keep.
bool by_tags(const tenant::Service& service) { return tenant::switched_on(service, "MS_EnableExternalPush"); }

Result<std::vector<std::string>> texts_of(const Json* given, std::string_view what) {
  std::vector<std::string> out;
  if (!given || given->is_null()) return out;
  if (given->is_string()) return std::vector<std::string>{std::string(view(given->get_string()))};
  const Error wrong(Code::bad_request, std::string(what) + " must be text or a list of texts.");
  if (!given->is_array()) return wrong;
  for (const Json& each : given->get_array()) {
    if (!each.is_string()) return wrong;
    out.emplace_back(view(each.get_string()));
  }
  return out;
}

JsonObject headers_of(const JsonObject& arguments) {
  JsonObject out;
  const Json* given = arguments.if_contains("headers");
  if (!given || !given->is_object()) return out;
  for (const auto& [key, value] : given->get_object()) {
    const std::string_view name(key.data(), key.size());
    const bool token = !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '-'; });
    if (!token || !value.is_string()) continue;
    std::string text(view(value.get_string()));
    std::erase_if(text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
    out[name] = text.substr(0, 256);
  }
  return out;
}

/// What a script's error handler looks at is statusCode: ours that is nearest the platform's.
Error refusal(const Delivered& outcome) {
  const std::string text = outcome.reason.empty() ? "The push service refused the message: " + std::to_string(outcome.status) + "." : outcome.reason;
  if (outcome.kind == Delivered::Kind::gone) return Error(Code::gone, text);
  if (outcome.status == 403) return Error(Code::forbidden, text);
  return Error(Code::bad_request, text);
}

}  // namespace

Result<std::string> expression_of(const Json* tags) {
  if (!tags || tags->is_null()) return std::string();
  if (tags->is_string()) {
    std::string text(view(tags->get_string()));
    CHECK_OK(TagExpression::parse(text));
    return text;
  }
  TRY(const std::vector<std::string> list, texts_of(tags, "Tags"));
  if (list.empty()) return Error(Code::bad_request, "A list of tags must have one; null means everybody.");
  CHECK_OK(TagExpression::any_of(list));
  const auto text = TagExpression::text_of(list);
  if (!text) return Error(Code::bad_request, "A tag has characters that none has.");
  return *text;
}

std::string payload_of(Platform platform, const Json& given) {
  if (given.is_string()) {
    if (platform != Platform::gcm) return std::string(view(given.get_string()));
    const Result<Json> read = parse_json(view(given.get_string()));
    if (read.ok() && read->is_object()) return std::string(view(given.get_string()));
    return to_json(JsonObject{{"data", JsonObject{{"message", given}}}});
  }
  if (platform != Platform::apns || !given.is_object() || given.get_object().contains("aps")) return to_json(given);
  JsonObject aps, out;
  for (const auto& member : given.get_object()) {
    const std::string_view name(member.key().data(), member.key().size());
    if (name == "payload" && member.value().is_object()) {
      for (const auto& inner : member.value().get_object())
        if (inner.key() != "aps") out[inner.key()] = inner.value();
    } else if (name != "expiry") {
      aps[name == "contentAvailable" ? std::string_view("content-available") : name] = member.value();
    }
  }
  out["aps"] = std::move(aps);
  return to_json(out);
}

Task<Json> ScriptCalls::invoke(tenant::Here here, const tenant::Service* service, std::string method, Json arguments) {
  const Json nothing;
  JsonObject given;
  if (arguments.is_object()) given = std::move(arguments.get_object());
  const Json* payload = given.if_contains("payload");
  Send send;
  send.service = service->name;
  send.headers = headers_of(given);
  if (method == "push.send") {
    CO_TRY(send.expression, expression_of(given.if_contains("tags")));
    if (!payload || !payload->is_object()) co_return Error(Code::bad_request, "push.send takes an object of properties.");
    send.payload = to_json(*payload);
    Task<Json> sending = to_tags(std::move(here), service, std::move(send));
    Result<Json> sent = co_await sending;
    co_return sent;
  }
  send.platform = platform_of(text_member(given, "platform").value_or(""));
  if (!send.platform) co_return Error(Code::bad_request, "There is no such platform.");
  if (method == "push.feedback") {
    Task<JsonArray> reading = sends_.feedback(*here.store, service->name, *send.platform);
    CO_TRY(JsonArray list, co_await reading);
    co_return Json(std::move(list));
  }
  if (method != "push.platform") co_return Error(Code::bad_request, "There is no '" + method + "' for scripts.");
  CO_CHECK(senders_.can_send(*service, *send.platform));
  send.payload = payload_of(*send.platform, payload ? *payload : nothing);
  CO_CHECK(check_payload(*send.platform, send.payload));
  complete_headers(*send.platform, send.payload, send.headers);
  const Json* to = given.if_contains("to");
  std::optional<Task<Json>> task;
  if (bool_member(given, "tags").value_or(false) || by_tags(*service)) {
    send.kind = SendKind::native;
    CO_TRY(send.expression, expression_of(to));
    task.emplace(to_tags(std::move(here), service, std::move(send)));
  } else {
    send.kind = SendKind::direct;
    CO_TRY(const std::vector<std::string> handles, texts_of(to, "A device"));
    for (const std::string& handle : handles) {
      CO_TRY(std::string checked, check_handle(*send.platform, handle, service->push));
      send.handles.push_back(std::move(checked));
    }
    task.emplace(to_devices(std::move(here), service, std::move(send)));
  }
  Task<Json> named = std::move(*task);
  Result<Json> sent = co_await named;
  co_return sent;
}

Task<Json> ScriptCalls::to_tags(tenant::Here here, const tenant::Service*, Send send) {
  Task<std::string> filing = sends_.file(*here.store, std::move(send));
  CO_TRY(const std::string id, co_await filing);
  co_return JsonObject{{"id", id}};
}

Task<Json> ScriptCalls::to_devices(tenant::Here here, const tenant::Service* service, Send send) {
  if (send.handles.empty()) co_return Error(Code::bad_request, "A message goes to 1 to 1000 devices at a time.");
  JsonObject out;
  JsonArray results;
  std::vector<std::string> later;
  store::Batch forgotten;
  std::optional<Delivered> refused;
  const Millis now = clock_.now_ms();
  for (std::size_t i = 0; i < send.handles.size(); ++i) {
    const std::string& handle = send.handles[i];
    if (send.handles.size() > kTriedAtOnce) {
      later.push_back(handle);
      continue;
    }
    Message message{random_.uuid7(now), *send.platform, handle, send.payload, send.headers, now + kDay};
    Task<Delivered> delivering = senders_.deliver(here, service, std::move(message));
    CO_TRY(const Delivered outcome, co_await delivering);
    if (outcome.kind == Delivered::Kind::later) {
      later.push_back(handle);
      continue;
    }
    const bool good = outcome.kind == Delivered::Kind::delivered;
    results.push_back(JsonObject{{"handle", handle}, {"status", outcome.status}, {"delivered", good}, {"reason", outcome.reason}});
    if (!good) refused = outcome;
    if (outcome.kind != Delivered::Kind::gone) continue;
    Task<std::vector<store::Mutation>> forgetting = forget_device(*here.store, service->name, *send.platform, handle, now);
    CO_TRY(std::vector<store::Mutation> mutations, co_await forgetting);
    for (store::Mutation& mutation : mutations) forgotten.add(std::move(mutation));
  }
  if (!forgotten.mutations.empty()) {
    Task<store::Outcome> writing = here.store->mutate(std::move(forgotten));
    CO_CHECK(co_await writing);
  }
  if (refused && send.handles.size() == 1) co_return refusal(*refused);
  if (!later.empty()) {
    send.handles = std::move(later);
    Task<std::string> filing = sends_.file(*here.store, std::move(send));
    CO_TRY(const std::string id, co_await filing);
    out["id"] = id;
  }
  out["results"] = std::move(results);
  co_return out;
}

}  // namespace mandate::push
