#include "tables/tsql/functions.h"

#include <cmath>

#include "base/url.h"
#include "store/text.h"
#include "tables/tsql/ast.h"
#include "tables/tsql/dates.h"

namespace mandate::tables::tsql {
namespace {

constexpr std::size_t kMostText = 1 << 20;

Error bad(std::string text) { return Error(Code::bad_request, std::move(text)); }
Error too_long() { return bad("The SQL makes a text longer than a megabyte."); }
Error overflow() { return bad("Arithmetic overflow error for data type int."); }
Error no_date() { return bad("Adding a value to a 'datetimeoffset' column caused an overflow."); }

Result<std::string> text(const Value& value) { return shown(value); }

Result<std::int64_t> whole(const Value& value) {
  TRY(const Value made, convert(value, Type::integer));
  return std::get<std::int64_t>(made);
}
Result<double> real(const Value& value) {
  TRY(const Value made, convert(value, Type::real));
  return std::get<double>(made);
}
Result<Millis> moment(const Value& value) {
  TRY(const Value made, convert(value, Type::date));
  return std::get<Moment>(made).ms;
}

Result<Value> len(Call c) {
  TRY(const std::string t, text(c.args[0]));
  return Value(store::length(without_trailing_blanks(t)));
}
Result<Value> lower(Call c) {
  TRY(const std::string t, text(c.args[0]));
  return Value(store::lower(t));
}
Result<Value> upper(Call c) {
  TRY(const std::string t, text(c.args[0]));
  return Value(store::upper(t));
}
Result<Value> ltrim(Call c) {
  TRY(std::string t, text(c.args[0]));
  t.erase(0, std::min(t.find_first_not_of(' '), t.size()));
  return Value(std::move(t));
}
Result<Value> rtrim(Call c) {
  TRY(const std::string t, text(c.args[0]));
  return Value(std::string(without_trailing_blanks(t)));
}
Result<Value> trim_both(Call c) {
  TRY(const std::string t, text(c.args[0]));
  return Value(std::string(store::trim(t)));
}
Result<Value> left(Call c) {
  TRY(const std::string t, text(c.args[0]));
  TRY(const std::int64_t count, whole(c.args[1]));
  if (count < 0) return bad("Invalid length parameter passed to the LEFT function.");
  return Value(std::string(store::substring(t, 0, count)));
}
Result<Value> right(Call c) {
  TRY(const std::string t, text(c.args[0]));
  TRY(const std::int64_t count, whole(c.args[1]));
  if (count < 0) return bad("Invalid length parameter passed to the RIGHT function.");
  return Value(std::string(store::substring(t, std::max<std::int64_t>(0, store::length(t) - count), std::nullopt)));
}
Result<Value> substring(Call c) {
  TRY(const std::string t, text(c.args[0]));
  TRY(const std::int64_t start, whole(c.args[1]));
  TRY(const std::int64_t count, whole(c.args[2]));
  if (count < 0) return bad("Invalid length parameter passed to the SUBSTRING function.");
  // What lies before the text counts, too.
  constexpr std::int64_t kFar = 1LL << 40;
  const std::int64_t from = std::clamp(start, -kFar, kFar) - 1, end = std::min(from + std::min(count, kFar), kFar);
  if (end <= 0) return Value(std::string());
  const std::int64_t first = std::max<std::int64_t>(from, 0);
  return Value(std::string(store::substring(t, first, end - first)));
}
Result<Value> charindex(Call c) {
  TRY(const std::string needle, text(c.args[0]));
  TRY(const std::string hay, text(c.args[1]));
  std::int64_t start = 0;
  if (c.args.size() == 3) {
    TRY(const std::int64_t given, whole(c.args[2]));
    start = std::clamp<std::int64_t>(given - 1, 0, 1LL << 40);
  }
  if (needle.empty()) return Value(std::int64_t(0));
  const std::int64_t found = store::index_of(store::substring(hay, start, std::nullopt), needle);
  return Value(found < 0 ? std::int64_t(0) : found + start + 1);
}
Result<Value> replace(Call c) {
  TRY(const std::string t, text(c.args[0]));
  TRY(const std::string pattern, text(c.args[1]));
  TRY(const std::string with, text(c.args[2]));
  if (pattern.empty()) return Value(t);
  // Without letter case: lower keeps one code point for one, but not always its length, so it is walked by code points.
  const std::string folded = store::lower(t), needle = store::lower(pattern);
  std::string out;
  std::size_t in_text = 0;
  for (std::size_t at = 0; at < folded.size();) {
    std::size_t taken = 1;
    if (std::string_view(folded).substr(at).starts_with(needle)) {
      out += with;
      for (std::size_t i = at; i < at + needle.size(); ++i)
        if ((static_cast<unsigned char>(folded[i]) & 0xC0) != 0x80) {
          ++in_text;
          while (in_text < t.size() && (static_cast<unsigned char>(t[in_text]) & 0xC0) == 0x80) ++in_text;
        }
      at += needle.size();
    } else {
      while (at + taken < folded.size() && (static_cast<unsigned char>(folded[at + taken]) & 0xC0) == 0x80) ++taken;
      at += taken;
      out += t[in_text++];
      while (in_text < t.size() && (static_cast<unsigned char>(t[in_text]) & 0xC0) == 0x80) out += t[in_text++];
    }
    if (out.size() > kMostText) return too_long();
  }
  return Value(std::move(out));
}
Result<Value> concat(Call c) {
  std::string out;
  for (const Value& each : c.args) {
    out += shown(each);
    if (out.size() > kMostText) return too_long();
  }
  return Value(std::move(out));
}
Result<Value> replicate(Call c) {
  TRY(const std::string t, text(c.args[0]));
  TRY(const std::int64_t count, whole(c.args[1]));
  if (count < 0) return Value();
  if (t.empty()) return Value(std::string());
  if (count > static_cast<std::int64_t>(kMostText / t.size())) return too_long();
  std::string out;
  for (std::int64_t i = 0; i < count; ++i) out += t;
  return Value(std::move(out));
}

/// The first that is not null, as the highest of their types.
Result<Value> coalesce(Call c) {
  Type type = Type::null;
  for (const Value& each : c.args) type = higher(type, type_of(each));
  for (Value& each : c.args)
    if (!is_null(each)) return convert(std::move(each), type);
  return Value();
}
/// The type is the first one's.
Result<Value> isnull(Call c) {
  if (!is_null(c.args[0])) return std::move(c.args[0]);
  return std::move(c.args[1]);
}
Result<Value> nullif(Call c) {
  if (is_null(c.args[0]) || is_null(c.args[1])) return std::move(c.args[0]);
  TRY(const int order, compare(c.args[0], c.args[1]));
  return order == 0 ? Value() : std::move(c.args[0]);
}

Result<Value> now(Call c) { return Value(Moment{c.around.now}); }
Result<Value> dateadd(Call c) {
  TRY(const std::int64_t count, whole(c.args[0]));
  TRY(const Millis at, moment(c.args[1]));
  const auto moved = date_add(static_cast<DatePart>(c.part), count, at);
  if (!moved) return no_date();
  return Value(Moment{*moved});
}
Result<Value> datediff(Call c) {
  TRY(const Millis from, moment(c.args[0]));
  TRY(const Millis to, moment(c.args[1]));
  return Value(date_diff(static_cast<DatePart>(c.part), from, to));
}
Result<Value> datepart(Call c) {
  TRY(const Millis at, moment(c.args[0]));
  return Value(date_part(static_cast<DatePart>(c.part), at));
}
Result<Value> datename(Call c) {
  TRY(const Millis at, moment(c.args[0]));
  return Value(date_name(static_cast<DatePart>(c.part), at));
}
template <DatePart P>
Result<Value> part_of(Call c) {
  TRY(const Millis at, moment(c.args[0]));
  return Value(date_part(P, at));
}

double rounded(double value, std::int64_t places, bool cut) {
  if (places > 15 || !std::isfinite(value)) return value;
  if (places < -300) return 0;
  const double scale = std::pow(10.0, static_cast<double>(places < 0 ? -places : places));
  const double scaled = places < 0 ? value / scale : value * scale;
  if (!std::isfinite(scaled)) return value;
  // 2.675 * 100 is a little less than 267.5: what is nearly half counts as half.
  const double nudged = scaled + std::copysign(std::fabs(scaled) * 1e-15, scaled);
  const double whole = cut ? std::trunc(nudged) : store::round_half_away(nudged);
  return places < 0 ? whole * scale : whole / scale;
}
Result<Value> round(Call c) {
  TRY(const std::int64_t places, whole(c.args[1]));
  bool cut = false;
  if (c.args.size() == 3) {
    TRY(const std::int64_t how, whole(c.args[2]));
    cut = how != 0;
  }
  TRY(const double value, real(c.args[0]));
  const double out = rounded(value, places, cut);
  if (type_of(c.args[0]) != Type::integer) return Value(out);
  return places >= 0 ? Result<Value>(c.args[0]) : convert(Value(out), Type::integer);
}
Result<Value> absolute(Call c) {
  if (const auto* number = std::get_if<std::int64_t>(&c.args[0])) {
    if (*number == INT64_MIN) return overflow();
    return Value(*number < 0 ? -*number : *number);
  }
  TRY(const double value, real(c.args[0]));
  return Value(std::fabs(value));
}
template <double (*F)(double)>
Result<Value> stepped(Call c) {
  if (type_of(c.args[0]) == Type::integer) return std::move(c.args[0]);
  TRY(const double value, real(c.args[0]));
  return Value(F(value));
}
double floored(double value) { return std::floor(value); }
double raised(double value) { return std::ceil(value); }
Result<Value> sign(Call c) {
  TRY(const double value, real(c.args[0]));
  return Value(std::int64_t(value > 0 ? 1 : value < 0 ? -1 : 0));
}
Result<Value> root(Call c) {
  TRY(const double value, real(c.args[0]));
  if (value < 0) return bad("An invalid floating point operation occurred.");
  return Value(std::sqrt(value));
}
Result<Value> power(Call c) {
  TRY(const double base, real(c.args[0]));
  TRY(const double exponent, real(c.args[1]));
  const double out = std::pow(base, exponent);
  if (!std::isfinite(out)) return bad("An invalid floating point operation occurred.");
  return type_of(c.args[0]) == Type::integer ? convert(Value(out), Type::integer) : Result<Value>(Value(out));
}

Result<Value> newid(Call c) {
  std::string hex = c.around.random->hex(16);
  hex[12] = '4';
  hex[16] = "89ab"[static_cast<std::size_t>(hex[16]) % 4];
  for (const std::size_t place : {8U, 13U, 18U, 23U}) hex.insert(place, 1, '-');
  return Value(store::upper(hex));
}
Result<Value> identity(Call c) { return c.around.identity; }
Result<Value> row_count(Call c) { return Value(c.around.rows); }

constexpr Function kFunctions[] = {
    {"ABS", 1, 1, Type::null, false, false, false, absolute},
    {"CEILING", 1, 1, Type::null, false, false, false, stepped<raised>},
    {"CHARINDEX", 2, 3, Type::integer, false, false, false, charindex},
    {"COALESCE", 1, 100, Type::null, false, true, false, coalesce},
    {"CONCAT", 1, 100, Type::text, false, true, false, concat},
    {"DATEADD", 2, 2, Type::date, true, false, false, dateadd},
    {"DATEDIFF", 2, 2, Type::integer, true, false, false, datediff},
    {"DATENAME", 1, 1, Type::text, true, false, false, datename},
    {"DATEPART", 1, 1, Type::integer, true, false, false, datepart},
    {"DAY", 1, 1, Type::integer, false, false, false, part_of<DatePart::day>},
    {"FLOOR", 1, 1, Type::null, false, false, false, stepped<floored>},
    {"GETDATE", 0, 0, Type::date, false, false, false, now},
    {"GETUTCDATE", 0, 0, Type::date, false, false, false, now},
    {"ISNULL", 2, 2, Type::null, false, true, false, isnull},
    {"LEFT", 2, 2, Type::text, false, false, false, left},
    {"LEN", 1, 1, Type::integer, false, false, false, len},
    {"LOWER", 1, 1, Type::text, false, false, false, lower},
    {"LTRIM", 1, 1, Type::text, false, false, false, ltrim},
    {"MONTH", 1, 1, Type::integer, false, false, false, part_of<DatePart::month>},
    {"NEWID", 0, 0, Type::text, false, false, true, newid},
    {"NULLIF", 2, 2, Type::null, false, true, false, nullif},
    {"POWER", 2, 2, Type::null, false, false, false, power},
    {"REPLACE", 3, 3, Type::text, false, false, false, replace},
    {"REPLICATE", 2, 2, Type::text, false, false, false, replicate},
    {"RIGHT", 2, 2, Type::text, false, false, false, right},
    {"ROUND", 2, 3, Type::null, false, false, false, round},
    {"RTRIM", 1, 1, Type::text, false, false, false, rtrim},
    {"SCOPE_IDENTITY", 0, 0, Type::integer, false, true, false, identity},
    {"SIGN", 1, 1, Type::integer, false, false, false, sign},
    {"SQRT", 1, 1, Type::real, false, false, false, root},
    {"SUBSTRING", 3, 3, Type::text, false, false, false, substring},
    {"SYSDATETIME", 0, 0, Type::date, false, false, false, now},
    {"SYSDATETIMEOFFSET", 0, 0, Type::date, false, false, false, now},
    {"SYSUTCDATETIME", 0, 0, Type::date, false, false, false, now},
    {"TRIM", 1, 1, Type::text, false, false, false, trim_both},
    {"UPPER", 1, 1, Type::text, false, false, false, upper},
    {"YEAR", 1, 1, Type::integer, false, false, false, part_of<DatePart::year>},
};
constexpr Function kGlobals[] = {
    {"IDENTITY", 0, 0, Type::integer, false, true, false, identity},
    {"ROWCOUNT", 0, 0, Type::integer, false, true, false, row_count},
};

}  // namespace

const Function* function_named(std::string_view name) {
  for (const Function& each : kFunctions)
    if (iequals(each.name, name)) return &each;
  return nullptr;
}

const Function* global_named(std::string_view name) {
  for (const Function& each : kGlobals)
    if (iequals(each.name, name)) return &each;
  return nullptr;
}

Result<Value> cast_to(const Cast& cast, Value value, std::optional<int> style) {
  if (is_null(value)) return value;
  if (cast.type == Type::text && style) {
    if (const auto* moment = std::get_if<Moment>(&value)) {
      auto made = date_text(moment->ms, *style);
      if (!made) return bad("CONVERT does not know the style " + std::to_string(*style) + ".");
      value = *std::move(made);
    }
  }
  if (auto* text = std::get_if<std::string>(&value); text && cast.type == Type::date && style) {
    // The styles that write the day first.
    const char border = *style == 103 ? '/' : *style == 104 ? '.' : *style == 105 ? '-' : '\0';
    const std::size_t first = border ? text->find(border) : std::string::npos, second = first == std::string::npos ? first : text->find(border, first + 1);
    if (second != std::string::npos) *text = text->substr(first + 1, second - first - 1) + "/" + text->substr(0, first) + "/" + text->substr(second + 1);
  }
  TRY(value, convert(std::move(value), cast.type));
  if (auto* text = std::get_if<std::string>(&value); text && cast.length) return Value(std::string(store::substring(*text, 0, *cast.length)));
  if (auto* real = std::get_if<double>(&value); real && cast.scale) return Value(rounded(*real, *cast.scale, false));
  if (auto* moment = std::get_if<Moment>(&value); moment && cast.day) return Value(Moment{store::day_start(moment->ms)});
  return value;
}

Result<Value> arithmetic(char op, const Value& a, const Value& b) {
  if (is_null(a) || is_null(b)) return Value();
  const Type left = type_of(a), right = type_of(b);
  if (op == '+' && left == Type::text && right == Type::text) {
    const std::string &x = std::get<std::string>(a), &y = std::get<std::string>(b);
    if (x.size() + y.size() > kMostText) return too_long();
    return Value(x + y);
  }
  if (left == Type::date || right == Type::date) {
    // Days, as with T-SQL's datetime.
    if (op != '+' && !(op == '-' && left == Type::date)) return bad("Dates can only be added to and subtracted from.");
    if (op == '-' && right == Type::date) return bad("Dates are subtracted by DATEDIFF.");
    TRY(const Millis at, moment(left == Type::date ? a : b));
    TRY(const double days, real(left == Type::date ? b : a));
    if (!(std::fabs(days) < 4e6)) return no_date();
    const auto moved = date_add(DatePart::millisecond, static_cast<std::int64_t>(std::llround((op == '+' ? days : -days) * 86'400'000.0)), at);
    if (!moved) return no_date();
    return Value(Moment{*moved});
  }
  Type type = higher(left, right);
  if (type == Type::bit || type == Type::text) type = Type::integer;
  TRY(const Value x, convert(a, type));
  TRY(const Value y, convert(b, type));
  if (type == Type::integer) {
    const std::int64_t m = std::get<std::int64_t>(x), n = std::get<std::int64_t>(y);
    std::int64_t out = 0;
    switch (op) {
      case '+': return __builtin_add_overflow(m, n, &out) ? Result<Value>(overflow()) : Value(out);
      case '-': return __builtin_sub_overflow(m, n, &out) ? Result<Value>(overflow()) : Value(out);
      case '*': return __builtin_mul_overflow(m, n, &out) ? Result<Value>(overflow()) : Value(out);
      default: break;
    }
    if (n == 0) return bad("Divide by zero error encountered.");
    if (n == -1) return op == '%' ? Result<Value>(Value(std::int64_t(0))) : arithmetic('-', Value(std::int64_t(0)), x);
    return Value(op == '/' ? m / n : m % n);
  }
  const double m = std::get<double>(x), n = std::get<double>(y);
  if ((op == '/' || op == '%') && n == 0) return bad("Divide by zero error encountered.");
  const double out = op == '+' ? m + n : op == '-' ? m - n : op == '*' ? m * n : op == '/' ? m / n : std::fmod(m, n);
  if (!std::isfinite(out)) return bad("Arithmetic overflow error converting expression to data type float.");
  return Value(out);
}

}  // namespace mandate::tables::tsql
