// Which service a path belongs to: every service is at /s/NAME of its tenant's hosts, and at a prefix of its own when it has one.
#include "http/request.h"
#include "tenant/tenant.h"

namespace mandate::tenant {

namespace {

constexpr std::string_view kNamed = "/s/";

/// "/s/todo" of "/s/todo/tables/x"; empty when the path does not begin so.
std::string_view named_prefix(std::string_view path) {
  if (!path.starts_with(kNamed)) return {};
  return path.substr(0, std::min(path.find('/', kNamed.size()), path.size()));
}

bool below(std::string_view path, std::string_view prefix) {
  return !prefix.empty() && path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

}  // namespace

const Service* Tenant::service_with_prefix(std::string_view prefix) const {
  if (prefix.starts_with(kNamed)) {
    const auto found = services.find(prefix.substr(kNamed.size()));
    return found == services.end() ? nullptr : &found->second;
  }
  for (const auto& [name, service] : services)
    if (!prefix.empty() && service.prefix == prefix) return &service;
  return nullptr;
}

const Service* Tenant::service_of(const http::Request& request) const {
  return request.prefix.empty() ? service_at(request.host) : service_with_prefix(request.prefix);
}

bool Tenant::strip_prefix(http::Request& request) const {
  std::string prefix(named_prefix(request.path));
  if (!service_with_prefix(prefix)) {
    prefix.clear();
    // The longest: /shop and /shop/back may be two services.
    for (const auto& [name, service] : services)
      if (below(request.path, service.prefix) && service.prefix.size() > prefix.size()) prefix = service.prefix;
  }
  if (prefix.empty()) return false;
  request.path.erase(0, prefix.size());
  if (request.path.empty()) request.path = "/";
  request.prefix = std::move(prefix);
  return true;
}

}  // namespace mandate::tenant
