#include "service.h"

#include <charconv>
#include <iostream>

#include "base/url.h"
#include "folder.h"
#include "show.h"

namespace mandate::cli {

namespace {

std::string text(const JsonObject& object, std::string_view name) { return std::string(text_member(object, name).value_or("")); }
std::int64_t number(const JsonObject& object, std::string_view name) { return integer_member(object, name).value_or(0); }
std::string counted(std::int64_t count, const std::string& one) { return std::to_string(count) + " " + one + (count == 1 ? "" : "s"); }

std::string target_of(const ServiceArguments& a, std::string_view act) {
  std::string out = "/admin/services/" + percent_encode(a.service);
  if (!act.empty()) out.append("/").append(act);
  if (!a.tenant.empty()) append_query(out, "tenant", a.tenant);
  return out;
}

/// "90s", "30m", "24h", "7d" or seconds.
Result<std::int64_t> seconds_of(std::string_view duration) {
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(duration.data(), duration.data() + duration.size(), out);
  const std::string_view unit(end, static_cast<std::size_t>(duration.data() + duration.size() - end));
  const Error bad(Code::bad_request, "--overlap must look like 24h, 30m, 7d or 0");
  if (error != std::errc() || out < 0 || out > 10'000'000) return bad;
  if (unit.empty() || unit == "s") return out;
  if (unit == "m") return out * 60;
  if (unit == "h") return out * 3600;
  return unit == "d" ? Result<std::int64_t>(out * 86'400) : bad;
}

std::string files_of(const JsonObject& difference, std::string_view list, char mark) {
  std::string out;
  const Json* paths = difference.if_contains(list);
  if (!paths || !paths->is_array()) return out;
  for (const Json& path : paths->get_array())
    if (path.is_string()) out += std::string("  ") + mark + " " + std::string(view(path.get_string())) + "\n";
  const std::int64_t all = number(difference, std::string(list) + "_count"), shown = static_cast<std::int64_t>(paths->get_array().size());
  if (all > shown) out += std::string("  ") + mark + " and " + std::to_string(all - shown) + " more\n";
  return out;
}

}  // namespace

Result<Json> deploy_service(const OwnerSocket& server, const ServiceArguments& a) {
  TRY(Folder folder, read_folder(service_folder(a.directory)));
  CHECK_OK(install_modules(folder));
  for (const std::string& notice : folder.notices) std::cerr << "mandate: " << notice << "\n";
  std::string target = target_of(a, "deploy");
  if (a.dry_run) append_query(target, "dry_run", "true");
  if (!a.note.empty()) append_query(target, "note", a.note);
  return server.ask("POST", target, folder_text(folder), "application/vnd.mandate.folder");
}

Result<Json> roll_back_service(const OwnerSocket& server, const ServiceArguments& a) {
  JsonObject body{{"dry_run", a.dry_run}};
  if (a.version) body["version"] = a.version;
  return server.ask("POST", target_of(a, "rollback"), to_json(body));
}

Result<Json> list_services(const OwnerSocket& server, const ServiceArguments& a) {
  std::string target = "/admin/services";
  if (!a.tenant.empty()) append_query(target, "tenant", a.tenant);
  return server.ask("GET", target);
}

Result<Json> service_versions(const OwnerSocket& server, const ServiceArguments& a) { return server.ask("GET", target_of(a, "versions")); }

Result<Json> create_service(const OwnerSocket& server, const ServiceArguments& a) {
  JsonObject body{{"name", a.name}};
  if (!a.tenant.empty()) body["tenant"] = a.tenant;
  if (!a.prefix.empty()) body["prefix"] = a.prefix;
  if (!a.hosts.empty()) {
    JsonArray hosts;
    for (const std::string& host : a.hosts) hosts.emplace_back(host);
    body["hosts"] = std::move(hosts);
  }
  return server.ask("POST", "/admin/services", to_json(body));
}

Result<Json> delete_service(const OwnerSocket& server, const ServiceArguments& a) {
  ServiceArguments named = a;
  named.service = a.name;
  std::string target = target_of(named, "");
  if (a.force) append_query(target, "force", "true");
  return server.ask("DELETE", target);
}

Result<Json> rotate_service_key(const OwnerSocket& server, const ServiceArguments& a) {
  TRY(const std::int64_t overlap, seconds_of(a.overlap));
  return server.ask("POST", target_of(a, "keys"), to_json(JsonObject{{"key", a.key}, {"overlap", overlap}}));
}

Result<Json> pull_service(const OwnerSocket& server, const ServiceArguments& a) {
  std::string target = target_of(a, "files");
  if (a.version) append_query(target, "version", std::to_string(a.version));
  TRY(const Answer answer, server.send("GET", target));
  if (answer.status != 200) return refusal(answer);
  TRY(const Folder folder, parse_folder_text(answer.body));
  for (const std::string& notice : folder.notices) std::cerr << "mandate: " << notice << "\n";
  const std::filesystem::path root = service_folder(a.directory);
  TRY(const std::size_t written, write_folder(folder, root, a.force));
  return Json(JsonObject{{"written", written}, {"files", folder.files.size()}, {"folder", root.string()}});
}

Result<Json> write_service_types(const OwnerSocket& server, const ServiceArguments& a) {
  TRY(const Answer answer, server.send("GET", target_of(a, "types")));
  if (answer.status != 200) return refusal(answer);
  Folder one;
  one.files.emplace("mandate.d.ts", answer.body);
  const std::filesystem::path root = service_folder(a.directory);
  TRY([[maybe_unused]] const std::size_t written, write_folder(one, root, true));
  return Json(JsonObject{{"file", (root / "mandate.d.ts").string()}});
}

std::string show_deployed(const JsonObject& answer) {
  std::string out;
  const Json* difference = answer.if_contains("difference");
  if (difference && difference->is_object()) {
    const JsonObject& files = difference->get_object();
    out += files_of(files, "added", '+') + files_of(files, "changed", '~') + files_of(files, "removed", '-');
  }
  if (const Json* notices = answer.if_contains("notices"); notices && notices->is_array())
    for (const Json& each : notices->get_array())
      if (each.is_string()) out.append("  ! ").append(view(each.get_string())).append("\n");
  if (const Json* seeded = answer.if_contains("seeded"); seeded && seeded->is_object())
    for (const auto& [table, rows] : seeded->get_object())
      out += "  + " + to_json(rows) + " first rows of table " + std::string(table.data(), table.size()) + "\n";
  const bool dry = bool_member(answer, "dry_run").value_or(false);
  const std::int64_t version = number(answer, "version"), before = number(answer, "version_before");
  const Json* changes = answer.if_contains("changes");
  if (changes && changes->is_array() && changes->get_array().empty()) return out + "Nothing to change: version " + std::to_string(version) + " runs.\n";
  if (changes && changes->is_array())
    for (const Json& each : changes->get_array()) {
      const JsonObject* one = each.if_object();
      if (!one || text(*one, "kind") == "service_code") continue;
      const std::string act = text(*one, "act");
      out += std::string("  ") + (act == "create" ? "+" : act == "delete" ? "-" : "~") + " " + text(*one, "kind") + " " + text(*one, "name") + "\n";
    }
  out += std::string(dry ? "Would run version " : "Runs version ") + std::to_string(version);
  if (before && before != version) out += ", after version " + std::to_string(before);
  return out + ": " + counted(number(answer, "files"), "file") + ", " + std::to_string(number(answer, "bytes")) + " bytes.\n";
}

std::string show_services(const JsonObject& answer) {
  std::string out;
  if (const Json* list = answer.if_contains("services"); list && list->is_array())
    for (const Json& each : list->get_array()) {
      const JsonObject* one = each.if_object();
      if (!one) continue;
      out += text(*one, "name") + "  " + (number(*one, "version") ? "version " + std::to_string(number(*one, "version")) : std::string("no folder")) + ", " +
             counted(number(*one, "tables"), "table") + ", " + counted(number(*one, "apis"), "API") + ", " + counted(number(*one, "jobs"), "job") + "  " + text(*one, "path");
      if (one->contains("prefix")) out += " " + text(*one, "prefix");
      if (const Json* hosts = one->if_contains("hosts"); hosts && hosts->is_array())
        for (const Json& host : hosts->get_array()) out += " " + (host.is_string() ? std::string(view(host.get_string())) : std::string());
      out += "\n";
    }
  return out;
}

std::string show_versions(const JsonObject& answer) {
  std::string out;
  if (const Json* list = answer.if_contains("versions"); list && list->is_array())
    for (const Json& each : list->get_array()) {
      const JsonObject* one = each.if_object();
      if (!one) continue;
      out += std::string(bool_member(*one, "active").value_or(false) ? "* " : "  ") + std::to_string(number(*one, "version")) + "  " + text(*one, "at") + "  " +
             counted(number(*one, "files"), "file") + ", " + std::to_string(number(*one, "bytes")) + " bytes  " + text(*one, "note") + "\n";
    }
  return out.empty() ? "Nothing was deployed yet.\n" : out;
}

std::string show_created(const JsonObject& answer) {
  std::string out = "Made. Its keys, shown once:\n";
  if (const Json* keys = answer.if_contains("keys"); keys && keys->is_object())
    for (const auto& [name, value] : keys->get_object())
      if (value.is_string()) out += "  " + std::string(name.data(), name.size()) + ": " + std::string(view(value.get_string())) + "\n";
  return out;
}

std::string show_key(const JsonObject& answer) {
  std::string out = "The new " + text(answer, "key") + " key of service " + text(answer, "service") + ", shown once:\n  " + text(answer, "value") + "\n";
  const std::string until = text(answer, "previous_until");
  return out + (until.empty() ? "The one before has ended.\n" : "The one before counts until " + until + ".\n");
}

std::string show_pulled(const JsonObject& answer) {
  return counted(number(answer, "written"), "file") + " of " + std::to_string(number(answer, "files")) + " written to " + text(answer, "folder") + ".\n";
}

}  // namespace mandate::cli
