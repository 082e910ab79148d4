#include "base/url.h"
#include "http/params.h"
#include "http/wire/characters.h"

namespace mandate::http {

std::string_view cookie(const Request& request, std::string_view name) {
  for (const HeaderViews::Field& field : request.headers.all()) {
    if (field.name.size() != 6 || !iequals(field.name, "Cookie")) continue;
    for (std::string_view rest = field.value; !rest.empty();) {
      const std::size_t end = std::min(rest.find(';'), rest.size());
      const std::string_view pair = wire::trim(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      const std::size_t equals = pair.find('=');
      if (equals == std::string_view::npos || wire::trim(pair.substr(0, equals)) != name) continue;
      std::string_view value = wire::trim(pair.substr(equals + 1));
      if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
      return value;
    }
  }
  return {};
}

std::string to_string(const SetCookie& cookie) {
  std::string out = cookie.name + '=' + cookie.value;
  if (!cookie.path.empty()) out += "; Path=" + cookie.path;
  if (cookie.max_age) {
    out += "; Max-Age=" + std::to_string(*cookie.max_age);
    if (*cookie.max_age <= 0) out += "; Expires=Thu, 01 Jan 1970 00:00:00 GMT";
  }
  if (cookie.secure) out += "; Secure";
  if (cookie.http_only) out += "; HttpOnly";
  if (!cookie.same_site.empty()) (out += "; SameSite=") += cookie.same_site;
  return out;
}

}  // namespace mandate::http
