#include "store/text.h"

#include <unicode/uchar.h>
#include <unicode/ucol.h>
#include <unicode/utf8.h>

#include <charconv>
#include <cmath>
#include <cstring>

namespace mandate::store {
namespace {

struct CloseCollator {
  void operator()(UCollator* c) const { ucol_close(c); }
};

/// Secondary strength: letters and accents count, case does not.
const UCollator* collator() {
  static const std::unique_ptr<UCollator, CloseCollator> shared = [] {
    UErrorCode status = U_ZERO_ERROR;
    std::unique_ptr<UCollator, CloseCollator> c(ucol_open("", &status));
    if (c) ucol_setStrength(c.get(), UCOL_SECONDARY);
    return c;
  }();
  return shared.get();
}

/// The next code point, a broken byte as U+FFFD.
UChar32 next(std::string_view text, std::int32_t& at) {
  UChar32 c;
  U8_NEXT_OR_FFFD(reinterpret_cast<const std::uint8_t*>(text.data()), at, static_cast<std::int32_t>(text.size()), c);
  return c;
}

/// Simple folding keeps one code point for one, so positions in folded and in plain text are the same.
UChar32 fold(UChar32 c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
  return u_foldCase(c, U_FOLD_CASE_DEFAULT);
}

template <class Map>
std::string mapped(std::string_view text, Map map) {
  std::string out;
  out.reserve(text.size());
  for (std::int32_t at = 0; at < static_cast<std::int32_t>(text.size());) {
    const UChar32 c = map(next(text, at));
    std::uint8_t bytes[4];
    std::int32_t n = 0;
    U8_APPEND_UNSAFE(bytes, n, c);
    out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(n));
  }
  return out;
}

std::string folded(std::string_view text) { return mapped(text, fold); }

/// As string_view::find, but linear in both whatever they hold: patterns are the clients'.
std::size_t find(std::string_view text, std::string_view pattern, std::size_t from = 0) {
  if (from > text.size()) return std::string_view::npos;
  const void* at = ::memmem(text.data() + from, text.size() - from, pattern.data(), pattern.size());
  return at ? static_cast<std::size_t>(static_cast<const char*>(at) - text.data()) : std::string_view::npos;
}

}  // namespace

int compare_dictionary(std::string_view a, std::string_view b) {
  const UCollator* c = collator();
  if (!c) return a.compare(b);
  UErrorCode status = U_ZERO_ERROR;
  return ucol_strcollUTF8(c, a.data() ? a.data() : "", static_cast<std::int32_t>(a.size()), b.data() ? b.data() : "",
                          static_cast<std::int32_t>(b.size()), &status);
}

std::int64_t index_of(std::string_view hay, std::string_view needle) {
  if (needle.empty()) return 0;
  const std::string text = folded(hay);
  const std::size_t at = find(text, folded(needle));
  return at == std::string::npos ? -1 : length(std::string_view(text).substr(0, at));
}

bool starts_with(std::string_view text, std::string_view start) { return folded(text).starts_with(folded(start)); }
bool ends_with(std::string_view text, std::string_view end) { return folded(text).ends_with(folded(end)); }

std::int64_t length(std::string_view text) {
  std::int64_t count = 0;
  for (std::int32_t at = 0; at < static_cast<std::int32_t>(text.size()); ++count) next(text, at);
  return count;
}

std::string_view substring(std::string_view text, std::int64_t start, std::optional<std::int64_t> count) {
  // SUBSTRING of SQL counts from where `start` says, even when that lies before the text.
  std::int64_t end = INT64_MAX;
  if (count) {
    if (*count <= 0) return {};
    if (start <= 0 || *count < INT64_MAX - start) end = start + *count;
  }
  std::int32_t at = 0;
  std::int64_t position = 0;
  const auto size = static_cast<std::int32_t>(text.size());
  while (at < size && position < start) next(text, at), ++position;
  const std::int32_t from = at;
  while (at < size && position < end) next(text, at), ++position;
  return text.substr(static_cast<std::size_t>(from), static_cast<std::size_t>(at - from));
}

