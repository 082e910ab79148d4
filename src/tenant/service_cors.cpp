#include "tenant/service_cors.h"

#include "base/url.h"

namespace mandate::tenant {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Shell-like, "*" only. One step back at most, to the last star.
bool glob(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++, mark = t;
    } else if (p < pattern.size() && lower(pattern[p]) == lower(text[t])) {
      ++p, ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1, t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool harmless(std::string_view header_names) {
  if (header_names.size() > 500) return false;
  for (const char c : header_names)
    if (!((lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == ',' || c == ' ')) return false;
  return true;
}

}  // namespace

bool origin_allowed(const Service& service, std::string_view origin) {
  if (origin.empty() || origin.size() > 300) return false;
  if (origin == "null") {
    for (const std::string& listed : service.cors_hosts)
      if (listed == "null") return true;
    return false;
  }
  const auto url = parse_url(origin);
  if (!url || (url->scheme != "http" && url->scheme != "https" && url->scheme != "ms-appx-web")) return false;
  if (url->host.empty() || !url->userinfo.empty() || !url->path.empty() || url->has_query || url->has_fragment) return false;
  for (const std::string& listed : service.cors_hosts)
    if (glob(listed, listed.find("://") == std::string::npos ? std::string_view(url->host) : origin)) return true;
  return false;
}

void add_cors(http::Response& response, const http::Request& request, const Service& service) {
  const std::string_view origin = request.headers.get("Origin");
  if (origin.empty()) return;
  response.headers.add("Vary", "Origin");
  if (!origin_allowed(service, origin)) return;
  response.headers.set("Access-Control-Allow-Origin", origin);
  response.headers.set("Access-Control-Expose-Headers", "ETag, Link, Location, X-ZUMO-SERVER-VERSION, WWW-Authenticate");
}

http::Response preflight(const http::Request& request, const Service& service) {
  http::Response response(204);
  add_cors(response, request, service);
  if (!response.headers.has("Access-Control-Allow-Origin")) return response;
  response.headers.set("Access-Control-Allow-Methods", "GET, PUT, PATCH, POST, DELETE, OPTIONS");
  const std::string_view asked = request.headers.get("Access-Control-Request-Headers");
  if (!asked.empty() && harmless(asked)) response.headers.set("Access-Control-Allow-Headers", asked);
  response.headers.set("Access-Control-Max-Age", "300");
  return response;
}

}  // namespace mandate::tenant
