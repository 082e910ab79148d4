#include "tables/wire/detect.h"

#include "base/url.h"

namespace mandate::tables::wire {
namespace {

/// "2.0" or "2.0.x".
bool is_version(std::string_view text, std::string_view major_minor) {
  if (!text.starts_with(major_minor)) return false;
  text.remove_prefix(major_minor.size());
  if (text.empty()) return true;
  if (text.size() < 2 || text[0] != '.') return false;
  return text.find_first_not_of("0123456789", 1) == std::string_view::npos;
}

}  // namespace

std::string api_version(const http::Request& request, const QueryParameters& query) {
  for (const auto& [name, value] : query)
    if (iequals(name, "zumo-api-version") && !value.empty()) return value;
  return std::string(request.headers.get("ZUMO-API-VERSION"));
}

Result<Dialect> detect(const http::Request& request, const QueryParameters& query, const tenant::Table* table) {
  const std::string version = api_version(request, query);
  const auto& headers = request.headers;
  if (headers.has("X-ZUMO-Options") || is_version(version, "3.0"))
    return Error(Code::bad_request, "Clients of version 3.0 are not served here: this service speaks to Mobile Services clients and to clients of version 2.0.");
  if (is_version(version, "2.0")) return Dialect::v2;
  if (!version.empty()) return Error(Code::bad_request, "The client's ZUMO-API-VERSION is not known here: send 2.0.0, or none from a Mobile Services client.");
  for (std::string_view sign : {"X-ZUMO-APPLICATION", "X-ZUMO-INSTALLATION-ID", "X-ZUMO-VERSION", "X-ZUMO-MASTER"})
    if (headers.has(sign)) return Dialect::v1;
  return table && table->dialect == "v1" ? Dialect::v1 : Dialect::v2;
}

}  // namespace mandate::tables::wire
