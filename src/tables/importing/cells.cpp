#include "tables/importing/cells.h"

#include <charconv>
#include <set>

#include "base/base64.h"
#include "base/plain.h"
#include "base/text.h"
#include "base/url.h"
#include "tables/declared.h"
#include "tables/fit.h"
#include "tables/ids.h"
#include "tables/odata/parser.h"

namespace mandate::tables::importing {
namespace {

using odata::Edm;
using store::Type;

/// base64 of a rowversion has 12 characters; other servers' are a hash or a number.
constexpr std::size_t kLongestVersion = 128;
/// Room for ids that come after it: four thousand million.
constexpr std::int64_t kLargestId = (std::int64_t{1} << 53) - (std::int64_t{1} << 32);
constexpr std::size_t kLongestName = 128;

std::string shown_name(std::string_view name) { return plain(cut(name, kLongestName)); }

/// A cell is no longer than its row may be.
JsonLimits limits_of_cell() {
  JsonLimits out;
  out.bytes = out.string_bytes = 4 << 20;
  out.values = 2'000'000;
  return out;
}

std::string_view name_of(const JsonObject::value_type& member) { return {member.key().data(), member.key().size()}; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// As SQL Server (0x…) and PostgreSQL (\x…) write bytes.
std::optional<std::string> bytes_of_hex(std::string_view text) {
  if (!text.starts_with("0x") && !text.starts_with("0X") && !text.starts_with("\\x")) return std::nullopt;
  return from_hex(text.substr(2));
}

/// PostgreSQL leaves the minutes of an offset out when there are none.
std::optional<Millis> with_offset(std::string text) {
  const std::size_t sign = text.size() - std::min<std::size_t>(text.size(), 3);
  if (sign >= 16 && (text[sign] == '+' || text[sign] == '-')) text += ":00";
  return parse_iso8601(text);
}

std::string_view what(Type type) {
  switch (type) {
    case Type::boolean: return "true or false";
    case Type::integer:
    case Type::real: return "numbers";
    case Type::date: return "dates";
    case Type::json: return "JSON";
    default: return "text";
  }
}

/// The first characters of a value, for messages; whole ones, and none that a terminal would obey.
std::string shown(const Json& value) {
  const std::string text = to_json(value);
  const std::string_view some = cut(text, 60);
  return plain(some) + (some.size() < text.size() ? "…" : "");
}

Error misfit(std::string_view name, const Json& value, std::string_view holds) {
  return Error(Code::bad_request, shown(value) + " does not fit column '" + shown_name(name) + "', which holds " + std::string(holds) + ".");
}

Result<store::Value> id_of(const Schema& schema, const Json& value) {
  if (value.is_null() || (value.is_string() && value.get_string().empty())) return store::Value{};
  if (!schema.integer_id) {
    if (value.is_string() || value.is_int64() || value.is_uint64()) {
      std::string id = value.is_string() ? std::string(view(value.get_string())) : to_json(value);
      if (valid_id(id)) return store::Value(std::move(id));
    }
    return Error(Code::bad_request, shown(value) + " is no id: 1 to 255 characters without \" + ? \\ / ` and control characters.");
  }
  std::int64_t number = 0;
  if (value.is_int64()) number = value.get_int64();
  if (value.is_string()) {
    const std::string_view text = trimmed(view(value.get_string()));
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) number = 0;
  }
  if (number < 1 || number > kLargestId) return Error(Code::bad_request, shown(value) + " is no id: this table has whole numbers from 1 to 2^53 - 2^32.");
  return store::Value(number);
}

Result<Millis> time_of(std::string_view name, const Json& value, Millis now) {
  const auto moment = value.is_string() ? moment_of(view(value.get_string())) : std::nullopt;
  if (!moment) return misfit(name, value, "moments");
  if (*moment > now)
    return Error(Code::bad_request, "'" + shown_name(name) + "' is " + iso8601(*moment) + ", which is yet to come: let the import give new times.");
  return *moment;
}

/// Text that begins as an object or a list, which must be one.
bool is_broken_json(const Json& given, odata::Edm edm) {
  if (!given.is_string() || (edm != Edm::json && edm != Edm::point)) return false;
  const std::string_view text = view(given.get_string());
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
}

Result<store::Value> cell_of(const Schema& schema, bool bare, const store::ColumnSpec& column, std::string_view name, const Json& value, bool texts) {
  const Declared* declared = schema.declaration(name);
  if (declared && odata::stored_as(declared->edm) != column.type) declared = nullptr;
  const Json given = readable(value, column.type, declared, texts);
  if (texts && is_broken_json(given, declared ? declared->edm : odata::plain(column.type))) return misfit(name, value, what(Type::json));
  if (declared) {
    TRY(store::Value cell, value_of(*declared, name, given));
    if (bare) CHECK_OK(check_indexed(*declared, name, cell));
    return cell;
  }
  if ((given.is_object() || given.is_array()) && column.type != Type::json) return misfit(name, value, what(column.type));
  auto cell = convert(given, column.type);
  if (!cell.ok()) return misfit(name, value, what(column.type));
  return cell;
}

Result<void> take_system(const Schema& schema, Role role, std::string_view name, const Json& value, Millis now, Ready& out) {
  if (role == Role::id) {
    TRY(out.id, id_of(schema, value));
    return {};
  }
  if (value.is_null()) return {};
  if (role == Role::created) {
    TRY(out.created, time_of(name, value, now));
  } else if (role == Role::updated) {
    TRY(out.updated, time_of(name, value, now));
  } else if (role == Role::version) {
    out.version = version_of(value);
    if (!out.version) return misfit(name, value, "versions");
  } else {
    const auto truth = convert(readable(value, Type::boolean, nullptr, true), Type::boolean);
    if (!truth.ok()) return misfit(name, value, "true or false");
    out.deleted = std::get<bool>(*truth);
    if (*out.deleted && !schema.soft_delete) return Error(Code::bad_request, "The row is deleted, and the table keeps no deleted rows (soft_delete).");
  }
  return {};
}

}  // namespace

Role role_of_name(const Schema& schema, bool bare, std::string_view name) {
  if (iequals(name, "id")) return Role::id;
  if (schema.own(name)) return Role::own;
  const Role old = role_of(Dialect::v1, name);
  return old != Role::own || bare ? old : role_of(Dialect::v2, name);
}

std::optional<Millis> moment_of(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with("/Date(")) return date_of(text, Dialect::v1);
  if (text.size() < 10) return std::nullopt;
  // SQL Server's datetimeoffset: "2014-05-06 07:08:09.1234567 +02:00".
  if (const std::size_t blank = text.find(' ', 11); blank != std::string_view::npos) {
    const std::string_view rest = trimmed(text.substr(blank));
    if (rest.empty() || (rest.front() != '+' && rest.front() != '-' && rest != "Z")) return std::nullopt;
    return with_offset(std::string(text.substr(0, blank)) + std::string(rest));
  }
  return with_offset(std::string(text));
}

