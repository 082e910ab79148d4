#include "base/clock.h"

namespace mandate {
namespace {

// Howard Hinnant's civil calendar, public domain arithmetic: days since 1970-01-01.
constexpr std::int64_t days_from_civil(std::int64_t y, unsigned m, unsigned d) {
  y -= m <= 2;
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const auto yoe = static_cast<unsigned>(y - era * 400);
  const unsigned doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
  const unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
  return era * 146097 + static_cast<std::int64_t>(doe) - 719468;
}

void digits(std::string& out, std::int64_t value, int width) {
  char buffer[20];
  for (int i = width - 1; i >= 0; --i, value /= 10) buffer[i] = static_cast<char>('0' + value % 10);
  out.append(buffer, static_cast<std::size_t>(width));
}

struct Reader {
  std::string_view text;
  bool bad = false;

  std::int64_t number(std::size_t width) {
    if (text.size() < width) return bad = true, 0;
    std::int64_t value = 0;
    for (std::size_t i = 0; i < width; ++i) {
      if (text[i] < '0' || text[i] > '9') return bad = true, 0;
      value = value * 10 + (text[i] - '0');
    }
    text.remove_prefix(width);
    return value;
  }
  bool take(char c) {
    if (text.empty() || text.front() != c) return false;
    text.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!take(c)) bad = true;
  }
};

}  // namespace

Millis SystemClock::now_ms() const {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

void append_iso8601(std::string& out, Millis ms) {
  std::int64_t days = ms / 86'400'000, rest = ms % 86'400'000;
  if (rest < 0) rest += 86'400'000, --days;
  const std::int64_t z = days + 719468;
  const std::int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  const auto doe = static_cast<unsigned>(z - era * 146097);
  const unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const unsigned mp = (5 * doy + 2) / 153;
  const unsigned day = doy - (153 * mp + 2) / 5 + 1;
  const unsigned month = mp < 10 ? mp + 3 : mp - 9;
  const std::int64_t year = static_cast<std::int64_t>(yoe) + era * 400 + (month <= 2);
  digits(out, year, 4), out += '-', digits(out, month, 2), out += '-', digits(out, day, 2), out += 'T';
  digits(out, rest / 3'600'000, 2), out += ':', digits(out, rest / 60'000 % 60, 2), out += ':';
  digits(out, rest / 1000 % 60, 2), out += '.', digits(out, rest % 1000, 3), out += 'Z';
}

std::string iso8601(Millis ms) {
  std::string out;
  out.reserve(24);
  append_iso8601(out, ms);
  return out;
}

std::optional<Millis> parse_iso8601(std::string_view text) {
  Reader in{text};
  const std::int64_t year = in.number(4);
  in.expect('-');
  const std::int64_t month = in.number(2);
  in.expect('-');
  const std::int64_t day = in.number(2);
  if (in.bad || month < 1 || month > 12 || day < 1) return std::nullopt;
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  if (day > kDays[month - 1] + (leap && month == 2)) return std::nullopt;
  Millis ms = days_from_civil(year, static_cast<unsigned>(month), static_cast<unsigned>(day)) * 86'400'000;
  if (in.text.empty()) return ms;
  if (!in.take('T') && !in.take(' ') && !in.take('t')) return std::nullopt;
  const std::int64_t hour = in.number(2);
  in.expect(':');
  const std::int64_t minute = in.number(2);
  std::int64_t second = 0, fraction = 0;
  if (in.take(':')) {
    second = in.number(2);
    if (in.take('.')) {
      int count = 0;
      while (!in.text.empty() && in.text.front() >= '0' && in.text.front() <= '9' && count < 9) {
        const std::int64_t digit = in.number(1);
        if (count < 3) fraction = fraction * 10 + digit;
        ++count;
      }
      if (count == 0) return std::nullopt;
      for (; count < 3; ++count) fraction *= 10;
    }
  }
  if (in.bad || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  ms += hour * 3'600'000 + minute * 60'000 + second * 1000 + fraction;
  if (in.text.empty() || in.take('Z') || in.take('z')) return in.text.empty() ? std::optional(ms) : std::nullopt;
  const bool plus = in.take('+');
  if (!plus && !in.take('-')) return std::nullopt;
  const std::int64_t offset_hour = in.number(2);
  in.take(':');
  const std::int64_t offset_minute = in.number(2);
  if (in.bad || !in.text.empty() || offset_hour > 14 || offset_minute > 59) return std::nullopt;
  const Millis offset = offset_hour * 3'600'000 + offset_minute * 60'000;
  return plus ? ms - offset : ms + offset;
}

}  // namespace mandate
