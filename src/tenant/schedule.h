// When a job runs: cron texts and intervals, both in UTC. Pure functions of the time they are given.
//
//   cron   = minute SP hour SP day SP month SP weekday  |  "@hourly" "@daily" "@midnight" "@weekly" "@monthly" "@yearly"
//   field  = item *("," item)      item = ("*" | value ["-" value]) ["/" step]
//   value  = number, or the first three letters of an English month or weekday; weekday 0 and 7 are Sunday
//
// As in crontab(5): where both day and weekday are given, either is enough.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "tenant/tenant.h"

namespace mandate::tenant {

/// A cron text, read once.
class Cron {
 public:
  /// invalid_request; the hint says what is wrong, in words for the file's author. A time that never comes (31 February) is
  /// wrong, too.
  static Result<Cron> parse(std::string_view text);

  /// The first minute after `after`; 0 when there is none in the next nine years.
  Millis next(Millis after) const;

 private:
  bool day_matches(int year, unsigned month, unsigned day, unsigned weekday) const;

  std::uint64_t minutes_ = 0;
  std::uint32_t hours_ = 0, days_ = 0, months_ = 0, weekdays_ = 0;
  bool any_day_ = false, any_weekday_ = false;
};

/// Whether the job has times of its own; without them it runs when asked.
bool has_times(const Job& job);

/// The job's first time after `after`; 0 when there is none. Intervals are counted from start_time, or from 1970 where the
/// job has none: every 15 minutes means at :00, :15, :30 and :45. Months and years that lack the day have their last.
Millis next_run(const Job& job, Millis after);

/// Changes when anything does that next_run depends on.
std::string schedule_text(const Job& job);

}  // namespace mandate::tenant
