#include "push/platform.h"

#include "base/base64.h"
#include "base/json.h"
#include "base/url.h"

namespace mandate::push {
namespace {

constexpr std::size_t kMostHandle = 2000;  // what every engine can index

bool hex(std::string_view text) { return text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos; }

bool below(std::string_view host, std::string_view domain) {
  return host.size() > domain.size() + 1 && host.ends_with(domain) && host[host.size() - domain.size() - 1] == '.';
}

}  // namespace

std::string_view name(Platform platform) {
  switch (platform) {
    case Platform::apns: return "apns";
    case Platform::gcm: return "gcm";
    case Platform::wns: return "wns";
    case Platform::mpns: return "mpns";
    case Platform::webpush: return "webpush";
  }
  return "";
}

std::optional<Platform> platform_of(std::string_view word) {
  for (const Platform platform : {Platform::apns, Platform::gcm, Platform::wns, Platform::mpns, Platform::webpush})
    if (iequals(word, name(platform))) return platform;
  if (iequals(word, "fcm") || iequals(word, "fcmv1")) return Platform::gcm;
  if (iequals(word, "browser")) return Platform::webpush;
  return std::nullopt;
}

Result<Subscription> subscription_of(std::string_view handle) {
  const Error wrong(Code::bad_request, "A webpush channel is a subscription: endpoint and keys with p256dh and auth.");
  const Result<Json> read = parse_json(handle);
  if (!read.ok() || !read->is_object()) return wrong;
  const JsonObject& given = read->get_object();
  const Json* keys = given.if_contains("keys");
  const JsonObject& place = keys && keys->is_object() ? keys->get_object() : given;
  const auto key = base64_any_decode(text_member(place, "p256dh").value_or(""));
  const auto auth = base64_any_decode(text_member(place, "auth").value_or(""));
  if (!key || key->size() != 65 || key->front() != '\x04' || !auth || auth->size() != 16) return wrong;
  Subscription out{std::string(text_member(given, "endpoint").value_or("")), *key, *auth};
  const auto url = parse_url(out.endpoint);
  if (!url || (url->scheme != "https" && url->scheme != "http") || url->host.empty()) return wrong;
  return out;
}

std::string to_handle(const Subscription& subscription) {
  return to_json(JsonObject{{"endpoint", subscription.endpoint},
                            {"keys", JsonObject{{"p256dh", base64url(subscription.p256dh)}, {"auth", base64url(subscription.auth)}}}});
}

bool is_wns_channel(std::string_view text, const tenant::Push& settings) {
  const auto url = parse_url(text);
  if (!url || !url->userinfo.empty()) return false;
  if (url->scheme == "https" && !url->port && below(url->host, "notify.windows.com")) return true;
  const std::string with_port = url->port ? url->host + ":" + std::to_string(*url->port) : url->host;
  return std::ranges::find(settings.wns.channel_hosts, with_port) != settings.wns.channel_hosts.end();
}

Result<std::string> check_handle(Platform platform, std::string_view handle, const tenant::Push& settings) {
  if (handle.empty() || handle.size() > kMostHandle) return Error(Code::bad_request, "The device's channel must have 1 to 2000 characters.");
  switch (platform) {
    case Platform::apns:
      if (handle.size() % 2 || handle.size() > 512 || !hex(handle)) return Error(Code::bad_request, "An apns device token is hexadecimal text.");
      return ascii_lower(handle);
    case Platform::gcm:
      for (const char c : handle)
        if (c <= ' ' || c > '~' || c == '"' || c == '\\') return Error(Code::bad_request, "The gcm registration id has characters that none has.");
      return std::string(handle);
    case Platform::wns:
      if (!is_wns_channel(handle, settings)) return Error(Code::bad_request, "A wns channel is an https address at notify.windows.com.");
      return std::string(handle);
    case Platform::mpns: {
      const auto url = parse_url(handle);
      if (!url || (url->scheme != "http" && url->scheme != "https") || url->host.empty())
        return Error(Code::bad_request, "An mpns channel is an http address.");
      return std::string(handle);
    }
    case Platform::webpush: {
      TRY(const Subscription subscription, subscription_of(handle));
      return to_handle(subscription);
    }
  }
  return Error(Code::bad_request, "Unknown platform.");
}

}  // namespace mandate::push
