// What a service's extensions say (mobile-backend-wire 5.1): extensions/push.js. startup.js is run where its Worker begins.
#pragma once

#include "scripts/host.h"
#include "tables/bindings.h"
#include "tables/service_calls.h"

namespace mandate::tables {

/// Thread-safe; one for the house. Everything must outlive it.
class Extensions {
 public:
  Extensions(scripts::Host& host, Tables& tables, ScriptLog& lines, ServiceCalls& calls, OtherCalls others = {});

  /// The tags that a registration shall have, after `exports.register` of extensions/push.js has seen it; those it came with
  /// where the service has no such file. bad_request with the script's words when it refuses; server_error when it throws.
  Task<std::vector<std::string>> on_register(tenant::Here here, const tenant::Service* service, identity::Principal who, JsonObject registration);

 private:
  scripts::Host& host_;
  Tables& tables_;
  ScriptLog& lines_;
  ServiceCalls& calls_;
  const OtherCalls others_;
};

}  // namespace mandate::tables
