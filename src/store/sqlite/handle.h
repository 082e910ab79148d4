// SQLite's handles, owned; its result codes as our errors.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/value.h"

struct sqlite3;
struct sqlite3_stmt;

namespace mandate::store::sqlite {

struct CloseHandle {
  void operator()(sqlite3* db) const;
  void operator()(sqlite3_stmt* statement) const;
};
using Db = std::unique_ptr<sqlite3, CloseHandle>;
using Stmt = std::unique_ptr<sqlite3_stmt, CloseHandle>;

enum class Access { read, write };

/// A database file, and the VFS that its bytes go through below the checksums; empty: the system's own.
struct Place {
  std::string path;
  std::string vfs;
};

/// A configured connection (WAL, FULL, functions, collation). For one thread at a time.
Result<Db> connect(const Place& place, Access access);

Result<Stmt> prepare(sqlite3* db, std::string_view sql);
/// Runs one or more statements that give no rows.
Result<void> execute(sqlite3* db, const std::string& sql, Access access = Access::write);
/// Steps a statement that gives no rows and resets it.
Result<void> run(sqlite3_stmt* statement, Access access = Access::write);

/// Binds `value` as parameter `index` (from 1). Text is not copied: it must live until the statement is reset.
void bind(sqlite3_stmt* statement, int index, const Value& value);
void bind(sqlite3_stmt* statement, int index, std::string_view text);

/// The column of the current row.
Value column(sqlite3_stmt* statement, int index);

/// What went wrong last on this connection, as one of our codes. Details are for the log.
Error error_of(sqlite3* db, int rc, Access access);

/// Whether the last call on this connection failed because the disk refused a write or a sync, for another
/// reason than being full. What the kernel still holds of the file is then not what is on the disk.
bool disk_failed(sqlite3* db);

/// "name", with quotes inside doubled.
void append_identifier(std::string& out, std::string_view name);

}  // namespace mandate::store::sqlite
