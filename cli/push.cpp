#include "push.h"

namespace mandate::cli {

namespace {

std::string text(const JsonObject& object, std::string_view name) { return std::string(text_member(object, name).value_or("")); }
std::string number(const JsonObject& object, std::string_view name) { return std::to_string(integer_member(object, name).value_or(0)); }

std::string line_of_send(const JsonObject& send) {
  std::string out = text(send, "made") + "  " + text(send, "id") + "  " + text(send, "kind");
  for (const char* name : {"platform", "expression"})
    if (send.contains(name)) out += " " + text(send, name);
  out += "  " + text(send, "state") + ": " + number(send, "targets") + " devices, " + number(send, "delivered") + " delivered, " + number(send, "gone") + " gone, " +
         number(send, "failed") + " failed";
  if (send.contains("last_error")) out += " (" + text(send, "last_error") + ")";
  return out + "\n";
}

std::string line_of_registration(const JsonObject& registration) {
  std::string out = text(registration, "id") + "  " + text(registration, "platform");
  if (registration.contains("template")) out += "  template " + text(registration, "template");
  if (registration.contains("user")) out += "  user " + text(registration, "user");
  if (const Json* tags = registration.if_contains("tags"); tags && tags->is_array())
    for (const Json& tag : tags->get_array()) out += "  " + (tag.is_string() ? std::string(view(tag.get_string())) : to_json(tag));
  return out + "\n";
}

}  // namespace

Result<std::string> push_body(const PushArguments& a, const std::string& tenant, const std::string& service) {
  JsonObject out{{"service", service}};
  if (!tenant.empty()) out["tenant"] = tenant;
  if (!a.user.empty()) out["user"] = a.user;
  else if (!a.tags.empty()) out["tags"] = a.tags;
  if (!a.user.empty() && !a.tags.empty()) return Error(Code::bad_request, "--user and --tags do not go together");
  if (!a.platform.empty()) out["platform"] = a.platform;
  if (a.payload.empty() == (a.title.empty() && a.body.empty())) return Error(Code::bad_request, "either --payload, or --title and --body");
  if (a.payload.empty()) {
    if (!a.platform.empty()) return Error(Code::bad_request, "--title and --body are for every platform");
    JsonObject message;
    if (!a.title.empty()) message["title"] = a.title;
    if (!a.body.empty()) message["body"] = a.body;
    out["payload"] = std::move(message);
    out["kind"] = "message";
    return to_json(out);
  }
  Result<Json> payload = parse_json(a.payload);
  if (!payload.ok() && a.platform.empty()) return Error(Code::bad_request, "--payload is not JSON");
  out["payload"] = payload.ok() ? std::move(*payload) : Json(a.payload);
  return to_json(out);
}

std::string show_filed(const JsonObject& answer) { return "Filed as " + text(answer, "id") + ".\n"; }

std::string show_push(const JsonObject& answer) {
  std::string out;
  for (const char* list : {"sends", "registrations"})
    if (const Json* rows = answer.if_contains(list); rows && rows->is_array())
      for (const Json& row : rows->get_array())
        if (row.is_object()) out += list[0] == 's' ? line_of_send(row.get_object()) : line_of_registration(row.get_object());
  return out.empty() ? "Nothing.\n" : out;
}

}  // namespace mandate::cli
