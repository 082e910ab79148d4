#include "store/sqlite/check.h"

#include <sqlite3.h>

namespace mandate::store::sqlite {
namespace {

/// The complaints of integrity_check; empty for "ok".
std::string complaints(sqlite3* db, const std::string& sql) {
  std::string text;
  Result<Stmt> s = prepare(db, sql);
  if (!s.ok()) return s.error().detail;
  int rc;
  while ((rc = sqlite3_step(s->get())) == SQLITE_ROW) {
    const Value line = column(s->get(), 0);
    const auto* found = std::get_if<std::string>(&line);
    if (!found || *found == "ok") continue;
    if (!text.empty()) text += "; ";
    text += *found;
  }
  if (rc != SQLITE_DONE) text += (text.empty() ? "" : "; ") + error_of(db, rc, Access::read).detail;
  return text;
}

}  // namespace

Result<std::string> check(Reader& reader) {
  reader.end_snapshot();
  reader.spend_freely();
  sqlite3* db = reader.db();
  std::string report;
  std::vector<std::string> tables;
  {
    TRY(Stmt s, prepare(db, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"));
    int rc;
    while ((rc = sqlite3_step(s.get())) == SQLITE_ROW) tables.push_back(std::get<std::string>(column(s.get(), 0)));
    if (rc != SQLITE_DONE) return "schema: " + error_of(db, rc, Access::read).detail + "\n";
  }
  for (const std::string& table : tables) {
    std::string sql = "PRAGMA integrity_check(";
    append_identifier(sql, table);
    if (const std::string found = complaints(db, sql + ')'); !found.empty()) report += table + ": " + found + '\n';
  }
  if (!report.empty()) return report;
  // Pages that belong to no table: the free list, pages used twice or by nobody.
  if (const std::string found = complaints(db, "PRAGMA integrity_check"); !found.empty()) report = "file: " + found + '\n';
  return report;
}

}  // namespace mandate::store::sqlite
