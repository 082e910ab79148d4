// What a table looks like right now, and by which names each dialect knows its columns.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/store.h"
#include "tables/odata/edm.h"
#include "tables/operations.h"

namespace mandate::tables::rules {
struct Rules;
}

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

/// What the configuration says of a column.
struct Declared {
  std::string name;
  odata::Edm edm = odata::Edm::text;
  std::shared_ptr<const odata::Meaning> meaning = nullptr;  ///< null = what its type says
  bool required = false;
  std::size_t max_length = 0;  ///< characters; of a binary, bytes; 0 = as many as fit
  store::Value usual = {};     ///< of a new row that does not say; null = nothing
  bool indexed = false;        ///< looked up or unique, alone or with others
};

struct Schema;

/// A column that holds ids of another table.
struct Relation {
  std::string name;    ///< in $expand and in rules
  std::string column;
  std::string table;   ///< of the same service
  std::shared_ptr<const Schema> target;  ///< its columns; without relations of its own
};

/// Values that no two rows have alike.
struct Unique {
  std::vector<std::string> columns;
  bool per_owner = false;  ///< of the rows of one owner, so that nobody learns what others have
};

/// Immutable snapshot; share freely between threads.
struct Schema {
  std::string physical;
  std::vector<store::ColumnSpec> columns;  ///< as the engine holds them, ours included
  bool integer_id = false, soft_delete = false;
  /// What declared columns mean beyond their type, by name in lower case.
  std::map<std::string, std::shared_ptr<const odata::Meaning>, std::less<>> meanings;
  std::map<std::string, Declared, std::less<>> declared;  ///< the columns that the configuration names, by name in lower case
  std::vector<Relation> relations;
  std::vector<Unique> uniques;
  std::string owner_column;                ///< of a per-user table
  std::shared_ptr<const rules::Rules> rules;  ///< null = none
  bool referred = false;                   ///< other tables have relations to this one
  std::uint64_t revision = 0;              ///< of the tenant's configuration it was made for
  /// The whole row as each dialect, V1 without system properties, shows it: most reads ask for just that.
  std::array<std::shared_ptr<const Projection>, 4> whole;

  /// Without case; null when there is none.
  const Relation* relation(std::string_view any_case) const;
  /// What is declared of a column; null for others.
  const Declared* declaration(std::string_view any_case) const;
  /// An app's column or "id", without case; null for ours and for what is not there.
  const store::ColumnSpec* own(std::string_view any_case) const;
  /// What `name` means in the dialect; nullopt when the table has no such column.
  std::optional<Field> resolve(Dialect dialect, std::string_view name) const;
};

/// The role that the dialect gives to a name, whatever the table has: `__version` in V1, `version` in V2; else own or id.
Role role_of(Dialect dialect, std::string_view name);

/// Name of the table in the store. A service and a table never share one with another pair.
std::string physical_name(std::string_view service, std::string_view table);

}  // namespace mandate::tables
