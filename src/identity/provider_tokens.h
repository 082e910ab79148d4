// What providers gave for a person, sealed: for /.auth/me, /.auth/refresh and the identities of old scripts.
#pragma once

#include "identity/users.h"

namespace mandate::identity {

/// Keeps them, instead of what was there for this person and connection. A provider that gives no new refresh token means
/// that the old one stays good, so it stays.
Task<void> keep_provider_tokens(tenant::Here here, const tenant::Vault& vault, std::string user_id, std::string connection,
                                ProviderTokens tokens, Millis now);

/// Absent when nothing is kept. What does not open any more (another master key, another row) counts as absent.
Task<std::optional<ProviderTokens>> provider_tokens(tenant::Here here, const tenant::Vault& vault, std::string user_id,
                                                    std::string connection);

}  // namespace mandate::identity
