// What the room works with; comes in from above.
#pragma once

#include "base/cpu_pool.h"
#include "base/log.h"
#include "base/metrics.h"
#include "identity/password.h"
#include "identity/sessions.h"
#include "identity/users.h"
#include "tenant/rate_limit.h"
#include "tenant/tenants.h"

namespace mandate::oauth {

class GrantMemory;

/// Requests per minute and key.
struct Rates {
  int token = 6000;    ///< /oauth/token, /oauth/revoke, /oauth/introspect: per client and address
  int ro = 600;        ///< /oauth/ro: per client and address
  int authorize = 300; ///< logins begun at /authorize: per address
  int userinfo = 600;  ///< /userinfo, /tokeninfo: per address
};

/// Everything referred to must outlive the routes.
struct Deps {
  const tenant::Tenants& tenants;
  const identity::Users& users;
  const identity::Sessions& sessions;
  const identity::Passwords& passwords;
  tenant::RateLimiter& limiter;
  CpuPool& pool;  ///< RSA private keys
  const Clock& clock;
  Random& random;
  Log& log;
  Metrics& metrics;
  Rates rates;
  /// What the next use of a refresh token needs not read; mount() makes one where there is none.
  std::shared_ptr<GrantMemory> grants = nullptr;
};

}  // namespace mandate::oauth
