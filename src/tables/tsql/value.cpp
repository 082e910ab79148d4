#include "tables/tsql/value.h"

#include <charconv>
#include <cmath>

#include "base/json.h"
#include "base/url.h"
#include "store/text.h"

namespace mandate::tables::tsql {
namespace {

constexpr double kLargestWhole = 9.2e18;

Error cannot_become(const Value& value, Type type) {
  std::string text = shown(value);
  if (text.size() > 60) text = std::string(store::substring(text, 0, 40)) + "…";
  return Error(Code::bad_request, "Conversion failed when converting the " + std::string(name_of(type_of(value))) + " value '" + text + "' to data type " + std::string(name_of(type)) + ".");
}

std::string_view without_blanks(std::string_view text) { return store::trim(text); }

std::optional<double> read_number(std::string_view text) {
  text = without_blanks(text);
  if (text.empty()) return 0.0;  // T-SQL reads nothing as zero
  if (text.starts_with('+')) text.remove_prefix(1);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(number)) return std::nullopt;
  return number;
}

std::optional<std::int64_t> read_whole(std::string_view text) {
  text = without_blanks(text);
  if (text.empty()) return 0;
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// m/d/yyyy at the start of `text` as yyyy-mm-dd; what follows stays.
std::optional<std::string> american(std::string_view text) {
  const std::size_t first = text.find('/');
  const std::size_t second = first == std::string_view::npos ? first : text.find('/', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const std::string_view month = text.substr(0, first), day = text.substr(first + 1, second - first - 1), rest = text.substr(second + 1);
  const std::string_view year = rest.substr(0, 4);
  if (!digits(month) || !digits(day) || month.size() > 2 || day.size() > 2 || year.size() != 4 || !digits(year)) return std::nullopt;
  const auto two = [](std::string_view number) { return std::string(2 - number.size(), '0') + std::string(number); };
  return std::string(year) + "-" + two(month) + "-" + two(day) + std::string(rest.substr(4));
}

Result<Value> to_bit(const Value& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return Value(*whole != 0);
  if (const auto* real = std::get_if<double>(&value)) return Value(*real != 0);
  if (const auto* text = std::get_if<std::string>(&value)) {
    if (iequals(without_blanks(*text), "true")) return Value(true);
    if (iequals(without_blanks(*text), "false")) return Value(false);
    if (const auto whole = read_whole(*text)) return Value(*whole != 0);
  }
  return cannot_become(value, Type::bit);
}

Result<Value> to_whole(const Value& value) {
  if (const auto* bit = std::get_if<bool>(&value)) return Value(std::int64_t(*bit));
  if (const auto* real = std::get_if<double>(&value)) {
    if (!(std::fabs(*real) < kLargestWhole)) return Error(Code::bad_request, "Arithmetic overflow error converting expression to data type int.");
    return Value(static_cast<std::int64_t>(*real));
  }
  if (const auto* text = std::get_if<std::string>(&value))
    if (const auto whole = read_whole(*text)) return Value(*whole);
  return cannot_become(value, Type::integer);
}

Result<Value> to_real(const Value& value) {
  if (const auto* bit = std::get_if<bool>(&value)) return Value(*bit ? 1.0 : 0.0);
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return Value(static_cast<double>(*whole));
  if (const auto* text = std::get_if<std::string>(&value))
    if (const auto number = read_number(*text)) return Value(*number);
  return cannot_become(value, Type::real);
}

Result<Value> to_date(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value))
    if (const auto at = read_moment(*text)) return Value(Moment{*at});
  return cannot_become(value, Type::date);
}

/// Numbers, dates, texts: what orders among itself.
int family(const Value& value) {
  switch (type_of(value)) {
    case Type::null: return 0;
    case Type::text: return 3;
    case Type::date: return 2;
    default: return 1;
  }
}

template <class T>
int sign(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

double number_of(const Value& value) {
  if (const auto* bit = std::get_if<bool>(&value)) return *bit;
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
  return std::get<double>(value);
}

int compare_alike(const Value& a, const Value& b, bool exact) {
  if (const auto* text = std::get_if<std::string>(&a)) {
    const std::string& other = std::get<std::string>(b);
    if (exact) return text->compare(other);
    return store::compare_dictionary(without_trailing_blanks(*text), without_trailing_blanks(other));
  }
  if (const auto* moment = std::get_if<Moment>(&a)) return sign(moment->ms, std::get<Moment>(b).ms);
  const auto *left = std::get_if<std::int64_t>(&a), *right = std::get_if<std::int64_t>(&b);
  if (left && right) return sign(*left, *right);
  return sign(number_of(a), number_of(b));
}

}  // namespace

Truth inverse(Truth truth) {
  if (truth == Truth::unknown) return truth;
  return truth == Truth::yes ? Truth::no : Truth::yes;
}

Type type_of(const Value& value) {
  constexpr Type kTypes[] = {Type::null, Type::bit, Type::integer, Type::real, Type::text, Type::date};
  return kTypes[value.index()];
}

std::string_view name_of(Type type) {
  switch (type) {
    case Type::null: return "null";
    case Type::text: return "nvarchar";
    case Type::bit: return "bit";
    case Type::integer: return "int";
    case Type::real: return "float";
    case Type::date: return "datetimeoffset";
  }
  return "";
}

std::string_view without_trailing_blanks(std::string_view text) {
  const std::size_t last = text.find_last_not_of(' ');
  return last == std::string_view::npos ? std::string_view() : text.substr(0, last + 1);
}

std::optional<Millis> read_moment(std::string_view text) {
  text = without_blanks(text);
  if (text.size() > 40) return std::nullopt;
  std::string made(text);
  if (const auto iso = american(text)) made = *iso;
  else if (made.size() >= 8 && digits(text.substr(0, 8)) && (made.size() == 8 || made[8] == ' ')) made = made.substr(0, 4) + "-" + made.substr(4, 2) + "-" + made.substr(6);
  if (made.size() > 10 && made[10] == ' ') {
    made[10] = 'T';
    // "2020-01-31 10:00:00 +02:00" has a blank before its offset, too.
    if (const std::size_t blank = made.find(' '); blank != std::string::npos) made.erase(blank, made.find_first_not_of(' ', blank) - blank);
  }
  return parse_iso8601(made);
}

std::string shown(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* bit = std::get_if<bool>(&value)) return *bit ? "1" : "0";
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return std::to_string(*whole);
  if (const auto* moment = std::get_if<Moment>(&value)) {
    std::string out = iso8601(moment->ms);
    if (const std::size_t t = out.find('T'); t != std::string::npos) out[t] = ' ';
    if (out.ends_with('Z')) out.replace(out.size() - 1, 1, " +00:00");
    return out;
  }
  std::string out;
  if (const auto* real = std::get_if<double>(&value)) append_json_number(out, *real);
  return out;
}

Result<Value> convert(Value value, Type type) {
  if (is_null(value) || type == Type::null || type_of(value) == type) return value;
  switch (type) {
    case Type::bit: return to_bit(value);
    case Type::integer: return to_whole(value);
    case Type::real: return to_real(value);
    case Type::date: return to_date(value);
    default: return Value(shown(value));
  }
}

Result<int> compare(const Value& a, const Value& b, bool exact) {
  if (family(a) == family(b)) return compare_alike(a, b, exact);
  const Type type = higher(type_of(a), type_of(b));
  TRY(const Value left, convert(a, type));
  TRY(const Value right, convert(b, type));
  return compare_alike(left, right, exact);
}

int order(const Value& a, const Value& b) {
  const int left = family(a), right = family(b);
  if (left != right) return left < right ? -1 : 1;
  return left == 0 ? 0 : compare_alike(a, b, false);
}

}  // namespace mandate::tables::tsql
