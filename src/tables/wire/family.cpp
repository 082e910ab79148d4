#include "tables/wire/family.h"

#include "base/base64.h"
#include "base/url.h"
#include "http/wire/characters.h"

namespace mandate::tables::wire {

std::string Turn::url(std::string_view item_id) const {
  std::string out = request.root() + root;
  append_percent_encoded(out, table->name);
  if (item_id.empty()) return out;
  out += '/';
  append_percent_encoded(out, item_id);
  return out;
}

const Family& family_of(Dialect dialect) { return is_datasync(dialect) ? datasync() : zumo(); }

std::string media_of(std::string_view content_type) {
  return ascii_lower(http::wire::trim(content_type.substr(0, content_type.find(';'))));
}

bool is_json(std::string_view type) {
  const std::size_t semicolon = std::min(type.find(';'), type.size());
  const std::string media = media_of(type);
  if (media != "application/json" && !(media.starts_with("application/") && media.ends_with("+json"))) return false;
  for (const std::string& piece : split(type.substr(semicolon), ';')) {
    const std::string parameter = ascii_lower(http::wire::trim(piece));
    if (!parameter.starts_with("charset=")) continue;
    std::string_view charset = std::string_view(parameter).substr(8);
    if (charset.size() > 1 && charset.starts_with('"') && charset.ends_with('"')) charset = charset.substr(1, charset.size() - 2);
    if (charset != "utf-8" && charset != "utf8") return false;
  }
  return true;
}

Result<void> check_json_type(const http::Request& request) {
  const http::HeaderViews& headers = request.headers;
  if (headers.count("Content-Type") > 1 || (headers.has("Content-Type") && !is_json(headers.get("Content-Type"))))
    return Error(Code::unsupported_media_type, "The body must be JSON in UTF-8, sent as application/json.");
  return {};
}

Result<Json> json_body(const http::Request& request, std::size_t limit) {
  JsonLimits limits;
  limits.bytes = limit;
  return parse_json(request.body, limits);
}

}  // namespace mandate::tables::wire
