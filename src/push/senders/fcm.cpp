// Google: FCM v1 under a service account (RFC 7523), for tokens of GCM and FCM alike.
#include "base/url.h"
#include "jose/jwt.h"
#include "push/senders/senders.h"

namespace mandate::push {

namespace {

constexpr std::string_view kEndpoint = "https://fcm.googleapis.com", kTokenUri = "https://oauth2.googleapis.com/token";
constexpr std::string_view kScope = "https://www.googleapis.com/auth/firebase.messaging";
constexpr Millis kEarly = 60'000;

/// FCM takes texts only.
JsonObject texts(const JsonObject& data) {
  JsonObject out;
  for (const auto& member : data) out[member.key()] = member.value().is_string() ? member.value() : Json(to_json(member.value()));
  return out;
}

void move_over(JsonObject& from, std::string_view name, JsonObject& to, std::string_view as) {
  if (Json* value = from.if_contains(name)) {
    to[as] = std::move(*value);
    from.erase(name);
  }
}

/// The members of a message in FCM's words, of one in GCM's.
Result<JsonObject> message_of(JsonObject given) {
  for (const std::string_view whole : {"message"})
    if (Json* inner = given.if_contains(whole); inner && inner->is_object()) {
      JsonObject taken = std::move(inner->get_object());
      given = std::move(taken);
      break;
    }
  bool formed = false;
  for (const std::string_view member : {"data", "notification", "android", "apns", "webpush", "fcm_options"}) formed = formed || given.contains(member);
  if (!formed) return JsonObject{{"data", texts(given)}};
  JsonObject android;
  if (Json* has = given.if_contains("android"); has && has->is_object()) android = std::move(has->get_object());
  move_over(given, "collapse_key", android, "collapse_key");
  move_over(given, "collapseKey", android, "collapse_key");
  if (const auto priority = text_member(given, "priority")) android["priority"] = iequals(*priority, "high") ? "HIGH" : "NORMAL";
  for (const std::string_view name : {"time_to_live", "timeToLive"})
    if (const auto seconds = integer_member(given, name)) android["ttl"] = std::to_string(*seconds) + "s";
  JsonObject out;
  for (const std::string_view member : {"notification", "apns", "webpush", "fcm_options"})
    if (Json* value = given.if_contains(member)) out[member] = std::move(*value);
  if (Json* data = given.if_contains("data")) {
    if (!data->is_object()) return Error(Code::bad_request, "'data' must be an object.");
    out["data"] = texts(data->get_object());
  }
  if (!android.empty()) out["android"] = std::move(android);
  return out;
}

/// error.details[].errorCode, else error.status.
std::string reason_of(const http::Fetched& answer) {
  const Result<Json> body = parse_json(answer.body);
  const Json* error = body.ok() && body->is_object() ? body->get_object().if_contains("error") : nullptr;
  if (!error || !error->is_object()) return {};
  const JsonObject& told = error->get_object();
  if (const Json* details = told.if_contains("details"); details && details->is_array())
    for (const Json& each : details->get_array())
      if (each.is_object())
        if (const auto code = text_member(each.get_object(), "errorCode")) return std::string(*code).substr(0, 80);
  return std::string(text_member(told, "status").value_or("")).substr(0, 80);
}

bool about_the_token(const http::Fetched& answer) { return answer.body.find("registration token") != std::string::npos; }

}  // namespace

Result<std::string> fcm_body(std::string_view payload, std::string_view token) {
  Result<Json> read = parse_json(payload);
  if (!read.ok() || !read->is_object()) return Error(Code::bad_request, "A payload for gcm must be a JSON object.");
  TRY(JsonObject message, message_of(std::move(read->get_object())));
  message["token"] = token;
  return to_json(JsonObject{{"message", std::move(message)}});
}

Result<Senders::Account> Senders::account_of(const tenant::Service& service) const {
  TRY(const Secret text, secret(service, service.push.fcm.service_account_sealed, "push.fcm.service_account"));
  const Result<Json> read = parse_json(text.reveal());
  const Error wrong(Code::bad_request, "push.fcm.service_account is not Google's JSON file of a service account.");
  if (!read.ok() || !read->is_object()) return wrong;
  const JsonObject& file = read->get_object();
  Account out;
  out.project = text_member(file, "project_id").value_or("");
  out.email = text_member(file, "client_email").value_or("");
  out.token_uri = text_member(file, "token_uri").value_or(kTokenUri);
  auto key = jose::Key::from_pem(text_member(file, "private_key").value_or(""), jose::Alg::RS256, std::string(text_member(file, "private_key_id").value_or("")));
  if (!key.ok() || out.project.empty() || out.email.empty()) return wrong;
  out.key = std::move(*key);
  return out;
}

Task<std::string> Senders::fcm_proof(const tenant::Service* service) {
  const std::string place = "fcm " + service->push.fcm.service_account_sealed;
  if (auto token = known(place)) co_return std::move(*token);
  CO_TRY(const Account account, account_of(*service));
  const Millis now = clock_.now_ms();
  CO_TRY(const std::string assertion, jose::sign_jwt(*account.key, {{"iss", account.email}, {"scope", kScope}, {"aud", account.token_uri},
                                                                     {"iat", now / 1000}, {"exp", now / 1000 + 3600}}));
  http::FetchRequest request;
  request.method = http::Method::post;
  request.url = account.token_uri;
  request.headers.set("Content-Type", "application/x-www-form-urlencoded");
  request.body = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=" + assertion;
  Task<http::Fetched> asking = fetch_.send(std::move(request));
  CO_TRY(const http::Fetched answer, co_await asking);
  const Result<Json> body = parse_json(answer.body);
  const auto token = body.ok() && body->is_object() ? text_member(body->get_object(), "access_token") : std::nullopt;
  if (answer.status != 200 || !token) co_return Error(comes_back(answer.status) ? Code::upstream_error : Code::bad_request, "Google gave no access token: " + std::to_string(answer.status) + ".");
  const std::int64_t lasts = integer_member(body->get_object(), "expires_in").value_or(3600) * 1000;
  std::string proof = percent_encode(account.project) + " " + std::string(*token);
  keep(place, proof, now + std::max<std::int64_t>(lasts - kEarly, 0));
  co_return proof;
}

Task<Delivered> Senders::to_fcm(const tenant::Service* service, Message message) {
  CO_TRY(std::string body, fcm_body(message.payload, message.handle));
  Task<std::string> proving = fcm_proof(service);
  CO_TRY(const std::string proof, co_await proving);
  const std::size_t blank = proof.find(' ');
  const std::string project = proof.substr(0, blank), token = proof.substr(blank + 1);
  const std::string& endpoint = service->push.fcm.endpoint;
  http::FetchRequest request;
  request.method = http::Method::post;
  request.version = http::FetchRequest::Version::two;
  request.url = (endpoint.empty() ? std::string(kEndpoint) : endpoint) + "/v1/projects/" + project + "/messages:send";
  request.headers.set("authorization", "Bearer " + token);
  request.headers.set("content-type", "application/json");
  request.body = std::move(body);
  Task<http::Fetched> sending = fetch_.send(std::move(request));
  const Result<http::Fetched> answer = co_await sending;
  if (!answer.ok()) co_return no_answer(answer.error());
  Delivered out{Delivered::Kind::refused, answer->status, reason_of(*answer), 0};
  if (answer->status == 200) {
    out.kind = Delivered::Kind::delivered;
  } else if (out.reason == "UNREGISTERED" || (out.reason == "INVALID_ARGUMENT" && about_the_token(*answer))) {
    out.kind = Delivered::Kind::gone;
  } else if (answer->status == 401) {
    drop("fcm " + service->push.fcm.service_account_sealed);
    out.kind = Delivered::Kind::later;
  } else if (comes_back(answer->status)) {
    out.kind = Delivered::Kind::later;
    out.wait_ms = retry_after_ms(*answer, clock_.now_ms());
  }
  co_return out;
}

}  // namespace mandate::push
