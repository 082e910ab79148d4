#include "tables/odata/edm.h"

#include <cmath>

#include "base/json.h"
#include "base/url.h"
#include "store/geo.h"
#include "store/text.h"

namespace mandate::tables::odata {
namespace {

using store::Type;

constexpr Millis kSecond = 1000, kMinute = 60 * kSecond, kHour = 60 * kMinute, kDay = 24 * kHour;
/// Far beyond any calendar, and many of them still add up within an int64.
constexpr Millis kLongest = 1'000'000'000'000'000;

constexpr std::string_view kDateMark = "Date", kTimeMark = "TimeOfDay", kDurationMark = "Duration", kPointMark = "Point";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// "0" stands for a digit, every other character for itself.
bool looks_like(std::string_view text, std::string_view pattern) {
  if (text.size() != pattern.size()) return false;
  for (std::size_t i = 0; i < pattern.size(); ++i)
    if (pattern[i] == '0' ? !is_digit(text[i]) : text[i] != pattern[i]) return false;
  return true;
}

/// At most nine digits at the front of the text; nullopt when there are none or more.
std::optional<std::int64_t> take_number(std::string_view& text) {
  std::size_t n = 0;
  std::int64_t value = 0;
  for (; n < text.size() && is_digit(text[n]) && n < 10; ++n) value = value * 10 + (text[n] - '0');
  text.remove_prefix(n);
  return n == 0 || n > 9 ? std::nullopt : std::optional(value);
}

/// ".5" as 500; zero without a point; nullopt for a point without digits. Digits beyond the third are cut.
std::optional<Millis> take_fraction(std::string_view& text) {
  if (!text.starts_with('.')) return 0;
  text.remove_prefix(1);
  Millis value = 0, scale = 100;
  std::size_t n = 0;
  for (; n < text.size() && is_digit(text[n]); ++n, scale /= 10) value += scale * (text[n] - '0');
  text.remove_prefix(n);
  return n == 0 ? std::nullopt : std::optional(value);
}

void append_padded(std::string& out, Millis value, std::size_t width) {
  const std::string digits = std::to_string(value);
  out.append(width > digits.size() ? width - digits.size() : 0, '0');
  out += digits;
}

std::string_view mark_of(Edm edm) {
  switch (edm) {
    case Edm::date: return kDateMark;
    case Edm::time: return kTimeMark;
    case Edm::duration: return kDurationMark;
    case Edm::point: return kPointMark;
    default: return {};
  }
}

}  // namespace

Type stored_as(Edm edm) {
  switch (edm) {
    case Edm::boolean: return Type::boolean;
    case Edm::integer:
    case Edm::duration:
    case Edm::enumeration: return Type::integer;
    case Edm::real: return Type::real;
    case Edm::text:
    case Edm::guid:
    case Edm::binary: return Type::text;
    case Edm::moment:
    case Edm::date:
    case Edm::time: return Type::date;
    case Edm::point:
    case Edm::json: return Type::json;
    case Edm::unknown: break;
  }
  return Type::unknown;
}

Edm plain(Type type) {
  switch (type) {
    case Type::boolean: return Edm::boolean;
    case Type::integer: return Edm::integer;
    case Type::real: return Edm::real;
    case Type::text: return Edm::text;
    case Type::date: return Edm::moment;
    case Type::json: return Edm::json;
    case Type::unknown: break;
  }
  return Edm::unknown;
}

std::string_view word(Edm edm) {
  switch (edm) {
    case Edm::boolean: return "boolean";
    case Edm::integer:
    case Edm::real: return "number";
    case Edm::text: return "string";
    case Edm::moment: return "datetime";
    case Edm::date: return "date";
    case Edm::time: return "time";
    case Edm::duration: return "duration";
    case Edm::guid: return "guid";
    case Edm::binary: return "binary";
    case Edm::enumeration: return "enumeration";
    case Edm::point: return "point";
    case Edm::json: return "json";
    case Edm::unknown: break;
  }
  return "unknown";
}

std::optional<Edm> edm_named(std::string_view name) {
  struct Named {
    std::string_view name;
    Edm edm;
  };
  constexpr Named kNamed[] = {
      {"Edm.String", Edm::text},     {"Edm.Boolean", Edm::boolean},   {"Edm.Byte", Edm::integer},  {"Edm.SByte", Edm::integer},
      {"Edm.Int16", Edm::integer},   {"Edm.Int32", Edm::integer},     {"Edm.Int64", Edm::integer}, {"Edm.Single", Edm::real},
      {"Edm.Double", Edm::real},     {"Edm.Decimal", Edm::real},      {"Edm.Date", Edm::date},     {"Edm.DateTimeOffset", Edm::moment},
      {"Edm.DateTime", Edm::moment}, {"Edm.TimeOfDay", Edm::time},    {"Edm.Guid", Edm::guid},     {"Edm.Duration", Edm::duration},
  };
  for (const Named& each : kNamed)
    if (iequals(each.name, name)) return each.edm;
  return std::nullopt;
}

std::optional<Millis> read_date(std::string_view text) {
  return looks_like(text, "0000-00-00") ? store::moment_of(text) : std::nullopt;
}

std::optional<Millis> read_time(std::string_view text) {
  if (text.size() < 5 || !looks_like(text.substr(0, 5), "00:00")) return std::nullopt;
  const auto hour = take_number(text);
  text.remove_prefix(1);
  const auto minute = take_number(text);
  Millis at = *hour * kHour + *minute * kMinute;
  if (text.starts_with(':')) {
    text.remove_prefix(1);
    if (text.size() < 2 || !looks_like(text.substr(0, 2), "00")) return std::nullopt;
    const auto second = take_number(text);
    const auto fraction = take_fraction(text);
    if (!fraction || *second > 59) return std::nullopt;
    at += *second * kSecond + *fraction;
  }
  if (!text.empty() || *hour > 23 || *minute > 59) return std::nullopt;
  return at;
}

std::optional<Millis> read_duration(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (!text.starts_with('P')) return std::nullopt;
  text.remove_prefix(1);
  struct Unit {
    char letter;
    Millis length;
  };
  constexpr Unit kUnits[] = {{'D', kDay}, {'H', kHour}, {'M', kMinute}, {'S', kSecond}};
  Millis sum = 0;
  std::size_t next = 0;
  bool clock = false, any = false;
  while (!text.empty()) {
    if (!clock && text.starts_with('T')) {
      text.remove_prefix(1);
      clock = true, next = std::max<std::size_t>(next, 1), any = false;
      continue;
    }
    const auto number = take_number(text);
    const bool point = text.starts_with('.');
    const auto fraction = take_fraction(text);
    if (!number || !fraction || text.empty()) return std::nullopt;
    while (next < std::size(kUnits) && kUnits[next].letter != text.front()) ++next;
    if (next == std::size(kUnits) || (next > 0) != clock || (point && text.front() != 'S')) return std::nullopt;
    sum += *number * kUnits[next].length + *fraction;
    ++next, any = true;
    text.remove_prefix(1);
    if (sum > kLongest) return std::nullopt;
  }
  if (!any) return std::nullopt;
  return negative ? -sum : sum;
}

std::optional<std::string> read_point(std::string_view text) {
  constexpr std::string_view kSrid = "SRID=4326;", kStart = "POINT";
  if (text.size() >= kSrid.size() && iequals(text.substr(0, kSrid.size()), kSrid)) text.remove_prefix(kSrid.size());
  if (text.size() < kStart.size() || !iequals(text.substr(0, kStart.size()), kStart)) return std::nullopt;
  text.remove_prefix(kStart.size());
  const auto blanks = [&] {
    while (text.starts_with(' ')) text.remove_prefix(1);
  };
  blanks();
  if (!text.starts_with('(') || !text.ends_with(')')) return std::nullopt;
  text.remove_prefix(1), text.remove_suffix(1);
  blanks();
  while (text.ends_with(' ')) text.remove_suffix(1);
  const std::size_t gap = text.find(' ');
  if (gap == std::string_view::npos) return std::nullopt;
  const auto longitude = store::number_of(text.substr(0, gap)), latitude = store::number_of(text.substr(text.find_first_not_of(' ', gap)));
  if (!longitude || !latitude || std::abs(*longitude) > 180 || std::abs(*latitude) > 90) return std::nullopt;
  return store::geojson({*longitude, *latitude});
}

std::string write_date(Millis date) { return iso8601(date).substr(0, 10); }

std::string write_time(Millis time) {
  std::string out;
  append_padded(out, time / kHour, 2);
  out += ':';
  append_padded(out, time / kMinute % 60, 2);
  out += ':';
  append_padded(out, time / kSecond % 60, 2);
  out += '.';
  append_padded(out, time % kSecond, 3);
  return out;
}

std::string write_duration(Millis duration) {
  std::string out = duration < 0 ? "-P" : "P";
  const Millis length = duration < 0 ? -duration : duration, clock = length % kDay;
  if (length >= kDay) out += std::to_string(length / kDay) + 'D';
  if (clock == 0 && length > 0) return out;
  out += 'T';
  if (clock >= kHour) out += std::to_string(clock / kHour) + 'H';
  if (clock % kHour >= kMinute) out += std::to_string(clock / kMinute % 60) + 'M';
  if (clock % kMinute == 0 && length > 0) return out;
  out += std::to_string(clock / kSecond % 60);
  if (clock % kSecond != 0) {
    out += '.';
    append_padded(out, clock % kSecond, 3);
  }
  return out + 'S';
}

bool is_guid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? c != '-' : !(is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))) return false;
  }
  return true;
}

