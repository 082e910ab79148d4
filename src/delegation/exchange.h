// Trades the user's token for one that the target accepts, so that the identity flows on.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "delegation/addons/addon.h"
#include "delegation/mount.h"
#include "delegation/policy.h"
#include "delegation/subject.h"
#include "oauth/may_issue.h"

namespace mandate::delegation {

/// What either door asks for. The references live as long as the request.
struct ExchangeRequest {
  const tenant::Here& here;
  const http::Request& request;
  const tenant::Client& caller;
  std::string_view door;   ///< "auth0" or "rfc8693": for audit and metrics
  std::string_view grant;  ///< what the gate must allow: a legacy delegation grant or token exchange
  SubjectKind kind = SubjectKind::id_token;
  std::string subject_token{};
  std::string target{}, api_type{};       ///< empty = absent
  std::vector<std::string> scopes{};      ///< as asked; empty or "passthrough" = as the subject had
  bool strict_lifetime = false;           ///< never beyond the subject, whatever the line says (identity-wire 3.1)
};

struct Exchanged {
  std::string token;
  std::string_view type;    ///< "app" or the add-on
  std::string target;
  std::int64_t expires_in = 0;
  std::vector<std::string> scopes;        ///< what of the asked ones was given
};

/// An answer with the bucket's state, which the legacy door shows in good and bad answers alike.
struct Outcome {
  Result<Exchanged> result;
  tenant::RateLimiter::Answer rate;
};

/// Refusals of one address before anybody is known, at the door that asks for no secret: each would be a row of the
/// audit, so that beyond these there are answers only.
inline constexpr int kRefusalsPerMinute = 600;
inline constexpr std::string_view kTooMany =
    "Too many requests. Check the X-RateLimit-Limit, X-RateLimit-Remaining and X-RateLimit-Reset headers.";

/// Thread-safe. Every grant and every refusal leaves one audit row, the grant's before its token leaves (KS-6).
class Exchange {
 public:
  explicit Exchange(const Deps& deps);

  /// The checks of identity-wire 2.3 from #5 on, in order.
  /// Errors: unauthorized_client (switched off for tenant or client), invalid_token, invalid_grant, unauthorized (blocked),
  ///         access_denied (target unknown, disabled, off or not allowed: one answer), invalid_request, too_many_requests.
  Task<Outcome> run(const ExchangeRequest& request);

  /// Files a refusal that came before run().
  Task<void> refused(const tenant::Here& here, const http::Request& request, std::string client_id, std::string target,
                     std::string_view door, Error error);

  const Addon& addon(std::string_view type) const { return *addons_.at(type); }
  const Deps& deps() const { return deps_; }

 private:
  Task<Exchanged> checked(const ExchangeRequest& request, Subject& subject, tenant::RateLimiter::Answer& rate);
  Task<Exchanged> issue(const ExchangeRequest& request, const Subject& subject, const Target& target, const Verdict& verdict);
  void count(std::string_view door, bool granted);

  Deps deps_;
  std::map<std::string_view, std::unique_ptr<Addon>, std::less<>> addons_;
  Counter &legacy_ok_, &legacy_refused_, &modern_ok_, &modern_refused_;
};

/// The scopes a person's subject may be traded with: what was asked, within what the subject has and the line allows (DG-6).
struct Scopes {
  std::vector<std::string> granted;
  bool passthrough = false;
};
Scopes cut_scopes(const std::vector<std::string>& asked, const Subject& subject, const tenant::Client& caller, const Verdict& verdict);

/// What the gate looks at, complete but for the target.
oauth::Issue gate_of(const ExchangeRequest& request, const Subject* subject);

}  // namespace mandate::delegation
