#include "tables/code/app.h"

#include "base/url.h"
#include "tenant/codec/codec.h"
#include "tenant/codec/names.h"

namespace mandate::tables::code {

namespace {

using tenant::Problems;

constexpr std::size_t kMostTables = 1000, kMostSeeds = 1000;

bool asks_for_it(std::string_view source) {
  for (const std::string_view quoted : {"'azure-mobile-apps'", "\"azure-mobile-apps\"", "`azure-mobile-apps`", "'azure-mobile-apps/", "\"azure-mobile-apps/"})
    if (source.find(quoted) != std::string_view::npos) return true;
  return false;
}

/// "./src/app" → "src/app.js"; empty when there is no such file.
std::string file_named(const Files& files, std::string_view name) {
  while (name.starts_with("./")) name.remove_prefix(2);
  for (const std::string_view ending : {"", ".js", ".mjs", ".cjs", "/index.js"})
    if (std::string path = std::string(name) + std::string(ending); files.contains(path)) return path;
  return {};
}

/// What "npm start" runs: the first word behind "node" that is no option.
std::string_view started(std::string_view script) {
  if (!script.starts_with("node ")) return {};
  script.remove_prefix(5);
  while (!script.empty()) {
    const std::size_t end = std::min(script.find(' '), script.size());
    const std::string_view word = script.substr(0, end);
    if (!word.empty() && !word.starts_with('-')) return word;
    script.remove_prefix(std::min(end + 1, script.size()));
  }
  return {};
}

std::vector<std::string> candidates(const Files& files) {
  std::vector<std::string> out;
  if (const auto package = files.find("package.json"); package != files.end()) {
    const Result<Json> json = parse_json(package->second);
    const JsonObject* object = json.ok() ? json->if_object() : nullptr;
    if (object) {
      const Json* scripts = object->if_contains("scripts");
      if (scripts && scripts->is_object()) out.push_back(file_named(files, started(text_member(scripts->get_object(), "start").value_or(""))));
      out.push_back(file_named(files, text_member(*object, "main").value_or("")));
    }
  }
  for (const char* usual : {"app.js", "server.js", "index.js", "app.mjs"}) out.push_back(file_named(files, usual));
  return out;
}

/// "src/a" + "../b/c" → "b/c"; nullopt when it leads out of the folder.
std::optional<std::string> joined(std::string_view folder, std::string_view name) {
  std::vector<std::string> out;
  for (const std::string_view text : {folder, name})
    for (std::string& part : split(text, '/')) {
      if (part.empty() || part == ".") continue;
      if (part != "..") out.push_back(std::move(part));
      else if (out.empty()) return std::nullopt;
      else out.pop_back();
    }
  std::string path;
  for (const std::string& part : out) path += (path.empty() ? "" : "/") + part;
  return path;
}

/// Whether the file, or one that it names in quotes by a path from its own place, and so on, asks for azure-mobile-apps.
bool reaches_it(const Files& files, const std::string& start) {
  std::set<std::string> seen;
  std::vector<std::string> next{start};
  while (!next.empty()) {
    const std::string path = std::move(next.back());
    next.pop_back();
    const auto file = files.find(path);
    if (file == files.end() || !seen.insert(path).second) continue;
    const std::string_view source = file->second;
    if (asks_for_it(source)) return true;
    const std::size_t slash = path.rfind('/');
    const std::string folder = slash == path.npos ? std::string() : path.substr(0, slash);
    for (std::size_t at = source.find_first_of("'\"`"); at != source.npos; at = source.find_first_of("'\"`", at + 1)) {
      const std::size_t end = source.find(source[at], at + 1);
      const std::string_view name = source.substr(at + 1, std::min(end, source.size()) - at - 1);
      if (end == source.npos || name.size() > 256 || !(name.starts_with("./") || name.starts_with("../"))) continue;
      if (const auto whole = joined(folder, name)) next.push_back(file_named(files, *whole));
    }
  }
  return false;
}

/// Of packages, and of the folders that services of the first generation have: those ask for nothing of an app's.
bool is_of_others(std::string_view path) {
  for (const std::string_view folder : {"node_modules/", "table/", "scheduler/", "shared/", "extensions/"})
    if (path.starts_with(folder)) return true;
  return !path.ends_with("js") || path.find("/node_modules/") != path.npos;
}

const JsonObject* group(const JsonObject& object, std::string_view name) {
  const Json* found = object.if_contains(name);
  return found ? found->if_object() : nullptr;
}
const JsonArray* list(const JsonObject& object, std::string_view name) {
  const Json* found = object.if_contains(name);
  return found ? found->if_array() : nullptr;
}

bool is_level(std::string_view word) { return word == "public" || word == "authenticated" || word == "disabled"; }

constexpr std::string_view kActs[] = {"read", "insert", "update", "delete", "undelete"};

/// What the app says of its operations over what is there; what it does not say stays.
tenant::TablePermissions merged(const std::map<std::string, std::string>& levels, tenant::TablePermissions out) {
  if (out.undelete.empty()) out.undelete = out.insert;
  std::string* const places[] = {&out.read, &out.insert, &out.update, &out.remove, &out.undelete};
  for (std::size_t i = 0; i < std::size(kActs); ++i)
    if (const auto said = levels.find(std::string(kActs[i])); said != levels.end()) *places[i] = said->second;
  if (out.undelete == out.insert) out.undelete.clear();
  return out;
}

/// A moment was called a date.
std::string_view type_of(std::string_view word) {
  if (word == "date" || word == "datetime") return "datetime";
  if (word == "bool" || word == "boolean") return "boolean";
  if (word == "string") return "string";
  return word == "number" ? std::string_view("number") : std::string_view();
}

class Adder {
 public:
  explicit Adder(Derived& out) : out_(out) {}

