// What a service tells about itself: /status, /diagnostics, /swagger (mobile-backend-wire 6).
#pragma once

#include "identity/shown_keys.h"
#include "tables/mount.h"

namespace mandate::tables::wire {

/// Thread-safe; lives as long as the routes.
class About {
 public:
  explicit About(const Deps& deps);

  /// V1 answers with nothing, the others with a word; tools of all of them ask without a key.
  Task<http::Response> status(http::Request& request);
  /// For the master key: the service, how long it has run, and whether its database answers; 503 when it does not.
  Task<http::Response> diagnostics(http::Request& request);
  /// Swagger 2.0 of the service's tables, where the service's setting `swagger` is true; else 404.
  Task<http::Response> swagger(http::Request& request);

 private:
  Deps deps_;
  identity::ShownKeys keys_;
  const Millis started_;
};

}  // namespace mandate::tables::wire
