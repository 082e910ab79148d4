#include "http/date.h"

#include <ctime>

#include "http/wire/write_response.h"

namespace mandate::http {

std::string http_date(std::int64_t seconds) { return wire::http_date(seconds); }

std::optional<std::int64_t> parse_http_date(std::string_view text) {
  const std::string copy(text.substr(0, 64));
  if (copy.size() != text.size()) return std::nullopt;
  for (const char* form : {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"}) {
    std::tm utc{};
    const char* end = ::strptime(copy.c_str(), form, &utc);
    if (end && *end == '\0') return static_cast<std::int64_t>(::timegm(&utc));
  }
  return std::nullopt;
}

}  // namespace mandate::http
