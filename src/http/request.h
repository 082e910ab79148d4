// A request as a handler sees it: parsed, bounded, strict (security-and-reliability HT-1 … HT-8).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "http/headers.h"

namespace mandate::http {

enum class Method { get, head, post, put, patch, delete_, options, other };
std::string_view name(Method method);

/// Views are valid until the handler's Response has been written. One loop at a time.
struct Request {
  Method method = Method::get;
  std::string_view target;  ///< as received
  std::string path;         ///< percent-decoded once; no encoded slash or NUL gets here (HT-7)
  /// What stood before `path` and was taken off (Router::on_unknown): "/s/todo". Links into the same place begin with it.
  std::string prefix;
  std::string_view query;   ///< as received, without '?'
  HeaderViews headers;
  std::string_view body;
  /// 413 or 400: the body was not taken, and the connection ends with the answer. Only where the route answers_refusals.
  int refused = 0;
  /// Host field in lower case, port included when not the scheme's default: "localhost:8443".
  std::string host;
  bool secure = false;      ///< TLS, or X-Forwarded-Proto https from a trusted proxy
  bool local_admin = false; ///< came over the owner's Unix socket
  std::string peer;         ///< the client's address, proxies taken off (HT-8)
  std::string id;           ///< in every log line and in 500 answers
  Deadline deadline = kNoDeadline;
  std::vector<std::string> params;  ///< what the route's {placeholders} matched, in order

  /// "https://host" or "http://host".
  std::string origin() const { return (secure ? "https://" : "http://") + host; }
  /// The same with the prefix behind it: what links to the doors of this place begin with.
  std::string root() const { return origin() + prefix; }
};

}  // namespace mandate::http
