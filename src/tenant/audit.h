// What happened, to whom, by whom: append-only and hash-chained (KS-6).
#pragma once

#include "base/clock.h"
#include "http/request.h"
#include "store/store.h"
#include "tenant/tenants.h"

namespace mandate::tenant {

/// One event. `type` is a dotted word: login.ok, login.failed, account.locked, grant.ok, grant.refused, delegation.ok,
/// delegation.refused, token.revoked, config.changed, logout …
struct Event {
  std::string type;
  std::string client_id, user_id, target, connection;
  std::string reason;   ///< error code or check that refused; never a secret
  JsonObject details;
};

/// The row for the same batch as the effect, so that neither exists without the other.
store::Mutation audit_row(const Event& event, const http::Request& request, Millis now);

/// Files an event that has no other effect (a refusal), durable when it returns.
Task<void> audit(const Here& here, Event event, const http::Request& request, const Clock& clock);

/// Seals the rows that are not sealed yet: hash = SHA-256(previous hash ‖ row). Run about once a second.
Task<void> seal_audit(store::Store& store);

/// Walks the chain; the text names the first row that was changed, cut or put in. Empty when whole.
Task<std::string> verify_audit(store::Store& store);

}  // namespace mandate::tenant
