#include "store/sqlite/recorder.h"

#include <sqlite3.h>

namespace mandate::store::sqlite {

Recorder::Recorder(sqlite3* db) : db_(db) {
  sqlite3_update_hook(
      db_,
      [](void* self, int, const char* database, const char* table, sqlite3_int64 number) {
        if (std::string_view(database) == "main") static_cast<Recorder*>(self)->changes_.rows[table].insert({std::int64_t{number}});
      },
      this);
  row_by_row(true);
}

void Recorder::row_by_row(bool yes) {
  const auto judge = [](void*, int act, const char*, const char*, const char*, const char*) { return act == SQLITE_DELETE ? SQLITE_IGNORE : SQLITE_OK; };
  sqlite3_set_authorizer(db_, yes ? static_cast<int (*)(void*, int, const char*, const char*, const char*, const char*)>(judge) : nullptr, nullptr);
}

Recorder::~Recorder() {
  sqlite3_update_hook(db_, nullptr, nullptr);
  row_by_row(false);
}

}  // namespace mandate::store::sqlite
