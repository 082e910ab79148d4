#include "identity/connections/connection.h"

#include "identity/connections/github.h"
#include "identity/connections/oauth2.h"
#include "identity/mount.h"

namespace mandate::identity {

Strategies make_strategies(http::Fetch& fetch, const tenant::Vault& vault, Random& random) {
  Strategies all;
  all.add("oauth2", std::make_shared<OAuth2>(fetch, vault, random));
  all.add("github", std::make_shared<GitHub>(fetch, vault, random));
  return all;
}

}  // namespace mandate::identity
