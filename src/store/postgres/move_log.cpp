#include "store/postgres/move_log.h"

#include <algorithm>
#include <charconv>
#include <chrono>

namespace mandate::store::postgres {
namespace {

constexpr int kTries = 30;
constexpr auto kBetweenTries = std::chrono::milliseconds(100);
constexpr auto kSayAlive = std::chrono::seconds(5);
constexpr const char* kAliveFor = "interval '60 seconds'";
constexpr const char* kPatience = "1000";    // ms that writers may have to wait behind a trigger that waits for its table
constexpr std::int64_t kManyTaken = 10'000;  // rows, after which the log is vacuumed
constexpr int kTogether = 10'000;

/// What a server says that has no triggers, no procedural language, or not for this user.
bool cannot(const Error& error) {
  for (const char* state : {"0A000", "42601", "42704", "42883", "42501", "42P13"})
    if (error.detail.starts_with(std::string("postgres ") + state)) return true;
  return false;
}

bool no_such_table(const Error& error) {
  return error.detail.starts_with("postgres 42P01") || error.detail.starts_with("postgres 3F000");
}

Value from_text(Value text, Kind kind) {
  const auto* word = std::get_if<std::string>(&text);
  if (!word || kind == Kind::text) return text;
  if (kind == Kind::boolean) return std::int64_t{*word == "true"};
  const char *from = word->data(), *to = from + word->size();
  if (kind == Kind::float8) {
    double real = 0;
    std::from_chars(from, to, real);
    return real;
  }
  std::int64_t whole = 0;
  std::from_chars(from, to, whole);
  return whole;
}

}  // namespace

MoveLog::MoveLog(Core& core)
    : core_(core), schema_(identifier(core.options().schema + "/move")), id_(core.options().random->token(16)) {}

Result<bool> MoveLog::begin(PGconn* c, std::string& why) {
  CHECK_OK(end(c));
  Result<void> made = make(c);
  if (made.ok()) {
    keeper_ = std::thread([this] { keep_alive(); });
    return true;
  }
  if (PQtransactionStatus(c) != PQTRANS_IDLE) (void)run(c, "ROLLBACK");
  (void)end(c);
  if (!cannot(made.error())) return made.error();
  why = made.error().detail;
  return false;
}

Result<void> MoveLog::make(PGconn* c) {
  CHECK_OK(run(c, "BEGIN; CREATE SCHEMA " + schema_ + "; CREATE TABLE " + schema_ +
                      ".mover (id text NOT NULL PRIMARY KEY, until timestamptz NOT NULL);" + "CREATE TABLE " + schema_ +
                      ".log (number bigint NOT NULL, tenant text COLLATE \"C\", key text[] NOT NULL);" + "CREATE TABLE " +
                      schema_ + ".trial (a text, b bigint)"));
  TRY(const Answer until,
      run(c, "INSERT INTO " + schema_ + ".mover VALUES ($1, clock_timestamp() + " + kAliveFor + ") RETURNING until", {id_}));
  until_ = cell(until, 0, 0);
  CHECK_OK(run(c, "COMMIT"));
  // Whether triggers work here is seen where nobody is disturbed.
  LoggedTable trial{0, schema_ + ".trial", false, {"a", "b"}, {Kind::text, Kind::int8}};
  TRY(const bool added, add(c, trial, false));
  if (!added) return Error(Code::server_error, "", "a table that was just made is not there");
  CHECK_OK(run(c, "BEGIN; INSERT INTO " + schema_ + ".trial VALUES ('x', 1); UPDATE " + schema_ +
                      ".trial SET b = 2; DELETE FROM " + schema_ + ".trial"));
  TRY(const Answer seen, run(c, "SELECT count(DISTINCT key) FROM " + schema_ + ".log"));
  const std::string count(cell(seen, 0, 0));
  CHECK_OK(run(c, "ROLLBACK"));
  if (count != "2") return Error(Code::server_error, "", "postgres 0A000: triggers of this server do not see rows");
  return {};
}

std::string MoveLog::function_sql(const LoggedTable& table) const {
  const auto tuple = [&](const char* row, const char* cast) {
    std::string out;
    for (const std::string& column : table.key)
      out += (out.empty() ? "" : ", ") + std::string(row) + "." + identifier(column) + cast;
    return out;
  };
  const auto note = [&](const char* row) {
    return "INSERT INTO " + schema_ + ".log VALUES (" + std::to_string(table.number) + ", " +
           (table.shared ? std::string(row) + "." + std::string(kTenantColumn) : std::string("NULL")) + ", ARRAY[" +
           tuple(row, "::text") + "]); ";
  };
  const auto whole = [&](const char* row) {
    return "ROW(" + (table.shared ? std::string(row) + "." + std::string(kTenantColumn) + ", " : std::string()) + tuple(row, "") +
           ")";
  };
  // Who writes may be another user than who moves; hence the definer's rights, and names that need no search path.
  const std::string body = "BEGIN IF EXISTS (SELECT FROM " + schema_ +
                           ".mover m WHERE m.until >= pg_catalog.now()) THEN IF TG_OP = 'INSERT' THEN " + note("NEW") + "ELSE " +
                           note("OLD") + "IF TG_OP = 'UPDATE' THEN IF " + whole("NEW") + " IS DISTINCT FROM " + whole("OLD") +
                           " THEN " + note("NEW") + "END IF; END IF; END IF; END IF; RETURN NULL; END";
  return "CREATE OR REPLACE FUNCTION " + schema_ + ".f" + std::to_string(table.number) +
         "() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS " + literal_sql(body) + ";";
}

Result<bool> MoveLog::add(PGconn* c, const LoggedTable& table, bool within) {
  longest_key_ = std::max(longest_key_, table.key.size());
  const std::string statements = function_sql(table) + "CREATE TRIGGER mandate_move AFTER INSERT OR UPDATE OR DELETE ON " +
                                 table.where + " FOR EACH ROW EXECUTE FUNCTION " + schema_ + ".f" + std::to_string(table.number) +
                                 "()";
  Result<void> added;
  if (within) {
    const auto made = run(c, statements);
    if (!made.ok()) added = made.error();
  } else {
    added = insistently(c, statements);
  }
  if (added.ok()) return true;
  if (!within && no_such_table(added.error())) return false;
  return added.error();
}

/// In a transaction that waits a second for its locks and then lets those pass who wait behind it, and tries again.
Result<void> MoveLog::insistently(PGconn* c, const std::string& statements) const {
  for (int tries = 1;; ++tries) {
    const auto done = run(c, std::string("BEGIN; SET LOCAL synchronous_commit TO off; SET LOCAL lock_timeout TO ") + kPatience +
                                 ";" + statements + "; COMMIT");
    if (done.ok()) return {};
    if (PQstatus(c) != CONNECTION_OK) return lost(c);
    if (PQtransactionStatus(c) != PQTRANS_IDLE) (void)run(c, "ROLLBACK");
    const bool again = done.error().code == Code::timeout || done.error().code == Code::overloaded;
    if (!again || tries == kTries) return done.error();
    std::this_thread::sleep_for(kBetweenTries);
  }
}

Result<void> MoveLog::check(PGconn* c) {
  const auto alive = run(c, "SELECT FROM " + schema_ + ".mover WHERE id = $1 AND until > clock_timestamp()", {id_});
  if (alive.ok() && PQntuples(alive->get()) == 1 && !lapsed_) return {};
  if (PQstatus(c) != CONNECTION_OK) return lost(c);
  return Error(Code::conflict,
               "Another move of this database has begun meanwhile, or this one had no connection to it for a minute. Nothing was "
               "switched: run it again.");
}

Result<void> MoveLog::take(PGconn* c, const std::function<Result<void>(int, std::string, std::vector<Value>)>& each,
                           const std::function<const LoggedTable*(int)>& table) {
  std::string sql = "DECLARE logged BINARY NO SCROLL CURSOR FOR SELECT DISTINCT number, tenant";
  for (std::size_t i = 1; i <= longest_key_; ++i) sql += ", key[" + std::to_string(i) + "]";
  CHECK_OK(run(c, sql + " FROM " + schema_ + ".log"));
  for (int fetched = kTogether; fetched == kTogether;) {
    TRY(const Answer rows, run(c, "FETCH " + std::to_string(kTogether) + " FROM logged"));
    fetched = PQntuples(rows.get());
    for (int row = 0; row < fetched; ++row) {
      const int number = static_cast<int>(std::get<std::int64_t>(cell_of(rows.get(), row, 0)));
      const LoggedTable* known = table(number);
      if (!known) continue;  // dropped, or made anew
      Value tenant = cell_of(rows.get(), row, 1);
      std::vector<Value> key;
      for (std::size_t i = 0; i < known->key.size(); ++i)
        key.push_back(from_text(cell_of(rows.get(), row, static_cast<int>(i) + 2), known->kinds[i]));
      CHECK_OK(each(number, is_null(tenant) ? "" : std::get<std::string>(std::move(tenant)), std::move(key)));
    }
  }
  TRY(const Answer gone, run(c, "CLOSE logged; DELETE FROM " + schema_ + ".log"));
  const std::string_view count = PQcmdTuples(gone.get());
  std::int64_t rows = 0;
  std::from_chars(count.data(), count.data() + count.size(), rows);
  taken_ += rows;
  return {};
}

void MoveLog::tidy(PGconn* c) {
  if (taken_ < kManyTaken) return;
  taken_ = 0;
  (void)run(c, "VACUUM " + schema_ + ".log");
}

Result<void> MoveLog::end(PGconn* c) {
  rest();
  TRY(const Answer functions,
      run(c, "SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = $1",
          {core_.options().schema + "/move"}));
  // Table by table: all at once would lock them all.
  for (int i = 0; i < PQntuples(functions.get()); ++i)
    CHECK_OK(insistently(c, "DROP FUNCTION IF EXISTS " + schema_ + "." + identifier(cell(functions, i, 0)) + "() CASCADE"));
  return insistently(c, "DROP SCHEMA IF EXISTS " + schema_ + " CASCADE");
}

/// A writer that began after `until` logs nothing. So a later one is worth something only if it was there for all to see before the
/// earlier one was over.
Result<bool> MoveLog::renew(PGconn* c) {
  TRY(const Answer later, run(c,
                              "UPDATE " + schema_ + ".mover SET until = clock_timestamp() + " + kAliveFor +
                                  " WHERE id = $1 AND until > clock_timestamp() RETURNING until",
                              {id_}, Patience::of(kSayAlive)));
  if (PQntuples(later.get()) == 0) return false;
  TRY(const Answer good, run(c, "SELECT clock_timestamp() < $1::timestamptz", {until_}, Patience::of(kSayAlive)));
  if (cell(good, 0, 0) != "t") return false;
  until_ = cell(later, 0, 0);
  return true;
}

void MoveLog::keep_alive() {
  Connection connection;
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, kSayAlive, [this] { return over_; })) {
    lock.unlock();
    if (!connection)
      if (auto made = core_.connect(); made.ok()) connection = *std::move(made);
    const Result<bool> good = connection ? renew(connection.get()) : Result<bool>(true);
    if (!good.ok()) connection.reset();
    lock.lock();
    if (good.ok() && !*good) {
      lapsed_ = true;
      return;
    }
  }
}

void MoveLog::rest() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  wake_.notify_all();
  if (keeper_.joinable()) keeper_.join();
  const std::lock_guard lock(mutex_);
  over_ = false;
}

}  // namespace mandate::store::postgres
