// What custom APIs are told of a request, and what of their answer may leave the house.
#include "base/base64.h"
#include "base/url.h"
#include "http/security_headers.h"
#include "http/wire/characters.h"
#include "tables/wire/api_door.h"
#include "tables/wire/client_principal.h"

namespace mandate::tables::wire {
namespace {

constexpr std::size_t kMostHeaders = 200;

/// "a=1&a=2&b=3" → {"a":["1","2"],"b":"3"}
JsonObject members_of(const std::vector<std::pair<std::string, std::string>>& pairs) {
  JsonObject out;
  for (const auto& [name, value] : pairs) {
    Json* known = out.if_contains(name);
    if (!known) out[name] = value;
    else if (JsonArray* list = known->if_array()) list->emplace_back(value);
    else *known = JsonArray{std::move(*known), value};
  }
  return out;
}

/// The target behind "/api/{name}", as it came.
std::string_view below_api(const http::Request& request) {
  std::string_view rest = request.target.substr(0, request.target.find('?'));
  const std::size_t api = rest.find("/api/", request.prefix.size() <= rest.size() ? request.prefix.size() : 0);
  if (api == rest.npos) return "/";
  const std::size_t end = rest.find('/', api + 5);
  return end == rest.npos ? std::string_view("/") : rest.substr(end);
}

Result<void> add_body(JsonObject& out, const http::Request& request, std::size_t limit) {
  if (request.body.empty()) return {};
  const std::string_view type = request.headers.get("Content-Type");
  const std::string media = media_of(type);
  if (media == "application/x-www-form-urlencoded") {
    out["body"] = members_of(parse_form(request.body));
  } else if (media == "application/json" || media.ends_with("+json")) {
    TRY(Json body, json_body(request, limit));
    out["body"] = std::move(body);
  } else if (media.starts_with("multipart/") || !valid_utf8(request.body)) {
    out["base64"] = base64(request.body);
  } else {
    out["text"] = request.body;
  }
  return {};
}

bool is_ours(std::string_view name) {
  for (const std::string_view each : {"connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding", "upgrade", "trailer", "te", "date", "server", "alt-svc", "content-security-policy",
                                      "content-security-policy-report-only", "strict-transport-security", "x-content-type-options", "referrer-policy", "x-frame-options", "permissions-policy", "clear-site-data",
                                      "cross-origin-opener-policy", "cross-origin-embedder-policy", "cross-origin-resource-policy", "service-worker-allowed", "nel", "report-to", "reporting-endpoints", "x-request-id", "vary"})
    if (iequals(name, each)) return true;
  const std::string lower = ascii_lower(name);
  return lower.starts_with("access-control-") || lower.starts_with("proxy-") || lower.starts_with("sec-");
}

/// The next of what semicolons part, which leaves `rest`; semicolons between quotes part too, as browsers read cookies.
std::string_view next_piece(std::string_view& rest) {
  const std::size_t end = std::min(rest.find(';'), rest.size());
  const std::string_view out = http::wire::trim(rest.substr(0, end));
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return out;
}

/// Of "name=value", and of a text without '=' the whole, as a browser sends a cookie that has no name.
std::string_view name_in(std::string_view piece) { return http::wire::trim(piece.substr(0, piece.find('='))); }

/// Whether a cookie of that name is a script's to have: browsers keep some for the host itself, and some are our own. Without
/// a name it is nobody's: "=mandate=x" comes back as "mandate=x".
bool is_free(std::string_view name) {
  const std::string lower = ascii_lower(name);
  return !lower.empty() && !lower.starts_with("__host-") && !lower.starts_with("__secure-") && !lower.starts_with("mandate");
}

bool may_set(std::string_view cookie) {
  const std::string_view pair = next_piece(cookie);
  if (pair.find('=') == pair.npos || !is_free(name_in(pair))) return false;
  while (!cookie.empty())
    if (iequals(name_in(next_piece(cookie)), "domain")) return false;  // this host's alone
  return true;
}

/// A Cookie field without the house's own: whoever has a session's cookie is that person.
std::string without_ours(std::string_view field) {
  std::string out;
  while (!field.empty()) {
    const std::string_view each = next_piece(field);
    if (is_free(name_in(each))) out.append(out.empty() ? "" : "; ").append(each);
  }
  return out;
}

bool is_quoted(std::string_view value) { return value.size() >= 2 && value.front() == '"' && value.find_first_of("\"\\", 1) == value.size() - 1; }

/// token/token with parameters, and nothing that a browser could take for a second type.
bool is_one_type(std::string_view type) {
  if (type.find(',') != type.npos) return false;
  const bool more = type.find(';') != type.npos;
  const std::string_view media = next_piece(type);
  const std::size_t slash = media.find('/');
  if (slash == media.npos || !http::wire::is_token(media.substr(0, slash)) || !http::wire::is_token(media.substr(slash + 1))) return false;
  if (more && type.empty()) return false;
  while (!type.empty()) {
    const std::string_view parameter = next_piece(type);
    const std::size_t equals = parameter.find('=');
    if (equals == parameter.npos || !http::wire::is_token(parameter.substr(0, equals))) return false;
    const std::string_view value = parameter.substr(equals + 1);
    if (!http::wire::is_token(value) && !is_quoted(value)) return false;
  }
  return true;
}

/// What a browser may run as a page of this host; what we cannot read, it may read as it likes.
bool is_active(std::string_view type) {
  if (!is_one_type(type)) return true;
  const std::string media = media_of(type);
  if (media.ends_with("+xml")) return true;  // image/svg+xml, and whatever else is XML
  return media != "application/json" && media != "text/plain" && media != "text/css" && media != "text/csv" && !media.ends_with("javascript") && media != "application/octet-stream" &&
         !media.starts_with("image/") && !media.starts_with("audio/") && !media.starts_with("video/");
}

JsonObject headers_of(const http::Request& request) {
  JsonObject headers;
  for (const auto& field : request.headers.all()) {
    if (headers.size() >= kMostHeaders) break;
    const std::string name = ascii_lower(field.name);
    if (!valid_utf8(field.value) || is_of_principal(name)) continue;
    if (Json* known = headers.if_contains(name)) *known = std::string(view(known->get_string())) + (name == "cookie" ? "; " : ", ") + std::string(field.value);
    else headers[name] = field.value;
  }
  if (const Json* cookies = headers.if_contains("cookie")) {
    std::string left = without_ours(view(cookies->get_string()));
    if (left.empty()) headers.erase("cookie");
    else headers["cookie"] = std::move(left);
  }
  if (!headers.contains("host")) headers["host"] = request.host;
  return headers;
}

JsonObject told_of(const http::Request& request, const tenant::Service& service, const identity::Principal& principal, const std::string& base, const std::string& path) {
  JsonObject out{{"path", path}, {"url", request.query.empty() ? path : path + "?" + std::string(request.query)}, {"base", base}};
  out["query"] = members_of(parse_form(request.query));
  JsonObject headers = headers_of(request);
  add_principal(headers, service, principal);
  out["headers"] = std::move(headers);
  out["protocol"] = request.secure ? "https" : "http";
  out["ip"] = request.peer;
  return out;
}

}  // namespace

Result<JsonObject> asked_of(const http::Request& request, const tenant::Service& service, const identity::Principal& principal, std::size_t limit) {
  JsonObject out = told_of(request, service, principal, request.prefix + "/api/" + request.params.at(0), std::string(below_api(request)));
  CHECK_OK(add_body(out, request, limit));
  return out;
}

JsonObject asked_of_table(const http::Request& request, const tenant::Service& service, const identity::Principal& principal, http::Method method) {
  const bool item = request.params.size() > 1;
  JsonObject out = told_of(request, service, principal, request.prefix + "/tables/" + request.params.at(0), item ? "/" + percent_encode(request.params[1]) : "/");
  out["method"] = ascii_lower(http::name(method));
  return out;
}

void add_fields(http::Response& out, const std::vector<std::pair<std::string, std::string>>& fields) {
  for (const auto& [name, value] : fields) {
    if (!http::wire::is_token(name) || !http::wire::is_field_value(value) || is_ours(name)) continue;
    if (iequals(name, "Content-Type") || iequals(name, "ETag")) out.headers.set(iequals(name, "ETag") ? "ETag" : "Content-Type", value);
    else if (!iequals(name, "Set-Cookie")) out.headers.add(name, value);
    else if (may_set(value)) out.headers.add("Set-Cookie", value);
  }
  if (out.headers.has("Content-Type") && is_active(out.headers.get("Content-Type"))) out.headers.set("Content-Security-Policy", std::string(http::kPagePolicy) + "; sandbox");
}

http::Response response_of(const http::Request& request, ApiAnswer answer) {
  http::Response out(answer.status);
  add_fields(out, answer.headers);
  if (answer.status != 204 && answer.status != 304) out.body = std::move(answer.body);
  if (!out.body.empty() && !out.headers.has("Content-Type")) out.headers.set("Content-Type", "application/octet-stream");
  (void)request;
  return out;
}

}  // namespace mandate::tables::wire