  Result<void> add(const Json& described) {
    const JsonObject* all = described.if_object();
    const std::string& app = out_.service.code.app;
    if (!all || !bool_member(*all, "made").value_or(false))
      return Error(Code::invalid_request, app + ": makes no app: require('azure-mobile-apps')() is not called while it is loaded");
    if (const JsonArray* refused = list(*all, "refused"))
      for (const Json& each : *refused)
        if (each.is_string()) problems_.add(app, std::string(view(each.get_string())));
    if (const JsonArray* tables = list(*all, "tables")) {
      if (tables->size() > kMostTables) return Error(Code::invalid_request, app + ": has more than " + std::to_string(kMostTables) + " tables");
      for (const Json& each : *tables)
        if (each.is_object()) add_table(each.get_object());
    }
    if (const JsonArray* apis = list(*all, "apis"))
      for (const Json& each : *apis)
        if (each.is_object()) add_api(each.get_object());
    if (!problems_.empty()) return problems_.error();
    return {};
  }

 private:
  void add_table(const JsonObject& said) {
    const std::string name(text_member(said, "name").value_or("")), path = "table " + name.substr(0, 80);
    if (const std::string problem = tenant::table_name_problem(name); !problem.empty()) return problems_.add(path, "the name " + problem);
    DerivedTable table;
    table.name = name;
    table.of_app = true;
    if (const JsonObject* levels = group(said, "levels")) table.levels = levels_of(*levels, path);
    JsonObject& settings = table.settings;
    const auto copy = [&](std::string_view from, std::string_view to) {
      if (const Json* value = said.if_contains(from)) settings[to] = *value;
    };
    copy("softDelete", "soft_delete");
    copy("dynamicSchema", "dynamic_schema");
    copy("pageSize", "page_size");
    copy("maxTop", "max_top");
    table.integer_id = bool_member(said, "autoIncrement");
    if (const auto own = bool_member(said, "perUser")) settings["user_id_column"] = *own ? text_member(said, "userIdColumn").value_or("userId") : std::string_view();
    add_columns(said, settings, path);
    if (const JsonArray* seed = list(said, "seed")) {
      if (seed->size() > kMostSeeds) problems_.add(path, "has more than " + std::to_string(kMostSeeds) + " rows of seed");
      table.seed = *seed;
    }
    if (const auto other = text_member(said, "databaseTableName"))
      out_.notices.push_back(path + ": databaseTableName '" + std::string(other->substr(0, 80)) + "' is left out: each table has rows of its own");
    auto& around = out_.service.code.app_acts[ascii_lower(name)];  // empty ones too: it is a table that the app serves
    if (const JsonArray* acts = list(said, "code"))
      for (const Json& act : *acts)
        if (act.is_string()) around.emplace(view(act.get_string()));
    check(table, path);
    out_.tables[ascii_lower(name)] = std::move(table);
  }

  std::map<std::string, std::string> levels_of(const JsonObject& levels, const std::string& path) {
    std::map<std::string, std::string> out;
    for (const auto& [key, word] : levels) {
      const std::string act(key.data(), key.size());
      const std::string_view level = word.is_string() ? view(word.get_string()) : std::string_view();
      if (std::ranges::find(kActs, act) == std::end(kActs)) continue;
      if (is_level(level)) out[act] = level;
      else problems_.add(path, "has no access for " + act);
    }
    return out;
  }

