#include "identity/connections/connection.h"

#include "identity/connections/github.h"
#include "identity/connections/oauth2.h"
#include "identity/connections/oidc.h"
#include "identity/mount.h"

namespace mandate::identity {

Task<Profile> Strategy::verify(tenant::Here, const tenant::Connection&, JsonObject, Deadline) const {
  co_return Error(Code::access_denied, "This provider's tokens are not taken.", "strategy has no client flow");
}

Task<ProviderTokens> Strategy::refresh(tenant::Here, const tenant::Connection&, std::string, Deadline) const {
  co_return Error(Code::request_not_supported, "The provider has no refresh tokens.", "strategy has no refresh");
}

Strategies make_strategies(http::Fetch& fetch, const tenant::Vault& vault, Random& random, const Clock& clock) {
  Strategies all;
  all.add("oauth2", std::make_shared<OAuth2>(fetch, vault, random, clock));
  all.add("github", std::make_shared<GitHub>(fetch, vault, random, clock));
  all.add("oidc", std::make_shared<Oidc>(fetch, vault, random, clock));
  return all;
}

}  // namespace mandate::identity
