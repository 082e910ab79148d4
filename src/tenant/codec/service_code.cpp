#include "base/url.h"
#include "tenant/codec/codec.h"

namespace mandate::tenant {

namespace {

void read_verbs(ObjectReader& routes, const std::string& route, CustomApi& out) {
  const JsonObject* verbs = routes.object(route);
  if (!verbs) return;
  ObjectReader in(*verbs, routes.at(route), routes.problems());
  for (const auto& [key, value] : *verbs) {
    const std::string verb(key.data(), key.size());
    std::string word;
    in.text(verb, word, 64);
    const std::string_view level = permission_word(word);
    if (level.empty()) in.problem(verb, "'" + word + "' is no permission: public, application, authenticated, admin");
    else out.permissions[route][ascii_lower(verb)] = level;
  }
}

void read_apis(ObjectReader& parent, Service& out) {
  const JsonObject* group = parent.object("apis");
  if (!group) return;
  ObjectReader in(*group, parent.at("apis"), parent.problems());
  for (const auto& [key, value] : *group) {
    CustomApi api;
    api.name.assign(key.data(), key.size());
    const JsonObject* body = in.object(api.name);
    if (!body) continue;
    ObjectReader one(*body, in.at(api.name), in.problems());
    one.text("file", api.file, 1024);
    if (const JsonObject* routes = one.object("permissions")) {
      ObjectReader each(*routes, one.at("permissions"), one.problems());
      for (const auto& [route, verbs] : *routes) read_verbs(each, std::string(route.data(), route.size()), api);
    }
    one.finish();
    std::string lower = ascii_lower(api.name);
    out.apis.insert_or_assign(std::move(lower), std::move(api));
  }
}

void read_app_acts(ObjectReader& parent, ServiceCode& out) {
  const JsonObject* group = parent.object("app_acts");
  if (!group) return;
  ObjectReader in(*group, parent.at("app_acts"), parent.problems());
  for (const auto& [key, value] : *group) {
    const std::string table(key.data(), key.size());
    std::vector<std::string> acts;
    in.texts(table, acts);
    out.app_acts[ascii_lower(table)] = {acts.begin(), acts.end()};
  }
}

JsonObject write_apis(const Service& service) {
  JsonObject out;
  for (const auto& [lower, api] : service.apis) {
    JsonObject routes;
    for (const auto& [route, verbs] : api.permissions) {
      JsonObject levels;
      for (const auto& [verb, level] : verbs) levels[verb] = level;
      routes[route] = std::move(levels);
    }
    JsonObject one{{"file", api.file}};
    if (!routes.empty()) one["permissions"] = std::move(routes);
    out[api.name] = std::move(one);
  }
  return out;
}

}  // namespace

void read_service_code(const JsonObject& body, const std::string& path, Problems& problems, Service& out) {
  ObjectReader in(body, path, problems);
  in.integer("version", out.code.version, 0, std::int64_t{1} << 53);
  in.text("hash", out.code.hash, 64);
  in.text("push_permission", out.code.push_permission, 32);
  in.text("app", out.code.app, 1024);
  read_app_acts(in, out.code);
  read_apis(in, out);
  std::map<std::string, Job, std::less<>> jobs;
  read_jobs(in, jobs);
  for (auto& [lower, job] : jobs) out.jobs.try_emplace(lower, std::move(job));
  in.finish();
}

JsonObject write_service_code(const Service& service) {
  JsonObject out{{"version", service.code.version}, {"hash", service.code.hash}};
  put(out, "push_permission", service.code.push_permission);
  put(out, "app", service.code.app);
  JsonObject app_acts;
  for (const auto& [table, acts] : service.code.app_acts) {
    JsonArray list;
    for (const std::string& act : acts) list.emplace_back(act);
    app_acts[table] = std::move(list);
  }
  if (!app_acts.empty()) out["app_acts"] = std::move(app_acts);
  if (JsonObject apis = write_apis(service); !apis.empty()) out["apis"] = std::move(apis);
  if (!service.jobs.empty()) out["jobs"] = write_jobs(service.jobs);
  return out;
}

}  // namespace mandate::tenant
