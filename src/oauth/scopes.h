// What a scope parameter asks for, and what of it is given.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tenant/tenant.h"

namespace mandate::oauth {

/// Words of a scope parameter in order, each once. '+' that survived decoding separates too
/// (identity-wire 1.1).
std::vector<std::string> scopes_of(std::string_view text);
std::string join(const std::vector<std::string>& scopes);
bool has_scope(const std::vector<std::string>& scopes, std::string_view scope);

/// openid, profile, email, phone, address, offline_access: about the person, of no API.
bool is_identity_scope(std::string_view scope);

/// What of `asked` a person's client may have. With an API: its scopes and the identity scopes;
/// offline_access only when the API allows it and the client may refresh. Unknown ones are left out
/// (identity-wire 0.3 #11). Without an API a legacy client keeps attribute names (4.3: "openid name email")
/// and a conformant one the identity scopes.
std::vector<std::string> grantable_scopes(const std::vector<std::string>& asked, const tenant::Client& client,
                                          const tenant::Api* api);

}  // namespace mandate::oauth
