// Which origins may read an answer (identity-wire 0.4). Tables have rules of their own (tables/wire).
#pragma once

#include "http/request.h"
#include "http/response.h"
#include "tenant/tenant.h"

namespace mandate::tenant {

/// Origins of callbacks + allowed_origins (+ web_origins) of one client; "*" sub-domain wildcards as in callbacks.
bool origin_allowed(const Client& client, std::string_view origin, bool web_origins);

/// Adds Access-Control-* when the request has an Origin that the client (or, when null, any client of the tenant) lists,
/// or that is this host's own. A refused origin gets none at all (SE-10). Vary: Origin is there in each case.
void add_cors(http::Response& response, const http::Request& request, const Tenant& tenant, const Client* client,
              bool credentials = false);

/// Answer to a preflight: 204, with headers for any origin known to the tenant.
http::Response preflight(const http::Request& request, const Tenant& tenant, bool credentials = false);

/// "*.example.com" matches exactly one label before ".example.com"; anything else is equal but for case.
bool host_matches(std::string_view pattern, std::string_view host);

/// True when the request names an Origin that the client does not list: state-changing legacy endpoints answer 403.
bool foreign_origin(const http::Request& request, const Client& client);

}  // namespace mandate::tenant
