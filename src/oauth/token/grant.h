// One grant type at POST /oauth/token. Higher rooms bring more of them (delegation: token exchange).
#pragma once

#include "http/params.h"
#include "oauth/client_auth.h"
#include "tenant/tenants.h"

namespace mandate::oauth {

/// What a grant works with.
struct TokenRequest {
  const tenant::Here& here;
  const http::Request& request;
  const http::Params& params;
  const ClientAuth& client;
};

class Grant {
 public:
  virtual ~Grant() = default;
  virtual std::string_view type() const = 0;  ///< the wire name
  /// The body of the 200 answer, or the error of identity-wire 1.17.
  virtual Task<Json> grant(const TokenRequest& request) = 0;
};

}  // namespace mandate::oauth
