#include "tenant/service_rules.h"

#include <charconv>

#include "base/url.h"

namespace mandate::tenant {
namespace {

http::Response version_refused() {
  constexpr std::string_view kText = "The client's ZUMO-API-VERSION is not known here: send 2.0.0 or 3.0.0, or none from a Mobile Services client.";
  return http::Response::json(400, JsonObject{{"error", kText}, {"title", "Unsupported API version"}, {"detail", kText}});
}

}  // namespace

std::string_view setting(const Service& service, std::string_view name) {
  const auto found = service.settings.find(name);
  return found == service.settings.end() ? std::string_view() : std::string_view(found->second);
}

bool switched_on(const Service& service, std::string_view name) {
  const std::string_view value = setting(service, name);
  return iequals(value, "true") || value == "1";
}

std::size_t body_limit(const Service& service) {
  std::size_t kb = 1024;
  const std::string_view value = setting(service, "MS_MaxRequestBodySizeKB");
  std::from_chars(value.data(), value.data() + value.size(), kb);
  return std::min<std::size_t>(kb, 4096) * 1024;
}

std::string api_version(const http::Request& request, const std::vector<std::pair<std::string, std::string>>& query) {
  for (const auto& [name, value] : query)
    if (iequals(name, "zumo-api-version") && !value.empty()) return value;
  return std::string(request.headers.get("ZUMO-API-VERSION"));
}

bool is_version(std::string_view text, std::string_view major_minor) {
  if (!text.starts_with(major_minor)) return false;
  text.remove_prefix(major_minor.size());
  if (text.empty()) return true;
  if (text.size() < 2 || text[0] != '.') return false;
  return text.find_first_not_of("0123456789", 1) == std::string_view::npos;
}

std::optional<http::Response> refused_at_door(const Service& service, const http::Request& request, std::string_view version) {
  if (!request.secure && switched_on(service, "MS_RequireHttps")) return http::Response::text(403, "This service is reached by https only.");
  const bool known = version.empty() || is_version(version, "2.0") || is_version(version, "3.0");
  if (!known && !switched_on(service, "MS_SkipVersionCheck")) return version_refused();
  return std::nullopt;
}

std::optional<http::Response> refused_at_door(const Service& service, const http::Request& request) {
  return refused_at_door(service, request, api_version(request, parse_form(request.query)));
}

}  // namespace mandate::tenant
