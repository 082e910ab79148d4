#include "oauth/scopes.h"

#include <algorithm>
#include <array>

#include "base/url.h"

namespace mandate::oauth {

std::vector<std::string> scopes_of(std::string_view text) {
  std::string blanks(text);
  std::ranges::replace_if(blanks, [](char c) { return c == '+' || c == '\t'; }, ' ');
  std::vector<std::string> out;
  for (std::string& word : split(blanks, ' '))
    if (!has_scope(out, word)) out.push_back(std::move(word));
  return out;
}

std::string join(const std::vector<std::string>& scopes) {
  std::string out;
  for (const std::string& scope : scopes) {
    if (!out.empty()) out += ' ';
    out += scope;
  }
  return out;
}

bool has_scope(const std::vector<std::string>& scopes, std::string_view scope) {
  return std::ranges::find(scopes, scope) != scopes.end();
}

bool is_identity_scope(std::string_view scope) {
  static constexpr std::array<std::string_view, 6> kIdentity = {"openid", "profile", "email",
                                                                "phone",  "address", "offline_access"};
  return std::ranges::find(kIdentity, scope) != kIdentity.end();
}

std::vector<std::string> grantable_scopes(const std::vector<std::string>& asked, const tenant::Client& client,
                                          const tenant::Api* api) {
  std::vector<std::string> out;
  for (const std::string& scope : asked) {
    if (scope == "offline_access") {
      if (client.allows(tenant::grant::kRefreshToken) && (!api || api->allow_offline_access))
        out.push_back(scope);
    } else if (is_identity_scope(scope) || (!api && !client.oidc_conformant) ||
               (api && has_scope(api->scopes, scope))) {
      out.push_back(scope);
    }
  }
  return out;
}

}  // namespace mandate::oauth
