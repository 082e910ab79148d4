// What people allowed to clients that are not the tenant's own.
#pragma once

#include "oauth/authorize/asked.h"

namespace mandate::oauth {

/// Scopes the person allowed this client at this audience; nullopt when never asked.
Task<std::optional<std::vector<std::string>>> consented(const Asked& asked, std::string user_id);
/// First-party clients need none unless they ask for it with prompt=consent.
bool needs_consent(const Asked& asked, const std::optional<std::vector<std::string>>& given);
/// Adds the scopes of `asked` to what was allowed before.
Task<void> record_consent(const Asked& asked, std::string user_id, Millis now);

}  // namespace mandate::oauth
