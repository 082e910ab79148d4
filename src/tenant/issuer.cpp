#include "tenant/cors.h"
#include "tenant/tenants.h"

namespace mandate::tenant {

namespace {

bool developers_host(std::string_view name) {
  return name == "localhost" || name.ends_with(".localhost") || name == "127.0.0.1" || name == "[::1]";
}

/// A Host field this tenant answers to by its own configuration, with or without its port.
bool own_host(const Tenant& tenant, std::string_view host) {
  for (const std::string& own : tenant.hosts)
    if (host_matches(own, host) || host_matches(own, host_without_port(host))) return true;
  for (const auto& [name, service] : tenant.services)
    for (const std::string& own : service.hosts)
      if (host_matches(own, host) || host_matches(own, host_without_port(host))) return true;
  return false;
}

}  // namespace

std::string issuer_of(const Tenant& tenant, const http::Request& request) {
  if (!tenant.issuer_host.empty()) return "https://" + tenant.issuer_host + "/";
  // SE-7: the default tenant also gets requests for hosts that nobody claims; their name must not get into tokens and
  // links when the tenant has names of its own.
  const bool trusted = tenant.hosts.empty() || own_host(tenant, request.host) || developers_host(host_without_port(request.host));
  return trusted ? request.origin() + "/" : "https://" + tenant.hosts.front() + "/";
}

}  // namespace mandate::tenant
