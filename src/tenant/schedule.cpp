#include "tenant/schedule.h"

#include <charconv>
#include <span>

#include "base/url.h"

namespace mandate::tenant {
namespace {

using std::chrono::day;
using std::chrono::month;
using std::chrono::sys_days;
using std::chrono::year;
using std::chrono::year_month_day;

constexpr Millis kMinute = 60'000, kHour = 60 * kMinute, kDay = 24 * kHour;
constexpr int kYearsAhead = 9;  // a 29 February can be eight years away
constexpr Millis kLatest = 253'402'300'799'000;  // the last second of 9999

constexpr std::string_view kMonths[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::string_view kWeekdays[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct Field {
  std::string_view name;
  unsigned least, most;
  std::span<const std::string_view> words;  ///< the first means `least`
};
constexpr Field kFields[] = {{"minute", 0, 59, {}}, {"hour", 0, 23, {}}, {"day", 1, 31, {}}, {"month", 1, 12, kMonths}, {"weekday", 0, 7, kWeekdays}};

constexpr std::pair<std::string_view, std::string_view> kShort[] = {
    {"@hourly", "0 * * * *"}, {"@daily", "0 0 * * *"}, {"@midnight", "0 0 * * *"}, {"@weekly", "0 0 * * 0"},
    {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}};

Error wrong(const Field& field, std::string_view text, std::string_view why) {
  return Error(Code::invalid_request, "'" + std::string(text.substr(0, 40)) + "' is no " + std::string(field.name) + ": " + std::string(why));
}

Result<unsigned> number(const Field& field, std::string_view text) {
  unsigned out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error == std::errc() && end == text.data() + text.size() && !text.empty() && text.size() <= 4) return out;
  for (std::size_t i = 0; i < field.words.size(); ++i)
    if (iequals(text, field.words[i])) return field.least + static_cast<unsigned>(i);
  return wrong(field, text, "a number is needed");
}

Result<unsigned> value(const Field& field, std::string_view text) {
  TRY(const unsigned out, number(field, text));
  if (out < field.least || out > field.most)
    return wrong(field, text, "it must be " + std::to_string(field.least) + " to " + std::to_string(field.most));
  return out;
}

/// The values of a field as bits.
Result<std::uint64_t> bits_of(const Field& field, std::string_view text) {
  std::uint64_t out = 0;
  if (text.starts_with(',') || text.ends_with(',') || text.find(",,") != text.npos) return wrong(field, text, "a value is missing at a comma");
  for (const std::string& item : split(text, ',')) {
    std::string_view range = item;
    unsigned step = 1;
    if (const std::size_t slash = range.find('/'); slash != range.npos) {
      TRY(step, number(field, range.substr(slash + 1)));
      if (step == 0) return wrong(field, item, "the step must be 1 or more");
      range = range.substr(0, slash);
    }
    unsigned from = field.least, to = field.most;
    if (range != "*") {
      const std::size_t dash = range.find('-');
      TRY(from, value(field, range.substr(0, dash)));
      if (dash != range.npos) {
        TRY(to, value(field, range.substr(dash + 1)));
      } else if (step == 1) {
        to = from;
      }
      if (to < from) return wrong(field, item, "its end is before its beginning");
    }
    for (unsigned v = from; v <= to; v += step) out |= std::uint64_t{1} << v;
  }
  return out;
}

/// The interval's nth time; months keep the start's day where they have it.
Millis nth(const Job& job, std::int64_t n) {
  const std::int64_t steps = n * job.interval_period;
  if (job.interval_unit == "minute") return job.start_time + steps * kMinute;
  if (job.interval_unit == "hour") return job.start_time + steps * kHour;
  if (job.interval_unit == "day") return job.start_time + steps * kDay;
  const std::int64_t months = job.interval_unit == "year" ? steps * 12 : steps;
  const std::int64_t days = job.start_time / kDay - (job.start_time % kDay < 0 ? 1 : 0);
  const year_month_day start{sys_days{std::chrono::days{days}}};
  const std::int64_t total = (static_cast<int>(start.year()) * std::int64_t{12} + static_cast<unsigned>(start.month()) - 1) + months;
  if (total / 12 > 9999) return kLatest + 1;
  const year y{static_cast<int>(total / 12)};
  const month m{static_cast<unsigned>(total % 12) + 1};
  const day last = std::chrono::year_month_day_last{y, std::chrono::month_day_last{m}}.day();
  const sys_days at = sys_days{y / m / std::min(start.day(), last)};
  return at.time_since_epoch().count() * kDay + (job.start_time - days * kDay);
}

/// A number of periods that cannot be past `after` yet, for a search from there.
std::int64_t periods_before(const Job& job, Millis after) {
  Millis longest = 366 * kDay;
  if (job.interval_unit == "minute") longest = kMinute;
  if (job.interval_unit == "hour") longest = kHour;
  if (job.interval_unit == "day") longest = kDay;
  if (job.interval_unit == "month") longest = 31 * kDay;
  return (after - job.start_time) / (longest * job.interval_period);
}

}  // namespace

Result<Cron> Cron::parse(std::string_view text) {
  for (const auto& [word, meaning] : kShort)
    if (iequals(text, word)) text = meaning;
  std::vector<std::string> parts;
  for (std::string& part : split(text, ' '))
    if (!part.empty()) parts.push_back(std::move(part));
  if (text.size() > 400 || parts.size() != std::size(kFields))
    return Error(Code::invalid_request, "must have five fields: minute, hour, day, month, weekday");
  std::uint64_t bits[std::size(kFields)];
  for (std::size_t i = 0; i < std::size(kFields); ++i) {
    TRY(bits[i], bits_of(kFields[i], parts[i]));
  }
  Cron out;
  out.minutes_ = bits[0];
  out.hours_ = static_cast<std::uint32_t>(bits[1]);
  out.days_ = static_cast<std::uint32_t>(bits[2]);
  out.months_ = static_cast<std::uint32_t>(bits[3]);
  out.weekdays_ = static_cast<std::uint32_t>((bits[4] | bits[4] >> 7) & 0x7F);
  out.any_day_ = parts[2].starts_with('*');
  out.any_weekday_ = parts[4].starts_with('*');
  if (out.next(0) == 0) return Error(Code::invalid_request, "names a time that never comes");
  return out;
}

bool Cron::day_matches(int, unsigned m, unsigned d, unsigned weekday) const {
  if (!(months_ >> m & 1)) return false;
  const bool by_day = days_ >> d & 1, by_weekday = weekdays_ >> weekday & 1;
  return any_day_ || any_weekday_ ? by_day && by_weekday : by_day || by_weekday;
}

Millis Cron::next(Millis after) const {
  if (after < 0 || after > kLatest) return 0;
  const Millis from = (after / kMinute + 1) * kMinute;
  std::int64_t today = from / kDay;
  const std::int64_t last = today + kYearsAhead * 366;
  std::int64_t minute = from % kDay / kMinute;  // of the day, the first that may be meant
  for (; today <= last; ++today, minute = 0) {
    const sys_days date{std::chrono::days{today}};
    const year_month_day parts{date};
    const unsigned weekday = std::chrono::weekday{date}.c_encoding();
    if (!day_matches(static_cast<int>(parts.year()), static_cast<unsigned>(parts.month()), static_cast<unsigned>(parts.day()), weekday)) continue;
    for (; minute < 24 * 60; ++minute) {
      if (!(hours_ >> (minute / 60) & 1)) {
        minute += 59 - minute % 60;
        continue;
      }
      if (minutes_ >> (minute % 60) & 1) return today * kDay + minute * kMinute;
    }
  }
  return 0;
}

bool has_times(const Job& job) { return !job.cron.empty() || !job.interval_unit.empty(); }

Millis next_run(const Job& job, Millis after) {
  if (after < job.start_time) after = job.start_time - 1;
  if (!job.cron.empty()) {
    const Result<Cron> cron = Cron::parse(job.cron);
    return cron.ok() ? cron->next(std::max<Millis>(after, 0)) : 0;
  }
  if (job.interval_unit.empty() || job.interval_period <= 0) return 0;
  if (after < job.start_time) return job.start_time;
  std::int64_t n = periods_before(job, after);
  while (nth(job, n) <= after) ++n;
  const Millis at = nth(job, n);
  return at > kLatest ? 0 : at;
}

std::string schedule_text(const Job& job) {
  if (!has_times(job)) return {};
  const std::string start = job.start_time ? " from " + iso8601(job.start_time) : std::string();
  if (!job.cron.empty()) return job.cron + start;
  return "every " + std::to_string(job.interval_period) + " " + job.interval_unit + start;
}

}  // namespace mandate::tenant
