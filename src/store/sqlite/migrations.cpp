#include "store/sqlite/migrations.h"

#include <sqlite3.h>

#include <algorithm>

namespace mandate::store::sqlite {

Result<void> check_known(sqlite3* db, std::span<const Migration> migrations) {
  TRY(Stmt s, prepare(db, "SELECT room, name FROM mandate_migrations ORDER BY room, name"));
  int rc;
  while ((rc = sqlite3_step(s.get())) == SQLITE_ROW) {
    const Value room = column(s.get(), 0), name = column(s.get(), 1);
    bool ours = false, known = false;
    for (const Migration& m : migrations) {
      if (m.room != std::get<std::string>(room)) continue;
      ours = true;
      known |= m.name == std::get<std::string>(name);
    }
    if (ours && !known)
      return Error(Code::conflict, "The data was written by a newer version: it knows the step " + std::get<std::string>(room) + "/" +
                                       std::get<std::string>(name) + ", this one does not. Start the newer version.");
  }
  if (rc != SQLITE_DONE) return error_of(db, rc, Access::write);
  return {};
}

Result<void> apply(sqlite3* db, const Migration& migration, Millis now) {
  TRY(Stmt s, prepare(db, "INSERT INTO mandate_migrations (room, name, applied_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING"));
  bind(s.get(), 1, migration.room);
  bind(s.get(), 2, migration.name);
  sqlite3_bind_int64(s.get(), 3, now);
  CHECK_OK(run(s.get()));
  if (sqlite3_changes(db) == 0) return {};
  return execute(db, std::string(migration.sql));
}

}  // namespace mandate::store::sqlite
