#include "store/postgres/migrations.h"

#include <algorithm>
#include <regex>

#include "store/postgres/bootstrap.h"
#include "store/postgres/table.h"

namespace mandate::store::postgres {
namespace {

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
  for (int i = 0; i < PQntuples(done.get()); ++i) {
    const std::string_view room = cell(done, i, 0), name = cell(done, i, 1);
    bool ours = false, known = false;
    for (const Migration& m : migrations) {
      if (m.room != room) continue;
      ours = true;
      known |= m.name == name;
    }
    if (ours && !known)
      return Error(Code::conflict, "The data was written by a newer version: it knows the step " + std::string(room) + "/" +
                                       std::string(name) + ", this one does not. Start the newer version.");
  }
  return {};
}

Result<void> apply(PGconn* c, const Migration& migration, Millis now) {
  CHECK_OK(run(c, "BEGIN"));
  CHECK_OK(lock_schema(c));
  TRY(const Answer recorded, run(c, "INSERT INTO mandate_migrations VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                                 {migration.room, migration.name, std::to_string(now)}));
  if (std::string_view(PQcmdTuples(recorded.get())) != "0") CHECK_OK(run(c, shared_sql(migration.sql)));
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
  for (const Migration& step : migrations) {
    Result<void> applied = apply(connection, step, now);
    if (!applied.ok()) {
      (void)run(connection, "ROLLBACK");
      return applied;
    }
  }
  return {};
}

}  // namespace mandate::store::postgres
