// Microsoft: a POST to the channel, with a token that goes to its own hosts only.
#include "base/url.h"
#include "push/payload.h"
#include "push/senders/senders.h"

namespace mandate::push {

namespace {
constexpr std::string_view kTokenUri = "https://login.live.com/accesstoken.srf";
constexpr Millis kEarly = 60'000;
}  // namespace

Task<std::string> Senders::wns_proof(const tenant::Service* service) {
  const tenant::Push::Wns& wns = service->push.wns;
  const std::string place = "wns " + wns.package_sid + " " + wns.client_secret_sealed;
  if (auto token = known(place)) co_return std::move(*token);
  CO_TRY(const Secret key, secret(*service, wns.client_secret_sealed, "push.wns.client_secret"));
  http::FetchRequest request;
  request.method = http::Method::post;
  request.url = wns.endpoint.empty() ? std::string(kTokenUri) : wns.endpoint;
  request.headers.set("Content-Type", "application/x-www-form-urlencoded");
  request.body = "grant_type=client_credentials&client_id=" + percent_encode(wns.package_sid) + "&client_secret=" + percent_encode(key.reveal()) + "&scope=notify.windows.com";
  Task<http::Fetched> asking = fetch_.send(std::move(request));
  CO_TRY(const http::Fetched answer, co_await asking);
  const Result<Json> body = parse_json(answer.body);
  const auto token = body.ok() && body->is_object() ? text_member(body->get_object(), "access_token") : std::nullopt;
  if (answer.status != 200 || !token) co_return Error(comes_back(answer.status) ? Code::upstream_error : Code::bad_request, "Microsoft gave no access token: " + std::to_string(answer.status) + ".");
  const std::int64_t lasts = integer_member(body->get_object(), "expires_in").value_or(86'400) * 1000;
  keep(place, std::string(*token), clock_.now_ms() + std::max<std::int64_t>(lasts - kEarly, 0));
  co_return std::string(*token);
}

Task<Delivered> Senders::to_wns(const tenant::Service* service, Message message) {
  // The token must not reach a stranger's server, whatever stands in the row.
  if (!is_wns_channel(message.handle, service->push)) co_return Delivered{Delivered::Kind::refused, 0, "not a channel of WNS", 0};
  Task<std::string> proving = wns_proof(service);
  CO_TRY(const std::string token, co_await proving);
  http::FetchRequest request;
  request.method = http::Method::post;
  request.version = http::FetchRequest::Version::offered;
  request.url = message.handle;
  request.headers.set("Authorization", "Bearer " + token);
  const bool raw = iequals(header(message.headers, "X-WNS-Type"), "wns/raw");
  request.headers.set("Content-Type", raw ? "application/octet-stream" : "text/xml");
  request.headers.set("X-WNS-RequestForStatus", "true");
  for (const std::string_view name : {"X-WNS-Type", "X-WNS-Tag", "X-WNS-Group", "X-WNS-TTL", "X-WNS-Cache-Policy", "X-WNS-SuppressPopup"})
    if (const std::string_view given = header(message.headers, name); !given.empty()) request.headers.set(name, given);
  request.body = std::move(message.payload);
  Task<http::Fetched> sending = fetch_.send(std::move(request));
  const Result<http::Fetched> answer = co_await sending;
  if (!answer.ok()) co_return no_answer(answer.error());
  Delivered out{Delivered::Kind::refused, answer->status, std::string(answer->headers.get("X-WNS-Error-Description")).substr(0, 200), 0};
  const std::string_view status = answer->headers.get("X-WNS-Status");
  if (answer->status == 200 && !iequals(status, "channelthrottled") && !iequals(status, "dropped")) {
    out.kind = Delivered::Kind::delivered;
  } else if (answer->status == 200) {
    out.kind = iequals(status, "dropped") ? Delivered::Kind::refused : Delivered::Kind::later;
    out.reason = status;
  } else if (answer->status == 410 || answer->status == 404) {
    out.kind = Delivered::Kind::gone;
  } else if (answer->status == 401) {
    drop("wns " + service->push.wns.package_sid + " " + service->push.wns.client_secret_sealed);
    out.kind = Delivered::Kind::later;
  } else if (answer->status == 406 || comes_back(answer->status)) {
    out.kind = Delivered::Kind::later;
    out.wait_ms = retry_after_ms(*answer, clock_.now_ms());
  }
  co_return out;
}

}  // namespace mandate::push
