// Tokens that are void before their time. A JWT needs no row to live, only one to die.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "store/store.h"

namespace mandate::oauth {

/// Longest life of an access token; a revocation is kept for so long.
inline constexpr Millis kLongestAccessToken = 30LL * 86'400'000;

namespace revoked {
std::string jti(std::string_view id);
std::string grant(std::string_view grant_id);
std::string sid(std::string_view sid);
}  // namespace revoked

/// Files the id as void until `until`.
store::Mutation revoke(std::string id, Millis until);
/// True when any of the ids is void.
Task<bool> any_revoked(store::Store& store, std::vector<std::string> ids);
/// True when the JWT with these claims is void: itself, its grant or its session.
Task<bool> claims_revoked(store::Store& store, std::shared_ptr<const JsonObject> claims);
/// The ids under which a JWT with these claims could be void.
std::vector<std::string> ids_of(const JsonObject& claims);

/// Everything one login gave to one client: its refresh family, its opaque access tokens, its JWTs at our own
/// doors.
void revoke_grant(store::Batch& batch, std::string_view grant_id, Millis now);
/// Everything given under a session, refresh families with offline consent excepted (SE-5).
Task<void> revoke_session(store::Store& store, std::string sid, Millis now);

/// Removes what can no longer matter; run now and then.
std::vector<store::Mutation> sweep_tokens(Millis now);

}  // namespace mandate::oauth
