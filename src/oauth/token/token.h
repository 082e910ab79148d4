// POST /oauth/token (identity-wire 1.17, RFC 6749 §3.2).
#pragma once

#include <map>
#include <memory>

#include "oauth/deps.h"
#include "oauth/token/grant.h"

namespace mandate::oauth {

/// The endpoint with the grants it knows. Immutable after construction, shared by all loops.
class TokenEndpoint {
 public:
  TokenEndpoint(const Deps& deps, std::vector<std::unique_ptr<Grant>> grants);
  Task<http::Response> answer(http::Request& request) const;
  std::vector<std::string> grant_types() const;

 private:
  Task<Json> grant(const tenant::Here& here, const http::Request& request, const http::Params& params) const;
  Task<void> audit_refusal(const tenant::Here& here, const http::Request& request, const http::Params& params,
                           Error error) const;

  struct Known {
    std::unique_ptr<Grant> grant;
    Counter* given;
    Counter* refused;
  };
  Deps deps_;
  std::map<std::string, Known, std::less<>> grants_;
  Counter& unknown_;
};

}  // namespace mandate::oauth
