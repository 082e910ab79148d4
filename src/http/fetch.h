// The one way out: every request the server makes to another (design rule 4 of security 0.3; OB-1 … OB-5).
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/task.h"
#include "http/headers.h"
#include "http/request.h"

namespace mandate::http {

struct FetchRequest {
  Method method = Method::get;
  std::string url;
  Headers headers;
  std::string body;
  Deadline deadline = kNoDeadline;  ///< the sooner of this and 10 s
  std::size_t answer_limit = 1 << 20;
  /// two: HTTP/2 or nothing, by ALPN over https, with prior knowledge over http. Requests of one loop to one origin
  /// share its connections as streams. offered: the same where the server offers it over https, else HTTP/1.1.
  enum class Version { one, offered, two };
  Version version = Version::one;
};

struct Fetched {
  int status = 0;
  Headers headers;
  std::string body;
};

/// Never follows redirects, uses no proxy, netrc or cookie, always checks certificates, connects only to addresses that
/// are public (or on the allow list), after resolving once (OB-1, OB-2).
/// Errors: bad_request with hint "blocked_address" or for the URL's form; upstream_error; timeout.
class Fetch {
 public:
  virtual ~Fetch() = default;
  virtual Task<Fetched> send(FetchRequest request) = 0;
  /// Would send() go there? Resolves and checks, connects to nothing: for a URL that is about to be saved (OB-1).
  /// Errors: bad_request as above; upstream_error when the name does not resolve.
  virtual Task<void> check([[maybe_unused]] std::string url) { co_return ok(); }
};

/// Works on whichever Loop it is called on; name look-ups wait in threads of its own.
/// `allowed_hosts`: host[:port] whose addresses may be private (for tests, and for an owner's own network).
/// `ca_file`: PEM of the only authorities believed; empty = the system's.
std::unique_ptr<Fetch> make_fetch(std::vector<std::string> allowed_hosts, std::string ca_file = {});

}  // namespace mandate::http
