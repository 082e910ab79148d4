// Messages to devices: sent from the desk, and what became of those that were sent.
#include "base/url.h"
#include "management/desk.h"
#include "push/bindings.h"
#include "push/tags.h"

namespace mandate::management {

namespace {

constexpr std::int64_t kMostSends = 100, kMostRegistrations = 500;

Result<const tenant::Service*> service_of(const tenant::Here& here, std::string_view name) {
  const auto found = here->services.find(name.empty() ? tenant::kDefaultService : name);
  if (found == here->services.end()) return Error(Code::not_found, "There is no service '" + std::string(name.substr(0, 80)) + "'.");
  return &found->second;
}

/// {"tags"?|"user"?, "platform"?, "payload": {…} or text, "kind"?: "template"|"message", "headers"?}
Result<push::Send> send_of(const JsonObject& body) {
  push::Send out;
  if (const auto user = text_member(body, "user")) {
    const auto text = push::TagExpression::text_of({push::user_tag(*user)});
    if (!text || body.contains("tags")) return Error(Code::invalid_request, "user cannot be written as a tag, or there are tags as well");
    out.expression = *text;
  } else {
    TRY(out.expression, push::expression_of(body.if_contains("tags")));
  }
  const Json* payload = body.if_contains("payload");
  if (!payload) return Error(Code::invalid_request, "payload is missing");
  const std::string_view kind = text_member(body, "kind").value_or("template");
  if (const auto word = text_member(body, "platform")) {
    out.platform = push::platform_of(*word);
    if (!out.platform) return Error(Code::invalid_request, "platform must be apns, gcm, wns or webpush");
    out.kind = push::SendKind::native;
    out.payload = push::payload_of(*out.platform, *payload);
  } else if (kind == "template" || kind == "message") {
    out.kind = kind == "message" ? push::SendKind::message : push::SendKind::filled;
    if (!payload->is_object()) return Error(Code::invalid_request, "payload must be an object, or name a platform");
    out.payload = to_json(*payload);
  } else {
    return Error(Code::invalid_request, "kind must be template or message");
  }
  if (const Json* headers = body.if_contains("headers"); headers && headers->is_object()) out.headers = headers->get_object();
  return out;
}

}  // namespace

Task<http::Response> post_push(Deps& deps, http::Request& request) {
  if (!deps.sends) co_return Error(Code::not_found, "Push is not part of this server.");
  CO_TRY(const Json body, parse_json(request.body));
  if (!body.is_object()) co_return Error(Code::invalid_request, "The body must be a JSON object.");
  const JsonObject& given = body.get_object();
  CO_TRY(const tenant::Here here, tenant_of(deps, text_member(given, "tenant").value_or("")));
  CO_TRY(const tenant::Service* service, service_of(here, text_member(given, "service").value_or("")));
  CO_TRY(push::Send send, send_of(given));
  send.service = service->name;
  Task<std::string> filing = deps.sends->file(*here.store, std::move(send));
  CO_TRY(const std::string id, co_await filing);
  co_return http::Response::json(202, JsonObject{{"id", id}});
}

Task<http::Response> get_push(Deps& deps, http::Request& request) {
  if (!deps.sends) co_return Error(Code::not_found, "Push is not part of this server.");
  const http::Params query = http::Params::of_query(request.query);
  CO_TRY(const tenant::Here here, tenant_of(deps, query.get("tenant")));
  Task<std::vector<JsonObject>> reading = deps.sends->list(*here.store, std::string(query.get("service")), kMostSends);
  CO_TRY(const std::vector<JsonObject> rows, co_await reading);
  JsonArray list;
  for (const JsonObject& row : rows) list.push_back(row);
  co_return http::Response::json(200, JsonObject{{"sends", std::move(list)}});
}

Task<http::Response> get_push_registrations(Deps& deps, http::Request& request) {
  if (!deps.registrations) co_return Error(Code::not_found, "Push is not part of this server.");
  const http::Params query = http::Params::of_query(request.query);
  CO_TRY(const tenant::Here here, tenant_of(deps, query.get("tenant")));
  CO_TRY(const tenant::Service* service, service_of(here, query.get("service")));
  Task<std::vector<push::Registration>> reading =
      deps.registrations->page(*here.store, service->name, std::string(query.get("after")), kMostRegistrations);
  CO_TRY(const std::vector<push::Registration> rows, co_await reading);
  JsonArray list;
  for (const push::Registration& r : rows) {
    JsonArray tags;
    for (const std::string& tag : r.tags) tags.emplace_back(tag);
    JsonObject one{{"id", r.id}, {"platform", push::name(r.platform)}, {"tags", std::move(tags)}};
    if (!r.user_id.empty()) one["user"] = r.user_id;
    if (!r.template_name.empty()) one["template"] = r.template_name;
    list.push_back(std::move(one));
  }
  co_return http::Response::json(200, JsonObject{{"registrations", std::move(list)}});
}

}  // namespace mandate::management
