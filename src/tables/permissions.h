// May this caller do that to this table? Four levels, five operations, and operations that are switched off
// (mobile-backend-wire 4.7).
#pragma once

#include "identity/principal.h"
#include "identity/shown_keys.h"
#include "tables/operations.h"
#include "tenant/tenant.h"

namespace mandate::tables {

enum class Permission { everyone, application, user, admin, nobody };

/// The words public, application, user, authenticated, admin, disabled. Anything else, and nothing, is admin (DA-11).
Permission permission_of(std::string_view word);
/// Undelete is asked as insert unless the table says otherwise.
Permission permission_for(const tenant::TablePermissions& permissions, Operation operation);

using identity::KeysShown;

/// Whether a caller who proved that has the level.
bool allows(Permission permission, const KeysShown& keys, const identity::Principal& principal);

/// unauthorized in every refusal: the old SDKs look for 401. method_not_allowed: the operation is switched off, for the master
/// key too; what runs inside the service is not asked.
Result<void> check_permission(const tenant::Table& table, Operation operation, const KeysShown& keys, const identity::Principal& principal);

}  // namespace mandate::tables
