// What a refresh asks for, and whether it may have it: pure functions of what was loaded.
#pragma once

#include "oauth/person_tokens.h"
#include "oauth/token/grant.h"
#include "tenant/audit.h"

namespace mandate::oauth {

/// Names a request by what is in it and where it comes from: only the same one may have its answer again.
std::string refresh_fingerprint(const TokenRequest& request);

/// The scopes asked for, which may only be fewer than those of the token (OA-13): invalid_scope.
Result<std::vector<std::string>> narrowed_scopes(const RefreshToken& token, std::string_view asked);

/// The token's audience is the one asked for, and still there: invalid_target, invalid_grant.
Result<void> check_refresh_audience(const TokenRequest& request, const RefreshToken& token);

/// The gate, with everything a refresh knows. `user` is null when the person is gone.
Result<void> may_refresh(const TokenRequest& request, const RefreshToken& token, const identity::User* user,
                         const std::vector<std::string>& scopes, bool locked);

PersonGrant refreshed_tokens(const TokenRequest& request, const RefreshToken& token, const identity::User& user,
                             const identity::Session* session, const std::vector<std::string>& scopes);

tenant::Event refresh_event(const RefreshToken& token);

}  // namespace mandate::oauth
