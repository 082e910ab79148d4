#include "store/sqlite/recorder.h"

#include <sqlite3.h>

namespace mandate::store::sqlite {

Recorder::Recorder(sqlite3* db) : db_(db) {
  sqlite3_update_hook(
      db_,
      [](void* self, int, const char* database, const char* table, sqlite3_int64 number) {
        if (std::string_view(database) == "main") static_cast<Recorder*>(self)->changes_.rows[table].insert(number);
      },
      this);
  // Else a DELETE without a condition takes away all rows at once and tells of none. IGNORE makes it go row by row.
  sqlite3_set_authorizer(
      db_, [](void*, int act, const char*, const char*, const char*, const char*) { return act == SQLITE_DELETE ? SQLITE_IGNORE : SQLITE_OK; },
      nullptr);
}

Recorder::~Recorder() {
  sqlite3_update_hook(db_, nullptr, nullptr);
  sqlite3_set_authorizer(db_, nullptr, nullptr);
}

}  // namespace mandate::store::sqlite
