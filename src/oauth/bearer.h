// The access token of a request to one of our own doors, and the person behind it.
#pragma once

#include "oauth/deps.h"
#include "oauth/issuer.h"

namespace mandate::oauth {

/// RFC 6750 §2: Authorization header, form body, or, for clients that may, the query. invalid_request for two
/// at once; invalid_token when there is none. `in_query` tells that it came by the query.
Result<std::string> bearer_of(const http::Request& request, const http::Params& params, bool& in_query);

/// The token's person when the token is for our userinfo, the person lives and nothing voided it since;
/// invalid_token.
struct Bearer {
  AccessToken token;
  identity::User user;
};
Task<Bearer> person_of(const Deps& deps, const tenant::Here& here, std::string issuer, std::string token);

}  // namespace mandate::oauth
