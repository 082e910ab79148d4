// A value of a script's SQL, with the meanings of T-SQL: how values compare, become one another and are written as text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/clock.h"
#include "base/result.h"

namespace mandate::tables::tsql {

/// A date and time in UTC.
struct Moment {
  Millis ms = 0;
  auto operator<=>(const Moment&) const = default;
};

/// Null, bit, whole number, other number, text, date.
using Value = std::variant<std::monostate, bool, std::int64_t, double, std::string, Moment>;

/// In T-SQL's order of precedence, lowest first: two that meet become the higher one.
enum class Type { null, text, bit, integer, real, date };

/// Comparisons, and what conditions come to: null makes them unknown.
enum class Truth { no, yes, unknown };
inline Truth truth_of(bool value) { return value ? Truth::yes : Truth::no; }
Truth inverse(Truth truth);

inline bool is_null(const Value& value) { return std::holds_alternative<std::monostate>(value); }
Type type_of(const Value& value);
/// The one that two types become when they meet.
inline Type higher(Type a, Type b) { return a > b ? a : b; }
/// "nvarchar", "int" …, as messages say it.
std::string_view name_of(Type type);

/// The value as the type has it; null stays null. bad_request with T-SQL's words when it cannot become one.
Result<Value> convert(Value value, Type type);

/// As text: numbers as short as they can be, bits 0 and 1, dates yyyy-mm-dd hh:mm:ss.mmm +00:00.
std::string shown(const Value& value);

/// A date and time in the forms that T-SQL reads: ISO 8601 with T or a blank, yyyymmdd, m/d/yyyy.
std::optional<Millis> read_moment(std::string_view text);

/// <0, 0, >0 of two that are not null, converted to the higher of their types. Text without letter case, and blanks at its
/// end do not count; `exact`: texts byte for byte, for ids.
Result<int> compare(const Value& a, const Value& b, bool exact = false);

/// A total order: nulls first, then numbers, dates, texts. Never fails, so that rows can be sorted and grouped by anything.
int order(const Value& a, const Value& b);

/// Texts without the blanks at their end.
std::string_view without_trailing_blanks(std::string_view text);

}  // namespace mandate::tables::tsql
