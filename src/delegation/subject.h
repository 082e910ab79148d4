// The token that is traded, and the person behind it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "identity/sessions.h"
#include "identity/users.h"
#include "tenant/tenants.h"

namespace mandate::delegation {

enum class SubjectKind { id_token, refresh_token, access_token };
std::string_view name(SubjectKind kind);

/// A subject that was found good for this caller; what may_issue wants to know about it is loaded.
struct Subject {
  SubjectKind kind = SubjectKind::id_token;
  std::string user_id, connection;
  std::int64_t exp = 0;  ///< seconds; 0 = a refresh token, which does not bound the new token
  std::vector<std::string> scopes;                ///< refresh and access tokens: what was granted
  JsonObject claims;     ///< id_tokens: what it carried
  std::optional<std::int64_t> user_epoch;
  std::optional<std::uint64_t> tenant_epoch;
  std::string sid;
  bool needs_session = false;
  JsonObject act, may_act;  ///< RFC 8693 §4.1, §4.4, when the subject carried them

  std::optional<identity::User> user;
  std::optional<identity::Session> session;
  bool locked = false;
};

struct SubjectRequest {
  tenant::Here here;
  const tenant::Vault& vault;
  const tenant::Client& caller;
  std::string issuer;
  SubjectKind kind;
  std::string token;
  Millis now;
};

/// Verifies the token as the caller's own (identity-wire 2.3 #6, #6b; DG-1, DG-5, DG-7): an id_token with the algorithm
/// configured for the caller, issued to it and not the result of a delegation to it, unless the caller may chain.
/// Errors: invalid_token for id and access tokens, invalid_grant for refresh tokens; the detail is fit for audit
/// ("foreign_tenant_token" when the token names another issuer).
Task<Subject> read_subject(SubjectRequest request);

/// Loads user, session and lock. A missing user is left null for the gate to refuse.
Task<void> load_person(const tenant::Here& here, const tenant::Client& caller, const identity::Users& users,
                       const identity::Sessions& sessions, Subject& subject);

}  // namespace mandate::delegation
