#include "tables/code/derive.h"

#include "base/url.h"
#include "tables/app_acts.h"
#include "tables/code/app.h"
#include "tables/code/settings_files.h"
#include "tenant/codec/codec.h"
#include "tenant/codec/names.h"

namespace mandate::tables::code {

namespace {

using tenant::Problems;

constexpr std::size_t kMostScript = 256 * 1024;

/// "TodoItem.insert" of "table/TodoItem.insert.js"; empty when the path is not in that folder itself or ends otherwise.
std::string_view stem(std::string_view path, std::string_view folder, std::string_view ending) {
  if (!path.starts_with(folder) || !path.ends_with(ending) || path.size() <= folder.size() + ending.size()) return {};
  const std::string_view out = path.substr(folder.size(), path.size() - folder.size() - ending.size());
  return out.find('/') == std::string_view::npos ? out : std::string_view();
}

class Deriver {
 public:
  explicit Deriver(const Files& files) : files_(files) {}

  Result<Derived> derive() {
    if (files_.empty()) return Error(Code::invalid_request, "The folder is empty.");
    out_.service.code.app = app_of(files_);
    for (const char* path : {"datamodel.json", "config/datamodel.json"})
      if (const auto model = files_.find(path); model != files_.end() && !of_app())
        if (const auto json = read(*model)) read_data_model(*json, path, problems_, out_.tables);
    for (const auto& [path, content] : files_) {
      if (!path.starts_with("node_modules/") && path.find("/node_modules/") == std::string::npos) look_at(path, content);
      if (path == "package.json" && !read({path, content})) continue;
    }
    for (const auto& [lower, routes] : table_routes_) {
      DerivedTable& table = out_.tables[lower];
      if (table.name.empty()) table.name = routes.first;
      table.permissions = table_permissions(routes.second, table.permissions);
    }
    for (const auto& [path, content] : api_settings_) add_api_settings(path, content);
    add_jobs();
    if (!of_app() && is_of_second()) problems_.add("the folder", "has tables/, but no app.js that asks for azure-mobile-apps");
    else if (out_.scripts.empty() && out_.tables.empty() && problems_.empty()) problems_.add("the folder", "has no table/, api/, scheduler/ or shared/: is it a service's folder?");
    if (!problems_.empty()) return problems_.error();
    return std::move(out_);
  }

 private:
  std::optional<Json> read(const std::pair<const std::string, std::string>& file) {
    Result<Json> json = parse_json(file.second);
    if (json.ok()) return std::move(*json);
    problems_.add(file.first, "is no JSON: " + json.error().hint);
    return std::nullopt;
  }

  /// Whether it has tables as an app has them: without the app nothing would say who may do what to them.
  bool is_of_second() const {
    for (auto file = files_.lower_bound("tables/"); file != files_.end() && file->first.starts_with("tables/"); ++file)
      if (file->first.ends_with(".js") || file->first.ends_with(".json")) return true;
    return false;
  }

  bool of_app() const { return !out_.service.code.app.empty(); }

  void look_at(const std::string& path, const std::string& content) {
    // Which tables and APIs an app has, it says itself.
    const bool own = path == out_.service.code.app || path.starts_with("tables/") || path.starts_with("api/");
    if (of_app() && (own || path.starts_with("table/"))) {
      if (own && path.ends_with(".js")) add_script(path, content);
      else if (own && path.ends_with(".json")) (void)read({path, content});
      return;
    }
    if (const std::string_view name = stem(path, "table/", ".js"); !name.empty()) return add_table_script(path, name, content);
    if (const std::string_view name = stem(path, "table/", ".json"); !name.empty()) return add_table_settings(path, name, content);
    if (const std::string_view name = stem(path, "api/", ".js"); !name.empty()) return add_api(path, name, content);
    if (!stem(path, "api/", ".json").empty()) {
      api_settings_.emplace(path, content);
    } else if (const std::string_view job = stem(path, "scheduler/", ".js"); !job.empty()) {
      jobs_[std::string(job)] = JsonObject{{"path", path}};
      add_script(path, content);
    } else if (!stem(path, "scheduler/", ".json").empty()) {
      job_settings_.emplace(path, content);
    } else if (path == "extensions/push.json") {
      if (const auto json = read({path, content})) add_push(*json);
    } else if (path.ends_with(".js") && (path.starts_with("shared/") || path.starts_with("extensions/"))) {
      add_script(path, content);
    }
  }

