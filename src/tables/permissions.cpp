#include "tables/permissions.h"

namespace mandate::tables {

Permission permission_of(std::string_view word) {
  if (word == "public") return Permission::everyone;
  if (word == "application") return Permission::application;
  if (word == "user" || word == "authenticated") return Permission::user;
  if (word == "disabled") return Permission::nobody;
  return Permission::admin;
}

Permission permission_for(const tenant::TablePermissions& permissions, Operation operation) {
  switch (operation) {
    case Operation::read: return permission_of(permissions.read);
    case Operation::insert: return permission_of(permissions.insert);
    case Operation::update: return permission_of(permissions.update);
    case Operation::remove: return permission_of(permissions.remove);
    case Operation::undelete: return permission_of(permissions.undelete.empty() ? permissions.insert : permissions.undelete);
  }
  return Permission::admin;
}

bool allows(Permission permission, const KeysShown& keys, const identity::Principal& principal) {
  const bool admin = keys.master || principal.level == identity::Level::admin;
  switch (permission) {
    case Permission::everyone: return true;
    case Permission::application: return admin || keys.application;
    case Permission::user: return admin || !principal.user_id.empty();
    case Permission::admin: return admin;
    case Permission::nobody: return false;
  }
  return false;
}

Result<void> check_permission(const tenant::Table& table, Operation operation, const KeysShown& keys, const identity::Principal& principal) {
  const Permission needed = permission_for(table.permissions, operation);
  if (needed == Permission::nobody) return Error(Code::method_not_allowed, "Method " + std::string(name(operation)) + " is not allowed");
  if (!allows(needed, keys, principal)) return Error(Code::unauthorized, "Unauthorized", "permission for " + std::string(name(operation)));
  return {};
}

}  // namespace mandate::tables
