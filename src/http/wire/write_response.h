// A Response becomes the bytes of an answer.
#pragma once

#include <string>

#include "http/request.h"
#include "http/response.h"

namespace mandate::http::wire {

struct Written {
  bool close = false;      ///< Connection: close
  bool head_only = false;  ///< answer to HEAD: the length of the body, not the body
  std::string_view date;   ///< IMF-fixdate
};

/// Appends status line, fields, the security fields that are missing, and the body. Framing fields a handler set are
/// replaced by the truth.
void write_response(std::string& out, const Request& request, const Response& response, const Written& how);

/// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 §5.6.7)
std::string http_date(std::int64_t seconds);

}  // namespace mandate::http::wire