  void add_script(const std::string& path, const std::string& content) {
    if (content.size() > kMostScript) problems_.add(path, "is larger than 256 KiB");
    else if (!valid_utf8(content)) problems_.add(path, "is not UTF-8");
    else out_.scripts.push_back(path);
  }

  DerivedTable* table_named(const std::string& path, std::string_view name) {
    if (const std::string problem = tenant::table_name_problem(name); !problem.empty()) {
      problems_.add(path, "the table's name " + problem);
      return nullptr;
    }
    DerivedTable& table = out_.tables[ascii_lower(name)];
    if (table.name.empty()) table.name = name;
    return &table;
  }

  void add_table_script(const std::string& path, std::string_view name, const std::string& content) {
    const std::size_t dot = name.find('.');
    std::string operation = dot == std::string_view::npos ? std::string(tenant::kHooks) : ascii_lower(name.substr(dot + 1));
    if (operation == "del") operation = "delete";
    bool known = false;
    for (const std::string_view each : {std::string_view("insert"), std::string_view("read"), std::string_view("update"), std::string_view("delete"), tenant::kHooks, tenant::kConflict})
      known = known || operation == each;
    if (!known) return problems_.add(path, "is no script of a table: those are T.insert.js, T.read.js, T.update.js, T.delete.js, T.conflict.js and T.js");
    DerivedTable* table = table_named(path, name.substr(0, dot));
    if (!table || content.empty()) return;
    if (!table->scripts.emplace(operation, path).second) problems_.add(path, "is there twice in another spelling");
    add_script(path, content);
  }

  void add_table_settings(const std::string& path, std::string_view name, const std::string& content) {
    const auto json = read({path, content});
    if (!json || !table_named(path, name)) return;
    table_routes_[ascii_lower(name)] = {std::string(name), read_routes(*json, path, problems_)};
  }

  void add_api(const std::string& path, std::string_view name, const std::string& content) {
    for (const char c : name)
      if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '-') return problems_.add(path, "an API's name has letters, digits, '_' and '-'");
    tenant::CustomApi api;
    api.name = name;
    api.file = path;
    if (!out_.service.apis.emplace(ascii_lower(name), std::move(api)).second) problems_.add(path, "is there twice in another case");
    add_script(path, content);
  }

  void add_api_settings(const std::string& path, const std::string& content) {
    const auto api = out_.service.apis.find(ascii_lower(stem(path, "api/", ".json")));
    if (api == out_.service.apis.end()) return problems_.add(path, "there is no script of that name beside it");
    if (const auto json = read({path, content})) api->second.permissions = read_routes(*json, path, problems_);
  }

  /// Whoever registers a device: the word of "*" or "/" for all verbs, or the one that all verbs have.
  void add_push(const Json& file) {
    const auto routes = read_routes(file, "extensions/push.json", problems_);
    std::set<std::string> levels;
    for (const auto& [route, verbs] : routes)
      for (const auto& [verb, level] : verbs) levels.insert(level);
    if (levels.size() > 1) problems_.add("extensions/push.json", "has several permissions: there is one for all of /push");
    if (levels.size() == 1) out_.service.code.push_permission = *levels.begin();
  }

  void add_jobs() {
    for (const auto& [path, content] : job_settings_) {
      const auto job = jobs_.find(std::string(stem(path, "scheduler/", ".json")));
      if (job == jobs_.end()) {
        problems_.add(path, "there is no script of that name beside it");
        continue;
      }
      const auto json = read({path, content});
      if (!json) continue;
      for (const auto& [key, value] : job_of(*json, path, problems_)) job->second[key] = value;
      job->second.erase("source");
      job->second["path"] = "scheduler/" + job->first + ".js";
    }
    JsonObject all;
    for (auto& [name, body] : jobs_) all[name] = std::move(body);
    const JsonObject group{{"jobs", std::move(all)}};
    tenant::ObjectReader in(group, "scheduler", problems_);
    tenant::read_jobs(in, out_.service.jobs);
  }

