#include "tables/script_dates.h"

#include <algorithm>

#include "base/url.h"
#include "tables/fit.h"
#include "tables/schema.h"

namespace mandate::tables {
namespace {

std::string_view key_of(const JsonObject::value_type& member) { return {member.key().data(), member.key().size()}; }

/// YYYY-MM-DDT… or /Date(…: quickly said of what is neither.
bool looks_like_date(const Json& value) {
  if (!value.is_string()) return false;
  const std::string_view text = view(value.get_string());
  return (text.size() >= 17 && text[4] == '-' && text[7] == '-' && text[10] == 'T') || text.starts_with("/Date(");
}

const store::Type* type_of(const ColumnTypes& columns, std::string_view name) {
  const auto found = std::ranges::find_if(columns, [&](const auto& each) { return iequals(each.first, name); });
  return found == columns.end() ? nullptr : &found->second;
}

bool is_stamp(Dialect dialect, std::string_view name) {
  const Role role = role_of(dialect, name);
  return role == Role::created || role == Role::updated;
}

bool is_date(const ColumnTypes& columns, Dialect dialect, std::string_view name) {
  const store::Type* type = type_of(columns, name);
  return type ? *type == store::Type::date : is_stamp(dialect, name);
}

/// As storage would take it: a date column any moment, a new column what would make it one.
std::optional<Millis> moment_of(const Json& value, const store::Type* type, Dialect dialect) {
  if (!type) return date_of(view(value.get_string()), dialect);
  if (*type != store::Type::date) return std::nullopt;
  const Result<store::Value> converted = convert(value, store::Type::date);
  const Millis* ms = converted.ok() ? std::get_if<Millis>(&*converted) : nullptr;
  return ms ? std::optional(*ms) : std::nullopt;
}

}  // namespace

bool may_have_dates(const JsonObject& item) {
  return std::ranges::any_of(item, [](const auto& member) { return looks_like_date(member.value()); });
}

JsonObject dates_of_item(const JsonObject& item, const ColumnTypes& columns, Dialect dialect) {
  JsonObject out;
  for (const auto& member : item) {
    if (!looks_like_date(member.value()) || iequals(key_of(member), "id")) continue;
    if (const auto ms = moment_of(member.value(), type_of(columns, key_of(member)), dialect)) out[key_of(member)] = *ms;
  }
  return out;
}

JsonArray dates_of_row(const JsonObject& row, const ColumnTypes& columns, Dialect dialect) {
  JsonArray out;
  for (const auto& member : row)
    if (member.value().is_string() && is_date(columns, dialect, key_of(member))) out.emplace_back(key_of(member));
  return out;
}

JsonArray dates_of_rows(const ColumnTypes& columns, const std::vector<std::string>& selected, Dialect dialect) {
  JsonArray out;
  const auto add = [&](std::string_view name) {
    if (is_date(columns, dialect, name) && std::ranges::none_of(out, [&](const Json& known) { return view(known.get_string()) == name; })) out.emplace_back(name);
  };
  const bool whole = selected.empty() || std::ranges::find(selected, "*") != selected.end();
  const bool v1 = dialect == Dialect::v1;
  // V1 shows those that are asked for beside what is selected.
  if (whole || v1) add(v1 ? "__createdAt" : "createdAt"), add(v1 ? "__updatedAt" : "updatedAt");
  if (whole)
    for (const auto& [name, type] : columns) add(name);
  for (const std::string& name : selected) add(name);
  return out;
}

ColumnTypes declared_of(ColumnTypes columns, const tenant::Table& table) {
  std::erase_if(columns, [&](const auto& each) { return table.column(each.first) == nullptr; });
  return columns;
}

}  // namespace mandate::tables
