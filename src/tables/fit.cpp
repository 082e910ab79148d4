#include "tables/fit.h"

#include <charconv>
#include <cmath>
#include <set>

#include "base/url.h"
#include "store/text.h"
#include "tables/declared.h"
#include "tables/odata/parser.h"

namespace mandate::tables {
namespace {

using store::Type;

/// What an indexed column of V1 holds (mobile-backend-wire 1.4): nvarchar(450).
constexpr std::int64_t kIndexedText = 450;

Error does_not_fit(std::string_view column_type) {
  return Error(Code::bad_request, "Bad request", "a value does not fit a column of type " + std::string(column_type));
}

bool matches(std::string_view text, std::string_view pattern) {
  if (text.size() < pattern.size()) return false;
  for (std::size_t i = 0; i < pattern.size(); ++i)
    if (pattern[i] == '0' ? (text[i] < '0' || text[i] > '9') : text[i] != pattern[i]) return false;
  return true;
}

// "/Date(1373884800000+0200)/": the moment is UTC whatever the offset says.
std::optional<Millis> microsoft_date(std::string_view text) {
  constexpr std::string_view kStart = "/Date(", kEnd = ")/";
  if (!text.starts_with(kStart) || !text.ends_with(kEnd)) return std::nullopt;
  text.remove_prefix(kStart.size());
  text.remove_suffix(kEnd.size());
  Millis ms = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ms);
  if (error != std::errc{}) return std::nullopt;
  const std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (!rest.empty() && !(rest.size() == 5 && (matches(rest, "+0000") || matches(rest, "-0000")))) return std::nullopt;
  return ms;
}

/// The type a new column gets from its first value; unknown for null, objects and arrays.
Type suggested(const Json& value, Dialect dialect) {
  if (value.is_bool()) return Type::boolean;
  if (value.is_number()) return Type::real;
  if (value.is_string()) return date_of(view(value.get_string()), dialect) ? Type::date : Type::text;
  return Type::unknown;
}

double number_of(const Json& value) {
  if (value.is_int64()) return static_cast<double>(value.get_int64());
  if (value.is_uint64()) return static_cast<double>(value.get_uint64());
  return value.get_double();
}

Result<store::Value> to_text(const Json& value) {
  if (value.is_string()) return store::Value(std::string(view(value.get_string())));
  return store::Value(to_json(value));
}

Result<store::Value> to_number(const Json& value) {
  if (value.is_number()) return store::Value(number_of(value));
  if (value.is_bool()) return store::Value(value.get_bool() ? 1.0 : 0.0);
  const std::string_view text = view(value.get_string());
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size() || !std::isfinite(number)) return does_not_fit("number");
  return store::Value(number);
}

Result<store::Value> to_boolean(const Json& value) {
  if (value.is_bool()) return store::Value(value.get_bool());
  if (value.is_number()) {
    const double number = number_of(value);
    if (number == 0 || number == 1) return store::Value(number == 1);
  } else if (iequals(view(value.get_string()), "true") || iequals(view(value.get_string()), "false")) {
    return store::Value(iequals(view(value.get_string()), "true"));
  }
  return does_not_fit("boolean");
}

Result<store::Value> to_date(const Json& value) {
  if (value.is_string()) {
    const std::string_view text = view(value.get_string());
    if (const auto ms = microsoft_date(text)) return store::Value(*ms);
    if (const auto ms = parse_iso8601(text)) return store::Value(*ms);
  }
  return does_not_fit("date");
}

Result<void> check_system_name(bool integer_id, Dialect dialect, std::string_view name, const Json& value) {
  if (dialect == Dialect::v1) {
    const bool ours = role_of(dialect, name) != Role::own;
    if (name.starts_with("__") && (!integer_id || ours))
      return Error(Code::bad_request, "The property '" + std::string(name) + "' is a system property and cannot be set.");
    return {};
  }
  if (is_datasync(dialect)) return {};  // its clients send the whole entity back as they hold it
  const Role role = role_of(dialect, name);
  if ((role == Role::created || role == Role::updated || role == Role::deleted) && !value.is_null())
    return Error(Code::bad_request, "Cannot update item with property '" + std::string(name) + "' as it is reserved");
  return {};
}

}  // namespace

