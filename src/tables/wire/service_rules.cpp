#include "tables/wire/service_rules.h"

#include <charconv>

#include "base/url.h"

namespace mandate::tables::wire {

std::string_view setting(const tenant::Service& service, std::string_view name) {
  const auto found = service.settings.find(name);
  return found == service.settings.end() ? std::string_view() : std::string_view(found->second);
}

bool switched_on(const tenant::Service& service, std::string_view name) {
  const std::string_view value = setting(service, name);
  return iequals(value, "true") || value == "1";
}

std::size_t body_limit(const tenant::Service& service) {
  std::size_t kb = 1024;
  const std::string_view value = setting(service, "MS_MaxRequestBodySizeKB");
  std::from_chars(value.data(), value.data() + value.size(), kb);
  return std::min<std::size_t>(kb, 4096) * 1024;
}

http::Method effective_method(const http::Request& request) {
  using http::Method;
  if (request.method == Method::head) return Method::get;
  const std::string_view asked = request.headers.get("X-HTTP-Method-Override");
  if (request.method != Method::post || asked.empty()) return request.method;
  for (const Method method : {Method::get, Method::post, Method::put, Method::patch, Method::delete_})
    if (iequals(asked, http::name(method))) return method;
  return Method::other;
}

}  // namespace mandate::tables::wire
