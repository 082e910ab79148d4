#include "tables/wire/about.h"

#include "base/url.h"
#include "tables/app_acts.h"
#include "tables/wire/cors.h"
#include "tables/wire/family.h"
#include "tables/wire/swagger.h"
#include "tables/wire/zumo.h"
#include "tenant/service_rules.h"

namespace mandate::tables::wire {
namespace {

using http::Response;

constexpr std::string_view kDescription = "A mobile service of Mandate";

struct Place {
  tenant::Here here;
  const tenant::Service* service = nullptr;
};

Result<Place> place_of(const Deps& deps, const http::Request& request) {
  Place out;
  TRY(out.here, deps.tenants.by_host(request.host));
  out.service = out.here->service_of(request);
  if (!out.service) return Error(Code::not_found, "Not Found");
  return out;
}

}  // namespace

About::About(const Deps& deps) : deps_(deps), keys_(deps.tenants, &deps.clock), started_(deps.clock.now_ms()) {}

Task<Response> About::status(http::Request& request) {
  const QueryParameters parameters = parse_form(request.query);
  const bool v1 = detect(request, parameters, nullptr) == Dialect::v1;
  Response response = v1 ? Response(200) : Response::json(200, std::string(R"({"status":"Running"})"));
  response.headers.set("Access-Control-Allow-Origin", "*");
  response.headers.set("Cache-Control", "no-cache");
  co_return response;
}

Task<Response> About::diagnostics(http::Request& request) {
  CO_TRY(const Place place, place_of(deps_, request));
  if (auto refused = tenant::refused_at_door(*place.service, request)) co_return std::move(*refused);
  CO_TRY(const identity::KeysShown keys, keys_.shown(*place.service, request));
  const http::Request& asked = request;
  if (!keys.master) {
    Turn turn(request);
    turn.dialect = Dialect::v1;
    co_return zumo().unauthorized(turn, Error(Code::unauthorized, "Unauthorized"), false);
  }
  const auto begun = deps_.clock.steady();
  Task<std::vector<store::ColumnSpec>> look = place.here.store->describe("table_shapes");
  const Result<std::vector<store::ColumnSpec>> found = co_await look;
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(deps_.clock.steady() - begun).count();
  JsonObject database{{"statusCode", found.ok() ? 200 : 503}, {"latencyMS", static_cast<std::int64_t>(took)}};
  database["error"] = found.ok() ? Json(nullptr) : Json(std::string(mandate::name(found.error().code)));
  JsonObject state{{"runtimeVersion", "Mandate"}, {"serviceName", place.service->name}};
  state["uptime"] = (deps_.clock.now_ms() - started_) / 1000;
  JsonObject body{{"service", JsonObject{{"description", kDescription}, {"status", std::move(state)}}}};
  body["tables.sql"] = std::move(database);
  Response response = Response::json(found.ok() ? 200 : 503, to_json(Json(std::move(body))));
  response.no_store();
  add_cors(response, asked, *place.service);
  co_return response;
}

Task<Response> About::swagger(http::Request& request) {
  CO_TRY(const Place place, place_of(deps_, request));
  if (auto refused = tenant::refused_at_door(*place.service, request)) co_return std::move(*refused);
  const auto setting = place.service->settings.find("swagger");
  if (setting == place.service->settings.end() || !iequals(setting->second, "true")) co_return Error(Code::not_found, "Not Found");
  std::vector<Described> tables;
  for (const auto& [lower, table] : place.service->tables) {
    if (!is_served(*place.service, table)) continue;
    OperationContext context;
    context.here = place.here;
    context.service = place.service;
    context.table = &table;
    Task<std::vector<std::pair<std::string, store::Type>>> look = deps_.tables.columns(std::move(context));
    CO_TRY(auto columns, co_await look);
    tables.push_back({&table, std::move(columns)});
  }
  Response response = Response::json(200, to_json(Json(swagger_of(*place.service, request, tables))));
  response.headers.set("Cache-Control", "no-cache");
  add_cors(response, request, *place.service);
  co_return response;
}

}  // namespace mandate::tables::wire
