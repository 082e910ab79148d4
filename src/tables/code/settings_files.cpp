#include "tables/code/settings_files.h"

#include "base/url.h"
#include "tenant/codec/codec.h"
#include "tenant/codec/names.h"

namespace mandate::tables::code {

namespace {

using tenant::Problems;
using Routes = std::map<std::string, tenant::CustomApi::Verbs, std::less<>>;

std::string_view level_of(const Json& word, const std::string& path, Problems& problems) {
  const std::string_view text = word.is_string() ? view(word.get_string()) : std::string_view();
  const std::string_view level = tenant::permission_word(ascii_lower(text));
  if (level.empty()) problems.add(path, "'" + std::string(text.substr(0, 40)) + "' is no permission: public, application, user, admin");
  return level;
}

/// The member of any of these spellings.
const Json* any_of(const JsonObject& object, std::initializer_list<std::string_view> names) {
  for (const auto& [key, value] : object)
    for (const std::string_view name : names)
      if (iequals({key.data(), key.size()}, name)) return &value;
  return nullptr;
}

std::string* level_for(tenant::TablePermissions& permissions, std::string_view operation) {
  if (iequals(operation, "read")) return &permissions.read;
  if (iequals(operation, "insert")) return &permissions.insert;
  if (iequals(operation, "update")) return &permissions.update;
  if (iequals(operation, "delete") || iequals(operation, "del")) return &permissions.remove;
  if (iequals(operation, "undelete")) return &permissions.undelete;
  return nullptr;
}

void set_level(tenant::TablePermissions& out, std::string_view operation, const Json& word, const std::string& path, Problems& problems) {
  const std::string_view level = level_of(word, path, problems);
  if (operation == "*") out = {std::string(level), std::string(level), std::string(level), std::string(level), {}};
  else if (std::string* place = level_for(out, operation)) *place = level;
  else problems.add(path, "'" + std::string(operation.substr(0, 40)) + "' is no operation: read, insert, update, delete");
}

/// {"insert": "user"}, [{"operation": "insert", "permission": "user"}], or "insertPermission": "user" beside the name.
std::optional<tenant::TablePermissions> model_permissions(const JsonObject& table, const std::string& path, Problems& problems) {
  tenant::TablePermissions out;
  bool said = false;
  if (const Json* group = any_of(table, {"permissions"})) {
    said = true;
    if (group->is_string()) set_level(out, "*", *group, path, problems);
    if (group->is_object())
      for (const auto& [key, word] : group->get_object()) set_level(out, {key.data(), key.size()}, word, path, problems);
    if (group->is_array())
      for (const Json& each : group->get_array()) {
        const JsonObject* one = each.if_object();
        const Json* operation = one ? any_of(*one, {"operation", "name"}) : nullptr;
        const Json* word = one ? any_of(*one, {"permission", "level"}) : nullptr;
        if (operation && operation->is_string() && word) set_level(out, view(operation->get_string()), *word, path, problems);
        else problems.add(path, "has a permission without operation and permission");
      }
  }
  for (const std::string_view operation : {"read", "insert", "update", "delete"})
    if (const Json* word = any_of(table, {std::string(operation) + "Permission"})) said = true, set_level(out, operation, *word, path, problems);
  return said ? std::optional(out) : std::nullopt;
}

void read_model_table(const JsonObject& table, std::string name, const std::string& path, Problems& problems, std::map<std::string, DerivedTable>& out) {
  if (const Json* said = any_of(table, {"name", "tableName"}); said && said->is_string()) name = view(said->get_string());
  if (const std::string problem = tenant::table_name_problem(name); !problem.empty()) return problems.add(path, "the table's name '" + name.substr(0, 80) + "' " + problem);
  DerivedTable& derived = out[ascii_lower(name)];
  derived.name = name;
  derived.permissions = model_permissions(table, path + ": " + name, problems);
  if (const Json* id = any_of(table, {"idType", "id"}); id && id->is_string())
    derived.integer_id = iequals(view(id->get_string()), "integer") || iequals(view(id->get_string()), "int");
  if (const Json* soft = any_of(table, {"softDelete", "soft_delete"}); soft && soft->is_bool()) derived.soft_delete = soft->get_bool();
}

}  // namespace

Routes read_routes(const Json& file, const std::string& path, Problems& problems) {
  Routes out;
  const JsonObject* whole = file.if_object();
  const Json* routes = whole ? whole->if_contains("routes") : nullptr;
  if (!whole || (routes && !routes->is_object())) {
    problems.add(path, R"(must look like {"routes":{"*":{"*":{"permission":"application"}}}})");
    return out;
  }
  if (!routes) return out;
  for (const auto& [route, verbs] : routes->get_object()) {
    const std::string place = path + ": " + std::string(route.data(), route.size());
    if (!verbs.is_object()) {
      problems.add(place, "must be a group of verbs");
      continue;
    }
    // {"permission": …} at once: for all verbs.
    if (const Json* word = verbs.get_object().if_contains("permission"); word && word->is_string()) {
      out[std::string(route.data(), route.size())]["*"] = level_of(*word, place, problems);
      continue;
    }
    for (const auto& [verb, rule] : verbs.get_object()) {
      const JsonObject* one = rule.if_object();
      const Json* word = one ? one->if_contains("permission") : &rule;
      if (!word) problems.add(place, "has no permission for " + std::string(verb.data(), verb.size()));
      else out[std::string(route.data(), route.size())][ascii_lower({verb.data(), verb.size()})] = level_of(*word, place, problems);
    }
  }
  return out;
}

tenant::TablePermissions table_permissions(const Routes& routes, const std::optional<tenant::TablePermissions>& model) {
  tenant::TablePermissions out = model.value_or(tenant::TablePermissions{});
  // A table has one route. Where it is named, the words for all routes do not count (N1 metadata.js).
  auto verbs = routes.find("/");
  if (verbs == routes.end()) verbs = routes.find("");
  if (verbs == routes.end()) verbs = routes.find("*");
  if (verbs == routes.end()) return out;
  if (const auto all = verbs->second.find("*"); all != verbs->second.end()) out = {all->second, all->second, all->second, all->second, {}};
  for (const auto& [verb, level] : verbs->second)
    if (std::string* place = level_for(out, verb)) *place = level;
  return out;
}

void read_data_model(const Json& file, const std::string& path, Problems& problems, std::map<std::string, DerivedTable>& out) {
  const JsonObject* whole = file.if_object();
  const Json* tables = whole ? any_of(*whole, {"tables"}) : nullptr;
  if (!tables) return;
  if (tables->is_array()) {
    for (const Json& table : tables->get_array())
      if (table.is_object()) read_model_table(table.get_object(), {}, path, problems, out);
      else problems.add(path, "has a table that is no group");
  } else if (tables->is_object()) {
    for (const auto& [key, table] : tables->get_object())
      read_model_table(table.is_object() ? table.get_object() : JsonObject(), std::string(key.data(), key.size()), path, problems, out);
  } else {
    problems.add(path, "tables must be a list");
  }
}

JsonObject job_of(const Json& file, const std::string& path, Problems& problems) {
  JsonObject out;
  if (!file.is_object()) {
    problems.add(path, "must be a group of settings");
    return out;
  }
  for (const auto& [key, value] : file.get_object()) {
    const std::string name(key.data(), key.size());
    if (value.is_null()) continue;
    // What the old service wrote, and what is nobody's business here.
    if (name == "name" || name == "appName" || name == "lastRun" || name == "nextRun" || name == "id") continue;
    if (name == "enabled" && value.is_bool()) out["status"] = value.get_bool() ? "enabled" : "disabled";
    else if (name == "intervalUnit" && value.is_string()) out["interval_unit"] = ascii_lower(view(value.get_string()));
    else if (name == "intervalPeriod") out["interval_period"] = value;
    else if (name == "startTime") out["start_time"] = value;
    else if (name == "status" && value.is_string()) out["status"] = ascii_lower(view(value.get_string()));
    else out[name] = value;
  }
  if (const Json* unit = out.if_contains("interval_unit"); unit && (*unit == Json("none") || *unit == Json(""))) out.erase("interval_unit"), out.erase("interval_period");
  return out;
}

}  // namespace mandate::tables::code
