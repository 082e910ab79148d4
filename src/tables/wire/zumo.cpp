// What V1 and V2 ask: verbs, bodies and headers become an act. The order of checks is that of the original.
#include "tables/wire/zumo.h"

#include "base/url.h"
#include "tables/fit.h"
#include "tables/wire/etag.h"
#include "tables/wire/zumo_query.h"

namespace mandate::tables::wire {
namespace {

using http::Method;

/// The fields of that name; bad_request for more than one.
Result<std::string_view> if_match_of(const http::Request& request) {
  if (request.headers.count("If-Match") > 1) return Error(Code::bad_request, "Invalid 'if-match' header.");
  return request.headers.get("If-Match");
}

/// The id in the body of a V2 PATCH on the collection.
Result<std::string> id_in_body(const JsonObject& item) {
  const Json* id = item.if_contains("id");
  if (id && id->is_string() && !id->get_string().empty()) return std::string(view(id->get_string()));
  if (id && id->is_int64()) return std::to_string(id->get_int64());
  return Error(Code::bad_request, "An update needs the id of the item.");
}

/// V2: which version the row is expected to have. A header decides over the body, for a script too: it sees no other.
void settle_version(Turn& turn, Act& act, bool by_header) {
  const auto is_version = [](const auto& member) { return iequals(std::string_view(member.key().data(), member.key().size()), "version"); };
  const auto version = std::ranges::find_if(turn.item, is_version);
  if (version == turn.item.end()) return;
  if (by_header) {
    turn.item.erase(version);
  } else if (version->value().is_string()) {
    act.expected_version = std::string(view(version->value().get_string()));
    turn.version_in_body = true;
  }
}

}  // namespace

const Family& zumo() {
  static const Zumo family;
  return family;
}

std::optional<Operation> Zumo::operation_of(const Turn& turn, bool item) const {
  switch (turn.method) {
    case Method::get: return Operation::read;
    case Method::post: return item ? Operation::undelete : Operation::insert;
    case Method::patch: return Operation::update;  // without an id: the id is in the body (V2), or 400
    case Method::put:
      if (item && turn.dialect == Dialect::v2) return Operation::update;
      return std::nullopt;
    case Method::delete_:
      if (item || turn.dialect == Dialect::v2) return Operation::remove;
      return std::nullopt;
    default: return std::nullopt;
  }
}

// Only inserts and updates have a body that counts; a GET or DELETE may carry one, and a Content-Type may be missing.
Result<void> Zumo::read_body(Turn& turn, std::size_t limit) const {
  if (turn.operation != Operation::insert && turn.operation != Operation::update) return {};
  CHECK_OK(check_json_type(turn.request));
  TRY(Json body, json_body(turn.request, limit));
  if (!body.is_object()) return Error(Code::bad_request, "The body must be one JSON object.");
  turn.item = std::move(body.get_object());
  return {};
}

Result<Act> Zumo::act_of(Turn& turn) const {
  const bool v1 = turn.dialect == Dialect::v1;
  const bool item_url = !turn.id.empty();
  const bool options_count = turn.operation == Operation::read || (turn.operation == Operation::remove && !item_url);
  TRY(ZumoQuery zumo, read_query(turn.parameters, turn.dialect, *turn.table, options_count, item_url));
  turn.no_script = zumo.no_script;
  Act act;
  act.operation = turn.operation;
  act.context.dialect = turn.dialect;
  act.context.system = zumo.system;
  act.context.include_deleted = zumo.include_deleted;
  act.context.page = zumo.page;
  act.context.resumable = !v1;
  turn.after = std::move(zumo.after);
  act.query = std::move(zumo.query);
  act.parameters = std::move(zumo.own);
  act.id = turn.id;
  act.replace = turn.method == Method::put;
  if (turn.operation == Operation::update && act.id.empty()) {
    if (v1) return Error(Code::bad_request, "An update needs the id of the item.");
    TRY(act.id, id_in_body(turn.item));
  }
  if (turn.operation == Operation::read && item_url) act.query.id = act.id;
  if (turn.operation != Operation::read && turn.operation != Operation::insert) {
    TRY(const std::string_view if_match, if_match_of(turn.request));
    TRY(act.expected_version, expected_version(if_match));
    if (!if_match.empty() && act.id.empty()) return Error(Code::bad_request, "If-Match needs the id of an item.");
    if (turn.operation == Operation::update && !v1) settle_version(turn, act, !if_match.empty());
  }
  // Before a script sees the item, which may then say of itself what it likes.
  if (turn.operation == Operation::insert || turn.operation == Operation::update)
    CHECK_OK(check_system_names(turn.table->integer_id, turn.dialect, turn.item));
  // V2 answers a duplicate with the item as it was sent, so that one keeps a copy.
  act.item = turn.operation == Operation::insert && !v1 ? turn.item : std::move(turn.item);
  return act;
}

}  // namespace mandate::tables::wire
