#include "push/payload.h"

#include "base/url.h"

namespace mandate::push {
namespace {

std::string text_of(const JsonObject& object, std::string_view name) { return std::string(text_member(object, name).value_or("")); }

const JsonObject* data_of(const JsonObject& message) {
  const Json* data = message.if_contains("data");
  return data && data->is_object() ? &data->get_object() : nullptr;
}

std::string for_apns(const JsonObject& message) {
  JsonObject alert, aps, out;
  const std::string title = text_of(message, "title"), body = text_of(message, "body");
  if (!title.empty()) alert["title"] = title;
  if (!body.empty()) alert["body"] = body;
  if (!alert.empty()) aps["alert"] = std::move(alert);
  else aps["content-available"] = 1;
  if (const auto badge = integer_member(message, "badge")) aps["badge"] = *badge;
  if (const std::string sound = text_of(message, "sound"); !sound.empty()) aps["sound"] = sound;
  if (const JsonObject* data = data_of(message))
    for (const auto& member : *data)
      if (member.key() != "aps") out[member.key()] = member.value();
  out["aps"] = std::move(aps);
  return to_json(out);
}

std::string for_gcm(const JsonObject& message) {
  JsonObject notification, out;
  for (const std::string_view name : {"title", "body"})
    if (const std::string text = text_of(message, name); !text.empty()) notification[name] = text;
  if (!notification.empty()) out["notification"] = std::move(notification);
  if (const JsonObject* data = data_of(message)) out["data"] = *data;
  return to_json(out);
}

std::string for_wns(const JsonObject& message) {
  return "<toast><visual><binding template=\"ToastText02\"><text id=\"1\">" + html_escape(text_of(message, "title")) + "</text><text id=\"2\">" +
         html_escape(text_of(message, "body")) + "</text></binding></visual></toast>";
}

std::string for_mpns(const JsonObject& message) {
  return "<?xml version=\"1.0\" encoding=\"utf-8\"?><wp:Notification xmlns:wp=\"WPNotification\"><wp:Toast><wp:Text1>" + html_escape(text_of(message, "title")) +
         "</wp:Text1><wp:Text2>" + html_escape(text_of(message, "body")) + "</wp:Text2></wp:Toast></wp:Notification>";
}

bool has(const JsonObject& headers, std::string_view name) {
  for (const auto& member : headers)
    if (iequals(std::string_view(member.key().data(), member.key().size()), name)) return true;
  return false;
}

/// toast, tile, badge or raw, by the first element.
std::string_view wns_type(std::string_view payload) {
  std::size_t at = 0;
  while ((at = payload.find('<', at)) != std::string_view::npos && at + 1 < payload.size() && (payload[at + 1] == '?' || payload[at + 1] == '!')) ++at;
  if (at == std::string_view::npos) return "wns/raw";
  const std::string_view rest = payload.substr(at + 1);
  if (rest.starts_with("toast")) return "wns/toast";
  if (rest.starts_with("tile")) return "wns/tile";
  if (rest.starts_with("badge")) return "wns/badge";
  return "wns/raw";
}

/// Nothing to see or hear: such a push must be sent as one of the background.
bool silent(std::string_view payload) {
  const Result<Json> read = parse_json(payload);
  const Json* aps = read.ok() && read->is_object() ? read->get_object().if_contains("aps") : nullptr;
  if (!aps || !aps->is_object()) return false;
  const JsonObject& object = aps->get_object();
  return integer_member(object, "content-available") == 1 && !object.contains("alert") && !object.contains("badge") && !object.contains("sound");
}

}  // namespace

Native native_of(Platform platform, const JsonObject& message) {
  Native out;
  switch (platform) {
    case Platform::apns: out.payload = for_apns(message); break;
    case Platform::gcm: out.payload = for_gcm(message); break;
    case Platform::wns: out.payload = for_wns(message); break;
    case Platform::mpns: out.payload = for_mpns(message); break;
    case Platform::webpush: out.payload = to_json(message); break;
  }
  complete_headers(platform, out.payload, out.headers);
  return out;
}

void complete_headers(Platform platform, std::string_view payload, JsonObject& headers) {
  if (platform == Platform::wns && !has(headers, "X-WNS-Type")) headers["X-WNS-Type"] = wns_type(payload);
  if (platform == Platform::apns) {
    const bool quiet = silent(payload);
    if (!has(headers, "apns-push-type")) headers["apns-push-type"] = quiet ? "background" : "alert";
    if (quiet && !has(headers, "apns-priority")) headers["apns-priority"] = "5";
  }
}

Result<void> check_payload(Platform platform, std::string_view payload) {
  const std::size_t most = platform == Platform::wns ? 5000 : platform == Platform::mpns ? 3072 : platform == Platform::webpush ? 3993 : 4096;
  if (payload.size() > most) return Error(Code::bad_request, "A payload for " + std::string(name(platform)) + " may have " + std::to_string(most) + " bytes at most.");
  if (platform == Platform::apns || platform == Platform::gcm) {
    const Result<Json> read = parse_json(payload);
    if (!read.ok() || !read->is_object()) return Error(Code::bad_request, "A payload for " + std::string(name(platform)) + " must be a JSON object.");
  }
  return {};
}

}  // namespace mandate::push
