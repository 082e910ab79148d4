// Configuration as the store keeps it: one row per object in the tenant's own store, table `config`.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/json.h"
#include "store/migrate.h"
#include "store/store.h"

namespace mandate::tenant {

extern const std::span<const store::Migration> kMigrations;

/// Which sort of object, in the order in which changes are shown and made.
namespace kind {
inline constexpr std::string_view kState = "state";        ///< one row: the epoch; its revision is the tenant's
inline constexpr std::string_view kSettings = "settings";  ///< one row
inline constexpr std::string_view kConnection = "connection";
inline constexpr std::string_view kApi = "api";
inline constexpr std::string_view kClient = "client";
inline constexpr std::string_view kClientGrant = "client_grant";          ///< "client audience"
inline constexpr std::string_view kDelegationGrant = "delegation_grant";  ///< "source target"
inline constexpr std::string_view kService = "service";
inline constexpr std::string_view kTable = "table";    ///< "service/table", table in lower case
inline constexpr std::string_view kScript = "script";  ///< "service/table/operation"
inline constexpr std::string_view kServiceCode = "service_code";  ///< service: which version of its folder runs
inline constexpr std::string_view kRetiredKeys = "retired_keys";  ///< service: keys that were replaced and still count for a while
inline constexpr std::string_view kDepartedService = "departed_service";  ///< service: deleted, and its rows are not all gone (departed.h)
inline constexpr std::string_view kSigningKey = "signing_key";  ///< kid
inline constexpr std::string_view kTenantName = "tenant";       ///< only in the system store: the tenants of this server
}  // namespace kind

struct ObjectKey {
  std::string kind, name;
  auto operator<=>(const ObjectKey&) const = default;
};

/// `body` has no secret in it; `sealed` has them by path ("client_secret", "addons.wams.masterkey"), sealed by the vault.
struct StoredObject {
  JsonObject body;
  std::map<std::string, std::string, std::less<>> sealed;
  std::uint64_t revision = 0;
};
using Objects = std::map<ObjectKey, StoredObject>;

/// All objects, read in one look. Code::corrupt when a row is not what we wrote.
Task<Objects> load_objects(store::Store& store);
/// The objects of one kind.
Task<Objects> load_objects_of(store::Store& store, std::string kind);

store::Mutation write_object(const ObjectKey& key, const StoredObject& object);
store::Mutation remove_object(const ObjectKey& key);
/// Goes first in each batch that changes configuration: raises the tenant's revision, or fails the batch with conflict
/// when somebody else changed it meanwhile (AD-5).
store::Mutation raise_revision(std::uint64_t from);

std::uint64_t revision_of(const Objects& objects);

}  // namespace mandate::tenant
