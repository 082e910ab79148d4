#include "oauth/authorize/answer.h"

#include "base/base64.h"
#include "base/crypto.h"
#include "base/url.h"
#include "oauth/redirect_uri.h"

namespace mandate::oauth {
namespace {

constexpr std::string_view kSubmit = "document.forms[0].submit()";
constexpr std::string_view kPost =
    "var "
    "a=JSON.parse(document.getElementById('a').textContent);(window.opener||window.parent).postMessage(a."
    "message,a.origin)";

std::string encoded(const Fields& fields) {
  std::string out;
  for (const auto& [name, value] : fields) {
    if (value.empty()) continue;
    if (!out.empty()) out += '&';
    append_percent_encoded(out, name);
    out += '=';
    append_percent_encoded(out, value);
  }
  return out;
}

/// Our two scripts are the only ones on our pages, named by their hash.
std::string policy(std::string_view script, std::string_view ancestors) {
  return "default-src 'none'; script-src 'sha256-" + base64(sha256(script)) +
         "'; base-uri 'none'; frame-ancestors " + std::string(ancestors);
}

http::Response form_post(const Asked& asked, const Fields& fields) {
  std::string body =
      "<!doctype html><html><head><title>One moment</title></head><body><form method=\"post\" action=\"" +
      html_escape(asked.request.redirect_uri) + "\">";
  for (const auto& [name, value] : fields)
    body += "<input type=\"hidden\" name=\"" + html_escape(name) + "\" value=\"" + html_escape(value) + "\">";
  body += "<noscript><button>Continue</button></noscript></form><script>" + std::string(kSubmit) +
          "</script></body></html>";
  return http::Response::html(200, std::move(body), policy(kSubmit, "'none'"));
}

/// Text of a script element never ends it: '<' is written as an escape (SE-4).
std::string script_json(const JsonObject& object) {
  std::string out;
  for (const char c : to_json(object)) {
    if (c == '<')
      out += "\\u003c";
    else
      out += c;
  }
  return out;
}

http::Response web_message(const Asked& asked, const Fields& fields) {
  const std::string origin = web_origin(asked.request.redirect_uri);
  JsonObject response;
  for (const auto& [name, value] : fields) {
    if (name == "expires_in")
      response[name] = std::stoll(value);
    else
      response[name] = value;
  }
  JsonObject message{{"type", "authorization_response"}, {"response", std::move(response)}};
  const JsonObject all{{"origin", origin}, {"message", std::move(message)}};
  std::string body =
      "<!doctype html><html><head><title>One moment</title></head><body><script type=\"application/json\" "
      "id=\"a\">" +
      script_json(all) + "</script><script>" + std::string(kPost) + "</script></body></html>";
  return http::Response::html(200, std::move(body), policy(kPost, origin));
}

/// The error word a client of that kind expects.
std::string_view error_word(const Asked& asked, Code code) {
  if (code == Code::unauthorized) return asked.legacy() ? "unauthorized" : "access_denied";
  if (code == Code::invalid_grant) return "access_denied";
  if (http_status(code) >= 500 && code != Code::temporarily_unavailable)
    return code == Code::overloaded || code == Code::timeout ? "temporarily_unavailable" : "server_error";
  return name(code);
}

}  // namespace

std::string location_of(const Asked& asked, const Fields& fields, bool error) {
  std::string location = asked.request.redirect_uri;
  const std::string text = encoded(fields);
  const bool both = error && is_mobile_callback(asked.issuer, location);
  if (both || asked.mode == Mode::query) {
    if (!location.ends_with('?') && !location.ends_with('&'))
      location += location.find('?') == std::string::npos ? '?' : '&';
    location += text;
  }
  if (both || asked.mode != Mode::query) location += "#" + text;
  return location;
}

http::Response answer(const Asked& asked, const Fields& fields, int status, bool error) {
  http::Response response;
  if (asked.mode == Mode::form_post)
    response = form_post(asked, fields);
  else if (asked.mode == Mode::web_message)
    response = web_message(asked, fields);
  else
    response = http::Response::redirect(status, location_of(asked, fields, error));
  response.no_store();
  return response;
}

void add_issuer(const Asked& asked, Fields& fields) {
  const tenant::Tenant& tenant = *asked.here;
  if (tenant.flag("omit_authorization_response_iss")) return;
  if (asked.legacy() && !tenant.flag("legacy_authorization_response_iss")) return;
  fields.emplace_back("iss", asked.issuer);
}

http::Response error_answer(const Asked& asked, const Error& error, int status) {
  Fields fields;
  fields.emplace_back("error", error_word(asked, error.code));
  fields.emplace_back("error_description", http_status(error.code) >= 500
                                               ? "The server could not complete the request."
                                               : error.hint);
  fields.emplace_back("state", asked.request.state);
  add_issuer(asked, fields);
  return answer(asked, fields, status, true);
}

http::Response error_page(const Error& error, int status) {
  const std::string text =
      http_status(error.code) >= 500 ? "The server could not complete the request." : error.hint;
  http::Response response =
      http::Response::html(status,
                           "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Not "
                           "possible</title></head><body><h1>This does not work</h1><p>" +
                               html_escape(text) + "</p></body></html>");
  response.no_store();
  return response;
}

}  // namespace mandate::oauth
