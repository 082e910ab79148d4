// The authorization code: what it stands for until it is taken, 60 seconds at most, once (OA-7).
#pragma once

#include "store/single_use.h"

namespace mandate::oauth {

inline constexpr store::Kind kCodeKind = "code";
/// Filed when a code is taken, under the code's own handle: a second use finds it and knows what to revoke.
inline constexpr store::Kind kSpentCodeKind = "code.spent";
inline constexpr Millis kCodeLifetime = 60'000;
inline constexpr Millis kSpentCodeLifetime = 24 * 3'600'000;

struct AuthorizationCode {
  std::string client_id, redirect_uri, user_id, sid, connection, audience, nonce, code_challenge, device,
      grant_id;
  std::vector<std::string> scopes;
  bool redirect_uri_given = true, offline_consent = false;
  Millis auth_time = 0;
  std::int64_t user_epoch = 0;
  std::uint64_t tenant_epoch = 0;

  JsonObject to_json() const;
  static AuthorizationCode from_json(const JsonObject& object);
};

}  // namespace mandate::oauth
