// Answers of V1 and V2: headers, bodies, error texts (mobile-backend-wire 1.1, 1.7, 2.4, 2.5).
#include "base/url.h"
#include "tables/wire/etag.h"
#include "tables/wire/zumo.h"
#include "tables/wire/zumo_query.h"

namespace mandate::tables::wire {
namespace {

using http::Response;

void add_etag(Response& response, Dialect dialect, std::string_view version, bool shown) {
  if (version.empty() || response.body.empty()) return;  // never on a bodiless answer (0.4 #4)
  if (dialect == Dialect::v2 || shown) response.headers.set("ETag", etag_of(version));
}

Response rows(const Turn& turn, const Act& asked, Answer answer) {
  if (answer.total) answer.json = "{\"results\":" + answer.json + ",\"count\":" + std::to_string(*answer.total) + "}";
  Response response = Response::json(200, std::move(answer.json));
  const std::int64_t page = asked.query.top.value_or(asked.context.page);
  if (turn.dialect == Dialect::v2 && page > 0 && (answer.count == page || answer.cut)) {
    response.headers.set("Link", next_link(turn.url(), turn.parameters, asked.query.skip + answer.count, page, turn.next) + "; rel=next");
  }
  return response;
}

std::string id_text(const JsonObject& item) {
  const Json* id = item.if_contains("id");
  if (!id) return {};
  return id->is_string() ? std::string(view(id->get_string())) : to_json(*id);
}

Response row(const Turn& turn, const Act& asked, Answer answer) {
  const bool v1 = turn.dialect == Dialect::v1;
  if (asked.operation == Operation::read) {
    const std::string_view none_match = turn.request.headers.get("If-None-Match");
    if (v1 && !none_match.empty() && !answer.version.empty() && none_match_hits(none_match, answer.version)) return Response(304);
    Response response = Response::json(200, answer.json.empty() ? to_json(Json(std::move(answer.item))) : std::move(answer.json));
    add_etag(response, turn.dialect, answer.version, asked.context.system.version);
    return response;
  }
  if (asked.operation == Operation::remove && v1) return Response(204);
  const bool created = asked.operation == Operation::insert || (asked.operation == Operation::undelete && !v1);
  const bool shown = answer.item.contains("__version");
  const std::string id = id_text(answer.item);
  Response response = Response::json(created ? 201 : 200, to_json(Json(std::move(answer.item))));
  if (asked.operation == Operation::insert) response.headers.set("Location", turn.url(id));
  add_etag(response, turn.dialect, answer.version, shown);
  return response;
}

Response responded(Answer answer) {
  const int status = answer.status >= 200 && answer.status <= 599 ? answer.status : 500;
  if (!answer.body || status == 204 || status == 304) return Response(status);
  return Response::json(status, to_json(*answer.body));
}

std::string zumo_text(std::string_view text) {
  return text.starts_with("Error: ") ? std::string(text) : "Error: " + std::string(text);
}

Response error_body(Dialect dialect, int status, std::string_view text, std::string_view id) {
  JsonObject body;
  if (dialect == Dialect::v1) body["code"] = status;
  body["error"] = dialect == Dialect::v1 ? zumo_text(text) : std::string(text);
  if (!id.empty()) body["id"] = id;
  return Response::json(status, to_json(Json(std::move(body))));
}

}  // namespace

Response Zumo::answer_of(const Turn& turn, const Act& asked, Answer answer) const {
  switch (answer.kind) {
    case Answer::Kind::rows: return rows(turn, asked, std::move(answer));
    case Answer::Kind::row: return row(turn, asked, std::move(answer));
    case Answer::Kind::nothing: return Response(asked.operation == Operation::remove ? 204 : 200);
    case Answer::Kind::stale: {
      Response response = Response::json(turn.version_in_body ? 409 : 412, to_json(Json(std::move(answer.item))));
      add_etag(response, turn.dialect, answer.version, true);
      return response;
    }
    case Answer::Kind::responded: return responded(std::move(answer));
  }
  return Response(500);
}

Response Zumo::error_of(Dialect dialect, const Error& error, const http::Request& request) const {
  const int status = http_status(error.code);
  if (status == 500) return error_body(dialect, 500, "Internal Server Error", request.id);
  if (status >= 500) {
    Response response = error_body(dialect, status, "The service is unavailable. Try again later.", request.id);
    response.headers.set("Retry-After", "1");
    return response;
  }
  std::string_view text = error.hint.empty() ? http::reason(status) : std::string_view(error.hint);
  if (dialect == Dialect::v2 && error.code == Code::not_found && text.starts_with("An item with id ")) text = "The item does not exist";
  return error_body(dialect, status, text, {});
}

Response Zumo::unauthorized(const Turn& turn, const Error& error, bool bad_token) const {
  if (turn.dialect == Dialect::v1) return error_body(turn.dialect, 401, error.hint.empty() ? "Unauthorized" : std::string_view(error.hint), {});
  if (!bad_token) {
    const bool plain = error.hint.empty() || error.hint == "Unauthorized";
    return Response::text(401, plain ? std::string_view("You must be logged in to use this application") : std::string_view(error.hint));
  }
  JsonObject body;
  body["name"] = "JsonWebTokenError";
  body["message"] = error.hint;
  body["error"] = error.hint;
  return Response::json(401, to_json(Json(std::move(body))));
}

// A script's own 409 keeps its own text.
Response Zumo::taken(Turn& turn, const Error& error) const {
  if (turn.dialect != Dialect::v2) return error_of(turn.dialect, error, turn.request);
  return Response::json(409, Json(std::move(turn.item)));
}

Response Zumo::not_allowed(Dialect dialect, bool item) const {
  Response response(405);
  const bool v1 = dialect == Dialect::v1;
  response.headers.set("Allow", item ? (v1 ? "GET, POST, PATCH, DELETE" : "GET, POST, PUT, PATCH, DELETE") : "GET, POST");
  return response;
}

Response Zumo::switched_off(const Turn& turn, const Error& error) const {
  return turn.dialect == Dialect::v2 ? Response::text(405, error.hint) : error_of(turn.dialect, error, turn.request);
}

void Zumo::add_headers(Response& response, Dialect dialect) const {
  response.headers.set("cache-control", "no-cache");
  if (dialect == Dialect::v1) {
    response.headers.set("x-zumo-version", "Mandate");
    response.headers.set("x-zumo-server-version", "nodev1-1.0.0");
    return;
  }
  response.headers.set("expires", "0");
  response.headers.set("pragma", "no-cache");
  response.headers.set("x-zumo-server-version", "node-4.0.2");
}

}  // namespace mandate::tables::wire