std::optional<std::string> version_of(const Json& value) {
  if (value.is_int64() || value.is_uint64()) return to_json(value);
  if (!value.is_string()) return std::nullopt;
  const std::string_view text = trimmed(view(value.get_string()));
  if (text.size() > kLongestVersion) return std::nullopt;
  if (const auto bytes = bytes_of_hex(text); bytes && (bytes->size() == 8 || bytes->size() == 16)) return base64(*bytes);
  return std::string(text);
}

Json readable(const Json& value, Type type, const Declared* declared, bool texts) {
  if (!value.is_string()) return value;
  const std::string_view text = view(value.get_string());
  const Edm edm = declared ? declared->edm : odata::plain(type);
  switch (edm) {
    case Edm::boolean: {
      const std::string_view word = trimmed(text);
      if (word == "1" || word == "t" || iequals(word, "true")) return true;
      if (word == "0" || word == "f" || iequals(word, "false")) return false;
      return value;
    }
    case Edm::integer:
    case Edm::real: return boost::json::string(trimmed(text));
    case Edm::moment:
      if (const auto moment = moment_of(text)) return boost::json::string(iso8601(*moment));
      return value;
    case Edm::date:
      // A date column as a table's dump has it: the midnight of it.
      if (const auto moment = moment_of(text); moment && text.size() > 10 && *moment % 86'400'000 == 0) return boost::json::string(odata::write_date(*moment));
      return value;
    case Edm::guid:
      if (text.size() == 38 && text.front() == '{' && text.back() == '}') return boost::json::string(text.substr(1, 36));
      return value;
    case Edm::binary:
      if (const auto bytes = bytes_of_hex(text)) return boost::json::string(base64(*bytes));
      return value;
    case Edm::point:
    case Edm::json: {
      if (!texts) return value;
      auto parsed = parse_json(text, limits_of_cell());
      return parsed.ok() ? *std::move(parsed) : value;
    }
    default: return value;
  }
}

Result<std::vector<store::ColumnSpec>> columns_wanted(const Schema& schema, bool bare, const Import& import) {
  std::vector<store::ColumnSpec> out;
  std::set<std::string> seen;
  for (const Row& row : import.rows)
    for (const auto& member : row.item) {
      const std::string_view name = name_of(member);
      const Json& value = member.value();
      if (value.is_null() || role_of_name(schema, bare, name) != Role::own || schema.own(name)) continue;
      const std::string lower = ascii_lower(name);
      if (seen.contains(lower)) continue;
      if (!odata::valid_identifier(name) || name.starts_with("__"))
        return Error(Code::invalid_request, "No column may be named '" + shown_name(name) + "': give it another name, or leave it out.");
      Type type = value.is_bool() ? Type::boolean : value.is_number() ? Type::real : Type::text;
      if (value.is_string() && !import.texts && date_of(view(value.get_string()), Dialect::v2)) type = Type::date;
      if (const auto word = import.types.find(lower); word != import.types.end()) {
        const auto declared = declared_type(word->second);
        if (!declared) return Error(Code::invalid_request, "'" + plain(cut(word->second, 40)) + "' is no type of a column.");
        type = *declared;
      } else if (value.is_object() || value.is_array()) {
        return Error(Code::invalid_request, "'" + shown_name(name) + "' holds objects or lists: declare it as a column of type json first.");
      }
      seen.insert(lower);
      out.push_back({std::string(name), type, false, false});
    }
  return out;
}

Result<Ready> ready(const Schema& schema, bool bare, const Row& row, bool texts, Millis now) {
  Ready out;
  out.line = row.line;
  std::set<std::string> seen;
  for (const auto& member : row.item) {
    const std::string_view name = name_of(member);
    const Role role = role_of_name(schema, bare, name);
    const std::string key = role == Role::own ? ascii_lower(name) : "\x01" + std::to_string(static_cast<int>(role));
    if (!seen.insert(key).second) return Error(Code::bad_request, "The row has '" + shown_name(name) + "' twice.");
    if (role != Role::own) {
      CHECK_OK(take_system(schema, role, name, member.value(), now, out));
      continue;
    }
    const store::ColumnSpec* column = schema.own(name);
    if (!column) continue;
    TRY(store::Value cell, cell_of(schema, bare, *column, name, member.value(), texts));
    out.cells.push_back({column->name, std::move(cell)});
  }
  return out;
}

}  // namespace mandate::tables::importing
