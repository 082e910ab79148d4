#include "oauth/redirect_uri.h"

#include <algorithm>

#include "base/url.h"

namespace mandate::oauth {
namespace {

constexpr std::size_t kLongest = 2048;

/// scheme://authority and what follows, cut without reading anything into it.
struct Cut {
  std::string_view head, tail;
};

Cut cut(std::string_view uri) {
  const auto slashes = uri.find("://");
  if (slashes == std::string_view::npos) return {{}, uri};
  const auto end = uri.find_first_of("/?#", slashes + 3);
  return {uri.substr(0, end), end == std::string_view::npos ? std::string_view{} : uri.substr(end)};
}

bool printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f && c != '\\'; });
}

bool same(std::string_view registered, std::string_view received, bool fold_head) {
  if (registered == received) return true;
  if (!fold_head) return false;
  const Cut a = cut(registered), b = cut(received);
  return !a.head.empty() && iequals(a.head, b.head) && a.tail == b.tail;
}

bool label_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

/// registered = scheme "://*." rest; received must put exactly one label where the star is.
bool matches_wildcard(std::string_view registered, std::string_view received, bool fold_head) {
  const auto star = registered.find("://*.");
  if (star == std::string_view::npos) return false;
  const std::size_t label_at = star + 3;
  if (received.size() <= label_at ||
      !same(registered.substr(0, label_at), received.substr(0, label_at), fold_head))
    return false;
  const std::string_view rest = received.substr(label_at);
  const auto dot = std::ranges::find_if_not(rest, label_char);
  const auto length = static_cast<std::size_t>(dot - rest.begin());
  if (length == 0 || length > 63 || rest.front() == '-' || rest[length - 1] == '-') return false;
  // Both sides from "://" on, so that the host is folded and the path is not.
  const std::string a = "x://" + std::string(registered.substr(label_at + 2));
  const std::string b = "x://" + std::string(rest.substr(std::min(length + 1, rest.size())));
  return dot != rest.end() && *dot == '.' && same(a, b, fold_head);
}

/// What follows http://127.0.0.1 or http://[::1] and its port, when that is what it is.
std::optional<Cut> loopback(std::string_view uri) {
  for (std::string_view host : {std::string_view("http://127.0.0.1"), std::string_view("http://[::1]")}) {
    if (!uri.starts_with(host)) continue;
    std::string_view rest = uri.substr(host.size());
    if (rest.starts_with(':')) {
      const auto digits =
          std::ranges::find_if_not(rest.substr(1), [](char c) { return c >= '0' && c <= '9'; }) -
          (rest.begin() + 1);
      if (digits < 1 || digits > 5) return {};
      rest.remove_prefix(static_cast<std::size_t>(digits) + 1);
    }
    if (!rest.empty() && rest.front() != '/' && rest.front() != '?') return {};
    return Cut{host, rest};
  }
  return {};
}

bool matches_loopback(std::string_view registered, std::string_view received) {
  const auto a = loopback(registered), b = loopback(received);
  return a && b && a->head == b->head && a->tail == b->tail;
}

}  // namespace

bool is_mobile_callback(std::string_view issuer, std::string_view redirect_uri) {
  return !issuer.empty() && redirect_uri.starts_with(issuer) &&
         (redirect_uri.substr(issuer.size()) == "mobile" || redirect_uri.substr(issuer.size()) == "win8");
}

bool redirect_uri_allowed(const tenant::Client& client, std::string_view issuer, std::string_view received) {
  if (received.empty() || received.size() > kLongest || !printable(received) ||
      received.find('#') != std::string_view::npos)
    return false;
  const bool native = client.app_type == "native";
  if (native && is_mobile_callback(issuer, received)) return true;
  const bool fold_head = !client.oidc_conformant;
  return std::ranges::any_of(client.callbacks, [&](const std::string& registered) {
    const bool wildcard = registered.find('*') != std::string::npos;
    if (wildcard) return matches_wildcard(registered, received, fold_head);
    return same(registered, received, fold_head) || (native && matches_loopback(registered, received));
  });
}

std::string default_redirect_uri(const tenant::Client& client) {
  for (const std::string& callback : client.callbacks)
    if (callback.find('*') == std::string::npos) return callback;
  return {};
}

std::string web_origin(std::string_view redirect_uri) {
  if (!redirect_uri.starts_with("http://") && !redirect_uri.starts_with("https://")) return {};
  return std::string(cut(redirect_uri).head);
}

}  // namespace mandate::oauth