std::optional<Millis> date_of(std::string_view text, Dialect dialect) {
  if (matches(text, "0000-00-00T00:00:00") && text.ends_with('Z') && text.size() <= 30) return parse_iso8601(text);
  if (dialect == Dialect::v1) return microsoft_date(text);
  return std::nullopt;
}

Result<void> check_indexed(const Declared& column, std::string_view sent, const store::Value& cell) {
  const auto* text = std::get_if<std::string>(&cell);
  if (column.indexed && column.edm == odata::Edm::text && text && store::length(*text) > kIndexedText)
    return Error(Code::bad_request, "The property '" + std::string(sent) + "' is longer than the 450 characters of an indexed column.");
  return {};
}

Result<store::Value> convert(const Json& value, Type type) {
  if (type == Type::json) return value.is_null() ? store::Value{} : store::Value(to_json(value));
  if (value.is_null()) return store::Value{};
  if (value.is_object() || value.is_array()) return does_not_fit("scalar");
  switch (type) {
    case Type::integer:
    case Type::real: return to_number(value);
    case Type::boolean: return to_boolean(value);
    case Type::date: return to_date(value);
    default: return to_text(value);
  }
}

Result<void> check_system_names(bool integer_id, Dialect dialect, const JsonObject& item) {
  for (const auto& member : item) {
    const std::string_view name(member.key().data(), member.key().size());
    CHECK_OK(check_system_name(integer_id, dialect, name, member.value()));
  }
  return {};
}

Result<Fitted> fit(const Schema& schema, Dialect dialect, const JsonObject& item) {
  Fitted out;
  std::set<std::string> seen;
  for (const auto& member : item) {
    const std::string_view name(member.key().data(), member.key().size());
    const Json& value = member.value();
    if (!seen.insert(ascii_lower(name)).second) return Error(Code::bad_request, "The property '" + std::string(name) + "' was given twice.");
    if (name == "id") {
      out.id = &value;
      continue;
    }
    if (iequals(name, "id")) return Error(Code::bad_request, "The property '" + std::string(name) + "' must be spelt 'id'.");
    CHECK_OK(check_system_name(schema.integer_id, dialect, name, value));
    const Role role = role_of(dialect, name);
    if (role == Role::version && value.is_string()) out.version = std::string(view(value.get_string()));
    if (role == Role::deleted && is_datasync(dialect) && !value.is_null()) {
      if (!value.is_bool()) return Error(Code::bad_request, "The property 'deleted' must be true or false.");
      out.deleted = value.get_bool();
    }
    if (role != Role::own) continue;
    if (!odata::valid_identifier(name)) return Error(Code::bad_request, "A property has a name that no column may have.");
    if (name.starts_with("__") && (!schema.integer_id || role_of(Dialect::v1, name) != Role::own))
      return Error(Code::bad_request, "A property has a name that no column may have.");
    const store::ColumnSpec* column = schema.own(name);
    if (!column) {
      if (value.is_object() || value.is_array()) return Error(Code::bad_request, "The value of property '" + std::string(name) + "' is of an unsupported type.");
      const Type type = suggested(value, dialect);
      if (type != Type::unknown) out.missing.push_back({std::string(name), type, false, false});
      continue;
    }
    if (const Declared* declared = schema.declaration(name); declared && odata::stored_as(declared->edm) == column->type) {
      TRY(store::Value cell, value_of(*declared, name, value));
      if (dialect == Dialect::v1) CHECK_OK(check_indexed(*declared, name, cell));
      out.cells.push_back({column->name, std::move(cell)});
      out.sent.emplace_back(name);
      continue;
    }
    if (column->type != Type::json && (value.is_object() || value.is_array()))
      return Error(Code::bad_request, "The value of property '" + std::string(name) + "' is of an unsupported type.");
    TRY(store::Value cell, convert(value, column->type));
    out.cells.push_back({column->name, std::move(cell)});
    out.sent.emplace_back(name);
  }
  return out;
}

}  // namespace mandate::tables
