// Table scripts one by one, and what they wrote to their console.
#include "base/url.h"
#include "management/desk.h"
#include "tables/script_log.h"

namespace mandate::management {

namespace {

constexpr std::size_t kMostSource = 256 * 1024;
constexpr std::int64_t kMostLines = 1000;

/// The script an address names.
struct Place {
  tenant::Here here;
  std::string service, operation;
  const tenant::Table* table = nullptr;
  tenant::ObjectKey key() const {
    return {std::string(tenant::kind::kScript), service + "/" + ascii_lower(table->name) + "/" + operation};
  }
  std::string file() const { return "table/" + table->name + "." + operation + ".js"; }
};

Result<Place> place_of(const Deps& deps, const http::Request& request) {
  const http::Params query = http::Params::of_query(request.query);
  Place place;
  TRY(place.here, tenant_of(deps, query.get("tenant")));
  place.service = request.params.at(0);
  place.operation = request.params.at(2) == "del" ? "delete" : request.params.at(2);
  const auto service = place.here->services.find(place.service);
  if (service == place.here->services.end()) return Error(Code::not_found, "There is no service '" + place.service.substr(0, 80) + "'.");
  place.table = service->second.table(request.params.at(1));
  if (!place.table) return Error(Code::not_found, "There is no table '" + request.params.at(1).substr(0, 80) + "'.");
  for (const std::string_view known : {std::string_view("insert"), std::string_view("read"), std::string_view("update"), std::string_view("delete"), tenant::kConflict})
    if (place.operation == known) return place;
  return Error(Code::invalid_request, "A table has scripts for insert, read, update, delete and conflict.");
}

JsonObject summary(const std::string& service, const tenant::Table& table, const std::string& operation, const tenant::TableScript& script) {
  return {{"service", service}, {"table", table.name}, {"operation", operation}, {"version", script.version}, {"bytes", script.source.size()}};
}

Task<void> write_script(Deps& deps, const Place& place, const http::Request& request, std::optional<std::string> source) {
  Task<tenant::Objects> loading = deps.tenants.objects(place.here->name);
  Result<tenant::Objects> objects = co_await loading;
  if (!objects.ok()) co_return std::move(objects).error();
  const std::uint64_t revision = tenant::revision_of(*objects);
  const tenant::ObjectKey key = place.key();
  const bool there = objects->contains(key);
  tenant::Change change{there ? tenant::Change::Act::update : tenant::Change::Act::create, key, {}};
  change.fields.push_back({"source", nullptr, nullptr});
  std::vector<store::Mutation> mutations;
  if (source) {
    tenant::StoredObject object;
    object.body["source"] = *source;
    object.revision = revision + 1;
    mutations.push_back(tenant::write_object(key, object));
  } else {
    if (!there) co_return Error(Code::not_found, "There is no such script.");
    change.act = tenant::Change::Act::remove;
    mutations.push_back(tenant::remove_object(key));
  }
  const std::vector<tenant::Change> changes{std::move(change)};
  mutations.push_back(tenant::config_changed(changes, request, deps.clock.now_ms()));
  Task<void> writing = deps.tenants.commit(place.here->name, revision, std::move(mutations));
  Result<void> written = co_await writing;
  co_return written;
}

}  // namespace

Task<http::Response> list_scripts(Deps& deps, http::Request& request) {
  const http::Params query = http::Params::of_query(request.query);
  CO_TRY(const tenant::Here here, tenant_of(deps, query.get("tenant")));
  JsonArray list;
  for (const auto& [service_name, service] : here->services) {
    if (query.has("service") && query.get("service") != service_name) continue;
    for (const auto& [key, table] : service.tables)
      for (const auto& [operation, script] : table.scripts) list.push_back(summary(service_name, table, operation, script));
  }
  co_return http::Response::json(200, JsonObject{{"scripts", std::move(list)}});
}

Task<http::Response> get_script(Deps& deps, http::Request& request) {
  CO_TRY(const Place place, place_of(deps, request));
  const auto script = place.table->scripts.find(place.operation);
  if (script == place.table->scripts.end()) co_return Error(Code::not_found, "This table has no script for " + place.operation + ".");
  http::Response answer(200);
  answer.headers.set("Content-Type", "text/javascript; charset=utf-8");
  answer.body = script->second.source;
  co_return answer;
}

Task<http::Response> put_script(Deps& deps, http::Request& request) {
  CO_TRY(const Place place, place_of(deps, request));
  std::string source(request.body);
  if (source.empty() || source.size() > kMostSource || !valid_utf8(source))
    co_return Error(Code::invalid_request, "A script is UTF-8 text of 1 byte to 256 KiB.");
  if (deps.scripts) {
    Task<void> checking = deps.scripts->check(source, place.file());
    const Result<void> checked = co_await checking;
    if (!checked.ok() && checked.error().code != Code::temporarily_unavailable) co_return checked.error();
  }
  std::optional<std::string> kept = std::move(source);
  Task<void> writing = write_script(deps, place, request, std::move(kept));
  CO_CHECK(co_await writing);
  const tenant::Service* service = nullptr;
  CO_TRY(const tenant::Here now, deps.tenants.by_name(place.here->name));
  if (const auto found = now->services.find(place.service); found != now->services.end()) service = &found->second;
  const tenant::Table* table = service ? service->table(place.table->name) : nullptr;
  if (!table || !table->scripts.contains(place.operation)) co_return Error(Code::conflict, "The table went away meanwhile.");
  co_return http::Response::json(200, summary(place.service, *table, place.operation, table->scripts.find(place.operation)->second));
}

Task<http::Response> delete_script(Deps& deps, http::Request& request) {
  CO_TRY(const Place place, place_of(deps, request));
  Task<void> writing = write_script(deps, place, request, std::nullopt);
  CO_CHECK(co_await writing);
  co_return http::Response(204);
}

Task<http::Response> get_logs(Deps& deps, http::Request& request) {
  const http::Params query = http::Params::of_query(request.query);
  CO_TRY(const tenant::Here here, tenant_of(deps, query.get("tenant")));
  Millis since = 0;
  if (const std::string_view text = query.get("since"); !text.empty()) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), since);
    if (error != std::errc() || end != text.data() + text.size()) co_return Error(Code::invalid_request, "since must be a number of milliseconds");
  }
  std::string service(query.get("service")), source(query.get("source"));
  Task<std::vector<tables::ScriptLine>> reading = tables::ScriptLog::last(*here.store, std::move(service), std::move(source), kMostLines);
  Result<std::vector<tables::ScriptLine>> kept = co_await reading;
  if (!kept.ok()) co_return std::move(kept).error();
  JsonArray lines;
  for (const tables::ScriptLine& line : *kept)
    if (line.at >= since)
      lines.push_back(JsonObject{{"at", line.at}, {"time", iso8601(line.at)}, {"service", line.service},
                                 {"source", line.source}, {"level", line.level}, {"text", line.text}});
  co_return http::Response::json(200, JsonObject{{"lines", std::move(lines)}});
}

}  // namespace mandate::management
