#include "store/sqlite/functions.h"

#include <sqlite3.h>

#include <cmath>

#include "base/json.h"
#include "store/geo.h"
#include "store/sqlite/handle.h"
#include "store/text.h"

namespace mandate::store::sqlite {
namespace {

using Args = sqlite3_value**;

std::string_view text_of(sqlite3_value* value) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
  return {text ? text : "", text ? static_cast<std::size_t>(sqlite3_value_bytes(value)) : 0};
}

/// The text is copied by SQLite.
void give(sqlite3_context* context, std::string_view text) {
  sqlite3_result_text64(context, text.data() ? text.data() : "", text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

bool number(sqlite3_value* value) {
  const int type = sqlite3_value_numeric_type(value);
  return type == SQLITE_INTEGER || type == SQLITE_FLOAT;
}

void contains(sqlite3_context* c, int, Args a) { sqlite3_result_int(c, index_of(text_of(a[0]), text_of(a[1])) >= 0); }
void starts(sqlite3_context* c, int, Args a) { sqlite3_result_int(c, starts_with(text_of(a[0]), text_of(a[1]))); }
void ends(sqlite3_context* c, int, Args a) { sqlite3_result_int(c, ends_with(text_of(a[0]), text_of(a[1]))); }
void index(sqlite3_context* c, int, Args a) { sqlite3_result_int64(c, index_of(text_of(a[0]), text_of(a[1]))); }
void count(sqlite3_context* c, int, Args a) { sqlite3_result_int64(c, length(text_of(a[0]))); }
void to_lower(sqlite3_context* c, int, Args a) { give(c, lower(text_of(a[0]))); }
void to_upper(sqlite3_context* c, int, Args a) { give(c, upper(text_of(a[0]))); }

void trimmed(sqlite3_context* c, int, Args a) { give(c, trim(text_of(a[0]))); }

/// Values are shorter than this; what grows beyond it by concat and replace was made to grow.
constexpr std::size_t kMostText = 1 << 20;

void replaced(sqlite3_context* c, int, Args a) {
  const std::string_view text = text_of(a[0]), pattern = text_of(a[1]), with = text_of(a[2]);
  if (with.size() > pattern.size() && text.size() + count_of(text, pattern) * (with.size() - pattern.size()) > kMostText)
    return sqlite3_result_error_toobig(c);
  give(c, replace_all(text, pattern, with));
}

void part(sqlite3_context* c, int n, Args a) {
  std::optional<std::int64_t> size;
  if (n == 3) size = sqlite3_value_int64(a[2]);
  give(c, substring(text_of(a[0]), sqlite3_value_int64(a[1]), size));
}

/// Numbers without a needless ".0", as the clients write them.
void joined(sqlite3_context* c, int n, Args a) {
  std::string out;
  for (int i = 0; i < n; ++i) {
    if (sqlite3_value_type(a[i]) == SQLITE_FLOAT) append_json_number(out, sqlite3_value_double(a[i]));
    else out += text_of(a[i]);
    if (out.size() > kMostText) return sqlite3_result_error_toobig(c);
  }
  give(c, out);
}

/// The sign of the dividend; NULL for a divisor of zero.
void modulo(sqlite3_context* c, int, Args a) {
  if (!number(a[0]) || !number(a[1])) return sqlite3_result_null(c);
  if (sqlite3_value_numeric_type(a[0]) == SQLITE_INTEGER && sqlite3_value_numeric_type(a[1]) == SQLITE_INTEGER) {
    const auto divisor = sqlite3_value_int64(a[1]);
    if (divisor == 0) return sqlite3_result_null(c);
    return sqlite3_result_int64(c, divisor == -1 ? 0 : sqlite3_value_int64(a[0]) % divisor);
  }
  if (sqlite3_value_double(a[1]) == 0) return sqlite3_result_null(c);
  sqlite3_result_double(c, std::fmod(sqlite3_value_double(a[0]), sqlite3_value_double(a[1])));
}

template <double (*F)(double)>
void rounded(sqlite3_context* c, int, Args a) {
  if (!number(a[0])) return sqlite3_result_null(c);
  if (sqlite3_value_numeric_type(a[0]) == SQLITE_INTEGER) return sqlite3_result_int64(c, sqlite3_value_int64(a[0]));
  sqlite3_result_double(c, F(sqlite3_value_double(a[0])));
}
double floored(double x) { return std::floor(x); }
double raised(double x) { return std::ceil(x); }

template <Function F>
void date(sqlite3_context* c, int, Args a) {
  if (sqlite3_value_type(a[0]) == SQLITE_TEXT) {
    const auto at = parse_iso8601(text_of(a[0]));
    return at ? sqlite3_result_int64(c, date_part(F, *at)) : sqlite3_result_null(c);
  }
  sqlite3_result_int64(c, date_part(F, sqlite3_value_int64(a[0])));
}

void truth(sqlite3_context* c, int, Args a) { give(c, sqlite3_value_int64(a[0]) ? "true" : "false"); }

void shown_moment(sqlite3_context* c, int, Args a) {
  const auto text = moment_text(sqlite3_value_int64(a[0]));
  return text ? give(c, *text) : sqlite3_result_null(c);
}
void read_number(sqlite3_context* c, int, Args a) {
  const auto value = number_of(text_of(a[0]));
  return value ? sqlite3_result_double(c, *value) : sqlite3_result_null(c);
}
void read_moment(sqlite3_context* c, int, Args a) {
  const auto at = moment_of(text_of(a[0]));
  return at ? sqlite3_result_int64(c, *at) : sqlite3_result_null(c);
}
void to_whole(sqlite3_context* c, int, Args a) {
  if (sqlite3_value_type(a[0]) == SQLITE_INTEGER) return sqlite3_result_int64(c, sqlite3_value_int64(a[0]));
  const auto value = number(a[0]) ? whole_of(sqlite3_value_double(a[0])) : std::nullopt;
  return value ? sqlite3_result_int64(c, *value) : sqlite3_result_null(c);
}
void midnight(sqlite3_context* c, int, Args a) { sqlite3_result_int64(c, day_start(sqlite3_value_int64(a[0]))); }
void since_midnight(sqlite3_context* c, int, Args a) { sqlite3_result_int64(c, time_of_day(sqlite3_value_int64(a[0]))); }
void fraction(sqlite3_context* c, int, Args a) { sqlite3_result_double(c, fraction_of_second(sqlite3_value_int64(a[0]))); }

void distance(sqlite3_context* c, int, Args a) {
  const auto from = point_of(text_of(a[0])), to = point_of(text_of(a[1]));
  return from && to ? sqlite3_result_double(c, distance_km(*from, *to)) : sqlite3_result_null(c);
}

/// NULL in, NULL out, for every function here; and each pays for the text it looks at.
template <void (*F)(sqlite3_context*, int, Args)>
void strict(sqlite3_context* c, int n, Args a) {
  std::size_t bytes = 0;
  for (int i = 0; i < n; ++i) {
    const int type = sqlite3_value_type(a[i]);
    if (type == SQLITE_NULL) return sqlite3_result_null(c);
    if (type == SQLITE_TEXT) bytes += static_cast<std::size_t>(sqlite3_value_bytes(a[i]));
  }
  if (!static_cast<Meter*>(sqlite3_user_data(c))->pay(bytes)) return sqlite3_result_error_code(c, SQLITE_INTERRUPT);
  F(c, n, a);
}

struct Entry {
  const char* name;
  int arguments;
  void (*function)(sqlite3_context*, int, Args);
};

constexpr Entry kFunctions[] = {
    {"mandate_contains", 2, strict<contains>},
    {"mandate_startswith", 2, strict<starts>},
    {"mandate_endswith", 2, strict<ends>},
    {"mandate_indexof", 2, strict<index>},
    {"mandate_length", 1, strict<count>},
    {"mandate_lower", 1, strict<to_lower>},
    {"mandate_upper", 1, strict<to_upper>},
    {"mandate_substring", 2, strict<part>},
    {"mandate_substring", 3, strict<part>},
    {"mandate_replace", 3, strict<replaced>},
    {"mandate_trim", 1, strict<trimmed>},
    {"mandate_concat", -1, strict<joined>},
    {"mandate_mod", 2, strict<modulo>},
    {"mandate_floor", 1, strict<rounded<floored>>},
    {"mandate_ceiling", 1, strict<rounded<raised>>},
    {"mandate_round", 1, strict<rounded<round_half_away>>},
    {"mandate_year", 1, strict<date<Function::year>>},
    {"mandate_month", 1, strict<date<Function::month>>},
    {"mandate_day", 1, strict<date<Function::day>>},
    {"mandate_hour", 1, strict<date<Function::hour>>},
    {"mandate_minute", 1, strict<date<Function::minute>>},
    {"mandate_second", 1, strict<date<Function::second>>},
    {"mandate_truth", 1, strict<truth>},
    {"mandate_moment_text", 1, strict<shown_moment>},
    {"mandate_number", 1, strict<read_number>},
    {"mandate_moment", 1, strict<read_moment>},
    {"mandate_whole", 1, strict<to_whole>},
    {"mandate_day_start", 1, strict<midnight>},
    {"mandate_time_of_day", 1, strict<since_midnight>},
    {"mandate_fraction", 1, strict<fraction>},
    {"mandate_distance", 2, strict<distance>},
};

constexpr const char* kMeter = "mandate_meter";

int compare(void* meter, int a_size, const void* a, int b_size, const void* b) {
  auto& paid = *static_cast<Meter*>(meter);
  paid.pay(static_cast<std::size_t>(std::min(a_size, b_size)));
  if (paid.guesses()) return 0;
  return compare_dictionary({static_cast<const char*>(a), static_cast<std::size_t>(a_size)},
                            {static_cast<const char*>(b), static_cast<std::size_t>(b_size)});
}

}  // namespace

Meter& meter_of(sqlite3* db) { return *static_cast<Meter*>(sqlite3_get_clientdata(db, kMeter)); }

Result<void> add_functions(sqlite3* db) {
  auto* meter = new Meter;
  if (int rc = sqlite3_set_clientdata(db, kMeter, meter, [](void* old) { delete static_cast<Meter*>(old); }); rc != SQLITE_OK)
    return error_of(db, rc, Access::read);
  if (int rc = sqlite3_create_collation(db, kDictionary, SQLITE_UTF8, meter, compare); rc != SQLITE_OK)
    return error_of(db, rc, Access::read);
  for (const Entry& f : kFunctions) {
    const int rc = sqlite3_create_function(db, f.name, f.arguments, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS,
                                           meter, f.function, nullptr, nullptr);
    if (rc != SQLITE_OK) return error_of(db, rc, Access::read);
  }
  return {};
}

}  // namespace mandate::store::sqlite
