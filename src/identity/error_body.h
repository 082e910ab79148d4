// The two error bodies of the identity side (identity-wire 0.6).
#pragma once

#include "base/result.h"
#include "http/response.h"

namespace mandate::identity {

/// {"error":code,"error_description":hint}, no-store. `status` 0 = the code's own. 5xx hints are replaced by a generic text.
http::Response oauth_error(const Error& error, int status = 0);

/// {"name","code","description","statusCode"}: the legacy database shape of /dbconnections/*.
http::Response database_error(const Error& error, std::string_view error_name = "BadRequestError");
/// The same for codes with a spelling of their own ("bad.request").
http::Response database_error(int status, std::string_view error_name, std::string_view code, std::string_view description);

}  // namespace mandate::identity
