#include <charconv>

#include "base/url.h"
#include "tenant/codec/codec.h"
#include "tenant/codec/columns.h"
#include "tenant/codec/names.h"

namespace mandate::tenant {

namespace {

/// The most that the servers before us took (mobile-backend-wire 1.8, 1.9).
constexpr std::int64_t kMostRowsOfAPage = 128'000, kMostTop = 512'000;

void read_permission(ObjectReader& in, std::string_view operation, std::string& out) {
  std::string word;
  in.text(operation, word, 64);
  if (word.empty()) return;
  const std::string_view known = permission_word(word);
  if (known.empty())
    in.problem(operation, "'" + word + "' is no permission: public, application, authenticated, admin");
  else
    out = known;
}

/// One word for all operations, or a word per operation with "*" for those not named.
void read_permissions(ObjectReader& parent, TablePermissions& out) {
  const Json* member = parent.any("permissions");
  if (!member) return;
  if (member->is_string()) {
    std::string all;
    read_permission(parent, "permissions", all);
    if (!all.empty()) out = {all, all, all, all, {}};
    return;
  }
  const JsonObject* group = parent.object("permissions");
  if (!group) return;
  ObjectReader in(*group, parent.at("permissions"), parent.problems());
  std::string others;
  read_permission(in, "*", others);
  if (!others.empty()) out = {others, others, others, others, {}};
  read_permission(in, "read", out.read);
  read_permission(in, "insert", out.insert);
  read_permission(in, "update", out.update);
  read_permission(in, "delete", out.remove);
  read_permission(in, "undelete", out.undelete);
  in.finish();
}

/// Settings that the server itself reads must say what it understands; others are the scripts' own.
std::string setting_problem(std::string_view name, std::string_view value) {
  if (name == "MS_DynamicSchemaEnabled" && !iequals(value, "true") && !iequals(value, "false")) return "must be \"true\" or \"false\"";
  if (name == "pageSize") {
    std::int64_t rows = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), rows);
    if (error != std::errc() || end != value.data() + value.size() || rows < 1 || rows > kMostRowsOfAPage)
      return "must be a number of rows from 1 to " + std::to_string(kMostRowsOfAPage);
  }
  return {};
}

}  // namespace

std::string_view permission_word(std::string_view word) {
  struct Word {
    std::string_view spelling, meaning;
  };
  static constexpr Word kWords[] = {{"public", "public"},   {"anonymous", "public"},           {"application", "application"},
                                    {"user", "authenticated"}, {"authenticated", "authenticated"}, {"admin", "admin"},
                                    {"disabled", "disabled"}};
  for (const Word& w : kWords)
    if (word == w.spelling) return w.meaning;
  return {};
}

Service read_service(const std::string& name, const JsonObject& body, const std::string& path, Problems& problems) {
  Service service;
  service.name = name;
  if (const std::string text = service_name_problem(name); !text.empty()) problems.add(path, "the name " + text);
  ObjectReader in(body, path, problems);
  in.texts("hosts", service.hosts);
  check_each(in, "hosts", service.hosts, host_problem);
  in.text("prefix", service.prefix, 200);
  if (const std::string text = service.prefix.empty() ? "" : prefix_problem(service.prefix); !text.empty()) in.problem("prefix", text);
  in.texts("cors_hosts", service.cors_hosts);
  check_each(in, "cors_hosts", service.cors_hosts, [](const std::string& host) -> std::string {
    if (host == "null" || host == "*") return {};
    if (host.find("://") != std::string::npos || host.find('/') != std::string::npos) return "must be a host name without scheme";
    return host.empty() || host.size() > 255 ? "is no host name" : "";
  });
  if (const JsonObject* login = in.object("login")) service.login = read_service_login(*login, in.at("login"), problems);
  if (const JsonObject* settings = in.object("settings")) {
    ObjectReader inner(*settings, in.at("settings"), problems);
    for (const auto& [key, value] : *settings) {
      const std::string setting(key.data(), key.size());
      inner.text(setting, service.settings[setting], 4096);
      if (const std::string text = setting_problem(setting, service.settings[setting]); !text.empty()) inner.problem(setting, text);
    }
  }
  read_push(in, service.push);
  read_jobs(in, service.jobs);
  in.finish();
  return service;
}

JsonObject write_service(const Service& service) {
  const Service usual;
  JsonObject out;
  put(out, "hosts", service.hosts);
  put(out, "prefix", service.prefix);
  if (service.cors_hosts != usual.cors_hosts) {
    JsonArray list;
    for (const std::string& host : service.cors_hosts) list.emplace_back(host);
    out["cors_hosts"] = std::move(list);
  }
  if (service.login.enabled) out["login"] = write_service_login(service.login);
  JsonObject settings;
  for (const auto& [key, value] : service.settings) settings[key] = value;
  if (!settings.empty()) out["settings"] = std::move(settings);
  if (JsonObject push = write_push(service.push); !push.empty()) out["push"] = std::move(push);
  if (!service.jobs.empty()) out["jobs"] = write_jobs(service.jobs);
  return out;
}

Table read_table(const std::string& name, const JsonObject& body, const std::string& path, Problems& problems) {
  Table table;
  table.name = name;
  if (const std::string text = table_name_problem(name); !text.empty()) problems.add(path, "the name " + text);
  ObjectReader in(body, path, problems);
  std::string id = "string";
  in.one_of("id", id, {"string", "integer"});
  table.integer_id = id == "integer";
  in.flag("soft_delete", table.soft_delete);
  in.flag("dynamic_schema", table.dynamic_schema);
  in.one_of("dialect", table.dialect, {"v1", "v2", "v3", "v4"});
  in.integer("page_size", table.page_size, 0, kMostRowsOfAPage);
  in.integer("max_top", table.max_top, 0, kMostTop);
  read_permissions(in, table.permissions);
  read_owner(in, table);
  read_columns(in, table);
  read_sync(in, table.sync);
  in.finish();
  return table;
}

JsonObject write_table(const Table& table) {
  JsonObject out;
  if (table.integer_id) out["id"] = "integer";
  put(out, "soft_delete", table.soft_delete, false);
  put(out, "dynamic_schema", table.dynamic_schema, true);
  put(out, "dialect", table.dialect, "v2");
  if (table.page_size) out["page_size"] = table.page_size;
  if (table.max_top) out["max_top"] = table.max_top;
  const TablePermissions& p = table.permissions;
  if (p.read == p.insert && p.read == p.update && p.read == p.remove && p.undelete.empty()) {
    out["permissions"] = p.read;
  } else {
    JsonObject words{{"read", p.read}, {"insert", p.insert}, {"update", p.update}, {"delete", p.remove}};
    put(words, "undelete", p.undelete);
    out["permissions"] = std::move(words);
  }
  write_columns(out, table);
  write_sync(out, table.sync);
  put(out, "user_id_column", table.user_id_column);
  return out;
}

}  // namespace mandate::tenant
