// An answer. One string, one send.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "http/headers.h"

namespace mandate::http {

struct Response {
  int status = 200;
  Headers headers;
  std::string body;

  Response() = default;
  explicit Response(int s) : status(s) {}

  /// application/json; charset=utf-8
  static Response json(int status, std::string body);
  static Response json(int status, const Json& value);
  static Response text(int status, std::string_view body);
  /// text/html with our CSP: no script, no framing (HT-14). `csp` replaces the policy where a page needs another.
  static Response html(int status, std::string body, std::string_view csp = {});
  /// 302, or 303 after a POST that carried credentials (OA-4).
  static Response redirect(int status, std::string_view location);
  Response& no_store();  ///< Cache-Control: no-store and Pragma: no-cache
};

/// The standard reason phrase; old SDKs show it to people (mobile-backend-wire 0.4 #9).
std::string_view reason(int status);

}  // namespace mandate::http
