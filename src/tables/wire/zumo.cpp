#include "tables/wire/zumo.h"

#include <charconv>

#include "base/url.h"
#include "http/wire/characters.h"
#include "tables/fit.h"
#include "tables/wire/cors.h"
#include "tables/wire/etag.h"

namespace mandate::tables::wire {
namespace {

using http::Method;
using http::Response;

constexpr std::size_t kBodyLimitKb = 1024, kMostBodyLimitKb = 4096;

std::size_t body_limit(const tenant::Service& service) {
  std::size_t kb = kBodyLimitKb;
  if (const auto found = service.settings.find("MS_MaxRequestBodySizeKB"); found != service.settings.end())
    std::from_chars(found->second.data(), found->second.data() + found->second.size(), kb);
  return std::min(kb, kMostBodyLimitKb) * 1024;
}

/// POST may stand for another verb (0.4 #16); every check is made for the verb that is meant (DA-10).
Method effective_method(const http::Request& request) {
  if (request.method == Method::head) return Method::get;
  const std::string_view asked = request.headers.get("X-HTTP-Method-Override");
  if (request.method != Method::post || asked.empty()) return request.method;
  for (const Method method : {Method::get, Method::post, Method::put, Method::patch, Method::delete_})
    if (iequals(asked, http::name(method))) return method;
  return Method::other;
}

/// The operation of a verb; nullopt where the dialect has none.
std::optional<Operation> operation_of(Method method, bool item, Dialect dialect) {
  switch (method) {
    case Method::get: return Operation::read;
    case Method::post: return item ? Operation::undelete : Operation::insert;
    case Method::patch: return Operation::update;  // without an id: the id is in the body (V2), or 400
    case Method::delete_:
      if (item || dialect == Dialect::v2) return Operation::remove;
      return std::nullopt;
    default: return std::nullopt;
  }
}

/// Whether a body of this type is read as JSON: application/json and its kin, in UTF-8 (IN-6). Without a type it is taken
/// for JSON, as the original did; every SDK that sends one sends application/json (0.4 #12).
bool is_json(std::string_view type) {
  const std::size_t semicolon = std::min(type.find(';'), type.size());
  const std::string media = ascii_lower(http::wire::trim(type.substr(0, semicolon)));
  if (media != "application/json" && !(media.starts_with("application/") && media.ends_with("+json"))) return false;
  for (const std::string& piece : split(type.substr(semicolon), ';')) {
    const std::string parameter = ascii_lower(http::wire::trim(piece));
    if (!parameter.starts_with("charset=")) continue;
    std::string_view charset = std::string_view(parameter).substr(8);
    if (charset.size() > 1 && charset.starts_with('"') && charset.ends_with('"')) charset = charset.substr(1, charset.size() - 2);
    if (charset != "utf-8" && charset != "utf8") return false;
  }
  return true;
}

/// The fields of that name; bad_request for more than one.
Result<std::string_view> if_match_of(const http::Request& request) {
  if (request.headers.count("If-Match") > 1) return Error(Code::bad_request, "Invalid 'if-match' header.");
  return request.headers.get("If-Match");
}

const Json* member_without_case(const JsonObject& item, std::string_view name) {
  for (const auto& member : item)
    if (iequals(std::string_view(member.key().data(), member.key().size()), name)) return &member.value();
  return nullptr;
}

/// The id in the body of a V2 PATCH on the collection.
Result<std::string> id_in_body(const JsonObject& item) {
  const Json* id = item.if_contains("id");
  if (id && id->is_string() && !id->get_string().empty()) return std::string(view(id->get_string()));
  if (id && id->is_int64()) return std::to_string(id->get_int64());
  return Error(Code::bad_request, "An update needs the id of the item.");
}

}  // namespace

/// One request on its way through the checks.
struct Zumo::Turn {
  explicit Turn(http::Request& r) : request(r) {}

