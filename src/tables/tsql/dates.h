// Parts of dates as T-SQL counts them, in UTC.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tables/tsql/value.h"

namespace mandate::tables::tsql {

enum class DatePart { year, quarter, month, dayofyear, day, week, weekday, hour, minute, second, millisecond };

/// "year", "yy", "yyyy" … in any letter case.
std::optional<DatePart> date_part_named(std::string_view word);

std::int64_t date_part(DatePart part, Millis at);
/// "January", "Sunday", or the number as text.
std::string date_name(DatePart part, Millis at);
/// nullopt outside the years 1 to 9999. A month that has no such day ends at its last.
std::optional<Millis> date_add(DatePart part, std::int64_t count, Millis at);
/// How many borders of that part lie between the two.
std::int64_t date_diff(DatePart part, Millis from, Millis to);

/// The date in one of CONVERT's styles; nullopt for a style that is not known here.
std::optional<std::string> date_text(Millis at, int style);

}  // namespace mandate::tables::tsql
