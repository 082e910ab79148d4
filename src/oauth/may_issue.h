// The one gate: no token leaves the house except through it (design rule 1 of security 0.3).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "identity/sessions.h"
#include "identity/users.h"
#include "tenant/tenant.h"

namespace mandate::oauth {

/// Everything the decision looks at, loaded beforehand. Null = plays no part in this grant.
struct Issue {
  const tenant::Tenant* tenant = nullptr;
  const tenant::Client* client = nullptr;
  std::string_view grant;  ///< a grant type's wire name, or "implicit"
  const identity::User* user = nullptr;
  bool needs_user = false;      ///< then a null user is refused as deleted
  std::string_view connection;  ///< the one the person came through
  const identity::Session* session = nullptr;
  bool needs_session = false;
  std::optional<std::int64_t>
      user_epoch;  ///< of the source (session, code, refresh token); older than the user's = void
  std::optional<std::uint64_t> tenant_epoch;      ///< of the source
  const tenant::Client* target_client = nullptr;  ///< delegation
  const tenant::Api* target_api = nullptr;
  std::vector<std::string> scopes;  ///< asked for
  std::string_view device;
  bool locked = false;  ///< by AC-4
};

/// Pure. Success, or the first reason against, in this order: tenant, client enabled, grant allowed,
/// connection, user, lock, epochs, session, target, scopes. The detail names the check for audit and explain.
Result<void> may_issue(const Issue& issue);

}  // namespace mandate::oauth
