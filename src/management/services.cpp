// The services of a tenant: made, listed, given new keys, taken away.
#include <charconv>

#include "base/base64.h"
#include "base/url.h"
#include "management/departures.h"
#include "management/service_desk.h"
#include "tables/code/code.h"
#include "tenant/codec/codec.h"
#include "tenant/codec/names.h"
#include "tenant/departed.h"
#include "tenant/secrets.h"

namespace mandate::management {

namespace {

constexpr std::int64_t kUsualOverlap = 86'400, kMostOverlap = 90 * 86'400;

JsonObject summary(const tenant::Service& service) {
  JsonArray hosts;
  for (const std::string& host : service.hosts) hosts.emplace_back(host);
  JsonObject out{{"name", service.name}, {"hosts", std::move(hosts)}, {"path", "/s/" + service.name}};
  if (!service.prefix.empty()) out["prefix"] = service.prefix;
  out["version"] = service.code.version;
  out["tables"] = service.tables.size();
  out["apis"] = service.apis.size();
  out["jobs"] = service.jobs.size();
  return out;
}

/// The members a new service may begin with; the rest is the tenant's file's business.
Result<tenant::DesiredObject> first_form(const JsonObject& body, const std::string& name) {
  JsonObject own;
  for (const char* member : {"hosts", "prefix"})
    if (const Json* value = body.if_contains(member); value && !value->is_null()) own[member] = *value;
  tenant::Problems problems;
  const tenant::Service service = tenant::read_service(name, own, "service", problems);
  if (!problems.empty()) return problems.error();
  return tenant::DesiredObject{tenant::write_service(service), {}};
}

/// "application", "master" or "v2" → where the key is kept.
std::string_view place_of(std::string_view key) {
  if (key == "application") return "application_key";
  if (key == "master") return "master_key";
  return key == "v2" ? "v2_signing_keys.0" : std::string_view();
}

/// Under which name a replaced key counts on; the list of V2 keys has a number behind it.
std::string retired_name(std::string_view place) {
  constexpr std::string_view kList = "v2_signing_keys.";
  if (!place.starts_with(kList)) return std::string(place);
  const std::string_view number = place.substr(kList.size());
  return number == "0" ? "v2_signing_key" : "v2_signing_key." + std::string(number);
}

struct Rotation {
  tenant::StoredObject service, retired;
  Secret fresh;
};

/// The new key is in the place of the old one, which counts until `until`; those of an earlier rotation end.
Rotation rotate(const Deps& deps, const tenant::Objects& objects, const tenant::ObjectKey& service, const tenant::ObjectKey& retired,
                const std::string& place, Millis until) {
  Rotation out;
  out.service = objects.at(service);
  if (const auto there = objects.find(retired); there != objects.end()) out.retired = there->second;
  const bool list = place.starts_with("v2_");
  const std::string family = list ? "v2_signing_key" : place;
  std::erase_if(out.retired.sealed, [&](const auto& each) { return each.first.starts_with(family); });
  for (auto each = out.service.sealed.begin(); each != out.service.sealed.end();) {
    if (list ? !each->first.starts_with("v2_signing_keys.") : each->first != place) {
      ++each;
      continue;
    }
    const std::string name = retired_name(each->first);
    if (until > 0) out.retired.sealed[name] = each->second, out.retired.body[name] = until;
    each = out.service.sealed.erase(each);
  }
  for (auto each = out.retired.body.begin(); each != out.retired.body.end();)
    each = out.retired.sealed.contains(std::string(each->key().data(), each->key().size())) ? each + 1 : out.retired.body.erase(each);
  out.fresh = Secret(list ? deps.random.hex(32) : deps.random.token(tenant::fresh_bytes(place)));
  out.service.sealed[place] = deps.tenants.vault().seal(out.fresh.reveal(), tenant::secret_context(service, place));
  return out;
}

/// What goes with a service.
std::vector<tenant::ObjectKey> belongings(const tenant::Objects& objects, const std::string& service) {
  std::vector<tenant::ObjectKey> out;
  for (const auto& [key, object] : objects) {
    const bool own = key.name == service && (key.kind == tenant::kind::kService || key.kind == tenant::kind::kServiceCode || key.kind == tenant::kind::kRetiredKeys);
    const bool below = key.name.starts_with(service + "/") && (key.kind == tenant::kind::kTable || key.kind == tenant::kind::kScript);
    if (own || below) out.push_back(key);
  }
  return out;
}

Result<void> may_go(const Site& site, bool force) {
  const tenant::Service& service = *site.service;
  if (service.name == tenant::kDefaultService) return Error(Code::conflict, "The default service stays: a tenant always has it.");
  if (!service.tables.empty() && !force)
    return Error(Code::conflict, "Service '" + service.name + "' has " + std::to_string(service.tables.size()) + " tables; with force they go too, rows and all.");
  for (const auto& [id, client] : site.here->clients)
    if (const auto wams = client.addons.find("wams"); wams != client.addons.end() && text_member(wams->second, "service") == service.name)
      return Error(Code::conflict, "Client '" + id + "' delegates to service '" + service.name + "': change its add-on first.");
  return {};
}

}  // namespace

Result<Site> site_of(const Deps& deps, const http::Request& request) {
  const http::Params query = http::Params::of_query(request.query);
  Site out;
  TRY(out.here, tenant_of(deps, query.get("tenant")));
  const std::string& name = request.params.at(0);
  const auto service = out.here->services.find(name);
  if (service == out.here->services.end())
    return Error(Code::not_found, "There is no service '" + name.substr(0, 80) + "': `mandate service create` makes one.");
  out.service = &service->second;
  return out;
}

JsonArray changes_json(const std::vector<tenant::Change>& changes) {
  JsonArray out;
  for (const tenant::Change& change : changes) out.push_back(tenant::change_json(change));
  return out;
}

Task<void> commit_changes(Deps& deps, const http::Request& request, std::string tenant, std::uint64_t revision,
                          std::vector<tenant::Change> changes, std::vector<store::Mutation> mutations, std::string what) {
  mutations.push_back(tenant::config_changed(changes, request, deps.clock.now_ms()));
  Task<void> writing = deps.tenants.commit(std::move(tenant), revision, std::move(mutations));
  const Result<void> written = co_await writing;
  if (written.ok()) co_return ok();
  if (written.error().code != Code::conflict) co_return written.error();
  co_return Error(Code::conflict, "Somebody else changed this tenant meanwhile, so nothing was " + what + ": look at what is there now, and do it again.");
}

Task<void> let_go(Deps& deps, tenant::Here here, std::vector<std::string> names) {
  if (!deps.departures) co_return ok();
  Task<tenant::Objects> loading = tenant::load_objects_of(*here.store, std::string(tenant::kind::kDepartedService));
  CO_TRY(const tenant::Objects notes, co_await loading);
  for (const std::string& name : names) {
    if (!notes.contains(tenant::departed_key(name))) continue;
    Task<void> finishing = deps.departures->finish(here, name);
    CO_CHECK(co_await finishing);
  }
  co_return ok();
}

Task<void> clear_departed(Deps& deps, tenant::Here here, std::vector<std::string> names) {
  for (const std::string& name : names) {
    if (!deps.departures) break;
    Task<void> clearing = deps.departures->clear(here, name);
    const Result<void> cleared = co_await clearing;
    if (!cleared.ok())
      deps.log.warn("service.not_cleared", {{"tenant", here->name}, {"service", name}, {"code", mandate::name(cleared.error().code)}, {"detail", cleared.error().detail}});
  }
  co_return ok();
}

Task<http::Response> list_services(Deps& deps, http::Request& request) {
  const http::Params query = http::Params::of_query(request.query);
  CO_TRY(const tenant::Here here, tenant_of(deps, query.get("tenant")));
  JsonArray list;
  for (const auto& [name, service] : here->services) list.push_back(summary(service));
  co_return http::Response::json(200, JsonObject{{"tenant", here->name}, {"services", std::move(list)}});
}

Task<http::Response> post_service(Deps& deps, http::Request& request) {
  CO_TRY(const http::Params params, http::Params::of(request));
  CO_TRY(const tenant::Here here, tenant_of(deps, params.get("tenant")));
  const std::string name(params.get("name"));
  if (const std::string problem = tenant::service_name_problem(name); !problem.empty()) co_return Error(Code::invalid_request, "The service's name " + problem + ".");
  Task<void> leaving = let_go(deps, here, {name});
  CO_CHECK(co_await leaving);
  Task<tenant::Objects> loading = deps.tenants.objects(here->name);
  CO_TRY(const tenant::Objects objects, co_await loading);
  tenant::ObjectKey key{std::string(tenant::kind::kService), name};
  if (objects.contains(key)) co_return Error(Code::conflict, "There is a service of that name.");
  tenant::Desired desired;
  desired.tenant = here->name;
  static const JsonObject kNone;
  CO_TRY(desired.objects[key], first_form(params.json() ? *params.json() : kNone, name));
  CO_TRY(tenant::DesiredPlan plan, tenant::plan_desired(desired, objects, deps.tenants.vault(), deps.random));
  std::string what = "made";
  Task<void> writing = commit_changes(deps, request, here->name, plan.revision, std::move(plan.changes), std::move(plan.mutations), std::move(what));
  CO_CHECK(co_await writing);
  deps.log.info("service.created", {{"tenant", here->name}, {"service", name}});
  JsonObject keys;
  for (const tenant::MadeSecret& made : plan.made) keys[made.path] = made.value.reveal();
  CO_TRY(const tenant::Here now, deps.tenants.by_name(here->name));
  JsonObject out{{"tenant", here->name}, {"keys", std::move(keys)}};
  if (const auto service = now->services.find(name); service != now->services.end()) out["service"] = summary(service->second);
  co_return http::Response::json(201, out);
}

Task<http::Response> delete_service(Deps& deps, http::Request& request) {
  const http::Params query = http::Params::of_query(request.query);
  CO_TRY(const Site site, site_of(deps, request));
  CO_CHECK(may_go(site, query.get("force") == "true"));
  const std::string name = site.service->name;
  Task<tenant::Objects> loading = deps.tenants.objects(site.here->name);
  CO_TRY(const tenant::Objects objects, co_await loading);
  Task<std::vector<store::Mutation>> reading = tables::code::forgetting(*site.here.store, name);
  CO_TRY(std::vector<store::Mutation> mutations, co_await reading);
  std::vector<tenant::Change> changes;
  std::size_t tables = 0;
  for (const tenant::ObjectKey& key : belongings(objects, name)) {
    changes.push_back({tenant::Change::Act::remove, key, {}});
    mutations.push_back(tenant::remove_object(key));
    tables += key.kind == tenant::kind::kTable ? 1 : 0;
  }
  if (tables && query.get("force") != "true") co_return Error(Code::conflict, "The service has tables.");
  const std::uint64_t revision = tenant::revision_of(objects);
  mutations.push_back(tenant::write_object(tenant::departed_key(name), tenant::departed_note(objects, name, revision + 1)));
  std::string what = "deleted";
  Task<void> writing = commit_changes(deps, request, site.here->name, revision, std::move(changes), std::move(mutations), std::move(what));
  CO_CHECK(co_await writing);
  deps.log.warn("service.deleted", {{"tenant", site.here->name}, {"service", name}, {"tables", tables}});
  Task<void> clearing = clear_departed(deps, site.here, {name});
  CO_CHECK(co_await clearing);
  co_return http::Response(204);
}

Task<http::Response> post_service_keys(Deps& deps, http::Request& request) {
  CO_TRY(const http::Params params, http::Params::of(request));
  CO_TRY(const Site site, site_of(deps, request));
  const std::string place(place_of(params.get("key")));
  if (place.empty()) co_return Error(Code::invalid_request, "key must be application, master or v2");
  std::int64_t overlap = kUsualOverlap;
  if (params.has("overlap")) {
    const std::string_view text = params.get("overlap");
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), overlap);
    if (error != std::errc() || end != text.data() + text.size() || overlap < 0 || overlap > kMostOverlap)
      co_return Error(Code::invalid_request, "overlap must be seconds, from 0 to 90 days");
  }
  Task<tenant::Objects> loading = deps.tenants.objects(site.here->name);
  CO_TRY(const tenant::Objects objects, co_await loading);
  const tenant::ObjectKey service{std::string(tenant::kind::kService), site.service->name}, retired{std::string(tenant::kind::kRetiredKeys), site.service->name};
  if (!objects.contains(service)) co_return Error(Code::conflict, "The service went away meanwhile.");
  const std::uint64_t revision = tenant::revision_of(objects);
  const Millis until = overlap ? deps.clock.now_ms() + overlap * 1000 : 0;
  Rotation done = rotate(deps, objects, service, retired, place, until);
  done.service.revision = done.retired.revision = revision + 1;
  std::vector<store::Mutation> mutations;
  mutations.push_back(tenant::write_object(service, done.service));
  mutations.push_back(done.retired.sealed.empty() ? tenant::remove_object(retired) : tenant::write_object(retired, done.retired));
  tenant::Change change{tenant::Change::Act::update, service, {}};
  change.fields.push_back({place, "***", "***"});
  std::vector<tenant::Change> changes;
  changes.push_back(std::move(change));
  std::string what = "changed";
  Task<void> writing = commit_changes(deps, request, site.here->name, revision, std::move(changes), std::move(mutations), std::move(what));
  CO_CHECK(co_await writing);
  deps.log.info("service.key.rotated", {{"tenant", site.here->name}, {"service", service.name}, {"key", params.get("key")}, {"overlap", overlap}});
  JsonObject out{{"service", service.name}, {"key", params.get("key")}, {"value", done.fresh.reveal()}};
  if (until) out["previous_until"] = iso8601(until);
  co_return http::Response::json(200, out);
}

}  // namespace mandate::management
