#include "store/sqlite/handle.h"

#include <sqlite3.h>

#include "store/sqlite/checksums.h"
#include "store/sqlite/functions.h"

namespace mandate::store::sqlite {

// Older ones can lose committed pages when a WAL is reset during a checkpoint.
static_assert(SQLITE_VERSION_NUMBER >= 3051003, "SQLite older than 3.51.3 has the WAL-reset corruption bug");

void CloseHandle::operator()(sqlite3* db) const { sqlite3_close_v2(db); }
void CloseHandle::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Result<Db> connect(const Place& place, Access access) {
  if (sqlite3_libversion_number() < 3051003) return Error(Code::server_error, "The SQLite library is older than 3.51.3.");
  sqlite3* raw = nullptr;
  const char* vfs = checksum_vfs(place.vfs);
  if (!vfs) return Error(Code::server_error, "There is no VFS named " + place.vfs + ".");
  const int rc =
      sqlite3_open_v2(place.path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, vfs);
  Db db(raw);
  if (rc != SQLITE_OK) return error_of(raw, rc, access);
  // First of all, so that the pragmas below wait for a recovery under way instead of failing.
  sqlite3_busy_timeout(raw, access == Access::write ? 5000 : 1000);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  // One plan for a shape, whatever is bound: else a statement whose limit or filter is bound anew is prepared anew.
  sqlite3_db_config(raw, SQLITE_DBCONFIG_ENABLE_QPSG, 1, nullptr);
  CHECK_OK(reserve_checksums(raw));
  CHECK_OK(add_functions(raw));
  CHECK_OK(execute(raw, "PRAGMA cache_size=-8192; PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY", access));
  CHECK_OK(execute(raw, "PRAGMA trusted_schema=OFF", access));
  if (access == Access::write) {
    CHECK_OK(execute(raw, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0"));
  } else {
    // The writer's connection makes every checkpoint, the one of the last close too.
    sqlite3_db_config(raw, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    CHECK_OK(execute(raw, "PRAGMA query_only=ON; PRAGMA wal_autocheckpoint=0", access));
  }
  return db;
}

Result<Stmt> prepare(sqlite3* db, std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int rc = sqlite3_prepare_v3(db, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (rc != SQLITE_OK) return error_of(db, rc, Access::read);
  return Stmt(statement);
}

Result<void> execute(sqlite3* db, const std::string& sql, Access access) {
  const int rc = sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr);
  if (rc != SQLITE_OK) return error_of(db, rc, access);
  return {};
}

Result<void> run(sqlite3_stmt* statement, Access access) {
  int rc = sqlite3_step(statement);
  while (rc == SQLITE_ROW) rc = sqlite3_step(statement);
  Result<void> result;
  if (rc != SQLITE_DONE) result = error_of(sqlite3_db_handle(statement), rc, access);
  sqlite3_reset(statement);
  return result;
}

void bind(sqlite3_stmt* statement, int index, const Value& value) {
  switch (value.index()) {
    case 1: sqlite3_bind_int(statement, index, std::get<bool>(value)); break;
    case 2: sqlite3_bind_int64(statement, index, std::get<std::int64_t>(value)); break;
    case 3: sqlite3_bind_double(statement, index, std::get<double>(value)); break;
    case 4: bind(statement, index, std::string_view(std::get<std::string>(value))); break;
    default: sqlite3_bind_null(statement, index);
  }
}

void bind(sqlite3_stmt* statement, int index, std::string_view text) {
  // A null pointer would bind NULL, and an empty view may have one.
  sqlite3_bind_text64(statement, index, text.data() ? text.data() : "", text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

Value column(sqlite3_stmt* statement, int index) {
  switch (sqlite3_column_type(statement, index)) {
    case SQLITE_INTEGER: return std::int64_t{sqlite3_column_int64(statement, index)};
    case SQLITE_FLOAT: return sqlite3_column_double(statement, index);
    case SQLITE_NULL: return {};
    default: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, index));
      return std::string(text ? text : "", static_cast<std::size_t>(sqlite3_column_bytes(statement, index)));
    }
  }
}

Error error_of(sqlite3* db, int rc, Access access) {
  std::string detail = "sqlite " + std::to_string(rc) + ": " + (db ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
  switch (rc & 0xff) {
    case SQLITE_CONSTRAINT:
      if (rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY || rc == SQLITE_CONSTRAINT_ROWID)
        return Error(Code::conflict, "It exists already.", std::move(detail));
      return Error(Code::server_error, "", std::move(detail));
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return Error(Code::corrupt, "This data is damaged.", std::move(detail));
    case SQLITE_IOERR:
      if (rc == SQLITE_IOERR_DATA || rc == SQLITE_IOERR_CORRUPTFS)
        return Error(Code::corrupt, "This data is damaged.", std::move(detail));
      [[fallthrough]];
    case SQLITE_FULL:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
      if (access == Access::write) return Error(Code::read_only, "The server cannot write at the moment.", std::move(detail));
      return Error(Code::server_error, "", std::move(detail));
    case SQLITE_INTERRUPT: return Error(Code::timeout, "The query took too long.", std::move(detail));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM: return Error(Code::overloaded, "The server is busy.", std::move(detail));
    case SQLITE_TOOBIG: return Error(Code::payload_too_large, "A value is too large.", std::move(detail));
    default: return Error(Code::server_error, "", std::move(detail));
  }
}

bool disk_failed(sqlite3* db) {
  switch (sqlite3_extended_errcode(db)) {
    case SQLITE_IOERR_WRITE:
    case SQLITE_IOERR_FSYNC:
    case SQLITE_IOERR_DIR_FSYNC:
    case SQLITE_IOERR_TRUNCATE: return true;
    default: return false;
  }
}

void append_identifier(std::string& out, std::string_view name) {
  out += '"';
  for (char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

}  // namespace mandate::store::sqlite
