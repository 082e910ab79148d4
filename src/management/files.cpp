// A tenant's file in and out.
#include "base/base64.h"
#include "management/service_desk.h"
#include "tables/operations.h"
#include "tenant/departed.h"

namespace mandate::management {

namespace {

bool yes(std::string_view text) { return text == "true" || text == "1" || text == "yes"; }

/// Syntax errors are found here, not by the first person who inserts a row. Without Node the scripts go in unchecked.
Task<void> check_scripts(Deps& deps, const tenant::Desired& desired) {
  if (!deps.scripts) co_return ok();
  const Result<tenant::Here> here = deps.tenants.by_name(desired.tenant);
  for (const auto& [key, object] : desired.objects) {
    if (key.kind != tenant::kind::kScript) continue;
    const std::string source(text_member(object.body, "source").value_or(""));
    const std::size_t first = key.name.find('/'), last = key.name.rfind('/');
    const std::string table_name = key.name.substr(first + 1, last - first - 1), operation = key.name.substr(last + 1);
    if (here.ok()) {
      const auto service = (*here)->services.find(key.name.substr(0, first));
      const tenant::Table* table = service == (*here)->services.end() ? nullptr : service->second.table(table_name);
      const auto now = table ? table->scripts.find(operation) : decltype(table->scripts.end()){};
      if (table && now != table->scripts.end() && now->second.source == source) continue;
    }
    Task<void> checking = deps.scripts->check(source, "table/" + table_name + "." + operation + ".js");
    const Result<void> checked = co_await checking;
    if (checked.ok()) continue;
    if (checked.error().code == Code::invalid_request)
      co_return Error(Code::invalid_request, "tables." + table_name + ".scripts." + operation + ": " + checked.error().hint);
    deps.log.warn("script.unchecked", {{"script", key.name}, {"why", checked.error().hint}});
  }
  co_return ok();
}

/// Whether the file says of services which there are, and this one is not among them.
bool drops(const tenant::Desired& desired, const std::string& service) {
  if (service == tenant::kDefaultService || desired.objects.contains({std::string(tenant::kind::kService), service})) return false;
  return std::ranges::any_of(desired.scopes, [&](const tenant::Scope& each) { return each.kind == tenant::kind::kService && service.starts_with(each.prefix); });
}

/// A service goes with all its rows. Whoever leaves one out of a file need not have meant that. `declared`: tables that each has.
Task<void> refuse_full(Deps& deps, tenant::Here here, std::map<std::string, std::vector<std::string>> declared) {
  std::string wrong;
  for (const auto& [name, tables] : declared) {
    if (!deps.tables) break;
    Task<std::vector<std::string>> looking = deps.tables->with_rows(here, name, tables);
    CO_TRY(const std::vector<std::string> full, co_await looking);
    if (full.empty()) continue;
    wrong += (wrong.empty() ? "" : "\n") + ("services: the file has no '" + name + "', which has rows in table '" + full.front() + "'" +
             (full.size() > 1 ? " and " + std::to_string(full.size() - 1) + " more" : "") + ": `mandate service delete " + name + " --force` removes it with all of them");
  }
  if (!wrong.empty()) co_return Error(Code::conflict, std::move(wrong));
  co_return ok();
}

/// The same of what the plan removes: this node need not have heard of every service when the file came, nor of every row.
Task<void> refuse_full_of(Deps& deps, std::string tenant, const tenant::DesiredPlan& plan) {
  std::map<std::string, std::vector<std::string>> declared;
  const auto removes = [](const tenant::Change& change, std::string_view kind) { return change.act == tenant::Change::Act::remove && change.key.kind == kind; };
  for (const tenant::Change& change : plan.changes)
    if (removes(change, tenant::kind::kService)) declared[change.key.name];
  for (const tenant::Change& change : plan.changes) {
    const std::size_t slash = change.key.name.find('/');
    if (!removes(change, tenant::kind::kTable)) continue;
    if (const auto service = declared.find(change.key.name.substr(0, slash)); service != declared.end()) service->second.push_back(change.key.name.substr(slash + 1));
  }
  const Result<tenant::Here> here = deps.tenants.by_name(tenant);
  if (declared.empty() || !here.ok()) co_return ok();
  Task<void> refusing = refuse_full(deps, *here, std::move(declared));
  co_return co_await refusing;
}

/// Before anything is touched: whether services may go, and room for those that come.
Task<void> check_services(Deps& deps, const tenant::Desired& desired, bool dry_run) {
  const Result<tenant::Here> here = deps.tenants.by_name(desired.tenant);
  if (!here.ok()) co_return ok();
  std::map<std::string, std::vector<std::string>> going;
  for (const auto& [name, service] : (*here)->services) {
    if (!drops(desired, name)) continue;
    for (const auto& [lower, table] : service.tables) going[name].push_back(lower);
    going[name];
  }
  Task<void> refusing = refuse_full(deps, *here, std::move(going));
  CO_CHECK(co_await refusing);
  if (dry_run) co_return ok();
  std::vector<std::string> names;
  for (const auto& [key, object] : desired.objects)
    if (key.kind == tenant::kind::kService) names.push_back(key.name);
  Task<void> leaving = let_go(deps, *here, std::move(names));
  co_return co_await leaving;
}

/// Those that the file took away.
Task<void> clear_services(Deps& deps, const tenant::Applied& applied) {
  CO_TRY(const tenant::Here here, deps.tenants.by_name(applied.tenant));
  std::vector<std::string> names;
  for (const tenant::Change& change : applied.changes)
    if (change.act == tenant::Change::Act::remove && change.key.kind == tenant::kind::kService) names.push_back(change.key.name);
  Task<void> clearing = clear_departed(deps, here, std::move(names));
  co_return co_await clearing;
}

JsonObject applied_json(const tenant::Applied& applied) {
  JsonArray changes, made, people;
  for (const tenant::Change& change : applied.changes) changes.push_back(tenant::change_json(change));
  for (const tenant::MadeSecret& secret : applied.made)
    made.push_back(JsonObject{{"kind", secret.key.kind}, {"name", secret.key.name}, {"path", secret.path}, {"value", secret.value.reveal()}});
  for (const std::string& email : applied.people) people.emplace_back(email);
  return {{"tenant", applied.tenant}, {"dry_run", applied.dry_run}, {"made_tenant", applied.made_tenant},
          {"changes", std::move(changes)}, {"secrets", std::move(made)}, {"people", std::move(people)}};
}

Task<http::Response> export_of(Deps& deps, std::string asked, const tenant::Vault* secrets) {
  CO_TRY(const tenant::Here here, tenant_of(deps, asked));
  Task<tenant::Objects> loading = deps.tenants.objects(here->name);
  Result<tenant::Objects> objects = co_await loading;
  if (!objects.ok()) co_return std::move(objects).error();
  Result<Json> file = tenant::export_tenant(here->name, *objects, secrets);
  // With a vault of the caller's making, corrupt means: not the key these were sealed with.
  if (!file.ok() && secrets) co_return Error(Code::forbidden, "That is not the master key of this server.");
  if (!file.ok()) co_return std::move(file).error();
  co_return http::Response::json(200, *file);
}

}  // namespace

Task<http::Response> post_apply(Deps& deps, http::Request& request) {
  const http::Params query = http::Params::of_query(request.query);
  const bool dry_run = yes(query.get("dry_run"));
  CO_TRY(tenant::Desired desired, tenant::parse_desired_text(request.body));
  Task<void> checking = check_scripts(deps, desired);
  CO_CHECK(co_await checking);
  Task<void> leaving = check_services(deps, desired, dry_run);
  CO_CHECK(co_await leaving);
  Task<void> preparing = check_tables(deps, desired, dry_run);
  CO_CHECK(co_await preparing);
  std::string name = desired.tenant;
  tenant::LastLook look = [&deps, name](const tenant::DesiredPlan& plan) { return refuse_full_of(deps, name, plan); };
  Task<tenant::Applied> applying = tenant::apply_desired(deps.tenants, deps.people, std::move(desired), dry_run, request, deps.clock, deps.random, std::move(look));
  Result<tenant::Applied> applied = co_await applying;
  if (!dry_run) {
    // What the file asked for more than there was, or what it asks for no more: now it is known which.
    Task<void> settling = settle_tables(deps, std::move(name));
    CO_CHECK(co_await settling);
  }
  if (!applied.ok()) co_return std::move(applied).error();
  if (!dry_run) {
    Task<void> clearing = clear_services(deps, *applied);
    CO_CHECK(co_await clearing);
  }
  if (!dry_run)
    deps.log.info("config.applied", {{"tenant", applied->tenant}, {"changes", applied->changes.size()}, {"people", applied->people.size()}});
  co_return http::Response::json(200, applied_json(*applied));
}

Task<http::Response> get_export(Deps& deps, http::Request& request) {
  const http::Params query = http::Params::of_query(request.query);
  Task<http::Response> work = export_of(deps, std::string(query.get("tenant")), nullptr);
  Result<http::Response> answer = co_await work;
  co_return answer;
}

Task<http::Response> post_export(Deps& deps, http::Request& request) {
  CO_TRY(const http::Params params, http::Params::of(request));
  if (!params.has("master_key")) co_return Error(Code::invalid_request, "master_key is missing: without it an export has no secrets");
  // As the key file has it.
  const std::optional<std::string> key = base64url_decode(params.get("master_key"));
  if (!key) co_return Error(Code::forbidden, "That is not the master key of this server.");
  const tenant::Vault theirs(*key, deps.random);
  Task<http::Response> work = export_of(deps, std::string(params.get("tenant")), &theirs);
  Result<http::Response> answer = co_await work;
  if (answer.ok()) deps.log.warn("config.exported.with_secrets", {{"tenant", params.get("tenant")}});
  co_return answer;
}

}  // namespace mandate::management
