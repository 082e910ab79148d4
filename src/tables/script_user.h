// Who calls, as scripts see it (mobile-backend-wire 4.8).
#pragma once

#include <string>

#include "identity/principal.h"

namespace mandate::tables {

/// {"level","identities","userId"?} of scripts/table_protocol.h.
void append_script_user(std::string& out, const identity::Principal& who);

}  // namespace mandate::tables
