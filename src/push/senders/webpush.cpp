// Browsers: RFC 8030, with the sender named by RFC 8292.
#include "base/url.h"
#include "jose/jwt.h"
#include "push/senders/senders.h"
#include "push/vapid.h"
#include "tenant/secrets.h"

namespace mandate::push {

namespace {
// At most 24 hours (RFC 8292 §2); renewed long before.
constexpr Millis kTokenLasts = 12 * 3'600'000;
}  // namespace

Result<std::string> Senders::webpush_proof(const tenant::Service& service, std::string_view origin) {
  const tenant::Push::WebPush& webpush = service.push.webpush;
  const std::string place = "webpush " + std::string(origin) + " " + webpush.subject + " " + webpush.private_key_sealed;
  if (auto proof = known(place)) return std::move(*proof);
  TRY(const Secret text, secret(service, webpush.private_key_sealed, tenant::kWebPushKey));
  TRY(const jose::Key key, vapid_key(text.reveal()));
  const Millis now = clock_.now_ms();
  TRY(const std::string token, jose::sign_jwt(key, {{"aud", origin}, {"exp", (now + kTokenLasts) / 1000}, {"sub", webpush.subject}}));
  const std::string proof = "vapid t=" + token + ", k=" + application_server_key(key);
  keep(place, proof, now + kTokenLasts / 2);
  return proof;
}

Task<Delivered> Senders::to_webpush(const tenant::Service* service, Message message) {
  CO_TRY(const Subscription to, subscription_of(message.handle));
  const auto url = parse_url(to.endpoint);
  if (!url) co_return Delivered{Delivered::Kind::refused, 0, "not an address", 0};
  CO_TRY(const std::string proof, webpush_proof(*service, url->origin()));
  CO_TRY(std::string body, encrypt_webpush(message.payload, to, random_));
  const std::int64_t left = message.expires_at > 0 ? std::max<std::int64_t>((message.expires_at - clock_.now_ms()) / 1000, 0) : 86'400;
  http::FetchRequest request;
  request.method = http::Method::post;
  request.version = http::FetchRequest::Version::offered;
  request.url = to.endpoint;
  request.headers.set("Authorization", proof);
  request.headers.set("Content-Encoding", "aes128gcm");
  request.headers.set("Content-Type", "application/octet-stream");
  request.headers.set("TTL", std::to_string(left));
  for (const std::string_view name : {"TTL", "Urgency", "Topic"})
    if (const std::string_view given = header(message.headers, name); !given.empty()) request.headers.set(name, given);
  request.body = std::move(body);
  Task<http::Fetched> sending = fetch_.send(std::move(request));
  const Result<http::Fetched> answer = co_await sending;
  if (!answer.ok()) co_return no_answer(answer.error());
  Delivered out{Delivered::Kind::refused, answer->status, "", 0};
  if (answer->status >= 200 && answer->status < 300) {
    out.kind = Delivered::Kind::delivered;
  } else if (answer->status == 404 || answer->status == 410) {
    out.kind = Delivered::Kind::gone;
  } else if (comes_back(answer->status)) {
    out.kind = Delivered::Kind::later;
    out.wait_ms = retry_after_ms(*answer, clock_.now_ms());
  }
  co_return out;
}

}  // namespace mandate::push
