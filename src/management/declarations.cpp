// What tables declare: checked before a file is applied, and explained.
#include "base/url.h"
#include "management/desk.h"
#include "tables/catalogue.h"
#include "tables/rules/rules.h"
#include "tenant/codec/codec.h"

namespace mandate::management {

namespace {

/// The services of the file with their tables. What a name or member is, was checked when the file was read.
std::map<std::string, tenant::Service> services_of(const tenant::Desired& desired) {
  std::map<std::string, tenant::Service> out;
  tenant::Problems problems;
  for (const auto& [key, object] : desired.objects) {
    if (key.kind != tenant::kind::kTable) continue;
    const std::size_t slash = key.name.find('/');
    tenant::Service& service = out[key.name.substr(0, slash)];
    service.name = key.name.substr(0, slash);
    JsonObject body = object.body;
    const std::string name(text_member(body, "name").value_or(key.name.substr(slash + 1)));
    body.erase("name");
    service.tables[key.name.substr(slash + 1)] = tenant::read_table(name, body, key.name, problems);
  }
  return out;
}

std::optional<tables::Operation> operation_of(std::string_view word) {
  for (const auto each : {tables::Operation::read, tables::Operation::insert, tables::Operation::update, tables::Operation::remove, tables::Operation::undelete})
    if (tables::name(each) == word) return each;
  return std::nullopt;
}

}  // namespace

Task<void> check_tables(Deps& deps, const tenant::Desired& desired, bool dry_run) {
  const std::map<std::string, tenant::Service> services = services_of(desired);
  std::string wrong;
  for (const auto& [name, service] : services) {
    const std::string where = name == tenant::kDefaultService ? "tables." : "services." + name + ".tables.";
    for (const tables::rules::Problem& each : tables::rules::problems_of(service))
      wrong += (wrong.empty() ? "" : "\n") + where + each.table + "." + each.path + ": " + each.text;
  }
  if (!wrong.empty()) co_return Error(Code::invalid_request, std::move(wrong));
  const Result<tenant::Here> here = deps.tenants.by_name(desired.tenant);
  if (dry_run || !here.ok() || !deps.tables) co_return ok();
  // All that can be seen without touching anything comes first: what is refused leaves nothing behind.
  for (const bool look : {true, false})
    for (const auto& [name, service] : services)
      for (const auto& [lower, table] : service.tables) {
        Task<void> step = look ? tables::check_columns(*(*here).store, service, table) : deps.tables->prepare_table(*here, service, table);
        Result<void> done = co_await step;
        if (done.ok()) continue;
        if (!look) {
          Task<void> settling = settle_tables(deps, desired.tenant);
          CO_CHECK(co_await settling);
        }
        if (done.error().code != Code::invalid_request) co_return std::move(done).error();
        co_return Error(Code::invalid_request, "tables." + table.name + "." + done.error().hint);
      }
  co_return ok();
}

Task<void> settle_tables(Deps& deps, std::string tenant) {
  const Result<tenant::Here> here = deps.tenants.by_name(tenant);
  if (!here.ok() || !deps.tables) co_return ok();
  for (const auto& [service_name, service] : (*here)->services)
    for (const auto& [lower, table] : service.tables) {
      Task<void> settling = deps.tables->settle_table(*here, service, table);
      const Result<void> settled = co_await settling;
      if (!settled.ok())
        deps.log.error("tables.not_settled", {{"tenant", tenant}, {"table", table.name}, {"code", name(settled.error().code)}, {"columns", settled.error().hint}});
    }
  co_return ok();
}

/// ?table=&operation=&user=&id=[&tenant=&service=&key=application|master&claims={…}]
Task<http::Response> get_rules_explain(Deps& deps, http::Request& request) {
  if (!deps.tables) co_return Error(Code::not_found, "Tables are not part of this server.");
  const http::Params query = http::Params::of_query(request.query);
  tables::OperationContext context;
  CO_TRY(context.here, tenant_of(deps, query.get("tenant")));
  const std::string_view name = query.get("service");
  const auto service = context.here->services.find(name.empty() ? tenant::kDefaultService : name);
  if (service == context.here->services.end()) co_return Error(Code::not_found, "There is no service '" + std::string(name.substr(0, 80)) + "'.");
  context.service = &service->second;
  context.table = service->second.table(query.get("table"));
  if (!context.table) co_return Error(Code::not_found, "There is no table '" + std::string(query.get("table").substr(0, 80)) + "'.");
  const auto operation = operation_of(query.has("operation") ? query.get("operation") : "read");
  if (!operation) co_return Error(Code::invalid_request, "operation must be read, insert, update, delete or undelete");
  identity::Principal& who = context.principal;
  who.user_id = query.get("user");
  if (!who.user_id.empty()) who.level = identity::Level::authenticated;
  who.provider = who.user_id.substr(0, std::min(who.user_id.size(), who.user_id.find_first_of(":|")));
  if (who.provider.size() == who.user_id.size()) who.provider.clear();
  const std::string_view key = query.get("key");
  if (!key.empty() && key != "application" && key != "master") co_return Error(Code::invalid_request, "key must be application or master");
  context.application_key = key == "application";
  if (key == "master") who.level = identity::Level::admin;
  if (query.has("claims")) {
    CO_TRY(Json claims, parse_json(query.get("claims")));
    if (!claims.is_object()) co_return Error(Code::invalid_request, "claims must be a JSON object");
    who.claims = std::make_shared<const JsonObject>(std::move(claims.get_object()));
  }
  context.deadline = request.deadline;
  std::string id(query.get("id"));
  Task<JsonObject> explaining = deps.tables->explain(std::move(context), *operation, std::move(id));
  Result<JsonObject> explained = co_await explaining;
  if (!explained.ok()) co_return std::move(explained).error();
  co_return http::Response::json(200, Json(*std::move(explained)));
}

}  // namespace mandate::management
