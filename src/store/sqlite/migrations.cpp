#include "store/sqlite/migrations.h"

#include <sqlite3.h>

namespace mandate::store::sqlite {

Result<void> check_known(sqlite3* db, std::span<const Migration> migrations) {
  TRY(Stmt s, prepare(db, "SELECT room, name FROM mandate_migrations ORDER BY room, name"));
  int rc;
  while ((rc = sqlite3_step(s.get())) == SQLITE_ROW) {
    const Value room = column(s.get(), 0), name = column(s.get(), 1);
    CHECK_OK(check_step(migrations, std::get<std::string>(room), std::get<std::string>(name)));
  }
  if (rc != SQLITE_DONE) return error_of(db, rc, Access::write);
  return {};
}

namespace {

/// A 64-bit key is the row's own number here, without a second tree beside the table; but only in SQLite's spelling.
std::string in_our_words(std::string_view sql) {
  constexpr std::string_view kTheirs = "BIGINT NOT NULL PRIMARY KEY", kOurs = "INTEGER PRIMARY KEY";
  std::string text(sql);
  for (std::size_t at = 0; (at = text.find(kTheirs, at)) != std::string::npos; at += kOurs.size()) text.replace(at, kTheirs.size(), kOurs);
  return text;
}

}  // namespace

Result<void> apply(sqlite3* db, const Migration& migration, Millis now) {
  TRY(Stmt s, prepare(db, "INSERT INTO mandate_migrations (room, name, applied_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING"));
  bind(s.get(), 1, migration.room);
  bind(s.get(), 2, migration.name);
  sqlite3_bind_int64(s.get(), 3, now);
  CHECK_OK(run(s.get()));
  if (sqlite3_changes(db) == 0) return {};
  return execute(db, in_our_words(migration.sql));
}

}  // namespace mandate::store::sqlite
