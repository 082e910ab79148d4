// The head of a request: request line and header fields, read strictly (HT-1 … HT-5, HT-7, HT-8).
//   head         = method SP target SP "HTTP/1." ("0" / "1") CRLF *( field CRLF ) CRLF
//   field        = token ":" OWS value OWS                        no folding, no bare CR or LF, no NUL
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "http/request.h"
#include "http/wire/trusted_proxies.h"

namespace mandate::http::wire {

struct HeadLimits {
  std::size_t request_line = 16 << 10;
  std::size_t header_bytes = 16 << 10;
  std::size_t header_fields = 100;
};

/// Looks for the end of a head in bytes that arrive in pieces, and refuses early what can never become one.
class HeadScanner {
 public:
  enum class Step { incomplete, complete, refused };
  /// `bytes` are all bytes since the start of the message, also those of the calls before; each is looked at once.
  Step scan(std::string_view bytes, const HeadLimits& limits);
  /// Where the request line starts (an empty line may precede it) and where the head ends.
  std::size_t begin() const { return begin_; }
  std::size_t end() const { return line_; }
  /// The status to refuse with.
  int status() const { return status_; }
  /// True once a byte of the message has been seen.
  bool started() const { return seen_ > 0; }

 private:
  Step refuse(int status) { return status_ = status, Step::refused; }
  std::size_t seen_ = 0, line_ = 0, begin_ = 0, first_end_ = 0, fields_ = 0;
  int status_ = 0;
};

/// How the body is framed and what the connection does afterwards.
struct Framing {
  bool chunked = false;
  std::uint64_t length = 0;
  bool close = false;            ///< Connection: close, or HTTP/1.0
  bool expects_continue = false;
  bool has_body() const { return chunked || length > 0; }
};

/// What the head alone does not tell.
struct HeadContext {
  std::string_view peer;         ///< address of the other end of the socket
  bool tls = false;
  const TrustedProxies* proxies = nullptr;
};

/// Reads a complete head into `request` (whose views then point into `head`) and `framing`.
/// Returns 0, or the status to refuse with before closing: 400 405 415 417 431 501 505.
int read_head(std::string_view head, const HeadContext& context, Request& request, Framing& framing);

}  // namespace mandate::http::wire
