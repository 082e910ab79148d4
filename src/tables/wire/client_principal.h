// Who calls, as header fields for an app's own code: App Service told the code behind it so (mobile-backend-wire 4.6).
#pragma once

#include <string_view>

#include "base/json.h"
#include "identity/principal.h"
#include "tenant/tenant.h"

namespace mandate::tables::wire {

/// Whether a field, in lower case, is one of these. Code trusts them, so none that a client sends is handed on.
bool is_of_principal(std::string_view lower_name);

/// Adds X-MS-CLIENT-PRINCIPAL (base64 of {auth_typ, claims, name_typ, role_typ}), -ID, -NAME and -IDP, and
/// X-MS-TOKEN-<PROVIDER>-ACCESS-TOKEN where the caller's token carries what the provider gave. Nothing for a caller without
/// a token. Names in lower case, as Node shows them.
void add_principal(JsonObject& headers, const tenant::Service& service, const identity::Principal& principal);

}  // namespace mandate::tables::wire
