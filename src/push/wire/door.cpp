#include "push/wire/door.h"

#include "base/url.h"
#include "tenant/service_cors.h"
#include "tenant/service_rules.h"

namespace mandate::push::wire {
namespace {

using http::Response;

constexpr int kPerMinute = 120;
constexpr std::size_t kMostHeaders = 20;

/// The words of 4.7 as configuration keeps them; unset means what the dialect's own servers did.
bool may(const tenant::Push& settings, const Turn& turn, const identity::KeysShown& keys) {
  if (turn.who.level == identity::Level::admin) return true;
  const std::string_view word = !settings.permission.empty() ? std::string_view(settings.permission) : turn.dialect == Dialect::v1 ? "application" : "public";
  if (word == "public") return true;
  if (word == "application") return keys.application;
  if (word == "authenticated") return !turn.who.user_id.empty();
  return false;
}

Response unauthorized(Dialect dialect, std::string_view text, bool bad_token) {
  if (dialect == Dialect::v1) return error_body(dialect, 401, text.empty() ? "Unauthorized" : text);
  if (!bad_token) return Response::text(401, "You must be logged in to use this application");
  return Response::json(401, JsonObject{{"name", "JsonWebTokenError"}, {"message", text}, {"error", text}});
}

Response error_of(Dialect dialect, const Error& error, const http::Request& request) {
  const int status = http_status(error.code);
  if (status < 500) return error_body(dialect, status, error.hint.empty() ? http::reason(status) : std::string_view(error.hint));
  return error_body(dialect, status, "Something went wrong here; the log has it under request " + request.id + ".");
}

}  // namespace

Response error_body(Dialect dialect, int status, std::string_view text) {
  JsonObject body;
  if (dialect == Dialect::v1) body["code"] = status;
  body["error"] = dialect == Dialect::v1 ? "Error: " + std::string(text) : std::string(text);
  return Response::json(status, body);
}

Door::Door(const Deps& deps)
    : deps_(deps), keys_(deps.tenants, deps.clock),
      requests_(deps.metrics.counter("mandate_push_registration_requests_total", "Requests of devices at the push doors.")),
      refused_(deps.metrics.counter("mandate_push_refused_total", "Requests at the push doors refused with 401.")) {}

http::Handler Door::handler(Dialect dialect, Act act) {
  return [this, dialect, act](http::Request& request) { return enter(dialect, act, request); };
}

Task<Response> Door::enter(Dialect dialect, Act act, http::Request& request) {
  requests_.add();
  Turn turn;
  turn.dialect = dialect;
  CO_TRY(turn.here, deps_.tenants.by_host(request.host));
  turn.service = turn.here->service_of(request);
  if (!turn.service) co_return error_body(dialect, 404, "Not Found");
  if (request.method == http::Method::options) co_return tenant::preflight(request, *turn.service);
  Task<Response> passing = pass(turn, act, request);
  Result<Response> result = co_await passing;
  if (!result.ok() && http_status(result.error().code) >= 500)
    deps_.log.error("push.registering_failed", {{"request_id", request.id}, {"code", name(result.error().code)}, {"detail", result.error().detail}});
  Response response = result.ok() ? std::move(result).value() : error_of(dialect, result.error(), request);
  response.headers.set("cache-control", "no-cache");
  response.headers.set("x-zumo-server-version", dialect == Dialect::v1 ? "nodev1-1.0.0" : "node-4.0.2");
  tenant::add_cors(response, request, *turn.service);
  co_return response;
}

// https → version → token → permission → rate → the act.
Task<Response> Door::pass(Turn& turn, Act act, http::Request& request) {
  if (auto refused = tenant::refused_at_door(*turn.service, request)) co_return std::move(*refused);
  Task<identity::Principal> identify = deps_.bearers.identify(turn.here, *turn.service, request);
  Result<identity::Principal> who = co_await identify;
  if (!who.ok()) {
    if (http_status(who.error().code) >= 500) co_return std::move(who).error();
    refused_.add();
    co_return unauthorized(turn.dialect, who.error().hint, true);
  }
  turn.who = std::move(*who);
  CO_TRY(const identity::KeysShown keys, keys_.shown(*turn.service, request));
  if (keys.master) turn.who.level = identity::Level::admin;
  if (!may(turn.service->push, turn, keys)) {
    refused_.add();
    co_return unauthorized(turn.dialect, "", false);
  }
  const tenant::RateLimiter::Answer rate = deps_.limiter.take("push", request.peer, kPerMinute);
  if (!rate.allowed && turn.who.level != identity::Level::admin) {
    Response refused = error_body(turn.dialect, 429, "Too many requests.");
    tenant::add_rate_headers(refused, rate);
    co_return refused;
  }
  if (request.refused) co_return Error(request.refused == 413 ? Code::payload_too_large : Code::bad_request, "The request body is too large or malformed.");
  Task<Response> acting = act(deps_, turn, request);
  Result<Response> answer = co_await acting;
  co_return answer;
}

Result<JsonObject> body_of(const http::Request& request) {
  Result<Json> body = parse_json(request.body);
  if (!body.ok()) return Error(body.error().code == Code::payload_too_large ? Code::payload_too_large : Code::bad_request, body.error().hint);
  if (!body->is_object()) return Error(Code::bad_request, "The body must be one JSON object.");
  return std::move(body->get_object());
}

Result<std::string> text_of(const JsonObject& object, std::string_view name, std::size_t most) {
  const Json* value = object.if_contains(name);
  if (!value || value->is_null()) return std::string();
  if (!value->is_string() || value->get_string().size() > most)
    return Error(Code::bad_request, "'" + std::string(name) + "' must be text of at most " + std::to_string(most) + " characters.");
  return std::string(view(value->get_string()));
}

Result<std::vector<std::string>> texts_of(const JsonObject& object, std::string_view name) {
  std::vector<std::string> out;
  const Json* value = object.if_contains(name);
  if (!value || value->is_null()) return out;
  const Error wrong(Code::bad_request, "'" + std::string(name) + "' must be a list of texts.");
  if (!value->is_array()) return wrong;
  for (const Json& each : value->get_array()) {
    if (!each.is_string()) return wrong;
    out.emplace_back(view(each.get_string()));
  }
  return out;
}

Result<JsonObject> headers_of(const JsonObject& object, std::string_view name) {
  const Json* value = object.if_contains(name);
  if (!value || value->is_null()) return JsonObject();
  const Error wrong(Code::bad_request, "'" + std::string(name) + "' must be an object of header texts.");
  if (!value->is_object() || value->get_object().size() > kMostHeaders) return wrong;
  for (const auto& [key, text] : value->get_object()) {
    const std::string_view word(key.data(), key.size());
    const bool token = !word.empty() && word.size() <= 64 && std::ranges::all_of(word, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_'; });
    if (!token || !text.is_string() || text.get_string().size() > 256) return wrong;
    for (const char c : text.get_string())
      if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') return wrong;
  }
  return value->get_object();
}

}  // namespace mandate::push::wire
