#include "tables/wire/detect.h"

#include "base/url.h"
#include "tenant/service_rules.h"

namespace mandate::tables::wire {
namespace {

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

std::optional<Dialect> dialect_of(std::string_view word) {
  constexpr std::string_view kWords[] = {"v1", "v2", "v3", "v4"};
  for (std::size_t i = 0; i < std::size(kWords); ++i)
    if (word == kWords[i]) return static_cast<Dialect>(i);
  return std::nullopt;
}

Dialect detect(const http::Request& request, const QueryParameters& query, const tenant::Table* table) {
  const std::string version = tenant::api_version(request, query);
  const auto& headers = request.headers;
  const bool third = tenant::is_version(version, "3.0");
  if (headers.has("X-ZUMO-Options")) return Dialect::v3;
  if (third && (has_zumo_field(headers) || headers.get("User-Agent").starts_with("ZUMO/"))) return Dialect::v3;
  if (third) return Dialect::v4;
  if (tenant::is_version(version, "2.0")) return Dialect::v2;
  for (std::string_view sign : {"X-ZUMO-APPLICATION", "X-ZUMO-INSTALLATION-ID", "X-ZUMO-VERSION", "X-ZUMO-MASTER"})
    if (headers.has(sign)) return Dialect::v1;
  if (headers.get("User-Agent").starts_with("Datasync/") || request.path.ends_with('/') || speaks_v4(query)) return Dialect::v4;
  return table ? dialect_of(table->dialect).value_or(Dialect::v2) : Dialect::v2;
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
