#include "store/postgres/bootstrap.h"

#include "store/postgres/table.h"

namespace mandate::store::postgres {
namespace {

constexpr int kTries = 10;

// Two that race for the same name: the second finds it the next time.
bool raced(const Error& error) {
  for (const char* state : {"23505", "42P06", "42P07", "42710", "42723", "40001", "40P01", "XX000"})
    if (error.detail.starts_with(std::string("postgres ") + state)) return true;
  return false;
}

constexpr const char* kTables =
    "CREATE TABLE IF NOT EXISTS mandate_lock (only_row boolean NOT NULL PRIMARY KEY);"
    "INSERT INTO mandate_lock VALUES (true) ON CONFLICT DO NOTHING;"
    "CREATE TABLE IF NOT EXISTS mandate_migrations (room text NOT NULL, name text NOT NULL, applied_at bigint NOT NULL,"
    " PRIMARY KEY (room, name));"
    "CREATE TABLE IF NOT EXISTS mandate_stamps (mandate_tenant text COLLATE \"C\" NOT NULL, table_name text COLLATE \"C\" NOT NULL,"
    " last bigint NOT NULL, PRIMARY KEY (mandate_tenant, table_name)) WITH (fillfactor = 50);"
    "CREATE TABLE IF NOT EXISTS mandate_columns (mandate_tenant text COLLATE \"C\" NOT NULL, table_name text COLLATE \"C\" NOT NULL,"
    " position bigint NOT NULL, name text COLLATE \"C\" NOT NULL, type text NOT NULL, is_unique boolean NOT NULL,"
    " is_indexed boolean NOT NULL, is_dictionary boolean NOT NULL, PRIMARY KEY (mandate_tenant, table_name, position));"
    // One row for each connection that writes: how many transactions it committed (RL-12). A fenced one commits no more.
    "CREATE TABLE IF NOT EXISTS mandate_streams (stream text COLLATE \"C\" NOT NULL PRIMARY KEY, n bigint NOT NULL,"
    " at bigint NOT NULL, fenced boolean NOT NULL) WITH (fillfactor = 50);"
    // Which transactions of which stream touched a table that other nodes keep in memory.
    "CREATE TABLE IF NOT EXISTS mandate_feed (stream text COLLATE \"C\" NOT NULL, n bigint NOT NULL,"
    " mandate_tenant text COLLATE \"C\" NOT NULL, table_name text COLLATE \"C\" NOT NULL, at bigint NOT NULL,"
    " PRIMARY KEY (stream, n, mandate_tenant, table_name));"
    "CREATE INDEX IF NOT EXISTS mandate_feed_at ON mandate_feed (at);"
    // What a move left: "arriving" and "complete" before a server may start here, "left" when the data is elsewhere.
    "CREATE TABLE IF NOT EXISTS mandate_move (only_row boolean NOT NULL PRIMARY KEY, state text NOT NULL, id text NOT NULL,"
    " place text NOT NULL, at bigint NOT NULL)";

// The meanings of mobile-backend-wire 3.3, the same as store/text.h has them. One language, SQL, which the planner can
// put in place of the call; without STRICT, which would hinder it: every body gives null for null by itself.
constexpr const char* kFunctions[] = {
    // Case folding that keeps one character for one, so that positions stay. The dotless i has no other case.
    "mandate_fold(text) RETURNS text AS $$ SELECT lower(upper(translate($1, U&'\\0131\\0130', U&'\\E131\\E130') COLLATE mandate_simple) COLLATE mandate_simple) $$",
    "mandate_lower(text) RETURNS text AS $$ SELECT lower($1 COLLATE mandate_simple) $$",
    "mandate_upper(text) RETURNS text AS $$ SELECT upper($1 COLLATE mandate_simple) $$",
    "mandate_contains(text, text) RETURNS boolean AS $$ SELECT strpos(mandate_fold($1), mandate_fold($2)) > 0 $$",
    "mandate_startswith(text, text) RETURNS boolean AS $$ SELECT starts_with(mandate_fold($1), mandate_fold($2)) $$",
    "mandate_endswith(text, text) RETURNS boolean AS $$ SELECT right(mandate_fold($1), char_length($2)) = mandate_fold($2) COLLATE \"C\" $$",
    "mandate_indexof(text, text) RETURNS bigint AS $$ SELECT (strpos(mandate_fold($1), mandate_fold($2)) - 1)::bigint $$",
    "mandate_length(text) RETURNS bigint AS $$ SELECT char_length($1)::bigint $$",
    "mandate_trim(text) RETURNS text AS $$ SELECT btrim($1, ' ') $$",
    "mandate_concat(text, text) RETURNS text AS $$ SELECT CASE WHEN octet_length($1) + octet_length($2) > 1048576 THEN mandate_too_long() ELSE $1 || $2 END $$",
    "mandate_replace(text, text, text) RETURNS text AS $$ SELECT CASE WHEN octet_length($2) = 0 THEN $1"
    " WHEN octet_length($1) + (octet_length($1) - octet_length(replace($1, $2, '')))::bigint / octet_length($2) * (octet_length($3) - octet_length($2)) > 1048576"
    " THEN mandate_too_long() ELSE replace($1, $2, $3) END $$",
    "mandate_place(double precision) RETURNS int AS $$ SELECT least(greatest(trunc($1), -1000000000), 1000000000)::int $$",
    "mandate_substring(text, double precision) RETURNS text AS $$ SELECT substring($1, mandate_place($2) + 1) $$",
    "mandate_substring(text, double precision, double precision) RETURNS text AS $$ SELECT substring($1, mandate_place($2) + 1, greatest(mandate_place($3), 0)) $$",
    "mandate_round(double precision) RETURNS double precision AS $$ SELECT CASE WHEN abs($1 - trunc($1)) >= 0.5 THEN trunc($1) + sign($1) ELSE trunc($1) END $$",
    "mandate_shown(double precision) RETURNS text AS $$ SELECT CASE WHEN $1 = trunc($1) AND abs($1) < 9e18 THEN $1::bigint::text ELSE $1::text END $$",
    "mandate_number(text) RETURNS double precision AS $$ SELECT CASE WHEN $1 ~ '^[+-]?([0-9]{1,100}(\\.[0-9]{0,100})?|\\.[0-9]{1,100})([eE][+-]?[0-9]{1,2})?$' THEN $1::double precision END $$",
    // chrono's calendar in SQL's words: year 0 is 1 BC there; what lies outside has no calendar date.
    "mandate_date(bigint) RETURNS timestamp AS $$ SELECT CASE WHEN $1 BETWEEN -62167219200000 AND 253402300799999 THEN timestamp 'epoch' + floor($1 / 1000.0)::double precision * interval '1 second' END $$",
    "mandate_part(text, bigint) RETURNS bigint AS $$ SELECT CASE WHEN $2 IS NULL THEN NULL ELSE coalesce(floor(date_part($1, mandate_date($2)))::bigint, 0) END $$",
    "mandate_year(bigint) RETURNS bigint AS $$ SELECT CASE WHEN $1 BETWEEN -62167219200000 AND -62135596800001 THEN 0 ELSE mandate_part('year', $1) END $$",
    "mandate_month(bigint) RETURNS bigint AS $$ SELECT mandate_part('month', $1) $$",
    "mandate_day(bigint) RETURNS bigint AS $$ SELECT mandate_part('day', $1) $$",
    "mandate_hour(bigint) RETURNS bigint AS $$ SELECT mandate_part('hour', $1) $$",
    "mandate_minute(bigint) RETURNS bigint AS $$ SELECT mandate_part('minute', $1) $$",
    "mandate_second(bigint) RETURNS bigint AS $$ SELECT mandate_part('second', $1) $$",
    // A text in ISO 8601 as milliseconds, null when it is none: date, time, fraction, offset.
    "mandate_moment(text) RETURNS bigint AS $$ SELECT CASE WHEN m[3]::int <= date_part('day', make_date(m[1]::int, m[2]::int, 1) + interval '1 month' - interval '1 day')"
    " THEN ((make_date(m[1]::int, m[2]::int, 1) + m[3]::int - 1 - date '1970-01-01')::bigint * 86400"
    " + coalesce(m[5]::int, 0) * 3600 + coalesce(m[6]::int, 0) * 60 + coalesce(m[8]::int, 0)"
    " - coalesce((m[12] || '1')::int * (m[13]::int * 3600 + m[14]::int * 60), 0)) * 1000 + coalesce(left(rpad(m[10], 3, '0'), 3)::int, 0) END"
    " FROM regexp_match($1, '^([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])([Tt ]([01][0-9]|2[0-3]):([0-5][0-9])(:([0-5][0-9]|60)(\\.([0-9]{1,9}))?)?"
    "([Zz]|([+-])(0[0-9]|1[0-4]):?([0-5][0-9]))?)?$') AS m"
    " WHERE m[1] <> '0000' $$",
    "mandate_truth(boolean) RETURNS text AS $$ SELECT CASE WHEN $1 THEN 'true' WHEN NOT $1 THEN 'false' END $$",
    "mandate_moment_text(bigint) RETURNS text AS $$ SELECT CASE WHEN $1 BETWEEN -62135596800000 AND 253402300799999"
    " THEN to_char(mandate_date($1), 'YYYY-MM-DD\"T\"HH24:MI:SS.') || lpad((($1 % 1000 + 1000) % 1000)::text, 3, '0') || 'Z' END $$",
    "mandate_whole(double precision) RETURNS bigint AS $$ SELECT CASE WHEN $1 > -9.2e18 AND $1 < 9.2e18 THEN trunc($1)::bigint END $$",
    "mandate_day_start(bigint) RETURNS bigint AS $$ SELECT $1 - ($1 % 86400000 + 86400000) % 86400000 $$",
    "mandate_time_of_day(bigint) RETURNS bigint AS $$ SELECT ($1 % 86400000 + 86400000) % 86400000 $$",
    "mandate_fraction(bigint) RETURNS double precision AS $$ SELECT (($1 % 1000 + 1000) % 1000)::double precision / 1000 $$",
    // store/geo.h in SQL's words.
    "mandate_point(text) RETURNS double precision[] AS $$ SELECT ARRAY[m[2]::double precision, m[3]::double precision]"
    " FROM regexp_match($1, '^\\{(\"type\":\"Point\",)?\"coordinates\":\\[(-?[0-9]{1,20}(?:\\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,2})?)"
    ",(-?[0-9]{1,20}(?:\\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,2})?)[],]') AS m WHERE m IS NOT NULL $$",
    "mandate_distance(text, text) RETURNS double precision AS $$ SELECT 12742.0176::double precision * asin(CASE WHEN h < 1 THEN sqrt(h) WHEN h >= 1 THEN 1 END)"
    " FROM mandate_point($1) AS a, mandate_point($2) AS b, LATERAL (SELECT power(sin((radians(b[2]) - radians(a[2])) / 2), 2)"
    " + cos(radians(a[2])) * cos(radians(b[2])) * power(sin(radians(b[1] - a[1]) / 2), 2) AS h) AS s $$",
};

// Text that a filter makes has an end (DA-8). Volatile, and with a setting of its own, so that no planner runs it to
// see what it gives.
constexpr const char* kTooLong =
    "CREATE OR REPLACE FUNCTION mandate_too_long() RETURNS text AS $$ SELECT repeat('x', 2000000000) $$ LANGUAGE sql VOLATILE"
    " SET search_path FROM CURRENT";

// The same order as ICU gives the other engine: letters and accents count, case does not. A server without ICU orders by
// bytes; its texts are equal in case only.
constexpr const char* kDictionary[] = {"(provider = icu, locale = 'und-u-ks-level2', deterministic = false)", "FROM \"C\""};
// Simple case mapping, one character for one.
constexpr const char* kSimple[] = {"(provider = libc, locale = 'C.UTF-8')", "(provider = icu, locale = 'und')", "FROM \"C\""};

/// The first that the server can make.
template <std::size_t N>
Result<void> make_collation(PGconn* c, const std::string& name, const char* const (&ways)[N]) {
  Result<void> made;
  for (const char* way : ways) {
    CHECK_OK(run(c, "SAVEPOINT way"));
    const auto tried = run(c, "CREATE COLLATION IF NOT EXISTS " + name + " " + way);
    if (tried.ok()) return {};
    made = tried.error();
    CHECK_OK(run(c, "ROLLBACK TO way"));
  }
  return made;
}

Result<void> make(PGconn* c, const std::string& schema) {
  CHECK_OK(run(c, "CREATE SCHEMA IF NOT EXISTS " + identifier(schema)));
  CHECK_OK(run(c, "SET search_path TO " + identifier(schema)));
  CHECK_OK(run(c, kTables));
  CHECK_OK(run(c, "BEGIN"));
  CHECK_OK(lock_schema(c));
  CHECK_OK(make_collation(c, "mandate_dictionary", kDictionary));
  CHECK_OK(make_collation(c, "mandate_simple", kSimple));
  CHECK_OK(run(c, kTooLong));
  for (const char* function : kFunctions)
    CHECK_OK(run(c, std::string("CREATE OR REPLACE FUNCTION ") + function + " LANGUAGE sql IMMUTABLE PARALLEL SAFE"));
  CHECK_OK(run(c, "COMMIT"));
  return {};
}

}  // namespace

Result<void> bootstrap(PGconn* connection, const std::string& schema) {
  Result<void> made;
  for (int i = 0; i < kTries; ++i) {
    made = make(connection, schema);
    if (made.ok()) return made;
    if (PQtransactionStatus(connection) != PQTRANS_IDLE) (void)run(connection, "ROLLBACK");
    if (!raced(made.error())) return made;
  }
  return made;
}

Result<void> lock_schema(PGconn* connection) {
  CHECK_OK(run(connection, "SELECT only_row FROM mandate_lock FOR UPDATE"));
  return {};
}

}  // namespace mandate::store::postgres
