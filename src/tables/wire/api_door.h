// The door of custom APIs: /api/{name} and what is below it, in V1's and V2's spelling (mobile-backend-wire 5.6, 2.3).
#pragma once

#include "identity/shown_keys.h"
#include "tables/custom_api.h"
#include "tables/mount.h"
#include "tables/wire/family.h"

namespace mandate::tables::wire {

/// Thread-safe; lives as long as the routes.
class ApiDoor {
 public:
  explicit ApiDoor(const Deps& deps);

  Task<http::Response> handle(http::Request& request);
  /// The answer to a request that took longer than it may.
  http::Response late(const http::Request& request) const;

 private:
  Task<http::Response> carry_out(Turn& turn);
  Task<http::Response> authorised(Turn& turn, const tenant::CustomApi& api);

  Deps deps_;
  identity::ShownKeys keys_;
  Counter &calls_, &refused_;
};

/// What an API is told of a request: path, url, query, headers (with those of client_principal.h) and body. bad_request for a body that is not what it says.
Result<JsonObject> asked_of(const http::Request& request, const tenant::Service& service, const identity::Principal& principal, std::size_t limit);
/// The same of a request on a table, with the method that is meant and without its body.
JsonObject asked_of_table(const http::Request& request, const tenant::Service& service, const identity::Principal& principal, http::Method method);
/// The fields that code of an app may set; others are left out. What a browser might run then has no rights on this host.
void add_fields(http::Response& out, const std::vector<std::pair<std::string, std::string>>& fields);
/// The API's answer as it may leave the house: no field that belongs to the connection, to CORS or to security, no cookie that
/// only the host itself may set (SC-6); active content without rights on this host.
http::Response response_of(const http::Request& request, ApiAnswer answer);

}  // namespace mandate::tables::wire
