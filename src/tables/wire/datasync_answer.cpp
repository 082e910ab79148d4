// Answers of V3 and V4: bodies, links, problems (mobile-backend-wire 1.8, 1.9, 2.6).
#include "base/url.h"
#include "http/date.h"
#include "tables/wire/datasync.h"
#include "tables/wire/datasync_query.h"
#include "tables/wire/etag.h"

namespace mandate::tables::wire {
namespace {

using http::Response;

/// Of answers with a body, and of 304: the version and, from it, when it was made.
void add_validators(Response& response, std::string_view version) {
  if (version.empty()) return;
  response.headers.set("ETag", etag_of(version));
  if (const auto stamp = stamp_of(version)) response.headers.set("Last-Modified", http::http_date(*stamp / 1000));
}

bool wants_path(const http::Request& request) {
  for (const std::string& option : split(request.headers.get("X-ZUMO-Options"), ','))
    if (ascii_lower(option).find("nextlink=path") != std::string::npos) return true;
  return false;
}

/// Nothing when these rows are the last that the client wants.
std::optional<std::string> next_link(const Turn& turn, const Act& asked, const Answer& answer) {
  if (!answer.more && !answer.cut) return std::nullopt;
  std::optional<std::int64_t> top = asked.query.top;
  if (top) {
    *top -= answer.count;
    if (*top <= 0) return std::nullopt;
  }
  std::string query = next_query(turn.request.query, asked.query.skip + answer.count, top, turn.next);
  if (turn.dialect == Dialect::v4) return query;
  const std::string url = turn.url() + "?" + query;
  return wants_path(turn.request) ? url.substr(turn.request.origin().size()) : url;
}

Response rows(const Turn& turn, const Act& asked, Answer answer) {
  const bool nulls = turn.dialect == Dialect::v4;
  const std::optional<std::string> link = next_link(turn, asked, answer);
  std::string body = "{\"items\":" + std::move(answer.json);
  if (answer.total) body += ",\"count\":" + std::to_string(*answer.total);
  else if (nulls) body += ",\"count\":null";
  if (link) {
    body += ",\"nextLink\":";
    append_json_string(body, *link);
  } else if (nulls) {
    body += ",\"nextLink\":null";
  }
  body += '}';
  return Response::json(200, std::move(body));
}

std::string body_of(Answer& answer) { return answer.json.empty() ? to_json(Json(std::move(answer.item))) : std::move(answer.json); }

Response row(const Turn& turn, const Act& asked, Answer answer) {
  if (asked.operation == Operation::remove) return Response(204);
  int status = 200;
  if (asked.operation == Operation::read && !asked.preconditions.empty() && !answer.version.empty()) {
    const Judgement judged = judge(asked.preconditions, stamp_of(answer.version).value_or(0), true);
    if (judged == Judgement::failed) status = 412;
    if (judged == Judgement::not_modified) {
      Response response(304);
      add_validators(response, answer.version);
      return response;
    }
  }
  if (asked.operation == Operation::insert) status = 201;
  const Json* id = answer.item.if_contains("id");
  const std::string id_text = !id ? std::string() : id->is_string() ? std::string(view(id->get_string())) : to_json(*id);
  Response response = Response::json(status, body_of(answer));
  if (status == 201) response.headers.set("Location", turn.url(id_text));
  add_validators(response, answer.version);
  return response;
}

Response problem(int status, std::string_view detail, std::string_view request_id) {
  JsonObject body;
  body["type"] = "about:blank";
  body["title"] = http::reason(status);
  body["status"] = status;
  if (!detail.empty()) body["detail"] = detail;
  if (!request_id.empty()) body["requestId"] = request_id;
  Response response = Response::json(status, to_json(Json(std::move(body))));
  response.headers.set("Content-Type", "application/problem+json; charset=utf-8");
  return response;
}

bool has_problem(int status) { return status == 400 || status == 409 || status == 413 || status == 429 || status >= 500; }

}  // namespace

Response Datasync::answer_of(const Turn& turn, const Act& asked, Answer answer) const {
  switch (answer.kind) {
    case Answer::Kind::rows: return rows(turn, asked, std::move(answer));
    case Answer::Kind::row: return row(turn, asked, std::move(answer));
    case Answer::Kind::nothing: return Response(204);
    case Answer::Kind::stale: {
      Response response = Response::json(asked.operation == Operation::insert ? 409 : 412, body_of(answer));
      add_validators(response, answer.version);
      return response;
    }
    case Answer::Kind::responded: {
      const int status = answer.status >= 200 && answer.status <= 599 ? answer.status : 500;
      if (!answer.body || status == 204 || status == 304) return Response(status);
      return Response::json(status, to_json(*answer.body));
    }
  }
  return Response(500);
}

Response Datasync::error_of(Dialect, const Error& error, const http::Request& request) const {
  const int status = http_status(error.code);
  if (status == 500) return problem(500, {}, request.id);
  if (status > 500) {
    Response response = problem(status, "The service is unavailable. Try again later.", request.id);
    response.headers.set("Retry-After", "1");
    return response;
  }
  return has_problem(status) ? problem(status, error.hint, {}) : Response(status);
}

Response Datasync::unauthorized(const Turn& turn, const Error&, bool bad_token) const {
  const auto setting = turn.service->settings.find("MS_UnauthorizedStatus");
  int status = 401;
  if (!bad_token && setting != turn.service->settings.end() && (setting->second == "403" || setting->second == "404"))
    status = setting->second == "403" ? 403 : 404;
  Response response(status);
  if (status == 401) response.headers.set("WWW-Authenticate", bad_token ? "Bearer error=\"invalid_token\"" : "Bearer");
  return response;
}

Response Datasync::taken(Turn& turn, const Error&) const { return Response::json(409, Json(std::move(turn.item))); }

Response Datasync::not_allowed(Dialect dialect, bool item) const {
  Response response(405);
  response.headers.set("Allow", !item ? "GET, POST" : dialect == Dialect::v3 ? "GET, PUT, PATCH, DELETE" : "GET, PUT, DELETE");
  return response;
}

void Datasync::add_headers(Response& response, Dialect) const { response.headers.set("cache-control", "no-cache"); }

}  // namespace mandate::tables::wire
