#include "store/postgres/cells.h"

#include <endian.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/json.h"

namespace mandate::store::postgres {
namespace {

constexpr std::string_view kStandIn = "\xEF\xBF\xBF";  // U+FFFF

void append32(std::string& out, std::uint32_t number) {
  const std::uint32_t big = ::htobe32(number);
  out.append(reinterpret_cast<const char*>(&big), sizeof big);
}

void append64(std::string& out, std::uint64_t number) {
  const std::uint64_t big = ::htobe64(number);
  out.append(reinterpret_cast<const char*>(&big), sizeof big);
}

std::uint64_t read64(const char* bytes) {
  std::uint64_t big;
  std::memcpy(&big, bytes, sizeof big);
  return ::be64toh(big);
}

Error unfit() { return Error(Code::invalid_request, "A value does not fit its column."); }

std::optional<double> number_in(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::int64_t> whole_number(double number) {
  if (number != std::trunc(number) || number < -9223372036854775808.0 || number >= 9223372036854775808.0) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

std::optional<double> real_of(const Value& value) {
  if (auto* b = std::get_if<bool>(&value)) return *b;
  if (auto* i = std::get_if<std::int64_t>(&value)) return static_cast<double>(*i);
  if (auto* d = std::get_if<double>(&value)) return *d;
  if (auto* t = std::get_if<std::string>(&value)) return number_in(*t);
  return std::nullopt;
}

std::optional<std::int64_t> whole_of(const Value& value) {
  if (auto* i = std::get_if<std::int64_t>(&value)) return *i;
  if (auto* t = std::get_if<std::string>(&value)) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(t->data(), t->data() + t->size(), number);
    if (error == std::errc() && end == t->data() + t->size()) return number;
  }
  const auto real = real_of(value);
  return real ? whole_number(*real) : std::nullopt;
}

std::string text_of(const Value& value) {
  if (auto* t = std::get_if<std::string>(&value)) return *t;
  if (auto* b = std::get_if<bool>(&value)) return *b ? "1" : "0";
  if (auto* i = std::get_if<std::int64_t>(&value)) return std::to_string(*i);
  std::string out;
  append_json_number(out, std::get<double>(value));
  return out;
}

}  // namespace

const char* sql_name(Kind kind) {
  switch (kind) {
    case Kind::boolean: return "boolean";
    case Kind::int8: return "bigint";
    case Kind::float8: return "double precision";
    case Kind::numeric: return "numeric";
    default: return "text";
  }
}

Kind kind_of(Type type) {
  switch (type) {
    case Type::boolean: return Kind::boolean;
    case Type::integer:
    case Type::date: return Kind::int8;
    case Type::real: return Kind::float8;
    default: return Kind::text;
  }
}

Kind kind_of(const Value& value) {
  switch (value.index()) {
    case 1: return Kind::boolean;
    case 2: return Kind::int8;
    case 3: return Kind::float8;
    case 4: return Kind::text;
    default: return Kind::none;
  }
}

std::string without_nul(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '\0') {
      out += kStandIn;
      out += '0';
      ++at;
    } else if (text.substr(at).starts_with(kStandIn)) {
      out += kStandIn;
      out += '1';
      at += kStandIn.size();
    } else {
      out += text[at++];
    }
  }
  return out;
}

std::string with_nul(std::string_view stored) {
  std::string out;
  std::size_t at = 0;
  for (std::size_t found; (found = stored.find(kStandIn, at)) != std::string_view::npos; at = found + kStandIn.size() + 1) {
    out += stored.substr(at, found - at);
    if (stored.substr(found + kStandIn.size(), 1) == "0") out += '\0';
    else out += kStandIn;
  }
  out += stored.substr(std::min(at, stored.size()));
  return out;
}

void Parameters::clear() {
  bytes_.clear();
  places_.clear();
}

Result<void> Parameters::add(const Value& value, Kind kind) {
  if (is_null(value)) {
    places_.push_back({bytes_.size(), 0, true});
    return {};
  }
  const std::size_t start = bytes_.size();
  switch (kind) {
    case Kind::boolean: {
      const auto number = real_of(value);
      if (!number || (*number != 0 && *number != 1)) return unfit();
      bytes_ += static_cast<char>(*number != 0);
      break;
    }
    case Kind::int8: {
      const auto number = whole_of(value);
      if (!number) return unfit();
      append64(bytes_, static_cast<std::uint64_t>(*number));
      break;
    }
    case Kind::float8: {
      const auto number = real_of(value);
      if (!number) return unfit();
      append64(bytes_, std::bit_cast<std::uint64_t>(*number));
      break;
    }
    default: {
      if (auto* text = std::get_if<std::string>(&value)) add_text(*text);
      else add_text(text_of(value));
      return {};
    }
  }
  close(start);
  return {};
}

