#include "tables/schema.h"

#include "base/url.h"

namespace mandate::tables {
namespace {

bool is_ours(std::string_view column) {
  return column == system_column::kCreated || column == system_column::kUpdated || column == system_column::kDeleted;
}

}  // namespace

Role role_of(Dialect dialect, std::string_view name) {
  if (iequals(name, "id")) return Role::id;
  if (dialect == Dialect::v1) {
    if (!name.starts_with("__")) return Role::own;
    name.remove_prefix(2);
  }
  if (iequals(name, "createdAt")) return Role::created;
  if (iequals(name, "updatedAt")) return Role::updated;
  if (iequals(name, "version")) return Role::version;
  if (iequals(name, "deleted")) return Role::deleted;
  return Role::own;
}

const store::ColumnSpec* Schema::own(std::string_view any_case) const {
  for (const store::ColumnSpec& column : columns)
    if (!is_ours(column.name) && iequals(column.name, any_case)) return &column;
  return nullptr;
}

const Relation* Schema::relation(std::string_view any_case) const {
  for (const Relation& each : relations)
    if (iequals(each.name, any_case)) return &each;
  return nullptr;
}

const Declared* Schema::declaration(std::string_view any_case) const {
  if (declared.empty()) return nullptr;
  const auto found = declared.find(ascii_lower(any_case));
  return found == declared.end() ? nullptr : &found->second;
}

std::optional<Field> Schema::resolve(Dialect dialect, std::string_view name) const {
  const Role role = role_of(dialect, name);
  // Integer-id tables of V1 never had system properties.
  const bool has_system = dialect != Dialect::v1 || !integer_id;
  switch (role) {
    case Role::id: return Field{std::string(system_column::kId), integer_id ? store::Type::integer : store::Type::text, role};
    case Role::created:
      if (has_system) return Field{std::string(system_column::kCreated), store::Type::date, role};
      return std::nullopt;
    case Role::updated:
      if (has_system) return Field{std::string(system_column::kUpdated), store::Type::date, role};
      return std::nullopt;
    case Role::version:
      if (has_system) return Field{std::string(system_column::kUpdated), store::Type::integer, role};
      return std::nullopt;
    case Role::deleted:
      if (has_system && (soft_delete || is_datasync(dialect))) return Field{std::string(system_column::kDeleted), store::Type::boolean, role};
      return std::nullopt;
    case Role::own: break;
  }
  const store::ColumnSpec* column = own(name);
  if (!column) return std::nullopt;
  const auto meaning = meanings.find(ascii_lower(column->name));
  return Field{column->name, column->type, Role::own, meaning == meanings.end() ? nullptr : meaning->second};
}

std::string physical_name(std::string_view service, std::string_view table) {
  // In the service's part "_" is always followed by a letter, so the first "__" is the border.
  std::string out = "t_";
  constexpr std::string_view kHex = "0123456789abcdef";
  for (const char c : service) {
    const auto byte = static_cast<unsigned char>(c);
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      out += c;
    } else if (c == '_') {
      out += "_u";
    } else {
      out += "_x";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out + "__" + ascii_lower(table);
}

}  // namespace mandate::tables
