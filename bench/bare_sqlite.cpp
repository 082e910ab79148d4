// The floors of the store's walks (engine.md §5): what SQLite alone does with the same file, statement and disk.
//   bare_sqlite list DATABASE    a filtered, ordered list of 50 of the bench's table, step + JSON: lists a second
//   bare_sqlite insert FOLDER    rows a second of group commits of 64, durable, one secondary index
#include <sqlite3.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kRun{2};
constexpr int kGroup = 64;

[[noreturn]] void fail(sqlite3* db) {
  std::fprintf(stderr, "bare_sqlite: %s\n", sqlite3_errmsg(db));
  std::exit(1);
}

sqlite3* open(const std::string& path, int flags) {
  sqlite3* db = nullptr;
  if (sqlite3_open_v2(path.c_str(), &db, flags, nullptr) != SQLITE_OK) fail(db);
  return db;
}

void run(sqlite3* db, const char* sql) {
  if (sqlite3_exec(db, sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail(db);
}

sqlite3_stmt* prepare(sqlite3* db, const char* sql) {
  sqlite3_stmt* s = nullptr;
  if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s, nullptr) != SQLITE_OK) fail(db);
  return s;
}

void append_string(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

void append_value(std::string& out, sqlite3_stmt* s, int i) {
  char number[32];
  switch (sqlite3_column_type(s, i)) {
    case SQLITE_INTEGER: out.append(number, static_cast<std::size_t>(std::snprintf(number, sizeof number, "%lld", sqlite3_column_int64(s, i)))); break;
    case SQLITE_FLOAT: out.append(number, static_cast<std::size_t>(std::snprintf(number, sizeof number, "%.15g", sqlite3_column_double(s, i)))); break;
    case SQLITE_TEXT: append_string(out, {reinterpret_cast<const char*>(sqlite3_column_text(s, i)), static_cast<std::size_t>(sqlite3_column_bytes(s, i))}); break;
    default: out += "null";
  }
}

double lists(const std::string& path) {
  sqlite3* db = open(path, SQLITE_OPEN_READONLY);
  sqlite3_stmt* s = prepare(db, "SELECT * FROM t_default__plain WHERE complete = 0 AND rank > 100 ORDER BY rank DESC, id LIMIT 50");
  long count = 0;
  std::string out;
  const auto begin = Clock::now();
  while (Clock::now() - begin < kRun) {
    out = "[";
    while (sqlite3_step(s) == SQLITE_ROW) {
      out += out.size() > 1 ? ",{" : "{";
      for (int i = 0; i < sqlite3_column_count(s); ++i) {
        if (i) out += ',';
        append_string(out, sqlite3_column_name(s, i));
        out += ':';
        append_value(out, s, i);
      }
      out += '}';
    }
    out += ']';
    sqlite3_reset(s);
    ++count;
  }
  if (out.size() < 1000) std::exit(1);  // measured nothing
  return static_cast<double>(count) / std::chrono::duration<double>(Clock::now() - begin).count();
}

double inserts(const std::string& folder) {
  const std::string path = folder + "/bare-sqlite.tmp";
  sqlite3* db = open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  run(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=16384;"
          "CREATE TABLE t (id TEXT NOT NULL UNIQUE, text TEXT, complete INTEGER, rank REAL, createdAt INTEGER, updatedAt INTEGER);"
          "CREATE INDEX t_updated ON t (updatedAt)");
  sqlite3_stmt *begin = prepare(db, "BEGIN IMMEDIATE"), *commit = prepare(db, "COMMIT");
  sqlite3_stmt* s = prepare(db, "INSERT INTO t VALUES (?1, 'a row of the bench', 0, 7, ?2, ?2)");
  auto step = [&](sqlite3_stmt* statement) {
    if (sqlite3_step(statement) != SQLITE_DONE) fail(db);
    sqlite3_reset(statement);
  };
  long long count = 0;
  const auto start = Clock::now();
  while (Clock::now() - start < kRun) {
    step(begin);
    for (int i = 0; i < kGroup; ++i, ++count) {
      char id[40];
      std::snprintf(id, sizeof id, "%012llx-7000-8000-%012llx", 0x18000000000LL + count, count * 7919);
      sqlite3_bind_text(s, 1, id, -1, SQLITE_TRANSIENT);
      sqlite3_bind_int64(s, 2, 1'700'000'000'000 + count);
      step(s);
    }
    step(commit);
  }
  const double rate = static_cast<double>(count) / std::chrono::duration<double>(Clock::now() - start).count();
  for (sqlite3_stmt* statement : {begin, commit, s}) sqlite3_finalize(statement);
  sqlite3_close(db);
  for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(path + end);
  return rate;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  std::printf("%.0f\n", std::string_view(argv[1]) == "list" ? lists(argv[2]) : inserts(argv[2]));
}
