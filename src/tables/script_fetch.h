// http.fetch of scripts: what http, https, request and fetch ask, through the one way out of the house.
#pragma once

#include "base/json.h"
#include "base/log.h"
#include "base/metrics.h"
#include "http/fetch.h"

namespace mandate::tables {

/// Thread-safe; one for the house.
class ScriptFetch {
 public:
  ScriptFetch(http::Fetch& fetch, Log& log, Metrics& metrics);

  /// `arguments` and the value: scripts/service_protocol.h. `service`: for the log. Addresses that are not public are refused
  /// (OB-1), redirects are given as they came, and each of them is another call.
  /// Errors: bad_request (form, or hint "blocked_address"), upstream_error, timeout.
  Task<Json> fetch(std::string service, Json arguments, Deadline deadline);

  static constexpr std::size_t kMostOut = 3 << 20, kMostIn = 3 << 20;  ///< bytes of a body
  static constexpr int kMostOfCall = 100;  ///< exchanges of one call of a script

 private:
  http::Fetch& fetch_;
  Log& log_;
  Counter &good_, &refused_, &failed_;
};

}  // namespace mandate::tables
