// The dialects V1 (Mobile Services) and V2 (Mobile Apps) over one core: the order of checks is that of the original.
#pragma once

#include "identity/shown_keys.h"
#include "tables/mount.h"
#include "tables/permissions.h"
#include "tables/wire/zumo_answer.h"

namespace mandate::tables::wire {

/// Thread-safe; lives as long as the routes.
class Zumo {
 public:
  explicit Zumo(const Deps& deps);

  /// Any method on /tables/{table}[/{id}]; request.params holds what the route matched.
  Task<http::Response> tables(http::Request& request);
  /// OPTIONS where the service has nothing else to say: 204, with the CORS fields of the service.
  Task<http::Response> preflight_only(http::Request& request);
  /// The answer to a request of `tables` that took longer than a request may.
  http::Response late(const http::Request& request) const;
  /// GET /status.
  Task<http::Response> status(http::Request& request);

 private:
  struct Turn;
  Task<http::Response> carry_out(Turn& turn);
  Result<void> read_body(Turn& turn) const;
  Task<http::Response> authorised(Turn& turn);
  Result<Act> act_of(Turn& turn, identity::Principal principal, bool master, bool& no_script) const;
  void note(const Turn& turn, const Error& error) const;

  Deps deps_;
  identity::ShownKeys keys_;
  Counter& v1_;
  Counter& v2_;
  Counter& refused_;
};

}  // namespace mandate::tables::wire