  const Files& files_;
  Problems problems_;
  Derived out_;
  std::map<std::string, std::pair<std::string, std::map<std::string, tenant::CustomApi::Verbs, std::less<>>>> table_routes_;
  std::map<std::string, std::string> api_settings_, job_settings_;
  std::map<std::string, JsonObject> jobs_;
};

JsonObject permissions_json(const tenant::TablePermissions& permissions) {
  tenant::Table table;
  table.permissions = permissions;
  JsonObject written = tenant::write_table(table);
  return JsonObject{{"permissions", written.at("permissions")}};
}

/// "app_acts" of the version that runs; null when it has none.
const JsonObject* acts_before(const tenant::Objects& current, const std::string& service) {
  const auto before = current.find({std::string(tenant::kind::kServiceCode), service});
  const Json* acts = before == current.end() ? nullptr : before->second.body.if_contains("app_acts");
  return acts ? acts->if_object() : nullptr;
}

/// Marks the tables that an app had and nobody names any more.
void withhold(tenant::Service& said, const Derived& derived, const tenant::Objects& current, const std::string& service) {
  const JsonObject* acts = acts_before(current, service);
  if (!acts) return;
  for (const auto& member : *acts) {
    const std::string lower(member.key().data(), member.key().size());
    if (derived.tables.contains(lower) || !current.contains({std::string(tenant::kind::kTable), service + "/" + lower})) continue;
    said.code.app_acts[lower] = {std::string(kWithheld)};
  }
}

}  // namespace

Result<Derived> derive(const Files& files) { return Deriver(files).derive(); }

std::set<std::string> unsown(const Derived& derived, const tenant::Objects& current, const std::string& service) {
  std::set<std::string> out;
  const JsonObject* acts = acts_before(current, service);
  for (const auto& [lower, table] : derived.tables) {
    if (table.seed.empty()) continue;
    const Json* before = acts ? acts->if_contains(lower) : nullptr;
    const JsonArray* words = before ? before->if_array() : nullptr;
    const bool left = words && std::ranges::any_of(*words, [](const Json& word) { return word.is_string() && view(word.get_string()) == kUnsown; });
    if (left || !current.contains({std::string(tenant::kind::kTable), service + "/" + lower})) out.insert(lower);
  }
  return out;
}

tenant::Desired desire(const Derived& derived, const Files& files, const tenant::Objects& current, const std::string& tenant,
                       const std::string& service, std::int64_t version, const std::string& hash) {
  tenant::Desired out;
  out.tenant = tenant;
  for (const auto& [lower, table] : derived.tables) {
    tenant::ObjectKey key{std::string(tenant::kind::kTable), service + "/" + lower};
    JsonObject body;
    const auto there = current.find(key);
    if (table.of_app) {
      out.objects[std::move(key)] = {app_table(table, there == current.end() ? nullptr : &there->second.body), {}};
      continue;
    }
    if (there != current.end()) {
      body = there->second.body;
    } else {
      body = permissions_json(tenant::TablePermissions{});
      body["dialect"] = "v1";
      body["name"] = table.name;
      if (table.integer_id.value_or(false)) body["id"] = "integer";
      if (table.soft_delete.value_or(false)) body["soft_delete"] = true;
    }
    if (table.permissions) body["permissions"] = permissions_json(*table.permissions).at("permissions");
    for (const auto& [operation, path] : table.scripts)
      out.objects[{std::string(tenant::kind::kScript), key.name + "/" + operation}] = {JsonObject{{"source", files.find(path)->second}}, {}};
    out.objects[std::move(key)] = {std::move(body), {}};
  }
  tenant::Service said = derived.service;
  said.code.version = version;
  said.code.hash = hash;
  withhold(said, derived, current, service);
  for (const std::string& table : unsown(derived, current, service)) said.code.app_acts[table].emplace(kUnsown);
  out.objects[{std::string(tenant::kind::kServiceCode), service}] = {tenant::write_service_code(said), {}};
  out.scopes.push_back({std::string(tenant::kind::kScript), service + "/"});
  return out;
}

}  // namespace mandate::tables::code
