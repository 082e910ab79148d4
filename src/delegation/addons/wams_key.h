// Keys of wams add-ons and the two forms of the token they sign (identity-wire 2.8).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "jose/jwk.h"
#include "tenant/tenants.h"

namespace mandate::delegation {

/// The master key an add-on signs with: its own, or the one of the mobile service it names ("service", default "default").
/// invalid_request naming what is missing; Code::corrupt when it does not unseal.
Result<Secret> wams_master_key(const tenant::Tenant& tenant, const tenant::Client& target, const tenant::Vault& vault);

/// Keys its tokens verify with: current, then previous. Empty when none opens.
std::vector<jose::Key> wams_verifying_keys(const tenant::Tenant& tenant, const tenant::Client& target, const tenant::Vault& vault);

inline constexpr std::string_view kWamsHeader = R"({"typ":"JWT","alg":"HS256","kid":"0"})";

struct WamsToken {
  std::string_view issuer, target, user_id;
  std::int64_t iat = 0, exp = 0;
};
/// The claims in the published order: the zumo form, or the original one of Auth0 when the setting `claims` is "auth0".
JsonObject wams_claims(const JsonObject& settings, const WamsToken& token);

}  // namespace mandate::delegation
