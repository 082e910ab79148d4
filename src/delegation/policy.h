// Which target and type a delegation means, and who may call whom. Pure functions of the tenant's configuration
// (identity-wire 2.2, 2.4). Both doors ask here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tenant/tenant.h"

namespace mandate::delegation {

inline constexpr std::string_view kApp = "app";
inline constexpr std::string_view kWams = "wams";

/// Add-ons that can be delegated to, in the order of identity-wire 2.2 #3.
inline constexpr std::string_view kAddonOrder[] = {kWams};

/// What the caller asked for, resolved.
struct Target {
  std::string id;                          ///< client id as asked, for the answer and the audit row
  const tenant::Client* client = nullptr;  ///< null: unknown in this tenant
  std::string_view type;                   ///< "app" or an add-on of kAddonOrder
  bool several = false;                    ///< chosen among more than one active add-on: worth a warning
};

/// Rules 2.2 #1 … #5. An empty `target` or `api_type` counts as absent. invalid_request for an api_type
/// we do not know beside a target. An unknown target is no error here: it gets the one refusal later (DG-2).
Result<Target> resolve_target(const tenant::Tenant& tenant, const tenant::Client& caller, std::string_view target,
                              std::string_view api_type);

/// The line that lets `caller` come to the target, or why none does.
struct Verdict {
  bool allowed = false;
  std::string why;                   ///< one sentence for audit and explain
  bool own_line = false;             ///< a line of delegation_grants, not the projection of allowed_clients
  std::vector<std::string> scopes;   ///< empty = no limit
  std::int64_t max_lifetime = 0;     ///< seconds; 0 = the target's
  bool outlives_subject = false;     ///< an explicit line with lifetime_rule "target"
};

/// `subject_kind`: id_token, refresh_token or access_token. Lines of delegation_grants come first, in order; then renewal for
/// oneself; then the target's allowed_clients. Third-party clients must be named.
Verdict may_delegate(const tenant::Tenant& tenant, const tenant::Client& caller, const Target& target, std::string_view subject_kind);

/// True when the add-on is switched on at the target; "app" always is.
bool addon_on(const tenant::Client& target, std::string_view type);

/// The one refusal for unknown, disabled, switched off and not allowed: same code, same words (DG-2).
Error not_allowed(std::string_view caller, std::string_view target, std::string why);

/// Seconds the new token may live: the sooner of the target's lifetime, the line's, and the end of the subject
/// (`subject_left`; 0 = no end), unless the line says "target" (DG-8). A subject is honoured for a minute past its exp; so is
/// what it gave, when that makes a whole lifetime (at most a hundredth of it): old SDKs trade a token seconds after the login and expect 36000.
/// `strict` takes that minute away and ignores the line (RFC 8693 door).
std::int64_t lifetime(std::int64_t target_lifetime, const Verdict& verdict, std::int64_t subject_left, bool strict);

}  // namespace mandate::delegation
