#include "http/response.h"

#include "http/security_headers.h"

namespace mandate::http {

Response Response::json(int status, std::string body) {
  Response response(status);
  response.headers.set("Content-Type", "application/json; charset=utf-8");
  response.body = std::move(body);
  return response;
}

Response Response::json(int status, const Json& value) { return json(status, to_json(value)); }

Response Response::text(int status, std::string_view body) {
  Response response(status);
  response.headers.set("Content-Type", "text/plain; charset=utf-8");
  response.body = body;
  return response;
}

Response Response::html(int status, std::string body, std::string_view csp) {
  Response response(status);
  response.headers.set("Content-Type", "text/html; charset=utf-8");
  if (csp.empty()) response.headers.set("X-Frame-Options", "DENY");
  response.headers.set("Content-Security-Policy", csp.empty() ? kPagePolicy : csp);
  response.body = std::move(body);
  return response;
}

Response Response::redirect(int status, std::string_view location) {
  // A URI has no control characters, blanks or bytes above 0x7E; what slipped in leaves encoded (HT-9).
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(location.size());
  for (char c : location) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7F) encoded += c;
    else encoded += '%', encoded += kHex[byte >> 4], encoded += kHex[byte & 15];
  }
  Response response(status);
  response.headers.set("Location", encoded);
  return response;
}

Response& Response::no_store() {
  headers.set("Cache-Control", "no-store");
  headers.set("Pragma", "no-cache");
  return *this;
}

std::string_view reason(int status) {
  switch (status) {
    case 100: return "Continue";
    case 101: return "Switching Protocols";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 203: return "Non-Authoritative Information";
    case 204: return "No Content";
    case 205: return "Reset Content";
    case 206: return "Partial Content";
    case 207: return "Multi-Status";
    case 300: return "Multiple Choices";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 402: return "Payment Required";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Payload Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 417: return "Expectation Failed";
    case 421: return "Misdirected Request";
    case 422: return "Unprocessable Entity";
    case 423: return "Locked";
    case 424: return "Failed Dependency";
    case 426: return "Upgrade Required";
    case 428: return "Precondition Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    case 507: return "Insufficient Storage";
    default: return status < 200 ? "Informational" : status < 300 ? "OK" : status < 400 ? "Redirect"
                  : status < 500 ? "Client Error" : "Server Error";
  }
}

}  // namespace mandate::http
