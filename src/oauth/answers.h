// Errors and headers shared by the room's back-channel doors (identity-wire 0.3 #18, 0.4, 0.6, 0.7, 1.17).
#pragma once

#include "http/params.h"
#include "http/response.h"
#include "oauth/deps.h"

namespace mandate::oauth {

/// Body and status of 1.17: `token_error_status` "auth0" answers invalid_grant with 403, "rfc" with 400.
/// invalid_client has WWW-Authenticate when Basic was tried.
http::Response token_error(const tenant::Tenant& tenant, const http::Request& request, const Error& error);

/// 429 with both shapes of body (identity-wire 0.7).
http::Response too_many(const tenant::RateLimiter::Answer& rate);

/// 401 invalid_token with the Bearer challenge, or 403 insufficient_scope. RFC 6750 §3.
http::Response bearer_error(const Error& error);

/// The client named by `client_id` in body or query, or by Basic; null when unknown. For CORS and limits, before anybody
/// proved anything.
const tenant::Client* named_client(const tenant::Tenant& tenant, const http::Request& request,
                                   const http::Params* params);

/// Whom a request is limited as: a client we know, at its address. A made-up client_id opens no bucket of its
/// own, or inventing names would be a way around the limit.
std::string rate_key(const http::Request& request, const tenant::Client* client);

/// How /userinfo and /tokeninfo begin: tenant, preflight, limit, parameters. `answered` when that is the end of it.
struct ProfileDoor {
  tenant::Here here;
  tenant::RateLimiter::Answer rate;
  http::Params params;
  std::optional<http::Response> answered;
};
/// misdirected_request.
Result<ProfileDoor> open_profile_door(const Deps& deps, const http::Request& request);

/// Rate trio, CORS and no-store: every answer of a back-channel door leaves through here.
http::Response finish(http::Response response, const http::Request& request, const tenant::Tenant& tenant,
                      const tenant::Client* client, const tenant::RateLimiter::Answer* rate);

}  // namespace mandate::oauth