  http::Request& request;
  tenant::Here here;
  const tenant::Service* service = nullptr;
  const tenant::Table* table = nullptr;
  Dialect dialect = Dialect::v2;
  QueryParameters parameters;
  Operation operation = Operation::read;
  std::string id;
  JsonObject item;
  bool version_in_body = false;
};

Zumo::Zumo(const Deps& deps)
    : deps_(deps), keys_(deps.tenants),
      v1_(deps.metrics.counter("mandate_tables_requests_total", "Requests on apps' tables by dialect.", {{"dialect", "v1"}})),
      v2_(deps.metrics.counter("mandate_tables_requests_total", "Requests on apps' tables by dialect.", {{"dialect", "v2"}})),
      refused_(deps.metrics.counter("mandate_tables_refused_total", "Requests on apps' tables refused with 401.")) {}

Task<Response> Zumo::tables(http::Request& request) {
  Turn turn(request);
  CO_TRY(turn.here, deps_.tenants.by_host(request.host));
  turn.service = turn.here->service_at(request.host);
  if (!turn.service) co_return error_of(Dialect::v2, Error(Code::not_found, "Not Found"), request);
  if (request.method == Method::options) co_return preflight(request, *turn.service);
  Task<Response> task = carry_out(turn);
  Result<Response> result = co_await task;
  Response response = result.ok() ? std::move(result).value() : error_of(turn.dialect, result.error(), request);
  if (!result.ok()) note(turn, result.error());
  add_dialect_headers(response, turn.dialect);
  add_cors(response, request, *turn.service);
  co_return response;
}

// version → size → body → route → table → token → permission → query options → the rest in the core.
Task<Response> Zumo::carry_out(Turn& turn) {
  http::Request& request = turn.request;
  const std::string_view table_name = request.params.at(0);
  const bool item = request.params.size() > 1;
  if (item) turn.id = request.params[1];
  turn.table = turn.service->table(table_name);
  CO_TRY(turn.parameters, query_parameters(request.query));
  const Result<Dialect> dialect = detect(request, turn.parameters, turn.table);
  if (!dialect.ok()) co_return version_refused(dialect.error());
  turn.dialect = *dialect;
  (turn.dialect == Dialect::v1 ? v1_ : v2_).add();

  const Method method = effective_method(request);
  const std::optional<Operation> operation = operation_of(method, item, turn.dialect);
  if (operation) turn.operation = *operation;
  if (request.refused && request.refused != 413) co_return Error(Code::bad_request, "The request body is malformed.");
  if (request.refused || request.body.size() > body_limit(*turn.service)) co_return Error(Code::payload_too_large, "The request body is too large.");
  if (operation) CO_CHECK(read_body(turn));
  if (!operation) co_return not_allowed(item);
  if (!turn.table) co_return Error(Code::not_found, "Table '" + std::string(table_name) + "' does not exist.");
  Task<Response> task = authorised(turn);
  CO_TRY(Response response, co_await task);
  co_return response;
}

// Only inserts and updates have a body that counts; a GET or DELETE may carry one, and a Content-Type may be missing.
Result<void> Zumo::read_body(Turn& turn) const {
  if (turn.operation != Operation::insert && turn.operation != Operation::update) return {};
  const http::HeaderViews& headers = turn.request.headers;
  if (headers.count("Content-Type") > 1 || (headers.has("Content-Type") && !is_json(headers.get("Content-Type"))))
    return Error(Code::unsupported_media_type, "The body must be JSON in UTF-8, sent as application/json.");
  JsonLimits limits;
  limits.bytes = body_limit(*turn.service);
  TRY(Json body, parse_json(turn.request.body, limits));
  if (!body.is_object()) return Error(Code::bad_request, "The body must be one JSON object.");
  turn.item = std::move(body.get_object());
  return {};
}

Task<Response> Zumo::authorised(Turn& turn) {
  http::Request& request = turn.request;
  Task<identity::Principal> identify = deps_.bearers.identify(turn.here, *turn.service, request);
  Result<identity::Principal> principal = co_await identify;
  if (!principal.ok()) {
    if (http_status(principal.error().code) >= 500) co_return std::move(principal).error();
    refused_.add();
    co_return unauthorized(turn.dialect, principal.error(), true);
  }
  CO_TRY(const KeysShown keys, keys_.shown(*turn.service, request));
  if (const auto allowed = check_permission(*turn.table, turn.operation, keys, *principal); !allowed.ok()) {
    refused_.add();
    co_return unauthorized(turn.dialect, allowed.error(), false);
  }
  bool no_script = false;
  CO_TRY(Act act, act_of(turn, std::move(*principal), keys.master, no_script));
  if (no_script && !keys.master) co_return unauthorized(turn.dialect, Error(Code::unauthorized, "Unauthorized"), false);

  // What the answer needs of the act, which travels on.
  Act asked_act;
  asked_act.operation = act.operation;
  asked_act.context.table = act.context.table;
  asked_act.context.dialect = act.context.dialect;
  asked_act.context.system = act.context.system;
  asked_act.query.top = act.query.top;
  asked_act.query.skip = act.query.skip;
  const bool scripted = deps_.script && !no_script && deps_.script->has(act);
  // A delete script decides about one row; nobody deletes many behind its back.
  if (scripted && act.operation == Operation::remove && act.id.empty()) co_return not_allowed(false);
  Task<Answer> task = scripted ? deps_.script->run(std::move(act)) : deps_.tables.perform(std::move(act));
  Result<Answer> answer = co_await task;
  // A script's own 409 keeps its own text.
  if (!answer.ok() && answer.error().code == Code::conflict && answer.error().hint == kItemExists && turn.dialect == Dialect::v2)
    co_return Response::json(409, Json(std::move(turn.item)));
  if (!answer.ok() && answer.error().code == Code::unauthorized) {
    refused_.add();
    co_return unauthorized(turn.dialect, answer.error(), false);
  }
  CO_TRY(Answer good, std::move(answer));
  const Asked asked{request, turn.parameters, asked_act, turn.version_in_body};
  co_return answer_of(asked, std::move(good));
}

Result<Act> Zumo::act_of(Turn& turn, identity::Principal principal, bool master, bool& no_script) const {
  const bool v1 = turn.dialect == Dialect::v1;
  const bool item_url = !turn.id.empty();
  const bool options_count = turn.operation == Operation::read || (turn.operation == Operation::remove && !item_url);
  TRY(ZumoQuery zumo, read_query(turn.parameters, turn.dialect, options_count, item_url));
  no_script = zumo.no_script;
  Act act;
  act.operation = turn.operation;
  act.context.here = turn.here;
  act.context.service = turn.service;
  act.context.table = turn.table;
  act.context.principal = std::move(principal);
  if (master) act.context.principal.level = identity::Level::admin;
  act.context.dialect = turn.dialect;
  act.context.system = zumo.system;
  act.context.include_deleted = zumo.include_deleted;
  act.context.deadline = turn.request.deadline;
  act.query = std::move(zumo.query);
  act.parameters = std::move(zumo.own);
  act.id = turn.id;
  if (turn.operation == Operation::update && act.id.empty()) {
    if (v1) return Error(Code::bad_request, "An update needs the id of the item.");
    TRY(act.id, id_in_body(turn.item));
  }
  if (turn.operation == Operation::read && item_url) act.query.id = act.id;
  if (turn.operation != Operation::read && turn.operation != Operation::insert) {
    TRY(const std::string_view if_match, if_match_of(turn.request));
    TRY(act.expected_version, expected_version(if_match));
    if (!if_match.empty() && act.id.empty()) return Error(Code::bad_request, "If-Match needs the id of an item.");
    if (turn.operation == Operation::update && !v1) {
      const auto is_version = [](const auto& member) { return iequals(std::string_view(member.key().data(), member.key().size()), "version"); };
      const Json* version = member_without_case(turn.item, "version");
      if (!if_match.empty()) {
        // The header decides, for a script too: it sees no other version.
        if (const auto found = std::ranges::find_if(turn.item, is_version); found != turn.item.end()) turn.item.erase(found);
      } else if (version && version->is_string()) {
        act.expected_version = std::string(view(version->get_string()));
        turn.version_in_body = true;
      }
    }
  }
  // Before a script sees the item, which may then say of itself what it likes.
  if (turn.operation == Operation::insert || turn.operation == Operation::update)
    CHECK_OK(check_system_names(turn.table->integer_id, turn.dialect, turn.item));
  // V2 answers a duplicate with the item as it was sent, so that one keeps a copy.
  act.item = turn.operation == Operation::insert && !v1 ? turn.item : std::move(turn.item);
  return act;
}

void Zumo::note(const Turn& turn, const Error& error) const {
  if (http_status(error.code) < 500) return;
  deps_.log.error("tables.failed", {{"request_id", turn.request.id},
                                    {"table", turn.table ? std::string_view(turn.table->name) : std::string_view()},
                                    {"operation", name(turn.operation)},
                                    {"code", mandate::name(error.code)},
                                    {"detail", error.detail}});
}

Task<Response> Zumo::preflight_only(http::Request& request) {
  const Result<tenant::Here> here = deps_.tenants.by_host(request.host);
  const tenant::Service* service = here.ok() ? (*here)->service_at(request.host) : nullptr;
  co_return service ? preflight(request, *service) : Response(204);
}

Response Zumo::late(const http::Request& request) const {
  const Result<tenant::Here> here = deps_.tenants.by_host(request.host);
  const tenant::Service* service = here.ok() ? (*here)->service_at(request.host) : nullptr;
  const tenant::Table* table = service && !request.params.empty() ? service->table(request.params[0]) : nullptr;
  const Result<Dialect> found = detect(request, parse_form(request.query), table);
  const Dialect dialect = found.ok() ? *found : Dialect::v2;
  Response response = error_of(dialect, Error(Code::timeout), request);
  add_dialect_headers(response, dialect);
  if (service) add_cors(response, request, *service);
  return response;
}

// V1 answers with nothing, V2 with a word; tools of either ask without a key.
Task<Response> Zumo::status(http::Request& request) {
  const QueryParameters parameters = parse_form(request.query);
  const Result<Dialect> dialect = detect(request, parameters, nullptr);
  const bool v1 = dialect.ok() && *dialect == Dialect::v1;
  Response response = v1 ? Response(200) : Response::json(200, std::string(R"({"status":"Running"})"));
  response.headers.set("Access-Control-Allow-Origin", "*");
  response.headers.set("Cache-Control", "no-cache");
  co_return response;
}

}  // namespace mandate::tables::wire
