// The back-channel doors beside /oauth/token, each in its own file.
#pragma once

#include "http/request.h"
#include "http/response.h"
#include "oauth/deps.h"

namespace mandate::oauth {

/// GET|POST /userinfo (identity-wire 1.14, OIDC Core §5.3).
Task<http::Response> userinfo(const Deps& deps, http::Request& request);

/// POST /oauth/revoke. RFC 7009: 200 for whatever the client may not or cannot revoke.
Task<http::Response> revoke_endpoint(const Deps& deps, http::Request& request);

/// POST /oauth/introspect. RFC 7662; only for clients that prove themselves, only about tokens that concern
/// them (TK-8).
Task<http::Response> introspect(const Deps& deps, http::Request& request);

/// GET /.well-known/openid-configuration and /.well-known/oauth-authorization-server.
Task<http::Response> discovery(const Deps& deps, http::Request& request,
                               std::vector<std::string> grant_types);
/// GET /.well-known/jwks.json: RSA first, with certificates.
Task<http::Response> keys(const Deps& deps, http::Request& request);
/// GET /pem, /cer, /rawpem: the RSA signing certificate (identity-wire 1.23).
Task<http::Response> certificate_pem_download(const Deps& deps, http::Request& request);
Task<http::Response> certificate_der(const Deps& deps, http::Request& request);
Task<http::Response> certificate_pem_text(const Deps& deps, http::Request& request);

/// GET /v2/logout, /logout (identity-wire 1.16).
Task<http::Response> legacy_logout(const Deps& deps, http::Request& request);
/// GET|POST /oidc/logout, OIDC RP-Initiated Logout 1.0.
Task<http::Response> oidc_logout(const Deps& deps, http::Request& request);
/// The same for a mobile service: `return_to` is one of its external_redirects, or a path of its own host.
Task<http::Response> service_logout(const Deps& deps, const http::Request& request, tenant::Here here, std::string client_id,
                                    std::string return_to);
/// POST /logout/confirm: the person said yes on our page (SE-5).
Task<http::Response> confirm_logout(const Deps& deps, http::Request& request);

}  // namespace mandate::oauth
