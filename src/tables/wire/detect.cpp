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

bool has_zumo_field(const http::HeaderViews& headers) {
  constexpr std::string_view kPrefix = "X-ZUMO-";
  return std::ranges::any_of(headers.all(), [&](const auto& field) { return iequals(field.name.substr(0, kPrefix.size()), kPrefix); });
}

/// Words that no client before V4 used.
bool speaks_v4(const QueryParameters& query) {
  for (const auto& [name, value] : query)
    if (name == "__includedeleted" || (name == "$count" && iequals(value, "true")) || (name == "$filter" && value.find("cast(") != std::string::npos))
      return true;
  return false;
}

}  // namespace

std::string api_version(const http::Request& request, const QueryParameters& query) {
  for (const auto& [name, value] : query)
    if (iequals(name, "zumo-api-version") && !value.empty()) return value;
  return std::string(request.headers.get("ZUMO-API-VERSION"));
}

std::optional<Dialect> dialect_of(std::string_view word) {
  constexpr std::string_view kWords[] = {"v1", "v2", "v3", "v4"};
  for (std::size_t i = 0; i < std::size(kWords); ++i)
    if (word == kWords[i]) return static_cast<Dialect>(i);
  return std::nullopt;
}

Result<Dialect> detect(const http::Request& request, const QueryParameters& query, const tenant::Table* table, bool any_version) {
  const std::string version = api_version(request, query);
  const auto& headers = request.headers;
  const bool third = is_version(version, "3.0");
  if (headers.has("X-ZUMO-Options")) return Dialect::v3;
  if (third && (has_zumo_field(headers) || headers.get("User-Agent").starts_with("ZUMO/"))) return Dialect::v3;
  if (third) return Dialect::v4;
  if (is_version(version, "2.0")) return Dialect::v2;
  if (!version.empty() && !any_version)
    return Error(Code::bad_request, "The client's ZUMO-API-VERSION is not known here: send 2.0.0 or 3.0.0, or none from a Mobile Services client.");
  for (std::string_view sign : {"X-ZUMO-APPLICATION", "X-ZUMO-INSTALLATION-ID", "X-ZUMO-VERSION", "X-ZUMO-MASTER"})
    if (headers.has(sign)) return Dialect::v1;
  if (headers.get("User-Agent").starts_with("Datasync/") || request.path.ends_with('/') || speaks_v4(query)) return Dialect::v4;
  return table ? dialect_of(table->dialect).value_or(Dialect::v2) : Dialect::v2;
}

}  // namespace mandate::tables::wire
