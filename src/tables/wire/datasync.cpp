// What V3 and V4 ask: verbs, bodies and preconditions become an act (mobile-backend-wire 1.6, 1.8, 1.9).
#include "tables/wire/datasync.h"

#include "base/url.h"
#include "http/date.h"
#include "tables/wire/datasync_query.h"
#include "tables/wire/etag.h"

namespace mandate::tables::wire {
namespace {

using http::Method;

constexpr std::string_view kJsonPatch = "application/json-patch+json";

/// Several fields of one name are one list.
std::optional<std::string> list_field(const http::HeaderViews& headers, std::string_view name) {
  std::optional<std::string> out;
  for (const auto& field : headers.all()) {
    if (!iequals(field.name, name)) continue;
    if (out) *out += ", ";
    else out.emplace();
    *out += field.value;
  }
  return out;
}

/// A date that cannot be read is no condition (RFC 9110 §13.1.3).
std::optional<std::int64_t> date_field(const http::HeaderViews& headers, std::string_view name) {
  return headers.count(name) == 1 ? http::parse_http_date(headers.get(name)) : std::nullopt;
}

Result<Preconditions> preconditions_of(const http::HeaderViews& headers) {
  Preconditions out;
  if (const auto field = list_field(headers, "If-Match")) {
    TRY(out.match, read_tags(*field, Tags::strong));
  }
  if (const auto field = list_field(headers, "If-None-Match")) {
    TRY(out.none_match, read_tags(*field, Tags::weak));
  }
  out.modified_since = date_field(headers, "If-Modified-Since");
  out.unmodified_since = date_field(headers, "If-Unmodified-Since");
  return out;
}

bool is_false(const JsonObject& item, std::string_view name) {
  for (const auto& member : item)
    if (iequals(std::string_view(member.key().data(), member.key().size()), name)) return member.value().is_bool() && !member.value().get_bool();
  return false;
}

bool patches(const JsonArray& patch, std::string_view path) {
  return std::ranges::any_of(patch, [&](const Json& step) {
    const JsonObject* object = step.if_object();
    return object && iequals(text_member(*object, "path").value_or(""), path);
  });
}

}  // namespace

const Family& datasync() {
  static const Datasync family;
  return family;
}

std::optional<Operation> Datasync::operation_of(const Turn& turn, bool item) const {
  switch (turn.method) {
    case Method::get: return Operation::read;
    case Method::post:
      if (!item) return Operation::insert;
      return std::nullopt;
    case Method::put:
      if (item) return Operation::update;
      return std::nullopt;
    case Method::patch:
      if (item && turn.dialect == Dialect::v3) return Operation::update;
      return std::nullopt;
    case Method::delete_:
      if (item) return Operation::remove;
      return std::nullopt;
    default: return std::nullopt;
  }
}

std::optional<Operation> Datasync::also_needs(const Turn& turn) const {
  if (turn.operation != Operation::update) return std::nullopt;
  const bool back = turn.method == Method::put ? includes_deleted(turn.parameters)
                                               : is_false(turn.item, "deleted") || (turn.patch && patches(*turn.patch, "/deleted"));
  if (back) return Operation::undelete;
  return std::nullopt;
}

Result<void> Datasync::read_body(Turn& turn, std::size_t limit) const {
  if (turn.operation != Operation::insert && turn.operation != Operation::update) return {};
  CHECK_OK(check_json_type(turn.request));
  const bool patch = media_of(turn.request.headers.get("Content-Type")) == kJsonPatch;
  if (patch && turn.method != Method::patch)
    return Error(Code::unsupported_media_type, "A JSON patch is sent by PATCH.");
  TRY(Json body, json_body(turn.request, limit));
  if (patch) {
    if (!body.is_array()) return Error(Code::bad_request, "A JSON patch is an array of operations.");
    turn.patch = std::move(body.get_array());
    return {};
  }
  if (!body.is_object()) return Error(Code::bad_request, "The body must be one JSON object.");
  turn.item = std::move(body.get_object());
  return {};
}

Result<Act> Datasync::act_of(Turn& turn) const {
  const bool list = turn.id.empty() && turn.operation == Operation::read;
  TRY(DatasyncQuery asked, read_datasync_query(turn.parameters, turn.dialect, *turn.table, turn.operation == Operation::read, !list));
  turn.no_script = asked.no_script;
  Act act;
  act.operation = turn.operation;
  act.context.dialect = turn.dialect;
  act.context.include_deleted = asked.include_deleted;
  act.context.page = asked.page;
  act.context.look_ahead = list;
  // Where the client did not ask for an order of time, V4's link is word for word what its server wrote.
  act.context.resumable = list && (turn.dialect == Dialect::v3 || !asked.query.order.empty());
  turn.after = std::move(asked.after);
  act.query = std::move(asked.query);
  act.parameters = std::move(asked.own);
  act.id = turn.id;
  act.replace = turn.method == Method::put;
  if (turn.operation == Operation::read && !list) act.query.id = act.id;
  if (!act.id.empty()) {
    TRY(act.preconditions, preconditions_of(turn.request.headers));
  }
  act.item = turn.operation == Operation::insert ? turn.item : std::move(turn.item);  // a duplicate may be answered with it
  return act;
}

}  // namespace mandate::tables::wire
