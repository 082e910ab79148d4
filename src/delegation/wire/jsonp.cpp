#include "delegation/wire/jsonp.h"

#include "base/url.h"
#include "tenant/cors.h"

namespace mandate::delegation {

bool jsonp_name(std::string_view callback) {
  if (callback.empty() || callback.size() > 64) return false;
  for (std::size_t i = 0; i < callback.size(); ++i) {
    const char c = callback[i];
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
    const bool later = i > 0 && ((c >= '0' && c <= '9') || c == '.');
    if (!letter && !later) return false;
  }
  return true;
}

bool jsonp_referer(const http::Request& request, const tenant::Client& client) {
  const auto referer = parse_url(request.headers.get("Referer"));
  return referer && tenant::origin_allowed(client, referer->origin(), true);
}

http::Response as_jsonp(const http::Response& plain, std::string_view callback) {
  JsonObject body;
  if (auto json = parse_json(plain.body); json.ok() && json->is_object()) body = std::move(json->get_object());
  body["status"] = plain.status;
  std::string text = "/**/ typeof ";
  text.append(callback).append(" === 'function' && ").append(callback).append("(");
  // "<" cannot end a script element, U+2028/9 cannot end a line of old JavaScript.
  for (const char c : to_json(body)) {
    if (c == '<') text += "\\u003c";
    else text += c;
  }
  for (const auto& [raw, escaped] : {std::pair<std::string_view, std::string_view>{"\xE2\x80\xA8", "\\u2028"}, {"\xE2\x80\xA9", "\\u2029"}})
    for (std::size_t at = text.find(raw); at != std::string::npos; at = text.find(raw, at)) text.replace(at, raw.size(), escaped);
  text += ");";
  http::Response response(200);
  response.body = std::move(text);
  for (const auto& field : plain.headers.all()) response.headers.add(field.name, field.value);
  response.headers.set("Content-Type", "text/javascript; charset=utf-8");
  response.headers.set("X-Content-Type-Options", "nosniff");
  return response;
}

}  // namespace mandate::delegation
