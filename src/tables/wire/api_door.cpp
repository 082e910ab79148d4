#include "tables/wire/api_door.h"

#include "base/url.h"
#include "http/compress.h"
#include "tables/wire/cors.h"
#include "tables/wire/zumo.h"
#include "tenant/service_rules.h"

namespace mandate::tables::wire {
namespace {

using http::Response;

/// APIs are V1's and V2's; a client of V3 or V4 is answered as one of V2. So is everybody at an app of the second generation.
Dialect dialect_of(const http::Request& request, const QueryParameters& query, const tenant::Service* service) {
  if (service && !service->code.app.empty()) return Dialect::v2;
  return detect(request, query, nullptr) == Dialect::v1 ? Dialect::v1 : Dialect::v2;
}

void finish(Response& response, const http::Request& request, Dialect dialect, const tenant::Service& service) {
  const std::string cache(response.headers.get("Cache-Control"));
  zumo().add_headers(response, dialect);
  if (!cache.empty()) {
    response.headers.set("Cache-Control", cache);
    response.headers.remove("expires");
    response.headers.remove("pragma");
  }
  add_cors(response, request, service);
  http::compress(response, request);
}

}  // namespace

ApiDoor::ApiDoor(const Deps& deps)
    : deps_(deps), keys_(deps.tenants, &deps.clock), calls_(deps.metrics.counter("mandate_apis_calls_total", "Requests on custom APIs of services.")),
      refused_(deps.metrics.counter("mandate_apis_refused_total", "Requests on custom APIs refused with 401.")) {}

Task<Response> ApiDoor::handle(http::Request& request) {
  Turn turn(request);
  CO_TRY(turn.here, deps_.tenants.by_host(request.host));
  turn.service = turn.here->service_of(request);
  if (!turn.service) co_return Error(Code::not_found, "Not Found");
  if (request.method == http::Method::options) co_return preflight(request, *turn.service);
  calls_.add();
  Task<Response> task = carry_out(turn);
  Result<Response> result = co_await task;
  Response response = result.ok() ? std::move(result).value() : zumo().error_of(turn.dialect, result.error(), request);
  if (!result.ok() && http_status(result.error().code) >= 500)
    deps_.log.error("api.failed", {{"request_id", request.id}, {"service", turn.service->name}, {"api", request.params.at(0)},
                                   {"code", mandate::name(result.error().code)}, {"detail", result.error().detail}});
  finish(response, request, turn.dialect, *turn.service);
  co_return response;
}

// https → version → size → API → token → permission → body → the script.
Task<Response> ApiDoor::carry_out(Turn& turn) {
  http::Request& request = turn.request;
  turn.parameters = parse_form(request.query);
  turn.dialect = dialect_of(request, turn.parameters, turn.service);
  if (auto refused = tenant::refused_at_door(*turn.service, request, tenant::api_version(request, turn.parameters))) co_return std::move(*refused);
  turn.method = effective_method(request);
  if (request.refused && request.refused != 413) co_return Error(Code::bad_request, "The request body is malformed.");
  if (request.refused || request.body.size() > tenant::body_limit(*turn.service)) co_return Error(Code::payload_too_large, "The request body is too large.");
  const tenant::CustomApi* api = deps_.apis ? CustomApis::find(*turn.service, request.params.at(0)) : nullptr;
  if (!api) co_return Error(Code::not_found, "Not Found");
  Task<Response> task = authorised(turn, *api);
  CO_TRY(Response response, co_await task);
  co_return response;
}

Task<Response> ApiDoor::authorised(Turn& turn, const tenant::CustomApi& api) {
  http::Request& request = turn.request;
  ApiCall call;
  call.here = turn.here;
  call.service = turn.service;
  call.api = &api;
  call.dialect = turn.dialect;
  call.deadline = request.deadline;
  // HEAD is what GET would be, without the body.
  call.method = ascii_lower(http::name(turn.method));
  Task<identity::Principal> identify = deps_.bearers.identify(turn.here, *turn.service, request);
  Result<identity::Principal> principal = co_await identify;
  if (!principal.ok()) {
    if (http_status(principal.error().code) >= 500) co_return std::move(principal).error();
    refused_.add();
    co_return zumo().unauthorized(turn, principal.error(), true);
  }
  CO_TRY(call.keys, keys_.shown(*turn.service, request));
  call.principal = std::move(*principal);
  if (call.keys.master) call.principal.level = identity::Level::admin;
  if (CustomApis::may_try(call)) {
    CO_TRY(call.asked, asked_of(request, *turn.service, call.principal, tenant::body_limit(*turn.service)));
  }
  Task<ApiAnswer> running = deps_.apis->run(std::move(call));
  Result<ApiAnswer> answer = co_await running;
  if (!answer.ok() && answer.error().code == Code::unauthorized) {
    refused_.add();
    co_return zumo().unauthorized(turn, answer.error(), false);
  }
  if (!answer.ok()) co_return std::move(answer).error();
  if (!answer->none) co_return response_of(request, std::move(*answer));
  if (answer->status != 405) co_return Error(Code::not_found, "Not Found");
  Response refused = zumo().error_of(turn.dialect, Error(Code::method_not_allowed, "Method Not Allowed"), request);
  std::string allow;
  for (const std::string& verb : answer->allow) allow += (allow.empty() ? "" : ", ") + verb;
  refused.headers.set("Allow", allow);
  co_return refused;
}

Response ApiDoor::late(const http::Request& request) const {
  const Result<tenant::Here> here = deps_.tenants.by_host(request.host);
  const tenant::Service* service = here.ok() ? (*here)->service_of(request) : nullptr;
  const Dialect dialect = dialect_of(request, parse_form(request.query), service);
  Response response = zumo().error_of(dialect, Error(Code::timeout), request);
  zumo().add_headers(response, dialect);
  if (service) add_cors(response, request, *service);
  return response;
}

}  // namespace mandate::tables::wire
