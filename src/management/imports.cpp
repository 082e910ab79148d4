// Rows of a file, some at a time: the command reads files, the server knows tables.
#include "base/url.h"
#include "management/desk.h"
#include "tables/importing/import.h"

namespace mandate::management {

namespace {

using tables::importing::Fault;
using tables::importing::Import;
using tables::importing::Imported;
using tables::importing::kMostRows;

/// Those of the answer; a file of another kind than was thought has one in each row.
constexpr std::size_t kMostFaults = 200;

JsonLimits limits() {
  JsonLimits out;
  out.bytes = kImportBytes;
  out.values = 2'000'000;
  out.string_bytes = 4 << 20;
  out.depth += 3;  // the row stands in a list of a list of the body
  out.members = 4000;  // a file's columns: what a table may have is said by its own words
  return out;
}

Result<bool> flag(const JsonObject& given, std::string_view name) {
  if (!given.contains(name)) return false;
  if (const auto value = bool_member(given, name)) return *value;
  return Error(Code::invalid_request, std::string(name) + " must be true or false");
}

Result<void> read_rows(JsonObject& given, Import& out) {
  Json* rows = given.if_contains("rows");
  if (!rows || !rows->is_array()) return Error(Code::invalid_request, "rows must be a list of [line, {…}]");
  if (rows->get_array().size() > kMostRows) return Error(Code::invalid_request, "rows: at most " + std::to_string(kMostRows) + " at once");
  for (Json& row : rows->get_array()) {
    const bool fits = row.is_array() && row.get_array().size() == 2 && row.get_array()[0].is_int64() && row.get_array()[1].is_object();
    if (!fits) return Error(Code::invalid_request, "rows must be a list of [line, {…}]");
    out.rows.push_back({row.get_array()[0].get_int64(), std::move(row.get_array()[1].get_object())});
  }
  return {};
}

Result<Import> read_import(JsonObject& given) {
  Import out;
  TRY(out.texts, flag(given, "texts"));
  TRY(out.replace, flag(given, "replace"));
  TRY(out.restamp, flag(given, "restamp"));
  TRY(out.new_ids, flag(given, "new_ids"));
  TRY(out.skip_bad, flag(given, "skip_bad"));
  TRY(out.dry_run, flag(given, "dry_run"));
  if (const Json* types = given.if_contains("types")) {
    if (!types->is_object()) return Error(Code::invalid_request, "types must be an object of column and type");
    for (const auto& type : types->get_object()) {
      if (!type.value().is_string()) return Error(Code::invalid_request, "types must be an object of column and type");
      out.types[ascii_lower({type.key().data(), type.key().size()})] = view(type.value().get_string());
    }
  }
  CHECK_OK(read_rows(given, out));
  return out;
}

JsonObject shown(const Imported& done) {
  JsonArray faults, columns;
  for (const Fault& fault : done.faults) {
    if (faults.size() == kMostFaults) break;
    faults.push_back(JsonObject{{"line", fault.line}, {"message", fault.why}});
  }
  for (const std::string& column : done.columns) columns.emplace_back(column);
  JsonObject out{{"inserted", done.inserted}, {"updated", done.updated}, {"kept", done.kept}, {"same", done.same},
                 {"refused", done.faults.size()}, {"faults", std::move(faults)}, {"stopped", done.stopped}, {"columns", std::move(columns)}};
  if (done.failure) out["failure"] = JsonObject{{"line", done.failed_line}, {"message", done.failure->hint.empty() ? name(done.failure->code) : done.failure->hint}};
  return out;
}

}  // namespace

/// {"tenant","service","table","rows":[[line,{…}]],"types":{column:type},"texts","replace","restamp","new_ids","skip_bad","dry_run"}:
/// {"inserted","updated","kept","same","refused","faults":[{"line","message"}],"stopped","columns","failure":{"line","message"}}, the
/// last only when something failed behind rows that were written. What each means: tables/importing/import.h.
Task<http::Response> post_import(Deps& deps, http::Request& request) {
  if (!deps.tables) co_return Error(Code::not_found, "Tables are not part of this server.");
  CO_TRY(Json body, parse_json(request.body, limits()));
  if (!body.is_object()) co_return Error(Code::invalid_request, "The body must be a JSON object.");
  JsonObject& given = body.get_object();
  tables::OperationContext context;
  CO_TRY(context.here, tenant_of(deps, text_member(given, "tenant").value_or("")));
  const std::string_view name = text_member(given, "service").value_or(tenant::kDefaultService);
  const auto service = context.here->services.find(name);
  if (service == context.here->services.end()) co_return Error(Code::not_found, "There is no service '" + std::string(name.substr(0, 80)) + "'.");
  context.service = &service->second;
  const std::string_view table = text_member(given, "table").value_or("");
  context.table = service->second.table(table);
  if (!context.table) co_return Error(Code::not_found, "There is no table '" + std::string(table.substr(0, 80)) + "': name it in the tenant's file first.");
  context.principal.level = identity::Level::admin;
  context.deadline = request.deadline;
  CO_TRY(Import import, read_import(given));
  const bool dry_run = import.dry_run;

  const std::string tenant_name = context.here->name, service_name = service->first, table_name = context.table->name;
  Task<Imported> importing = tables::importing::import_rows(*deps.tables, std::move(context), std::move(import));
  CO_TRY(const Imported done, co_await importing);
  if (!dry_run)
    deps.log.info("management.imported", {{"tenant", tenant_name}, {"service", service_name}, {"table", table_name}, {"inserted", done.inserted},
                                          {"updated", done.updated}, {"kept", done.kept}, {"same", done.same}, {"refused", done.faults.size()}});
  if (done.failure)
    deps.log.error("management.import_failed", {{"tenant", tenant_name}, {"service", service_name}, {"table", table_name}, {"line", done.failed_line},
                                                {"code", mandate::name(done.failure->code)}, {"detail", done.failure->detail}});
  co_return http::Response::json(200, Json(shown(done)));
}

}  // namespace mandate::management
