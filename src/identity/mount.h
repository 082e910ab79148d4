// The doors of the identity room.
#pragma once

#include <span>

#include "base/log.h"
#include "base/metrics.h"
#include "http/fetch.h"
#include "http/router.h"
#include "identity/connections/connection.h"
#include "identity/password.h"
#include "identity/sessions.h"
#include "identity/users.h"
#include "store/migrate.h"
#include "tenant/rate_limit.h"
#include "tenant/tenants.h"

namespace mandate::identity {

/// Tables users, identities, logins, sessions, lockouts, provider_tokens; one of each per tenant.
extern const std::span<const store::Migration> kMigrations;

/// Everything must outlive the routes.
struct Deps {
  const tenant::Tenants& tenants;
  const Users& users;
  const Sessions& sessions;
  const Passwords& passwords;
  const Strategies& strategies;
  tenant::RateLimiter& limiter;
  const Clock& clock;
  Random& random;
  Log& log;
  Metrics& metrics;
};

/// github, oauth2 and oidc, ready for Deps::strategies. The references must outlive them.
Strategies make_strategies(http::Fetch& fetch, const tenant::Vault& vault, Random& random, const Clock& clock);

/// GET|POST /login, GET|POST /login/signup, GET /login/with, GET|POST /login/callback, GET /mobile, GET /win8,
/// POST /dbconnections/signup, GET /user/ssodata (identity-wire 1.5, 1.7, 1.1, 1.11, 1.13).
/// `post_json_login` answers a POST /login whose body is JSON: another door of another room (mobile-backend-wire 4.5).
void mount(http::Routes& routes, const Deps& deps, http::Handler post_json_login = {});

}  // namespace mandate::identity
