// A checksum on every page of the database file, so that a flipped byte is an error and never an answer (RL-21).
#pragma once

#include <string>

#include "base/result.h"

struct sqlite3;

namespace mandate::store::sqlite {

/// Name of the VFS to open databases with; registers it on first use. It is the VFS `below` (empty: the
/// system's own) with 8 bytes at the end of each page: a 64-bit checksum of the rest and of the page's place,
/// written on the way out, checked on the way in. A page that fails reads as SQLITE_IOERR_DATA. The WAL has
/// checksums of its own. Thread-safe; null when there is no VFS of that name.
const char* checksum_vfs(const std::string& below);

/// To be called on a fresh connection before its first statement: a new file gets the 8 bytes.
Result<void> reserve_checksums(sqlite3* db);

}  // namespace mandate::store::sqlite
