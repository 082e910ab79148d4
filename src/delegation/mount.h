// The doors of the delegation room.
#pragma once

#include <memory>

#include "base/cpu_pool.h"
#include "base/log.h"
#include "base/metrics.h"
#include "http/router.h"
#include "identity/sessions.h"
#include "identity/users.h"
#include "oauth/token/grant.h"
#include "tenant/rate_limit.h"
#include "tenant/tenants.h"

namespace mandate::delegation {

/// Everything referred to must outlive the routes and the grant.
struct Deps {
  const tenant::Tenants& tenants;
  const identity::Users& users;
  const identity::Sessions& sessions;
  tenant::RateLimiter& limiter;
  CpuPool& pool;  ///< RSA private keys
  const Clock& clock;
  Log& log;
  Metrics& metrics;
  int per_minute = 10;  ///< delegations per address and user, both doors together (DG-11)
};

/// POST and OPTIONS /delegation; GET for JSONP, which answers 405 without a callback or when the client has it off
/// (identity-wire 2).
void mount(http::Routes& routes, const Deps& deps);

/// urn:ietf:params:oauth:grant-type:token-exchange for oauth's token endpoint (identity-wire 3.1).
std::unique_ptr<oauth::Grant> make_token_exchange_grant(const Deps& deps);

/// Every check of a delegation with its verdict, without doing it; for the owner's command line.
/// `user`: a user_id, or a login name of a database connection; empty = leave the person out.
///   {"allowed":bool,"client":…,"target":…,"api_type":…,"user":…,"lifetime_in_seconds":…,
///    "checks":[{"check":"tenant","ok":true,"detail":"…"},…]}
Task<Json> explain(const Deps& deps, tenant::Here here, std::string client, std::string target, std::string user,
                   std::string api_type = {});

}  // namespace mandate::delegation
