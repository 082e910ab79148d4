// JSONP for pages of 2013 (identity-wire 0.5). Off unless the client has it on.
#pragma once

#include <string_view>

#include "http/request.h"
#include "http/response.h"
#include "tenant/tenant.h"

namespace mandate::delegation {

/// [A-Za-z_$][\w$.]{0,63}
bool jsonp_name(std::string_view callback);
/// The page that asks, by its Referer, is of an origin the client lists.
bool jsonp_referer(const http::Request& request, const tenant::Client& client);
/// 200 text/javascript; the JSON body of `plain` with its real status inside.
http::Response as_jsonp(const http::Response& plain, std::string_view callback);

}  // namespace mandate::delegation