std::optional<store::Value> read_as(const Meaning& meaning, std::string_view text) {
  const auto found = [](const auto& value) { return value ? std::optional<store::Value>(*value) : std::nullopt; };
  switch (meaning.edm) {
    case Edm::moment: return found(store::moment_of(text));
    case Edm::date: {
      const auto at = store::moment_of(text);  // a whole moment is accepted for its day
      return at ? std::optional<store::Value>(store::day_start(*at)) : std::nullopt;
    }
    case Edm::time: return found(read_time(text));
    case Edm::duration: return found(read_duration(text));
    case Edm::guid: return is_guid(text) ? std::optional<store::Value>(ascii_lower(text)) : std::nullopt;
    case Edm::enumeration:
      for (std::size_t i = 0; i < meaning.members.size(); ++i)
        if (iequals(meaning.members[i], text)) return store::Value(static_cast<std::int64_t>(i));
      return std::nullopt;
    case Edm::point: return store::point_of(text) ? std::optional<store::Value>(std::string(text)) : found(read_point(text));
    default: return store::Value(std::string(text));
  }
}

std::string write_as(const Meaning& meaning, const store::Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  const auto* number = std::get_if<std::int64_t>(&value);
  if (!number) return {};
  switch (meaning.edm) {
    case Edm::moment: return iso8601(*number);
    case Edm::date: return write_date(*number);
    case Edm::time: return write_time(store::time_of_day(*number));
    case Edm::duration: return write_duration(*number);
    case Edm::enumeration:
      return *number >= 0 && static_cast<std::size_t>(*number) < meaning.members.size() ? meaning.members[static_cast<std::size_t>(*number)] : std::string();
    default: return std::to_string(*number);
  }
}

store::ExprPtr literal_of(store::Value value, Edm edm) {
  store::Expr out;
  out.type = edm == Edm::point ? Type::text : stored_as(edm);
  out.value = std::move(value);
  out.text = mark_of(edm);
  return std::make_shared<const store::Expr>(std::move(out));
}

Edm edm_of(const store::Expr& literal) {
  if (store::is_null(literal.value)) return Edm::unknown;
  for (const Edm edm : {Edm::date, Edm::time, Edm::duration, Edm::point})
    if (literal.text == mark_of(edm)) return edm;
  return plain(literal.type);
}

}  // namespace mandate::tables::odata
