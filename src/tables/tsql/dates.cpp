#include "tables/tsql/dates.h"

#include <array>
#include <chrono>

#include "base/url.h"

namespace mandate::tables::tsql {
namespace {

namespace ch = std::chrono;

constexpr Millis kDay = 86'400'000, kFirst = -62'135'596'800'000, kLast = 253'402'300'799'999;

struct Fields {
  ch::year_month_day date;
  Millis in_day;
};

Millis floor_div(Millis a, Millis b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

Fields fields_of(Millis at) {
  const Millis days = floor_div(at, kDay);
  return {ch::year_month_day(ch::sys_days(ch::days(days))), at - days * kDay};
}

Millis days_of(ch::year_month_day date) { return ch::sys_days(date).time_since_epoch().count(); }

int year_of(const Fields& f) { return static_cast<int>(f.date.year()); }
int month_of(const Fields& f) { return static_cast<int>(static_cast<unsigned>(f.date.month())); }
int day_of(const Fields& f) { return static_cast<int>(static_cast<unsigned>(f.date.day())); }

std::int64_t day_of_year(const Fields& f) {
  return days_of(f.date) - days_of(f.date.year() / ch::January / 1) + 1;
}

/// 1 = Sunday, as servers set for American English count.
std::int64_t weekday(Millis at) { return (floor_div(at, kDay) % 7 + 7 + 4) % 7 + 1; }

/// Weeks begin on Sunday.
Millis week_number(Millis at) { return floor_div(floor_div(at, kDay) + 4, 7); }

std::int64_t months(const Fields& f) { return std::int64_t(year_of(f)) * 12 + month_of(f) - 1; }

std::optional<Millis> in_range(Millis at) {
  if (at < kFirst || at > kLast) return std::nullopt;
  return at;
}

std::string padded(std::int64_t number, std::size_t width) {
  std::string out = std::to_string(number);
  return out.size() < width ? std::string(width - out.size(), '0') + out : out;
}

constexpr std::array<std::string_view, 12> kMonths = {"January", "February", "March",     "April",   "May",      "June",
                                                      "July",    "August",   "September", "October", "November", "December"};
constexpr std::array<std::string_view, 7> kWeekdays = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

struct Word {
  std::string_view text;
  DatePart part;
};
constexpr Word kWords[] = {
    {"year", DatePart::year},        {"yy", DatePart::year},          {"yyyy", DatePart::year},   {"quarter", DatePart::quarter}, {"qq", DatePart::quarter},
    {"q", DatePart::quarter},        {"month", DatePart::month},      {"mm", DatePart::month},    {"m", DatePart::month},         {"dayofyear", DatePart::dayofyear},
    {"dy", DatePart::dayofyear},     {"y", DatePart::dayofyear},      {"day", DatePart::day},     {"dd", DatePart::day},          {"d", DatePart::day},
    {"week", DatePart::week},        {"wk", DatePart::week},          {"ww", DatePart::week},     {"weekday", DatePart::weekday}, {"dw", DatePart::weekday},
    {"w", DatePart::weekday},        {"hour", DatePart::hour},        {"hh", DatePart::hour},     {"minute", DatePart::minute},   {"mi", DatePart::minute},
    {"n", DatePart::minute},         {"second", DatePart::second},    {"ss", DatePart::second},   {"s", DatePart::second},        {"millisecond", DatePart::millisecond},
    {"ms", DatePart::millisecond},
};

}  // namespace

std::optional<DatePart> date_part_named(std::string_view word) {
  for (const Word& each : kWords)
    if (iequals(each.text, word)) return each.part;
  return std::nullopt;
}

std::int64_t date_part(DatePart part, Millis at) {
  const Fields f = fields_of(at);
  switch (part) {
    case DatePart::year: return year_of(f);
    case DatePart::quarter: return (month_of(f) - 1) / 3 + 1;
    case DatePart::month: return month_of(f);
    case DatePart::dayofyear: return day_of_year(f);
    case DatePart::day: return day_of(f);
    case DatePart::week: return week_number(at) - week_number(days_of(f.date.year() / ch::January / 1) * kDay) + 1;
    case DatePart::weekday: return weekday(at);
    case DatePart::hour: return f.in_day / 3'600'000;
    case DatePart::minute: return f.in_day / 60'000 % 60;
    case DatePart::second: return f.in_day / 1000 % 60;
    case DatePart::millisecond: return f.in_day % 1000;
  }
  return 0;
}

std::string date_name(DatePart part, Millis at) {
  const auto number = static_cast<std::size_t>(date_part(part, at));
  if (part == DatePart::month) return std::string(kMonths[number - 1]);
  if (part == DatePart::weekday) return std::string(kWeekdays[number - 1]);
  return std::to_string(number);
}

std::optional<Millis> date_add(DatePart part, std::int64_t count, Millis at) {
  constexpr std::int64_t kMost = 400'000'000'000'000;  // milliseconds of more than ten thousand years
  if (count > kMost || count < -kMost) return std::nullopt;
  Millis unit = 0;
  switch (part) {
    case DatePart::year: count *= 12; break;
    case DatePart::quarter: count *= 3; break;
    case DatePart::month: break;
    case DatePart::dayofyear:
    case DatePart::day:
    case DatePart::weekday: unit = kDay; break;
    case DatePart::week: unit = 7 * kDay; break;
    case DatePart::hour: unit = 3'600'000; break;
    case DatePart::minute: unit = 60'000; break;
    case DatePart::second: unit = 1000; break;
    case DatePart::millisecond: unit = 1; break;
  }
  if (unit > 0) {
    if (count > kMost / unit || count < -kMost / unit) return std::nullopt;
    return in_range(at + count * unit);
  }
  if (count > 120'000 || count < -120'000) return std::nullopt;
  const Fields f = fields_of(at);
  const std::int64_t month = months(f) + count;
  if (month < 12 || month >= 120'000) return std::nullopt;
  const ch::year year(static_cast<int>(month / 12));
  const ch::month of_year(static_cast<unsigned>(month % 12) + 1);
  const ch::day last = (year / of_year / ch::last).day();
  const ch::year_month_day date = year / of_year / std::min(f.date.day(), last);
  return in_range(days_of(date) * kDay + f.in_day);
}

std::int64_t date_diff(DatePart part, Millis from, Millis to) {
  const auto borders = [&](Millis unit) { return floor_div(to, unit) - floor_div(from, unit); };
  const Fields a = fields_of(from), b = fields_of(to);
  switch (part) {
    case DatePart::year: return year_of(b) - year_of(a);
    case DatePart::quarter: return months(b) / 3 - months(a) / 3;
    case DatePart::month: return months(b) - months(a);
    case DatePart::dayofyear:
    case DatePart::day:
    case DatePart::weekday: return borders(kDay);
    case DatePart::week: return week_number(to) - week_number(from);
    case DatePart::hour: return borders(3'600'000);
    case DatePart::minute: return borders(60'000);
    case DatePart::second: return borders(1000);
    case DatePart::millisecond: return to - from;
  }
  return 0;
}

std::optional<std::string> date_text(Millis at, int style) {
  const Fields f = fields_of(at);
  const std::string year = padded(year_of(f), 4), month = padded(month_of(f), 2), day = padded(day_of(f), 2);
  const std::string time = padded(f.in_day / 3'600'000, 2) + ":" + padded(f.in_day / 60'000 % 60, 2) + ":" + padded(f.in_day / 1000 % 60, 2);
  const std::string parts = "." + padded(f.in_day % 1000, 3);
  switch (style) {
    case 23: return year + "-" + month + "-" + day;
    case 101: return month + "/" + day + "/" + year;
    case 102: return year + "." + month + "." + day;
    case 103: return day + "/" + month + "/" + year;
    case 104: return day + "." + month + "." + year;
    case 105: return day + "-" + month + "-" + year;
    case 108: return time;
    case 110: return month + "-" + day + "-" + year;
    case 111: return year + "/" + month + "/" + day;
    case 112: return year + month + day;
    case 120: return year + "-" + month + "-" + day + " " + time;
    case 121: return year + "-" + month + "-" + day + " " + time + parts;
    case 126: return year + "-" + month + "-" + day + "T" + time + parts;
    case 127: return year + "-" + month + "-" + day + "T" + time + parts + "Z";
    default: return std::nullopt;
  }
}

}  // namespace mandate::tables::tsql