  void add_columns(const JsonObject& said, JsonObject& settings, const std::string& path) {
    std::set<std::string> known;
    if (const JsonObject* columns = group(said, "columns")) {
      JsonObject out;
      for (const auto& [key, word] : *columns) {
        const std::string name(key.data(), key.size());
        const std::string_view type = type_of(word.is_string() ? ascii_lower(view(word.get_string())) : std::string());
        if (type.empty()) problems_.add(path, "column " + name.substr(0, 80) + ": the type must be string, number, boolean or datetime");
        out[name] = type;
        known.insert(ascii_lower(name));
      }
      settings["columns"] = std::move(out);
    }
    const JsonArray* indexes = list(said, "indexes");
    if (!indexes) return;
    JsonArray out;
    for (const Json& each : *indexes) {
      const JsonArray* names = each.if_array();
      const auto declared = [&](const Json& name) { return name.is_string() && known.contains(ascii_lower(view(name.get_string()))); };
      if (names && !names->empty() && std::ranges::all_of(*names, declared)) out.push_back(each);
      else out_.notices.push_back(path + ": the index " + to_json(each).substr(0, 120) + " is left out: it is over columns that are not declared");
    }
    if (!out.empty()) settings["indexes"] = std::move(out);
  }

  void check(const DerivedTable& table, const std::string& path) {
    JsonObject body = table.settings;
    if (const auto column = text_member(body, "user_id_column"); column && column->empty()) body.erase("user_id_column");
    (void)tenant::read_table(table.name, body, path, problems_);
  }

  void add_api(const JsonObject& said) {
    const std::string name(text_member(said, "name").value_or("")), path = "api " + name.substr(0, 80);
    for (const char c : name)
      if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '-') return problems_.add(path, "an API's name has letters, digits, '_' and '-'");
    if (name.empty()) return problems_.add(path, "has no name");
    tenant::CustomApi api;
    api.name = name;
    api.file = out_.service.code.app;
    tenant::CustomApi::Verbs& verbs = api.permissions["/"];
    verbs["*"] = "public";  // a verb that is not there is 404 to everybody
    if (const JsonObject* levels = group(said, "levels"))
      for (const auto& [verb, level] : *levels) {
        const std::string_view word = level.is_string() ? view(level.get_string()) : std::string_view();
        if (!is_level(word)) problems_.add(path, "has no access for " + std::string(verb.data(), verb.size()));
        else verbs[ascii_lower({verb.data(), verb.size()})] = word;
      }
    out_.service.apis.insert_or_assign(ascii_lower(name), std::move(api));
  }

  Derived& out_;
  Problems problems_;
};

}  // namespace

std::string app_of(const Files& files) {
  const std::vector<std::string> paths = candidates(files);
  for (const std::string& path : paths)
    if (reaches_it(files, path)) return path;
  // By a path that is not written there as text. What comes of it is known when it has run.
  const bool some = std::ranges::any_of(files, [](const auto& file) { return !is_of_others(file.first) && asks_for_it(file.second); });
  for (const std::string& path : paths)
    if (some && files.contains(path)) return path;
  return {};
}

Result<void> add_app(const Json& described, Derived& out) { return Adder(out).add(described); }

JsonObject app_table(const DerivedTable& table, const JsonObject* there) {
  JsonObject body = there ? *there : JsonObject{{"permissions", "public"}, {"name", table.name}};
  if (!there && table.integer_id.value_or(false)) body["id"] = "integer";
  const Json name = body.if_contains("name") ? body.at("name") : Json(table.name);
  body.erase("name");
  if (!table.levels.empty()) {
    Problems none;
    tenant::Table said;
    said.permissions = merged(table.levels, tenant::read_table(table.name, body, "table", none).permissions);
    body["permissions"] = tenant::write_table(said).at("permissions");
  }
  for (const auto& [key, value] : table.settings) {
    if (key != "columns") {
      body[key] = value;
      continue;
    }
    // What was declared with more than a type stays, and so do columns that the app does not name.
    JsonObject columns = body.if_contains("columns") ? body.at("columns").as_object() : JsonObject();
    for (const auto& [column, type] : value.get_object())
      if (const Json* known = columns.if_contains(column); !known || !known->is_object()) columns[column] = type;
    body["columns"] = std::move(columns);
  }
  if (const auto column = text_member(body, "user_id_column"); column && column->empty()) body.erase("user_id_column");
  // In the writers' form, so that what is usual is not said.
  Problems problems;
  JsonObject out = tenant::write_table(tenant::read_table(table.name, body, "table", problems));
  out["name"] = name;
  return out;
}

}  // namespace mandate::tables::code
