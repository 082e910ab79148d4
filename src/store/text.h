// What text functions and dictionary order mean, in plain C++: the engines that lack them call these, and the
// conformance suite holds every engine to them (mobile-backend-wire 3.3). Positions count code points.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "store/expr.h"

namespace mandate::store {

/// Case-insensitive, accent-sensitive dictionary order, as localeCompare of the clients: <0, 0, >0. Thread-safe.
int compare_dictionary(std::string_view a, std::string_view b);

/// Zero-based position of `needle`, case-insensitive; -1 when absent, 0 for an empty needle.
std::int64_t index_of(std::string_view hay, std::string_view needle);
bool starts_with(std::string_view text, std::string_view start);
bool ends_with(std::string_view text, std::string_view end);
std::int64_t length(std::string_view text);
/// From zero-based `start`, at most `count` code points; what lies outside is left out.
std::string_view substring(std::string_view text, std::int64_t start, std::optional<std::int64_t> count);
/// Every occurrence, byte for byte; an empty pattern changes nothing.
std::string replace_all(std::string_view text, std::string_view pattern, std::string_view with);
/// How often replace_all would replace.
std::size_t count_of(std::string_view text, std::string_view pattern);
/// Without leading and trailing spaces; other white space stays.
std::string_view trim(std::string_view text);
std::string lower(std::string_view text);
std::string upper(std::string_view text);

/// year, month (1–12), day, hour, minute or second of a moment in UTC.
std::int64_t date_part(Function part, Millis at);

/// Half away from zero.
double round_half_away(double value);

/// The number that a text writes out: sign, digits, fraction, an exponent of at most two digits; nullopt for anything else.
std::optional<double> number_of(std::string_view text);
/// Without its fraction; nullopt when no int64 holds it.
std::optional<std::int64_t> whole_of(double value);

/// ISO 8601 as parse_iso8601 reads it, from year 1 on.
std::optional<Millis> moment_of(std::string_view text);
/// yyyy-MM-ddTHH:mm:ss.fffZ; nullopt outside the years 1 to 9999.
std::optional<std::string> moment_text(Millis at);
/// Midnight before `at` in UTC, and what has passed since.
Millis day_start(Millis at);
Millis time_of_day(Millis at);
/// 0 to 0.999 seconds.
double fraction_of_second(Millis at);

}  // namespace mandate::store