std::string replace_all(std::string_view text, std::string_view pattern, std::string_view with) {
  if (pattern.empty()) return std::string(text);
  std::string out;
  std::size_t from = 0;
  for (std::size_t at; (at = find(text, pattern, from)) != std::string_view::npos; from = at + pattern.size()) {
    out += text.substr(from, at - from);
    out += with;
  }
  out += text.substr(from);
  return out;
}

std::size_t count_of(std::string_view text, std::string_view pattern) {
  std::size_t count = 0;
  if (pattern.empty()) return 0;
  for (std::size_t at = 0; (at = find(text, pattern, at)) != std::string_view::npos; at += pattern.size()) ++count;
  return count;
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::string lower(std::string_view text) { return mapped(text, [](UChar32 c) { return u_tolower(c); }); }
std::string upper(std::string_view text) { return mapped(text, [](UChar32 c) { return u_toupper(c); }); }

std::int64_t date_part(Function part, Millis at) {
  using namespace std::chrono;
  const sys_time<milliseconds> moment{milliseconds(at)};
  const sys_days day = floor<days>(moment);
  const auto in_day = duration_cast<seconds>(moment - day).count();
  // chrono's year is 16 bits wide; moments beyond it have no calendar date.
  if (at > 253'402'300'799'999 || at < -62'167'219'200'000) return 0;
  const year_month_day date{day};
  switch (part) {
    case Function::year: return static_cast<int>(date.year());
    case Function::month: return static_cast<unsigned>(date.month());
    case Function::day: return static_cast<unsigned>(date.day());
    case Function::hour: return in_day / 3600;
    case Function::minute: return in_day / 60 % 60;
    default: return in_day % 60;
  }
}

double round_half_away(double value) { return std::round(value); }

// [+-]? ( digits{1,100} [ "." digits{0,100} ] | "." digits{1,100} ) [ (e|E) [+-]? digits{1,2} ], the same in every engine.
std::optional<double> number_of(std::string_view text) {
  const auto digits = [](std::string_view t) {
    std::size_t n = 0;
    while (n < t.size() && t[n] >= '0' && t[n] <= '9') ++n;
    return n;
  };
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  std::string_view rest = text;
  const std::size_t before = digits(rest);
  rest.remove_prefix(before);
  std::size_t behind = 0;
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    behind = digits(rest);
    rest.remove_prefix(behind);
  }
  if (before + behind == 0 || before > 100 || behind > 100) return std::nullopt;
  if (rest.starts_with('e') || rest.starts_with('E')) {
    rest.remove_prefix(1);
    if (rest.starts_with('+') || rest.starts_with('-')) rest.remove_prefix(1);
    const std::size_t exponent = digits(rest);
    if (exponent == 0 || exponent > 2) return std::nullopt;
    rest.remove_prefix(exponent);
  }
  if (!rest.empty()) return std::nullopt;
  const std::string plain(text);  // strtod also reads "1." and "e+1", which from_chars does not
  const double value = std::strtod(plain.c_str(), nullptr);
  return negative ? -value : value;
}

std::optional<std::int64_t> whole_of(double value) {
  if (!(value > -9.2e18 && value < 9.2e18)) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

std::optional<Millis> moment_of(std::string_view text) {
  if (text.starts_with("0000")) return std::nullopt;
  return parse_iso8601(text);
}

std::optional<std::string> moment_text(Millis at) {
  if (at < -62'135'596'800'000 || at > 253'402'300'799'999) return std::nullopt;
  return iso8601(at);
}

namespace {
constexpr Millis kDayLength = 86'400'000;
Millis remainder(Millis at, Millis of) { return (at % of + of) % of; }
}  // namespace

Millis day_start(Millis at) { return at < INT64_MIN + kDayLength ? at : at - remainder(at, kDayLength); }
Millis time_of_day(Millis at) { return remainder(at, kDayLength); }
double fraction_of_second(Millis at) { return static_cast<double>(remainder(at, 1000)) / 1000; }

}  // namespace mandate::store
