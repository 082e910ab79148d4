#include "show.h"

namespace mandate::cli {

namespace {

std::string text(const JsonObject& object, std::string_view name) { return std::string(text_member(object, name).value_or("")); }

const JsonArray& list(const JsonObject& object, std::string_view name) {
  static const JsonArray kNone;
  const Json* member = object.if_contains(name);
  return member && member->is_array() ? member->get_array() : kNone;
}

template <class Each>
void objects(const JsonObject& object, std::string_view name, Each each) {
  for (const Json& entry : list(object, name))
    if (entry.is_object()) each(entry.get_object());
}

/// A value on one line, texts without quotes, control characters escaped.
std::string brief(const Json* value) {
  if (!value || value->is_null()) return "(nothing)";
  std::string out = to_json(*value);
  if (value->is_string() && out.find('\\') == std::string::npos) out = out.substr(1, out.size() - 2);
  if (out.size() > 200) out = out.substr(0, 197) + "...";
  return out;
}

std::string counted(std::size_t n, std::string_view one) { return std::to_string(n) + " " + std::string(one) + (n == 1 ? "" : "s"); }

}  // namespace

std::string show_applied(const JsonObject& answer) {
  const bool dry = bool_member(answer, "dry_run").value_or(false);
  std::string out = "tenant " + text(answer, "tenant") + (bool_member(answer, "made_tenant").value_or(false) ? " (new)" : "") + "\n";
  objects(answer, "changes", [&](const JsonObject& change) {
    const std::string act = text(change, "act");
    out += act == "create" ? "  + " : act == "delete" ? "  - " : "  ~ ";
    out += text(change, "kind") + (text(change, "name").empty() ? "" : " " + text(change, "name")) + "\n";
    if (act == "delete") return;
    objects(change, "fields", [&](const JsonObject& field) {
      const Json* before = field.if_contains("before");
      const Json* after = field.if_contains("after");
      out += "      " + text(field, "path") + ": ";
      if (before && !before->is_null()) out += brief(before) + " -> ";
      out += brief(after) + "\n";
    });
  });
  for (const Json& email : list(answer, "people")) out += "  + person " + brief(&email) + "\n";
  if (!list(answer, "secrets").empty()) out += "Made here and shown this once:\n";
  objects(answer, "secrets", [&](const JsonObject& secret) {
    out += "  " + text(secret, "kind") + " " + text(secret, "name") + " " + text(secret, "path") + " = " + text(secret, "value") + "\n";
  });
  const std::size_t changes = list(answer, "changes").size(), people = list(answer, "people").size();
  if (changes + people == 0) return out + "No changes.\n";
  out += counted(changes, "change");
  if (people) out += " and " + counted(people, "new person");
  if (people > 1) out.replace(out.rfind("new persons"), 11, "new people");
  return out + (dry ? " to be made (dry run: nothing was).\n" : " made.\n");
}

std::string show_check(const JsonObject& answer) {
  const std::string system = text(answer, "system");
  std::string out = "list of tenants: " + (system.empty() ? std::string("sound") : "DAMAGED: " + system) + "\n";
  objects(answer, "tenants", [&](const JsonObject& tenant) {
    const std::string store = text(tenant, "store"), audit = text(tenant, "audit");
    out += text(tenant, "tenant") + ": store " + (store.empty() ? "sound" : "DAMAGED: " + store) + ", audit chain " +
           (audit.empty() ? "whole" : "BROKEN: " + audit) + "\n";
  });
  return out;
}

std::string show_status(const JsonObject& answer) {
  std::string out = "mandated " + text(answer, "version") + ", " + text(answer, "time") + "\n";
  objects(answer, "tenants", [&](const JsonObject& tenant) {
    out += "  " + text(tenant, "tenant") + (bool_member(tenant, "enabled").value_or(true) ? "" : " (disabled)") + ": revision " +
           brief(tenant.if_contains("revision")) + ", clients " + brief(tenant.if_contains("clients")) + ", connections " +
           brief(tenant.if_contains("connections")) + ", tables " + brief(tenant.if_contains("tables")) + "\n";
  });
  return out;
}

std::string show_scripts(const JsonObject& answer) {
  std::string out;
  objects(answer, "scripts", [&](const JsonObject& script) {
    const std::string service = text(script, "service");
    out += (service == "default" ? "" : service + "/") + text(script, "table") + "." + text(script, "operation") + "  version " +
           brief(script.if_contains("version")) + ", " + brief(script.if_contains("bytes")) + " bytes\n";
  });
  return out.empty() ? "No scripts.\n" : out;
}

std::string show_keys(const JsonObject& answer) {
  std::string out;
  objects(answer, "keys", [&](const JsonObject& key) { out += text(key, "alg") + "  " + text(key, "state") + "  " + text(key, "kid") + "\n"; });
  return out;
}

std::string show_log_line(const JsonObject& line) {
  std::string words = to_json(line.contains("text") ? line.at("text") : Json(""));  // escaped: no terminal codes from a script
  return text(line, "time") + "  " + text(line, "level") + "  " + text(line, "source") + "  " + words.substr(1, words.size() - 2) + "\n";
}

}  // namespace mandate::cli
