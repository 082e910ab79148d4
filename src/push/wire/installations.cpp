// Mobile Apps: one installation, everything in one PUT (mobile-backend-wire 7.3).
#include "base/url.h"
#include "push/tags.h"
#include "push/templates.h"
#include "push/vapid.h"
#include "push/wire/door.h"

namespace mandate::push::wire {
namespace {

using http::Response;

constexpr std::size_t kMostId = 100, kMostName = 100, kMostTile = 200;

/// A channel is text; a browser's may be the object that it is.
Result<std::string> channel_of(const JsonObject& object, Platform platform, const tenant::Push& settings) {
  const Json* value = object.if_contains("pushChannel");
  if (value && value->is_object() && platform == Platform::webpush) return check_handle(platform, to_json(*value), settings);
  TRY(const std::string text, text_of(object, "pushChannel", 4096));
  return check_handle(platform, text, settings);
}

Result<std::map<std::string, Installation::Template>> templates_of(const JsonObject& object, Platform platform) {
  std::map<std::string, Installation::Template> out;
  const Json* value = object.if_contains("templates");
  if (!value || value->is_null()) return out;
  if (!value->is_object()) return Error(Code::bad_request, "'templates' must be an object.");
  if (value->get_object().size() > kMostTemplates) return Error(Code::bad_request, "An installation may have 20 templates at most.");
  for (const auto& [key, each] : value->get_object()) {
    const std::string name(key.data(), key.size());
    if (name.empty() || name.size() > kMostName || !each.is_object()) return Error(Code::bad_request, "A template needs a name of 1 to 100 characters and an object.");
    const JsonObject& given = each.get_object();
    Installation::Template t;
    // SDKs stringify; a person with curl may not.
    if (const Json* body = given.if_contains("body"); body && body->is_object()) t.body = to_json(*body);
    else {
      TRY(t.body, text_of(given, "body", kMostTemplateBytes));
    }
    if (t.body.empty() || t.body.size() > kMostTemplateBytes) return Error(Code::bad_request, "Template '" + name + "' needs a body of at most 8 KiB.");
    CHECK_OK(check_template(platform, t.body));
    TRY(t.expiry, text_of(given, "expiry", 256));
    TRY(t.headers, headers_of(given, "headers"));
    TRY(std::vector<std::string> tags, texts_of(given, "tags"));
    TRY(t.tags, check_tags(std::move(tags), "", ""));
    out.emplace(name, std::move(t));
  }
  return out;
}

Result<std::map<std::string, Installation::Tile>> tiles_of(const JsonObject& body, Platform platform, const tenant::Push& settings) {
  std::map<std::string, Installation::Tile> out;
  const Json* value = body.if_contains("secondaryTiles");
  if (!value || value->is_null()) return out;
  if (!value->is_object()) return Error(Code::bad_request, "'secondaryTiles' must be an object.");
  if (value->get_object().size() > kMostTiles) return Error(Code::bad_request, "An installation may have 20 secondary tiles at most.");
  for (const auto& [key, each] : value->get_object()) {
    const std::string uri(key.data(), key.size());
    if (uri.empty() || uri.size() > kMostTile || !each.is_object()) return Error(Code::bad_request, "A secondary tile needs a name of 1 to 200 characters and an object.");
    Installation::Tile tile;
    TRY(tile.handle, channel_of(each.get_object(), platform, settings));
    TRY(tile.templates, templates_of(each.get_object(), platform));
    out.emplace(uri, std::move(tile));
  }
  return out;
}

Result<Installation> read(const JsonObject& body, const Turn& turn, const std::string& id) {
  Installation out;
  out.id = id;
  if (id.empty() || id.size() > kMostId || !check_tags({id}, "", "").ok()) return Error(Code::bad_request, "The installation id must be letters, digits and _ @ # . : - only.");
  TRY(const std::string named, text_of(body, "installationId", kMostId));
  if (!named.empty() && !iequals(named, id)) return Error(Code::bad_request, "'installationId' is not the one of the address.");
  TRY(const std::string platform, text_of(body, "platform", 32));
  const auto known = platform_of(platform);
  if (!known) return Error(Code::bad_request, "'platform' must be one of wns, apns, gcm, mpns, webpush.");
  out.platform = *known;
  TRY(out.handle, channel_of(body, out.platform, turn.service->push));
  TRY(out.templates, templates_of(body, out.platform));
  TRY(out.tiles, tiles_of(body, out.platform, turn.service->push));
  out.user_id = turn.who.user_id;
  const Json* tags = body.if_contains("tags");
  out.tags_given = tags && !tags->is_null();
  TRY(std::vector<std::string> given, texts_of(body, "tags"));
  TRY(out.tags, check_tags(std::move(given), turn.who.user_id, id));
  // The user's own is stated by the token alone.
  std::erase_if(out.tags, [](const std::string& tag) { return tag.starts_with(kUserTag); });
  if (const Json* variables = body.if_contains("pushVariables"); variables && !variables->is_null()) {
    if (!variables->is_object() || variables->get_object().size() > 50) return Error(Code::bad_request, "'pushVariables' must be an object of at most 50 members.");
    out.variables = variables->get_object();
  }
  return out;
}

/// What extensions/push.js is told: the body, in the words of V1 as well.
JsonObject told_of(JsonObject body, const Installation& installation, const std::vector<std::string>& tags) {
  JsonArray list;
  for (const std::string& tag : tags) list.emplace_back(tag);
  body["installationId"] = installation.id;
  body["deviceId"] = installation.handle;
  body["platform"] = name(installation.platform);
  body["tags"] = std::move(list);
  return body;
}

/// Asks the service. A device that says nothing of its tags is asked about with those it has.
Task<void> ask(const Deps& deps, Turn& turn, JsonObject body, Installation& installation) {
  std::vector<std::string> tags = installation.tags;
  if (!installation.tags_given) {
    Task<std::vector<Registration>> reading = deps.registrations.by_id(*turn.here.store, turn.service->name, {installation.id});
    CO_TRY(const std::vector<Registration> before, co_await reading);
    for (const Registration& r : before)
      if (r.installation == installation.id) tags = r.tags;
    std::erase_if(tags, [](const std::string& tag) { return tag.starts_with(kUserTag); });
  }
  JsonObject told = told_of(std::move(body), installation, tags);
  Task<std::vector<std::string>> asking = deps.on_register(turn.here, turn.service, turn.who, std::move(told));
  CO_TRY(std::vector<std::string> given, co_await asking);
  if (given == tags) co_return ok();
  CO_TRY(installation.tags, check_tags(std::move(given), turn.who.user_id, installation.id));
  std::erase_if(installation.tags, [](const std::string& tag) { return tag.starts_with(kUserTag); });
  installation.tags_given = true;
  co_return ok();
}

}  // namespace

Task<Response> put_installation(const Deps& deps, Turn& turn, http::Request& request) {
  CO_TRY(const JsonObject body, body_of(request));
  CO_TRY(Installation installation, read(body, turn, request.params.at(0)));
  if (installation.platform == Platform::webpush) {
    CO_TRY(const Subscription subscription, subscription_of(installation.handle));
    Task<void> checking = deps.fetch.check(subscription.endpoint);
    CO_CHECK(co_await checking);
  }
  if (deps.on_register) {
    Task<void> asking = ask(deps, turn, body, installation);
    CO_CHECK(co_await asking);
  }
  Task<void> writing = deps.registrations.install(*turn.here.store, turn.service->name, std::move(installation), turn.service->push.registration_days);
  CO_CHECK(co_await writing);
  co_return Response(200);
}

Task<Response> delete_installation(const Deps& deps, Turn& turn, http::Request& request) {
  std::string id = request.params.at(0);
  Task<void> removing = deps.registrations.uninstall(*turn.here.store, turn.service->name, std::move(id));
  CO_CHECK(co_await removing);
  co_return Response(204);
}

Task<Response> get_webpush_key(const Deps& deps, Turn& turn, http::Request&) {
  CO_TRY(const std::string key, webpush_public_key(turn.here, *turn.service, deps.tenants.vault()));
  co_return Response::json(200, JsonObject{{"publicKey", key}});
}

}  // namespace mandate::push::wire
