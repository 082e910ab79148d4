// Apple: HTTP/2, one request a message, a token of ours for an hour.
#include "base/url.h"
#include "jose/jwt.h"
#include "push/senders/senders.h"

namespace mandate::push {

namespace {
// Apple takes a token for 60 minutes and wants no new one within 20.
constexpr Millis kTokenLasts = 50 * 60'000;
constexpr std::string_view kProduction = "https://api.push.apple.com", kSandbox = "https://api.sandbox.push.apple.com";

std::string reason_of(const http::Fetched& answer) {
  const Result<Json> body = parse_json(answer.body);
  if (!body.ok() || !body->is_object()) return {};
  return std::string(text_member(body->get_object(), "reason").value_or("")).substr(0, 80);
}
}  // namespace

Result<std::string> Senders::apns_proof(const tenant::Service& service) {
  const tenant::Push::Apns& apns = service.push.apns;
  const std::string place = "apns " + apns.key_id + " " + apns.team_id + " " + apns.key_sealed;
  if (auto token = known(place)) return std::move(*token);
  TRY(const Secret pem, secret(service, apns.key_sealed, "push.apns.key"));
  TRY(const jose::Key key, jose::Key::from_pem(pem.reveal(), jose::Alg::ES256, apns.key_id));
  const Millis now = clock_.now_ms();
  TRY(std::string token, jose::sign_jwt(key, {{"iss", apns.team_id}, {"iat", now / 1000}}));
  keep(place, token, now + kTokenLasts);
  return token;
}

Task<Delivered> Senders::to_apns(const tenant::Service* service, Message message) {
  const tenant::Push::Apns& apns = service->push.apns;
  CO_TRY(const std::string token, apns_proof(*service));
  http::FetchRequest request;
  request.method = http::Method::post;
  request.version = http::FetchRequest::Version::two;
  request.url = apns.endpoint.empty() ? std::string(apns.production ? kProduction : kSandbox) : apns.endpoint;
  request.url += "/3/device/" + message.handle;
  request.headers.set("authorization", "bearer " + token);
  request.headers.set("apns-topic", apns.topic);
  request.headers.set("apns-id", message.id);
  if (message.expires_at > 0) request.headers.set("apns-expiration", std::to_string(message.expires_at / 1000));
  for (const std::string_view name : {"apns-topic", "apns-push-type", "apns-priority", "apns-collapse-id", "apns-expiration"})
    if (const std::string_view given = header(message.headers, name); !given.empty()) request.headers.set(name, given);
  request.body = std::move(message.payload);
  Task<http::Fetched> sending = fetch_.send(std::move(request));
  const Result<http::Fetched> answer = co_await sending;
  if (!answer.ok()) co_return no_answer(answer.error());
  Delivered out{Delivered::Kind::refused, answer->status, reason_of(*answer), 0};
  if (answer->status == 200) {
    out.kind = Delivered::Kind::delivered;
  } else if (answer->status == 410 || out.reason == "BadDeviceToken" || out.reason == "Unregistered") {
    out.kind = Delivered::Kind::gone;
  } else if (out.reason == "ExpiredProviderToken") {
    drop("apns " + apns.key_id + " " + apns.team_id + " " + apns.key_sealed);
    out.kind = Delivered::Kind::later;
  } else if (comes_back(answer->status)) {
    out.kind = Delivered::Kind::later;
    out.wait_ms = retry_after_ms(*answer, clock_.now_ms());
  }
  co_return out;
}

}  // namespace mandate::push
