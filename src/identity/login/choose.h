// Which way a person may log in: none named, show all; one named, go straight there.
#pragma once

#include <string_view>
#include <vector>

#include "identity/connections/connection.h"
#include "tenant/tenant.h"

namespace mandate::identity {

/// `straight` set: go there without asking. Else show `offered`, in name order, databases first.
struct Choice {
  const tenant::Connection* straight = nullptr;
  std::vector<const tenant::Connection*> offered;
};

/// Pure. `named` is the request's `connection`: a name, or a strategy when exactly one enabled connection of the client
/// has it; empty = none named. A database, also when named, is `offered` alone: it asks on our page. Exactly one enabled
/// connection that is no database: straight there (identity-wire 1.5).
/// invalid_request "the connection was not found": unknown, disabled, not this client's, or none at all. Also for
/// oauth/authorize, which answers that before it starts a login.
Result<Choice> choose(const tenant::Tenant& tenant, const tenant::Client& client, std::string_view named);

}  // namespace mandate::identity
