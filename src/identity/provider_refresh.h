// Asking a provider anew for what it gave at a login, one request at a time for each login: providers that rotate refresh
// tokens take a second use of the old one for theft and end the login (RFC 9700 section 4.14.2).
#pragma once

#include "base/random.h"
#include "identity/connections/connection.h"
#include "identity/provider_tokens.h"

namespace mandate::identity {

/// What a refresh needs; references outlive the call.
struct ProviderRefresh {
  tenant::Here here;
  const tenant::Vault& vault;
  const Clock& clock;
  const Strategy* strategy = nullptr;  ///< of the connection; null: this server has none
  const tenant::Connection& connection;
  std::string user_id;
  std::string whose;                   ///< another random text for each request
  Deadline deadline = kNoDeadline;     ///< until then it waits for another request that asks already, and for the provider
};

/// Asks the provider and keeps its answer. Who comes while another request or node asks for the same login waits for its
/// outcome: a success counts for both, after a refusal the provider is asked again.
/// invalid_grant: the provider takes the login no longer; request_not_supported: nothing is kept to ask with, or it gives
/// no refresh; timeout: the other request did not end in time; else what the provider or the store failed with. Any loop.
Task<void> refresh_provider_tokens(ProviderRefresh asked);

}  // namespace mandate::identity