void Parameters::add_number(std::int64_t number) {
  const std::size_t start = bytes_.size();
  append64(bytes_, static_cast<std::uint64_t>(number));
  close(start);
}

void Parameters::add_text(std::string_view text) {
  const std::size_t start = bytes_.size();
  if (text.find('\0') == std::string_view::npos && text.find(kStandIn) == std::string_view::npos) bytes_ += text;
  else bytes_ += without_nul(text);
  close(start);
}

void Parameters::add_array(const std::vector<const Parameters*>& rows, std::size_t column, Kind kind) {
  const std::size_t start = bytes_.size();
  append32(bytes_, 1);  // dimensions
  append32(bytes_, 1);  // may hold nulls
  append32(bytes_, static_cast<std::uint32_t>(kind));
  append32(bytes_, static_cast<std::uint32_t>(rows.size()));
  append32(bytes_, 1);  // first subscript
  for (const Parameters* row : rows) {
    if (row->places_[column].null) {
      append32(bytes_, 0xffffffff);
      continue;
    }
    const std::string_view cell = (*row)[column];
    append32(bytes_, static_cast<std::uint32_t>(cell.size()));
    bytes_ += cell;
  }
  close(start);
}

void Parameters::view(View& out) const {
  out.values.clear();
  out.lengths.clear();
  out.formats.assign(places_.size(), 1);
  for (const Place& place : places_) {
    out.values.push_back(place.null ? nullptr : bytes_.data() + place.at);
    out.lengths.push_back(static_cast<int>(place.size));
  }
}

Value cell_of(const PGresult* result, int row, int column) {
  if (PQgetisnull(result, row, column)) return {};
  const char* bytes = PQgetvalue(result, row, column);
  switch (static_cast<Kind>(PQftype(result, column))) {
    case Kind::boolean: return std::int64_t{bytes[0] != 0};
    case Kind::int8: return static_cast<std::int64_t>(read64(bytes));
    case Kind::float8: return std::bit_cast<double>(read64(bytes));
    default: break;
  }
  const std::string_view text(bytes, static_cast<std::size_t>(PQgetlength(result, row, column)));
  return text.find(kStandIn) == std::string_view::npos ? std::string(text) : with_nul(text);
}

bool ResultRow::null(std::size_t column) const { return PQgetisnull(result_, row_, place(column)); }

std::int64_t ResultRow::integer(std::size_t column) const {
  if (null(column)) return 0;
  const char* bytes = PQgetvalue(result_, row_, place(column));
  switch (kinds_[column]) {
    case Kind::boolean: return bytes[0] != 0;
    case Kind::int8: return static_cast<std::int64_t>(read64(bytes));
    case Kind::float8: {
      const double number = std::bit_cast<double>(read64(bytes));
      return number > -9.2e18 && number < 9.2e18 ? static_cast<std::int64_t>(number) : 0;
    }
    default: return 0;
  }
}

double ResultRow::real(std::size_t column) const {
  if (null(column)) return 0;
  if (kinds_[column] == Kind::float8) return std::bit_cast<double>(read64(PQgetvalue(result_, row_, place(column))));
  return static_cast<double>(integer(column));
}

std::string_view ResultRow::text(std::size_t column) const {
  if (kinds_[column] != Kind::text || null(column)) return {};
  const std::string_view text(PQgetvalue(result_, row_, place(column)), static_cast<std::size_t>(PQgetlength(result_, row_, place(column))));
  if (text.find(kStandIn) == std::string_view::npos) return text;
  made_.resize(names_.size());
  return made_[column] = with_nul(text);
}

Value ResultRow::value(std::size_t column) const { return cell_of(result_, row_, place(column)); }

std::size_t ResultRow::bytes() const {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < names_.size(); ++i) sum += static_cast<std::size_t>(PQgetlength(result_, row_, place(i)));
  return sum;
}

}  // namespace mandate::store::postgres
