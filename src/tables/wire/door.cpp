#include "tables/wire/door.h"

#include "base/url.h"
#include "http/compress.h"
#include "http/wire/characters.h"
#include "tables/app_acts.h"
#include "tables/conflicts.h"
#include "tables/wire/api_door.h"
#include "tables/wire/cors.h"
#include "tables/wire/json_patch.h"
#include "tables/wire/page_token.h"
#include "tables/wire/zumo.h"
#include "tables/wire/zumo_query.h"
#include "tenant/service_rules.h"

namespace mandate::tables::wire {
namespace {

using http::Method;
using http::Response;

constexpr int kMostConflicts = 8;
/// What the SDKs say about themselves in X-ZUMO-FEATURES (2.2). Other words are not counted.
constexpr std::string_view kFeatures[] = {"TT", "TU", "AT", "AJ", "AG", "QS", "TC", "RT", "OC", "OL", "IP", "RF", "TR", "TQ", "LH"};

/// What the answer needs of an act that travels on.
Act outline(const Act& act) {
  Act out;
  out.operation = act.operation;
  out.id = act.id;
  out.preconditions = act.preconditions;
  out.context.dialect = act.context.dialect;
  out.context.system = act.context.system;
  out.context.page = act.context.page;
  if (act.context.resumable && act.operation == Operation::read && act.id.empty()) out.context.principal = act.context.principal;
  out.query.top = act.query.top;
  out.query.skip = act.query.skip;
  return out;
}

}  // namespace

std::string root_of(std::optional<Dialect> forced) {
  if (!forced) return "/tables/";
  return "/v" + std::to_string(static_cast<int>(*forced) + 1) + "/tables/";
}

Door::Door(const Deps& deps)
    : deps_(deps), keys_(deps.tenants, &deps.clock),
      refused_(deps.metrics.counter("mandate_tables_refused_total", "Requests on apps' tables refused with 401.")) {
  for (std::size_t i = 0; i < dialects_.size(); ++i)
    dialects_[i] = &deps.metrics.counter("mandate_tables_requests_total", "Requests on apps' tables by dialect.", {{"dialect", "v" + std::to_string(i + 1)}});
  for (const std::string_view feature : kFeatures)
    features_[feature] = &deps.metrics.counter("mandate_tables_features_total", "What clients' SDKs say they use (X-ZUMO-FEATURES).", {{"feature", std::string(feature)}});
}

Task<Response> Door::tables(http::Request& request, std::optional<Dialect> forced) {
  Turn turn(request);
  CO_TRY(turn.here, deps_.tenants.by_host(request.host));
  turn.service = turn.here->service_of(request);
  if (forced) turn.dialect = *forced;
  turn.root = root_of(forced);
  if (!turn.service) {
    const Error nobody(Code::not_found, "Not Found");
    co_return family_of(turn.dialect).error_of(turn.dialect, nobody, request);
  }
  if (request.method == Method::options) co_return preflight(request, *turn.service);
  Task<Response> task = carry_out(turn, forced);
  Result<Response> result = co_await task;
  const Family& family = family_of(turn.dialect);
  Response response = result.ok() ? std::move(result).value() : family.error_of(turn.dialect, result.error(), request);
  if (!result.ok()) note(turn, result.error());
  family.add_headers(response, turn.dialect);
  add_cors(response, request, *turn.service);
  http::compress(response, request);
  co_return response;
}

// https → version → size → body → route → table → token → permission → query options → the rest in the core.
Task<Response> Door::carry_out(Turn& turn, std::optional<Dialect> forced) {
  http::Request& request = turn.request;
  const std::string_view table_name = request.params.at(0);
  const bool item = request.params.size() > 1;
  if (item) turn.id = request.params[1];
  turn.table = turn.service->table(table_name);
  CO_TRY(turn.parameters, query_parameters(request.query));
  turn.dialect = forced ? *forced : detect(request, turn.parameters, turn.table);
  if (auto refused = tenant::refused_at_door(*turn.service, request, forced ? std::string() : tenant::api_version(request, turn.parameters))) co_return std::move(*refused);
  count(turn);

  const Family& family = family_of(turn.dialect);
  turn.method = effective_method(request);
  const std::optional<Operation> operation = family.operation_of(turn, item);
  if (operation) turn.operation = *operation;
  if (request.refused && request.refused != 413) co_return Error(Code::bad_request, "The request body is malformed.");
  const std::size_t limit = tenant::body_limit(*turn.service);
  if (request.refused || request.body.size() > limit) co_return Error(Code::payload_too_large, "The request body is too large.");
  if (operation) CO_CHECK(family.read_body(turn, limit));
  if (!operation) co_return family.not_allowed(turn.dialect, item);
  if (!turn.table) co_return Error(Code::not_found, "Table '" + std::string(table_name) + "' does not exist.");
  Task<Response> task = authorised(turn);
  CO_TRY(Response response, co_await task);
  co_return response;
}

std::optional<Response> Door::refusal(const Turn& turn, const identity::KeysShown& keys, const identity::Principal& principal) {
  const Family& family = family_of(turn.dialect);
  Result<void> allowed = check_permission(*turn.table, turn.operation, keys, principal);
  if (const auto also = family.also_needs(turn); also && allowed.ok()) allowed = check_permission(*turn.table, *also, keys, principal);
  if (allowed.ok()) return std::nullopt;
  if (allowed.error().code == Code::method_not_allowed) return family.switched_off(turn, allowed.error());
  refused_.add();
  return family.unauthorized(turn, allowed.error(), false);
}

Task<Response> Door::authorised(Turn& turn) {
  http::Request& request = turn.request;
  const Family& family = family_of(turn.dialect);
  Task<identity::Principal> identify = deps_.bearers.identify(turn.here, *turn.service, request);
  Result<identity::Principal> principal = co_await identify;
  if (!principal.ok()) {
    if (http_status(principal.error().code) >= 500) co_return std::move(principal).error();
    refused_.add();
    co_return family.unauthorized(turn, principal.error(), true);
  }
  CO_TRY(const identity::KeysShown keys, keys_.shown(*turn.service, request));
  if (!is_served(*turn.service, *turn.table) && !keys.master) co_return Error(Code::not_found, "Table '" + turn.table->name + "' does not exist.");
  if (auto refused = refusal(turn, keys, *principal)) co_return std::move(*refused);
  if (const auto also = family.also_needs(turn); also && !turn.no_script && is_of_app(*turn.service, *turn.table, *also) && !is_of_app(*turn.service, *turn.table, turn.operation))
    co_return family.switched_off(turn, Error(Code::method_not_allowed, "Method undelete is not allowed"));  // its code would not be asked
  CO_TRY(Act act, family.act_of(turn));
  if (turn.no_script && !keys.master) co_return family.unauthorized(turn, Error(Code::unauthorized, "Unauthorized"), false);
  act.context.here = turn.here;
  act.context.service = turn.service;
  act.context.table = turn.table;
  act.context.principal = std::move(*principal);
  if (keys.master) act.context.principal.level = identity::Level::admin;
  if (!turn.after.empty()) {
    const std::string scope = page_scope(turn, act.context.principal);
    CO_TRY(act.context.after, open_page(deps_.tenants.vault(), scope, turn.after, deps_.clock.now_ms()));
  }
  act.context.deadline = request.deadline;
  act.context.application_key = keys.application;
  if (is_of_app(*turn.service, *turn.table, turn.operation)) act.asked = std::make_shared<const JsonObject>(asked_of_table(request, *turn.service, act.context.principal, turn.method));

  const bool scripted = deps_.script && !turn.no_script && deps_.script->has(act);
  // A delete script decides about one row; nobody deletes many behind its back.
  if (scripted && act.operation == Operation::remove && act.id.empty()) co_return family.not_allowed(turn.dialect, false);
  const Act asked = outline(act);
  Task<Answer> task = perform(turn, std::move(act));
  Result<Answer> answer = co_await task;
  if (!answer.ok() && answer.error().code == Code::conflict && answer.error().hint == kItemExists) co_return family.taken(turn, answer.error());
  if (!answer.ok() && answer.error().code == Code::unauthorized) {
    refused_.add();
    co_return family.unauthorized(turn, answer.error(), false);
  }
  CO_TRY(Answer good, std::move(answer));
  if (!good.last.empty()) turn.next = seal_page(deps_.tenants.vault(), page_scope(turn, asked.context.principal), good.last, deps_.clock.now_ms());
  const std::shared_ptr<const Written> written = std::move(good.written);
  if (written && good.kind == Answer::Kind::responded) {
    ApiAnswer own;
    own.status = written->status;
    own.headers = written->headers;
    own.body = written->body;
    co_return response_of(request, std::move(own));
  }
  Response response = family.answer_of(turn, asked, std::move(good));
  if (written) add_fields(response, written->headers);
  co_return response;
}

Task<Answer> Door::perform(Turn& turn, Act act) {
  Script* script = deps_.script && !turn.no_script && deps_.script->has(act) ? deps_.script : nullptr;
  if (turn.patch) {
    Script* conflict = deps_.script && !turn.no_script && asks_script(act) ? deps_.script : nullptr;
    Task<Answer> patching = perform_patch(deps_.tables, script, conflict, std::move(act), std::move(*turn.patch));
    Result<Answer> answer = co_await patching;
    co_return answer;
  }
  std::optional<Act> asked;
  if (deps_.script && !turn.no_script && asks_script(act)) asked = act;
  Task<Answer> task = script ? script->run(std::move(act)) : deps_.tables.perform(std::move(act));
  Result<Answer> answer = co_await task;
  // The script is shown the row; when that changes before it is done, it is shown the new one.
  for (int tries = 0; asked && answer.ok() && answer->kind == Answer::Kind::stale && settles(*asked, *answer) && tries < kMostConflicts; ++tries) {
    Act again = over(*asked, answer->version);
    again.conflict = std::move(answer->item);
    Task<Answer> deciding = deps_.script->run(std::move(again));
    Result<Answer> decided = co_await deciding;
    answer = std::move(decided);
  }
  co_return answer;
}

void Door::count(const Turn& turn) {
  dialects_[static_cast<std::size_t>(turn.dialect)]->add();
  std::string_view features = turn.request.headers.get("X-ZUMO-FEATURES");
  for (std::size_t seen = 0; !features.empty() && seen < std::size(kFeatures); ++seen) {
    const std::size_t comma = std::min(features.find(','), features.size());
    const auto found = features_.find(http::wire::trim(features.substr(0, comma)));
    if (found != features_.end()) found->second->add();
    features.remove_prefix(std::min(comma + 1, features.size()));
  }
}

void Door::note(const Turn& turn, const Error& error) const {
  if (http_status(error.code) < 500) return;
  deps_.log.error("tables.failed", {{"request_id", turn.request.id},
                                    {"table", turn.table ? std::string_view(turn.table->name) : std::string_view()},
                                    {"operation", name(turn.operation)},
                                    {"code", mandate::name(error.code)},
                                    {"detail", error.detail}});
}

Task<Response> Door::preflight_only(http::Request& request) {
  const Result<tenant::Here> here = deps_.tenants.by_host(request.host);
  const tenant::Service* service = here.ok() ? (*here)->service_of(request) : nullptr;
  co_return service ? preflight(request, *service) : Response(204);
}

Response Door::late(const http::Request& request, std::optional<Dialect> forced) const {
  const Result<tenant::Here> here = deps_.tenants.by_host(request.host);
  const tenant::Service* service = here.ok() ? (*here)->service_of(request) : nullptr;
  const tenant::Table* table = service && !request.params.empty() ? service->table(request.params[0]) : nullptr;
  const Dialect dialect = forced ? *forced : detect(request, parse_form(request.query), table);
  const Family& family = family_of(dialect);
  Response response = family.error_of(dialect, Error(Code::timeout), request);
  family.add_headers(response, dialect);
  if (service) add_cors(response, request, *service);
  return response;
}

}  // namespace mandate::tables::wire
