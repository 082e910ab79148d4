// The doors of the push room.
#pragma once

#include <functional>
#include <span>

#include "base/log.h"
#include "base/metrics.h"
#include "http/fetch.h"
#include "http/router.h"
#include "identity/bearer.h"
#include "push/registrations.h"
#include "store/migrate.h"
#include "tenant/rate_limit.h"

namespace mandate::push {

/// Tables push_registrations, push_tags, push_sends, push_deliveries, push_feedback.
extern const std::span<const store::Migration> kMigrations;

/// The service's own word on a registration or an installation (extensions/push.js): gives the tags it shall have.
/// `registration` is what the device sent, its tags complete; an installation has "deviceId" beside its "pushChannel". The tags
/// are checked as a device's own. An Error refuses; its hint is the answer's text.
using OnRegister = std::function<Task<std::vector<std::string>>(tenant::Here here, const tenant::Service* service,
                                                                identity::Principal who, JsonObject registration)>;

/// Everything must outlive the routes.
struct Deps {
  const tenant::Tenants& tenants;
  identity::Bearers& bearers;
  Registrations& registrations;
  http::Fetch& fetch;  ///< says whether a browser's push service may be called
  tenant::RateLimiter& limiter;
  Log& log;
  Metrics& metrics;
  OnRegister on_register = {};
  const Clock* clock = nullptr;  ///< null: keys that a rotation replaced prove nothing
};

/// V1 (mobile-backend-wire 7.1): /push/registrationids and /push/registrations. V2 (7.3): /push/installations/{id}.
/// GET /push/webpush/key: the applicationServerKey of browsers (RFC 8292), 404 where there is none.
void mount(http::Routes& routes, const Deps& deps);

}  // namespace mandate::push
