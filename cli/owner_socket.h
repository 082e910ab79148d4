// The way to the server: HTTP over the owner's Unix socket.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace mandate::cli {

struct Answer {
  int status = 0;
  std::string body;
};

/// Blocking. One socket, one request at a time.
class OwnerSocket {
 public:
  explicit OwnerSocket(std::string path) : path_(std::move(path)) {}
  /// `target` is path and query. temporarily_unavailable with one clear line when nobody answers at the socket.
  Result<Answer> send(std::string_view method, const std::string& target, std::string_view body = {},
                      std::string_view content_type = {}) const;
  /// A 2xx answer's body as JSON; else an Error whose hint is the server's message.
  Result<Json> ask(std::string_view method, const std::string& target, std::string_view body = {},
                   std::string_view content_type = "application/json") const;

 private:
  std::string path_;
};

/// The server's own words for a refusal.
Error refusal(const Answer& answer);

}  // namespace mandate::cli
