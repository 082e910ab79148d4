// GitHub: a preset over the generic OAuth 2.0 connection.
#pragma once

#include "identity/connections/oauth2.h"

namespace mandate::identity {

/// Strategy "github". Options: client_id, client_secret (sealed), scope; authorization_url, token_url, profile_url and
/// emails_url for GitHub Enterprise Server and tests. user_id is github|{number}. Only an address that GitHub calls
/// verified counts as verified; the primary one comes first.
class GitHub final : public OAuth2 {
 public:
  using OAuth2::OAuth2;

 protected:
  Result<OAuth2Settings> settings(const tenant::Connection& connection) const override;
  Task<void> check_audience(OAuth2Settings settings, std::string access_token, Deadline deadline) const override;
  Task<Profile> fetch_profile(OAuth2Settings settings, std::string access_token, Deadline deadline) const override;
};

}  // namespace mandate::identity
