// Answers of V1 and V2: headers, bodies, error texts (mobile-backend-wire 1.1, 1.7, 2.4, 2.5).
#pragma once

#include "http/request.h"
#include "http/response.h"
#include "tables/operations.h"
#include "tables/wire/zumo_query.h"

namespace mandate::tables::wire {

/// What the answer depends on beside the act itself.
struct Asked {
  const http::Request& request;
  const QueryParameters& parameters;
  const Act& act;              ///< as it was before it was carried out; its trees and items may have been moved on
  bool version_in_body = false;  ///< the expected version came in the body: a stale one is 409, not 412
};

http::Response answer_of(const Asked& asked, Answer answer);

/// The error in the dialect's shape. 500 tells nothing but the request's id.
http::Response error_of(Dialect dialect, const Error& error, const http::Request& request);
/// A refused or missing login: V2 answers a missing one in plain text.
http::Response unauthorized(Dialect dialect, const Error& error, bool bad_token);
/// 405 without a body, and what would be allowed.
http::Response not_allowed(bool item);
/// Unknown version (2.10): readable by every generation of clients.
http::Response version_refused(const Error& error);

/// Cache and server headers of every answer of the dialect.
void add_dialect_headers(http::Response& response, Dialect dialect);

}  // namespace mandate::tables::wire
