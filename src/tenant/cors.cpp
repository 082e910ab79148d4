#include "tenant/cors.h"

#include "base/url.h"

namespace mandate::tenant {

namespace {

bool web_scheme(std::string_view scheme) { return scheme == "https" || scheme == "http"; }

/// A port of `scheme` as it counts for an origin.
int effective_port(const Url& url) { return url.port.value_or(url.scheme == "https" ? 443 : 80); }

/// The Origin field as a URL, when it is exactly what a browser writes: scheme://host[:port] and nothing else.
std::optional<Url> browser_origin(std::string_view origin) {
  if (origin.size() > 512) return std::nullopt;
  std::optional<Url> url = parse_url(origin);
  if (!url || url->host.empty() || !url->userinfo.empty() || !url->path.empty() || url->has_query || url->has_fragment)
    return std::nullopt;
  if (url->host.find('*') != std::string::npos) return std::nullopt;
  return url;
}

/// One registered URL (a callback, or an origin) against an origin.
bool lists(std::string_view registered, const Url& origin) {
  const std::optional<Url> url = parse_url(registered);
  if (!url || url->host.empty() || !url->userinfo.empty() || url->scheme != origin.scheme) return false;
  if (!web_scheme(url->scheme)) return url->host == origin.host && url->port == origin.port;
  return effective_port(*url) == effective_port(origin) && host_matches(url->host, origin.host);
}

bool any_lists(const std::vector<std::string>& registered, const Url& origin) {
  for (const std::string& url : registered)
    if (lists(url, origin)) return true;
  return false;
}

bool known(const Client& client, const Url& origin, bool web_origins) {
  return any_lists(client.callbacks, origin) || any_lists(client.allowed_origins, origin) ||
         (web_origins && any_lists(client.web_origins, origin));
}

/// Preflights and answers to an unknown client: any client of the tenant will do, the real request decides.
bool known_to_tenant(const Tenant& tenant, const Url& origin) {
  for (const auto& [id, client] : tenant.clients)
    if (client.enabled && known(client, origin, true)) return true;
  return false;
}

/// The server's own pages call its own endpoints.
bool own_page(const http::Request& request, std::string_view origin) { return iequals(origin, request.origin()); }

void allow(http::Response& response, std::string_view origin, bool credentials) {
  response.headers.set("Access-Control-Allow-Origin", origin);
  if (credentials) response.headers.set("Access-Control-Allow-Credentials", "true");
  response.headers.set("Access-Control-Expose-Headers",
                       "DPoP-Nonce, WWW-Authenticate, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After");
}

void vary_by_origin(http::Response& response) {
  const std::string_view vary = response.headers.get("Vary");
  if (vary.empty())
    response.headers.set("Vary", "Origin");
  else if (vary.find("Origin") == std::string_view::npos)
    response.headers.set("Vary", std::string(vary) + ", Origin");
}

}  // namespace

bool host_matches(std::string_view pattern, std::string_view host) {
  if (!pattern.starts_with("*.")) return iequals(pattern, host);
  const std::string_view suffix = pattern.substr(1);  // ".example.com"
  if (host.size() <= suffix.size() || !iequals(host.substr(host.size() - suffix.size()), suffix)) return false;
  const std::string_view label = host.substr(0, host.size() - suffix.size());
  return label.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == std::string_view::npos;
}

bool origin_allowed(const Client& client, std::string_view origin, bool web_origins) {
  const std::optional<Url> url = browser_origin(origin);
  return url && known(client, *url, web_origins);
}

void add_cors(http::Response& response, const http::Request& request, const Tenant& tenant, const Client* client,
              bool credentials) {
  vary_by_origin(response);
  const std::string_view origin = request.headers.get("Origin");
  const std::optional<Url> url = browser_origin(origin);
  if (!url) return;
  const bool allowed = client ? known(*client, *url, true) : known_to_tenant(tenant, *url);
  if (allowed || own_page(request, origin)) allow(response, origin, credentials);
}

http::Response preflight(const http::Request& request, const Tenant& tenant, bool credentials) {
  http::Response response(204);
  add_cors(response, request, tenant, nullptr, credentials);
  if (!response.headers.has("Access-Control-Allow-Origin")) return response;
  response.headers.set("Access-Control-Allow-Headers",
                       "Authorization, Content-Type, Auth0-Client, X-Request-Language, X-Requested-With, DPoP, X-Requested-By");
  response.headers.set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE, OPTIONS");
  response.headers.set("Access-Control-Max-Age", "600");
  return response;
}

bool foreign_origin(const http::Request& request, const Client& client) {
  if (!request.headers.has("Origin")) return false;
  const std::string_view origin = request.headers.get("Origin");
  return !own_page(request, origin) && !origin_allowed(client, origin, true);
}

}  // namespace mandate::tenant
