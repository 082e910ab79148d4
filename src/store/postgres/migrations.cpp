#include "store/postgres/migrations.h"

#include <algorithm>
#include <chrono>
#include <regex>
#include <thread>

#include "store/postgres/bootstrap.h"
#include "store/postgres/table.h"

namespace mandate::store::postgres {
namespace {

constexpr const char* kLockLimit = "SET LOCAL lock_timeout TO 500";
constexpr std::chrono::milliseconds kPause{250};
constexpr std::chrono::minutes kLongest{2};

/// A table was in use for too long, or we and another waited for each other.
bool worth_another_try(PGconn* c, const Error& error) {
  return PQstatus(c) == CONNECTION_OK && (error.code == Code::timeout || error.code == Code::overloaded);
}

std::string without_comments(std::string_view sql) {
  std::string out;
  while (!sql.empty()) {
    const std::size_t end = std::min(sql.find('\n'), sql.size());
    const std::string_view line = sql.substr(0, end);
    out += line.substr(0, line.find("--"));
    out += '\n';
    sql.remove_prefix(std::min(end + 1, sql.size()));
  }
  return out;
}

std::string replaced(const std::string& text, const char* pattern, const std::string& with) {
  return std::regex_replace(text, std::regex(pattern, std::regex::icase), with);
}

/// The type is written in capitals, so that a column may be called text.
std::string by_bytes(const std::string& text) {
  return std::regex_replace(text, std::regex("\\bTEXT\\b(?=[\\s,);]|$)"), "TEXT COLLATE \"C\"");
}

std::string statement(std::string text) {
  const std::string tenant(kTenantColumn);
  if (std::regex_search(text, std::regex("^\\s*CREATE\\s+TABLE", std::regex::icase))) {
    // A column's own PRIMARY KEY or UNIQUE becomes the table's, which can begin with the tenant.
    const std::regex inline_key("(\\w+)(\\s[^,()]*?)\\s(PRIMARY\\s+KEY|UNIQUE)(?=\\s*[,)])", std::regex::icase);
    std::string keys;
    for (std::smatch m; std::regex_search(text, m, inline_key);) {
      keys += ", " + m[3].str() + " (" + tenant + ", " + m[1].str() + ")";
      text = m.prefix().str() + m[1].str() + m[2].str() + m.suffix().str();
    }
    text = replaced(text, "\\b(PRIMARY\\s+KEY|UNIQUE)\\s*\\(", "$1 (" + tenant + ", ");
    if (!keys.empty()) text.insert(text.rfind(')'), keys);
    text = by_bytes(text);
    const std::size_t open = text.find('(');
    text.insert(open + 1, tenant + " TEXT COLLATE \"C\" NOT NULL, ");
    return text;
  }
  text = replaced(text, "^(\\s*CREATE\\s+(UNIQUE\\s+)?INDEX\\s+\\w+\\s+ON\\s+\\w+\\s*)\\(", "$1(" + tenant + ", ");
  text = replaced(text, "^(\\s*INSERT\\s+INTO\\s+\\w+\\s+SELECT)\\b", "$1 " + tenant + ",");
  return std::regex_search(text, std::regex("^\\s*ALTER\\s+TABLE", std::regex::icase)) ? by_bytes(text) : text;
}

Result<void> check_known(PGconn* c, std::span<const Migration> migrations) {
  TRY(const Answer done, run(c, "SELECT room, name FROM mandate_migrations ORDER BY room, name"));
  for (int i = 0; i < PQntuples(done.get()); ++i) CHECK_OK(check_step(migrations, cell(done, i, 0), cell(done, i, 1)));
  return {};
}

Result<void> apply(PGconn* c, const Migration& migration, Millis now) {
  CHECK_OK(run(c, "BEGIN"));
  CHECK_OK(lock_schema(c));
  TRY(const Answer recorded, run(c, "INSERT INTO mandate_migrations VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                                 {migration.room, migration.name, std::to_string(now)}));
  if (std::string_view(PQcmdTuples(recorded.get())) != "0") {
    // Another node is at work on these tables. Who waits for the lock of a whole table lets everybody else wait behind it.
    CHECK_OK(run(c, kLockLimit));
    CHECK_OK(run(c, shared_sql(migration.sql)));
  }
  CHECK_OK(run(c, "COMMIT"));
  return {};
}

}  // namespace

std::string shared_sql(std::string_view portable) {
  std::string out, text = without_comments(portable);
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = std::min(text.find(';', from), text.size());
    out += statement(text.substr(from, end - from)) + ";";
    from = end + 1;
  }
  return out;
}

Result<void> migrate(PGconn* connection, std::span<const Migration> migrations, Millis now) {
  CHECK_OK(check_known(connection, migrations));
  const auto end = std::chrono::steady_clock::now() + kLongest;
  for (const Migration& step : migrations) {
    for (;;) {
      Result<void> applied = apply(connection, step, now);
      if (applied.ok()) break;
      (void)run(connection, "ROLLBACK");
      if (!worth_another_try(connection, applied.error()) || std::chrono::steady_clock::now() > end) return applied;
      std::this_thread::sleep_for(kPause);
    }
  }
  return {};
}

}  // namespace mandate::store::postgres
