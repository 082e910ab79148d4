// Mobile Services: ids, then registrations under them (mobile-backend-wire 7.1, 7.2).
#include "base/url.h"
#include "http/params.h"
#include "push/tags.h"
#include "push/templates.h"
#include "push/wire/door.h"

namespace mandate::push::wire {
namespace {

using http::Response;

constexpr std::size_t kMostText = 4096;

JsonArray array_of(const std::vector<std::string>& texts) {
  JsonArray out;
  for (const std::string& text : texts) out.emplace_back(text);
  return out;
}

/// The JavaScript SDK lists a tile's channel as it does the app's.
JsonObject shown(const Registration& r) {
  JsonObject out{{"registrationId", r.id}, {"tags", array_of(r.tags)}, {"deviceId", r.handle}};
  if (!r.template_name.empty()) out["templateName"] = r.template_name, out["templateBody"] = r.template_body;
  if (!r.headers.empty()) out["headers"] = r.headers;
  if (!r.expiry.empty()) out["expiry"] = r.expiry;
  return out;
}

Result<Registration> read(const JsonObject& body, const Turn& turn, const http::Request& request, std::string id) {
  Registration out;
  out.id = std::move(id);
  TRY(const std::string platform, text_of(body, "platform", 32));
  const auto known = platform_of(platform);
  if (!known) return Error(Code::bad_request, "'platform' must be one of wns, mpns, apns, gcm.");
  out.platform = *known;
  TRY(const std::string device, text_of(body, "deviceId", kMostText));
  TRY(out.handle, check_handle(out.platform, device, turn.service->push));
  TRY(std::vector<std::string> tags, texts_of(body, "tags"));
  if (const std::string_view installation = request.headers.get("X-ZUMO-INSTALLATION-ID"); !installation.empty()) {
    const std::string tag(installation);
    if (const auto checked = check_tags({tag}, "", ""); !checked.ok()) return Error(Code::bad_request, "The installation id is not one.");
    if (std::ranges::find(tags, tag) == tags.end()) tags.push_back(tag);
  }
  TRY(out.tags, check_tags(std::move(tags), turn.who.user_id, ""));
  out.user_id = turn.who.user_id;
  TRY(out.template_name, text_of(body, "templateName", 100));
  TRY(out.template_body, text_of(body, "templateBody", kMostTemplateBytes));
  if (!out.template_body.empty() && out.template_name.empty()) return Error(Code::bad_request, "'templateBody' needs 'templateName'.");
  if (out.template_body.empty() && !out.template_name.empty()) return Error(Code::bad_request, "'templateName' needs 'templateBody'.");
  TRY(out.expiry, text_of(body, "expiration", 256));
  TRY(out.headers, headers_of(body, "headers"));
  if (!out.template_body.empty()) CHECK_OK(check_template(out.platform, out.template_body));
  return out;
}

}  // namespace

Task<Response> post_registration_id(const Deps& deps, Turn& turn, http::Request& request) {
  Task<std::string> reserving = deps.registrations.reserve(*turn.here.store, turn.service->name);
  CO_TRY(const std::string id, co_await reserving);
  Response response(201);
  response.headers.set("Location", request.root() + "/push/registrations/" + id);
  co_return response;
}

Task<Response> put_registration(const Deps& deps, Turn& turn, http::Request& request) {
  CO_TRY(const JsonObject body, body_of(request));
  CO_TRY(Registration registration, read(body, turn, request, request.params.at(0)));
  if (registration.platform == Platform::webpush) {
    CO_TRY(const Subscription subscription, subscription_of(registration.handle));
    Task<void> checking = deps.fetch.check(subscription.endpoint);
    CO_CHECK(co_await checking);
  }
  if (deps.on_register) {
    JsonObject told = body;
    told["registrationId"] = registration.id;
    told["tags"] = array_of(registration.tags);
    Task<std::vector<std::string>> asking = deps.on_register(turn.here, turn.service, turn.who, std::move(told));
    Result<std::vector<std::string>> tags = co_await asking;
    if (!tags.ok()) co_return std::move(tags).error();
    CO_TRY(registration.tags, check_tags(std::move(*tags), turn.who.user_id, ""));
  }
  Task<void> writing = deps.registrations.write(*turn.here.store, turn.service->name, std::move(registration), turn.service->push.registration_days);
  const Result<void> written = co_await writing;
  if (!written.ok() && written.error().code == Code::not_found) co_return error_body(turn.dialect, 410, "The registration is gone: ask for a new id.");
  CO_CHECK(written);
  co_return Response(204);
}

Task<Response> list_registrations(const Deps& deps, Turn& turn, http::Request& request) {
  const http::Params query = http::Params::of_query(request.query);
  const auto platform = platform_of(query.get("platform"));
  if (!platform) co_return Error(Code::bad_request, "'platform' must be one of wns, mpns, apns, gcm.");
  if (!query.has("deviceId")) co_return Error(Code::bad_request, "'deviceId' is missing.");
  CO_TRY(std::string handle, check_handle(*platform, query.get("deviceId"), turn.service->push));
  Task<std::vector<Registration>> reading = deps.registrations.of_handle(*turn.here.store, turn.service->name, std::move(handle));
  CO_TRY(const std::vector<Registration> rows, co_await reading);
  JsonArray list;
  for (const Registration& r : rows)
    if (r.platform == *platform) list.push_back(shown(r));
  co_return Response::json(200, Json(std::move(list)));
}

Task<Response> delete_registration(const Deps& deps, Turn& turn, http::Request& request) {
  std::string id = request.params.at(0);
  Task<void> removing = deps.registrations.remove(*turn.here.store, turn.service->name, std::move(id));
  CO_CHECK(co_await removing);
  co_return Response(200);
}

}  // namespace mandate::push::wire
