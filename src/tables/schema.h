// What a table looks like right now, and by which names each dialect knows its columns.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "store/store.h"
#include "tables/odata/edm.h"
#include "tables/operations.h"

namespace mandate::tables {

/// The columns we keep for the app. "__" in front keeps them apart from anything an app may name itself.
namespace system_column {
inline constexpr std::string_view kId = "id";
inline constexpr std::string_view kCreated = "__createdAt";
inline constexpr std::string_view kUpdated = "__updatedAt";  ///< also the version: the row's stamp
inline constexpr std::string_view kDeleted = "__deleted";
}  // namespace system_column

struct Projection;

enum class Role { own, id, created, updated, version, deleted };

/// A column as one dialect sees it.
struct Field {
  std::string column;   ///< in the store
  store::Type type = store::Type::text;
  Role role = Role::own;
  std::shared_ptr<const odata::Meaning> meaning = nullptr;  ///< of a declared column; null = what its type says
};

/// Immutable snapshot; share freely between threads.
struct Schema {
  std::string physical;
  std::vector<store::ColumnSpec> columns;  ///< as the engine holds them, ours included
  bool integer_id = false, soft_delete = false;
  /// What declared columns mean beyond their type, by name in lower case.
  std::map<std::string, std::shared_ptr<const odata::Meaning>, std::less<>> meanings;
  std::set<std::string, std::less<>> declared;  ///< lower-case names of the columns that the configuration names
  std::uint64_t revision = 0;              ///< of the tenant's configuration it was made for
  /// The whole row as each dialect, V1 without system properties, shows it: most reads ask for just that.
  std::array<std::shared_ptr<const Projection>, 4> whole;

  /// An app's column or "id", without case; null for ours and for what is not there.
  const store::ColumnSpec* own(std::string_view any_case) const;
  /// What `name` means in the dialect; nullopt when the table has no such column.
  std::optional<Field> resolve(Dialect dialect, std::string_view name) const;
};

/// The role that the dialect gives to a name, whatever the table has: `__version` in V1, `version` in V2; else own or id.
Role role_of(Dialect dialect, std::string_view name);

/// Name of the table in the store. A service and a table never share one with another pair.
std::string physical_name(std::string_view service, std::string_view table);

/// string, number, boolean, datetime (also date), json; nullopt for anything else.
std::optional<store::Type> declared_type(std::string_view word);

}  // namespace mandate::tables
