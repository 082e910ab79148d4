// What never changes of a grant, and what was so of its session the last time anybody looked: enough to use a refresh token
// up in one transaction that asks the database itself whether all of it still holds.
#pragma once

#include <optional>

#include "oauth/issuer.h"

namespace mandate::oauth {

struct RememberedGrant {
  RefreshToken token;          ///< used_at and expires_at are not part of it
  bool session_lives = false;  ///< then the id_token tells of it
  Millis auth_time = 0;
  std::vector<std::string> amr;
};

/// `session`: the living one the grant came from; null when there is none, or no more.
RememberedGrant remember(RefreshToken token, const identity::Session* session);

/// The spelling in a token's row; the family stands beside it.
std::string to_text(const RememberedGrant& grant);
/// Absent for a text that is none of ours.
std::optional<RememberedGrant> remembered_grant(std::string_view family, std::string_view text);

/// The session as far as an id_token tells of it; absent when it did not live.
std::optional<identity::Session> session_of(const RememberedGrant& grant);

/// Lets the batch through only while the session stands as remembered; `otherwise` is invalid_grant.
void expect_session(store::Batch& batch, const tenant::Here& here, const RememberedGrant& grant, const identity::User& user, Millis now);

}  // namespace mandate::oauth
