// How an answer travels back to the client: query, fragment, form_post, web_message; or a page when it must
// not travel.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "http/response.h"
#include "oauth/authorize/asked.h"

namespace mandate::oauth {

/// In order; no name twice.
using Fields = std::vector<std::pair<std::string, std::string>>;

/// redirect_uri with the fields in its query or fragment.
std::string location_of(const Asked& asked, const Fields& fields, bool error);

/// `status` is that of a redirect: 302, or 303 after a POST (OA-4). `error` puts the fields of {issuer}mobile
/// and win8 into query and fragment, for both kinds of readers (identity-wire 1.1).
http::Response answer(const Asked& asked, const Fields& fields, int status, bool error = false);

/// `iss` (RFC 9207) for conformant clients, where old SDKs expect no surprises not. Tenant flags:
/// `omit_authorization_response_iss` for nobody, `legacy_authorization_response_iss` for everybody.
void add_issuer(const Asked& asked, Fields& fields);

/// error, error_description, state, iss.
http::Response error_answer(const Asked& asked, const Error& error, int status);

/// The page for people when the client or the redirect URI is not to be trusted; never a redirect.
http::Response error_page(const Error& error, int status = 400);

}  // namespace mandate::oauth
