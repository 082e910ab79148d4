#include "identity/error_body.h"

namespace mandate::identity {
namespace {

// A failure of ours tells nothing of the inside; the request id in the log does.
std::string shown(const Error& error, int status) {
  if (status < 500) return error.hint;
  return status == 503 ? "The server is busy. Please try again later." : "The server could not answer. Please try again later.";
}

// What a client is told of a failure: only the two words that RFC 6749 §4.1.2.1 has for it.
std::string_view shown_code(const Error& error, int status) {
  if (status < 500) return name(error.code);
  return status == 503 ? name(Code::temporarily_unavailable) : name(Code::server_error);
}

}  // namespace

http::Response oauth_error(const Error& error, int status) {
  if (status == 0) status = http_status(error.code);
  JsonObject body;
  body["error"] = shown_code(error, status);
  body["error_description"] = shown(error, status);
  return std::move(http::Response::json(status, Json(std::move(body))).no_store());
}

http::Response database_error(const Error& error, std::string_view error_name) {
  const int status = http_status(error.code);
  return database_error(status, error_name, shown_code(error, status), shown(error, status));
}

http::Response database_error(int status, std::string_view error_name, std::string_view code, std::string_view description) {
  JsonObject body;
  body["name"] = error_name;
  body["code"] = code;
  body["description"] = description;
  body["statusCode"] = status;
  return std::move(http::Response::json(status, Json(std::move(body))).no_store());
}

}  // namespace mandate::identity
