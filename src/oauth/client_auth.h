// Which client is asking, and did it prove it.
#pragma once

#include "http/params.h"
#include "tenant/tenants.h"

namespace mandate::oauth {

struct ClientAuth {
  const tenant::Client* client = nullptr;
  bool proved = false;  ///< by a secret; false for public clients, which have nothing to prove
  bool basic = false;   ///< tried by HTTP Basic: a refusal then carries WWW-Authenticate
};

/// client_secret_basic, client_secret_post or none. invalid_client: unknown, wrong or missing secret, expired
/// rotation; invalid_request: two methods at once (OA-12). Confidential clients must prove themselves.
Result<ClientAuth> authenticate_client(const tenant::Tenant& tenant, const http::Request& request,
                                       const http::Params& params, Millis now);

/// The client_id of a Basic Authorization header, unproved; empty when there is none.
std::string basic_client_id(const http::Request& request);

}  // namespace mandate::oauth
