#include "tables/declared.h"

#include <charconv>
#include <cmath>

#include "base/base64.h"
#include "base/url.h"
#include "store/geo.h"
#include "store/text.h"
#include "tables/fit.h"

namespace mandate::tables {
namespace {

using odata::Edm;

struct Word {
  std::string_view word;
  Edm edm;
  std::string_view what;  ///< for messages: "must be …"
};
constexpr Word kWords[] = {{"string", Edm::text, "a text"},
                           {"number", Edm::real, "a number"},
                           {"integer", Edm::integer, "a whole number"},
                           {"boolean", Edm::boolean, "true or false"},
                           {"datetime", Edm::moment, "a moment as 2024-12-31T23:59:59.000Z"},
                           {"date", Edm::date, "a date as 2024-12-31"},
                           {"time", Edm::time, "a time of day as 23:59:59.000"},
                           {"duration", Edm::duration, "a duration as P1DT2H30M"},
                           {"guid", Edm::guid, "a guid as 01234567-89ab-cdef-0123-456789abcdef"},
                           {"binary", Edm::binary, "bytes in base64"},
                           {"enum", Edm::enumeration, "one of its values"},
                           {"point", Edm::point, R"(a point as {"type":"Point","coordinates":[longitude,latitude]})"},
                           {"json", Edm::json, "JSON"}};

std::string_view what(Edm edm) {
  for (const Word& each : kWords)
    if (each.edm == edm) return each.what;
  return "a value";
}

std::string property(std::string_view member) { return "The property '" + std::string(member) + "'"; }

std::optional<store::Value> whole_number(const Json& value) {
  if (value.is_int64()) return store::Value(value.get_int64());
  if (value.is_double()) {
    const auto whole = store::whole_of(value.get_double());
    if (whole && static_cast<double>(*whole) == value.get_double()) return store::Value(*whole);
    return std::nullopt;
  }
  if (!value.is_string()) return std::nullopt;
  const std::string_view text = view(value.get_string());
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return store::Value(number);
}

std::optional<store::Value> point(const Json& value) {
  if (value.is_string()) {
    const auto text = odata::read_point(view(value.get_string()));
    return text ? std::optional<store::Value>(*text) : std::nullopt;
  }
  const JsonObject* object = value.if_object();
  if (!object || text_member(*object, "type") != "Point") return std::nullopt;
  const Json* given = object->if_contains("coordinates");
  if (!given || !given->is_array() || given->get_array().size() < 2 || given->get_array().size() > 3) return std::nullopt;
  const JsonArray& coordinates = given->get_array();
  for (const Json& each : coordinates)
    if (!each.is_number()) return std::nullopt;
  const double longitude = coordinates[0].to_number<double>(), latitude = coordinates[1].to_number<double>();
  if (std::abs(longitude) > 180 || std::abs(latitude) > 90) return std::nullopt;
  return store::Value(store::geojson({longitude, latitude}));
}

std::optional<store::Value> read(const Declared& column, const Json& value) {
  if (column.edm == Edm::integer) return whole_number(value);
  if (column.edm == Edm::point) return point(value);
  if (column.edm == Edm::enumeration && value.is_int64()) {
    const bool known = value.get_int64() >= 0 && static_cast<std::size_t>(value.get_int64()) < column.meaning->members.size();
    return known ? std::optional<store::Value>(value.get_int64()) : std::nullopt;
  }
  if (column.edm == Edm::binary) {
    if (!value.is_string() || !base64_any_decode(view(value.get_string()))) return std::nullopt;
    return store::Value(std::string(view(value.get_string())));
  }
  if (column.meaning) return value.is_string() ? odata::read_as(*column.meaning, view(value.get_string())) : std::nullopt;
  auto converted = convert(value, odata::stored_as(column.edm));
  return converted.ok() ? std::optional<store::Value>(*std::move(converted)) : std::nullopt;
}

std::size_t length(Edm edm, const store::Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  if (!text) return 0;
  if (edm == Edm::binary) return base64_any_decode(*text).value_or("").size();
  return static_cast<std::size_t>(store::length(*text));
}

}  // namespace

std::optional<Edm> edm_of_word(std::string_view word) {
  for (const Word& each : kWords)
    if (each.word == word) return each.edm;
  return std::nullopt;
}

std::optional<store::Type> declared_type(std::string_view word) {
  const auto edm = edm_of_word(word);
  return edm ? std::optional(odata::stored_as(*edm)) : std::nullopt;
}

Result<Declared> declare(const tenant::TableColumn& column) {
  Declared out;
  out.name = column.name;
  out.edm = edm_of_word(column.type).value_or(Edm::text);
  out.required = column.required;
  out.max_length = static_cast<std::size_t>(column.max_length);
  switch (out.edm) {
    case Edm::date:
    case Edm::time:
    case Edm::duration:
    case Edm::guid:
    case Edm::binary:
    case Edm::point:
    case Edm::enumeration: out.meaning = std::make_shared<const odata::Meaning>(odata::Meaning{out.edm, column.values}); break;
    default: break;
  }
  if (column.usual.is_null()) return out;
  auto usual = value_of(out, column.name, column.usual);
  if (!usual.ok()) return Error(Code::invalid_request, "the default does not fit: it must be " + std::string(what(out.edm)) +
                                                           (out.max_length ? " and not longer than max_length" : ""));
  out.usual = *std::move(usual);
  return out;
}

Result<store::Value> value_of(const Declared& column, std::string_view sent, const Json& value) {
  if (value.is_null()) {
    if (column.required) return Error(Code::bad_request, property(sent) + " is required.");
    return store::Value{};
  }
  const bool composed = value.is_object() || value.is_array();
  if (composed && column.edm != Edm::json && column.edm != Edm::point)
    return Error(Code::bad_request, "The value of property '" + std::string(sent) + "' is of an unsupported type.");
  std::optional<store::Value> out = read(column, value);
  if (!out) return Error(Code::bad_request, property(sent) + " must be " + std::string(what(column.edm)) + ".");
  if (column.max_length && length(column.edm, *out) > column.max_length)
    return Error(Code::bad_request, property(sent) + " is longer than " + std::to_string(column.max_length) +
                                        (column.edm == Edm::binary ? " bytes." : " characters."));
  return *std::move(out);
}

Result<void> complete(const Schema& schema, std::string_view owner, std::vector<store::Cell>& cells) {
  for (const auto& [lower, column] : schema.declared) {
    if (store::is_null(column.usual) && !column.required) continue;
    if (!owner.empty() && iequals(column.name, owner)) continue;
    if (std::ranges::any_of(cells, [&](const store::Cell& cell) { return iequals(cell.column, column.name); })) continue;
    if (store::is_null(column.usual)) return Error(Code::bad_request, property(column.name) + " is required.");
    const store::ColumnSpec* there = schema.own(column.name);
    cells.push_back({there ? there->name : column.name, column.usual});
  }
  return {};
}

}  // namespace mandate::tables
