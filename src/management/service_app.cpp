#include "management/service_app.h"

#include "base/base64.h"
#include "base/crypto.h"
#include "base/url.h"
#include "tables/app_acts.h"
#include "tables/code/app.h"
#include "tables/code/code.h"
#include "tables/operations.h"
#include "tables/service_calls.h"
#include "tenant/codec/codec.h"

namespace mandate::management {

namespace {

namespace code = tables::code;

constexpr std::size_t kMostLines = 50, kMostLine = 500;

/// An app that is only asked what it has reaches nothing; what it prints is shown to whoever deploys.
class Describing final : public scripts::Binding {
 public:
  Task<Json> invoke(std::string_view method, Json) override {
    co_return Error(Code::bad_request, "'" + std::string(method) + "' cannot be called while the app is loaded.");
  }
  void console(std::string_view level, std::string_view text) override {
    if (lines.size() < kMostLines) lines.push_back(std::string(level) + ": " + std::string(text.substr(0, kMostLine)));
  }
  std::vector<std::string> lines;
};

Error as_the_authors(const std::string& app, const Error& error) {
  if (error.code != Code::server_error) return error;
  return Error(Code::invalid_request, app + ": " + (error.detail.empty() ? "it could not be loaded" : error.detail));
}

}  // namespace

Task<void> ask_app(Deps& deps, const Site& site, const code::Files& files, std::string hash, Deadline deadline, code::Derived& derived,
                   std::vector<std::string>& said) {
  const std::string app = derived.service.code.app;
  if (app.empty()) co_return ok();
  if (!deps.scripts) co_return Error(Code::temporarily_unavailable, "This server runs no scripts, so an app cannot say what tables it has.");
  tables::ServiceCalls calls(deps.tenants, nullptr);
  scripts::Call call;
  call.realm = site.here->name + "/" + site.service->name + "#deploy";  // apart from the version that runs
  call.kind = "describe";
  call.name = "/" + app;
  call.context = to_json(JsonObject{{"app", app}});
  call.environment = calls.environment(site.here, *site.service);
  // The same folder says something else with other settings: a child that answered before is not to say it again.
  if (call.environment) hash += "-" + base64url(sha256(*call.environment));
  call.bundle = code::bundle_of(files, std::move(hash));
  call.deadline = deadline;
  const auto binding = std::make_shared<Describing>();
  Task<Json> asking = deps.scripts->run(std::move(call), binding);
  const Result<Json> described = co_await asking;
  said.insert(said.end(), binding->lines.begin(), binding->lines.end());
  if (!described.ok()) co_return as_the_authors(app, described.error());
  co_return code::add_app(*described, derived);
}

void add_farewells(const tenant::ServiceCode& before, const code::Derived& now, std::vector<std::string>& said) {
  if (before.app.empty()) return;
  const bool gone = now.service.code.app.empty();
  for (const auto& [table, acts] : before.app_acts) {
    if (acts.contains(tables::kWithheld)) continue;
    if (!now.tables.contains(table)) said.push_back("table " + table + ": " + (gone ? "there is no app any more, and no file names it" : "the app no longer has it") + ", so it is not served; its rows stay");
    else if (gone && !acts.empty()) said.push_back("table " + table + ": there is no app any more, so it is served without the code that stood around it");
  }
}

Task<void> check_app_tables(Deps& deps, const tenant::Desired& desired, const tenant::Objects& current, std::string service, bool dry_run) {
  tenant::Desired whole;
  whole.tenant = desired.tenant;
  for (const auto& [key, object] : current)
    if (key.kind == tenant::kind::kTable && key.name.starts_with(service + "/")) whole.objects[key] = {object.body, {}};
  tenant::Problems problems;
  for (const auto& [key, object] : desired.objects) {
    if (key.kind != tenant::kind::kTable) continue;
    // What is there and what the app says may each be good and not go together.
    JsonObject body = object.body;
    body.erase("name");
    const std::string name = key.name.substr(service.size() + 1);
    (void)tenant::read_table(name, body, "table " + name, problems);
    whole.objects[key] = {object.body, {}};
  }
  if (!problems.empty()) co_return problems.error();
  Task<void> checking = check_tables(deps, whole, dry_run);
  const Result<void> checked = co_await checking;
  co_return checked;
}

Task<void> note_sown(Deps& deps, const http::Request& request, const Site& site) {
  const std::string tenant = site.here->name;
  Task<tenant::Objects> loading = deps.tenants.objects(tenant);
  CO_TRY(const tenant::Objects current, co_await loading);
  const tenant::ObjectKey key{std::string(tenant::kind::kServiceCode), site.service->name};
  const auto object = current.find(key);
  if (object == current.end()) co_return ok();
  JsonObject body = object->second.body;
  Json* acts = body.if_contains("app_acts");
  if (!acts || !acts->is_object()) co_return ok();
  for (auto& member : acts->get_object())
    if (const JsonArray* words = member.value().if_array()) {
      JsonArray left;
      for (const Json& word : *words)
        if (!word.is_string() || view(word.get_string()) != tables::kUnsown) left.push_back(word);
      member.value() = std::move(left);
    }
  tenant::Desired desired;
  desired.tenant = tenant;
  desired.objects[key] = {std::move(body), {}};
  CO_TRY(tenant::DesiredPlan plan, tenant::plan_desired(desired, current, deps.tenants.vault(), deps.random));
  if (plan.mutations.empty()) co_return ok();
  std::string what = "sown";
  Task<void> writing = commit_changes(deps, request, tenant, plan.revision, std::move(plan.changes), std::move(plan.mutations), std::move(what));
  const Result<void> written = co_await writing;
  co_return written;
}

Task<JsonObject> sow(Deps& deps, std::string tenant, std::string service, std::map<std::string, JsonArray> seeds, std::vector<std::string>& said) {
  JsonObject out;
  if (seeds.empty() || !deps.tables) co_return out;
  CO_TRY(const tenant::Here here, deps.tenants.by_name(tenant));
  const auto found = here->services.find(service);
  if (found == here->services.end()) co_return Error(Code::conflict, "The service went away meanwhile.");
  for (auto& [name, rows] : seeds) {
    tables::OperationContext context;
    context.here = here;
    context.service = &found->second;
    context.table = found->second.table(name);
    context.principal.level = identity::Level::admin;
    if (!context.table) continue;
    tables::odata::Query any;
    any.top = 1;
    context.include_deleted = true;
    Task<tables::Rows> looking = deps.tables->read_rows(context, std::move(any));
    CO_TRY(const tables::Rows there, co_await looking);
    std::int64_t sown = 0;
    for (Json& row : rows) {
      if (!row.is_object()) continue;
      if (!there.items.empty() && !row.get_object().contains("id")) {
        said.push_back("table " + name + ": a row of its seed has no id and may be there already: it is left out");
        continue;
      }
      JsonObject item = std::move(row.get_object());
      Task<tables::Answer> inserting = deps.tables->insert(context, std::move(item));
      const Result<tables::Answer> answer = co_await inserting;
      if (answer.ok()) ++sown;
      else if (http_status(answer.error().code) >= 500) co_return answer.error();
      else said.push_back("table " + name + ": a row of its seed was refused: " + answer.error().hint);
    }
    out[name] = sown;
  }
  co_return std::move(out);
}

}  // namespace mandate::management
