// Which origins may read an answer (identity-wire 0.4). Tables have rules of their own (tables/wire).
#pragma once

#include "http/request.h"
#include "http/response.h"
#include "tenant/tenant.h"

namespace mandate::tenant {

/// Origins of callbacks + allowed_origins (+ web_origins) of one client; "*" sub-domain wildcards as in callbacks.
bool origin_allowed(const Client& client, std::string_view origin, bool web_origins);

/// Adds Access-Control-* and Vary: Origin when the request has an Origin the client (or, when null, any client of the
/// tenant) lists. A refused origin gets no header at all (SE-10).
void add_cors(http::Response& response, const http::Request& request, const Tenant& tenant, const Client* client,
              bool credentials = false);

/// Answer to a preflight: 204, with headers for any origin known to the tenant.
http::Response preflight(const http::Request& request, const Tenant& tenant, bool credentials = false);

/// True when the request names an Origin that the client does not list: state-changing legacy endpoints answer 403.
bool foreign_origin(const http::Request& request, const Client& client);

}  // namespace mandate::tenant
