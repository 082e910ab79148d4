// The header fields that every answer carries (HT-12, HT-14).
#pragma once

#include <string_view>

#include "base/url.h"
#include "http/request.h"
#include "http/response.h"

namespace mandate::http {

/// The policy of our pages: their own style and pictures, no script, no frame around them, no plug-ins.
inline constexpr std::string_view kPagePolicy =
    "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data: https:; base-uri 'none'; "
    "frame-ancestors 'none'";

/// True for localhost, *.localhost, 127.0.0.1 and [::1], with or without a port: a developer's machine gets no HSTS.
bool is_developer_host(std::string_view host);

/// Calls emit(name, value) for each security field that `response` lacks: nosniff, no-referrer, a CSP on HTML, HSTS on
/// HTTPS, Retry-After on 429 and 503, and the request's id.
template <class Emit>
void for_missing_security_headers(const Request& request, const Response& response, Emit emit) {
  bool sniff = false, referrer = false, policy = false, hsts = false, retry = false, html = false;
  for (const Headers::Field& field : response.headers.all()) {
    switch (field.name.size()) {
      case 11: retry |= iequals(field.name, "Retry-After"); break;
      case 12: html |= iequals(field.name, "Content-Type") && iequals(std::string_view(field.value).substr(0, 9), "text/html"); break;
      case 15: referrer |= iequals(field.name, "Referrer-Policy"); break;
      case 22: sniff |= iequals(field.name, "X-Content-Type-Options"); break;
      case 23: policy |= iequals(field.name, "Content-Security-Policy"); break;
      case 25: hsts |= iequals(field.name, "Strict-Transport-Security"); break;
      default: break;
    }
  }
  if (!sniff) emit("X-Content-Type-Options", "nosniff");
  if (!referrer) emit("Referrer-Policy", "no-referrer");
  if (html && !policy) emit("Content-Security-Policy", kPagePolicy);
  if (request.secure && !hsts && !is_developer_host(request.host))
    emit("Strict-Transport-Security", "max-age=31536000");
  if ((response.status == 429 || response.status == 503) && !retry) emit("Retry-After", "1");
  if (!request.id.empty()) emit("X-Request-Id", request.id);
}

}  // namespace mandate::http
