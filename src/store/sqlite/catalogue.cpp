#include "store/sqlite/catalogue.h"

#include <sqlite3.h>
#include <strings.h>

#include <algorithm>
#include <set>

#include "store/columns.h"
#include "store/sqlite/functions.h"

namespace mandate::store::sqlite {
namespace {

constexpr const char* kOwnTables =
    "CREATE TABLE IF NOT EXISTS mandate_migrations (room TEXT NOT NULL, name TEXT NOT NULL, applied_at BIGINT NOT NULL,"
    " PRIMARY KEY (room, name));"
    "CREATE TABLE IF NOT EXISTS mandate_stamps (table_name TEXT NOT NULL PRIMARY KEY, last BIGINT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS mandate_columns (table_name TEXT NOT NULL, position BIGINT NOT NULL, name TEXT NOT NULL,"
    " type TEXT NOT NULL, is_unique BOOLEAN NOT NULL, is_indexed BOOLEAN NOT NULL, is_dictionary BOOLEAN NOT NULL,"
    " PRIMARY KEY (table_name, position))";

const char* sql_name(Type type) {
  switch (type) {
    case Type::boolean: return "BOOLEAN";
    case Type::integer:
    case Type::date: return "BIGINT";
    case Type::real: return "DOUBLE PRECISION";
    default: return "TEXT";
  }
}

Result<std::vector<ColumnSpec>> columns_of(sqlite3* db, const std::string& table) {
  TRY(Stmt s, prepare(db, "SELECT name, type, is_unique, is_indexed, is_dictionary FROM mandate_columns"
                          " WHERE table_name = ?1 ORDER BY position"));
  bind(s.get(), 1, std::string_view(table));
  std::vector<ColumnSpec> columns;
  int rc;
  while ((rc = sqlite3_step(s.get())) == SQLITE_ROW) {
    ColumnSpec spec;
    spec.name = std::get<std::string>(column(s.get(), 0));
    spec.unique = sqlite3_column_int(s.get(), 2) != 0;
    spec.index = sqlite3_column_int(s.get(), 3) != 0;
    columns.push_back(std::move(spec));
  }
  if (rc != SQLITE_DONE) return error_of(db, rc, Access::write);
  return columns;
}

Result<void> make_index(sqlite3* db, const std::string& table, const ColumnSpec& spec) {
  std::string sql = spec.unique ? "CREATE UNIQUE INDEX IF NOT EXISTS " : "CREATE INDEX IF NOT EXISTS ";
  append_identifier(sql, table + "." + spec.name);
  sql += " ON ";
  append_identifier(sql, table);
  sql += " (";
  append_identifier(sql, spec.name);
  if (spec.dictionary && !spec.unique) sql += std::string(" COLLATE ") + kDictionary;
  return execute(db, sql + ')');
}

Result<void> record(sqlite3* db, const std::string& table, std::size_t position, const ColumnSpec& spec) {
  TRY(Stmt s, prepare(db, "INSERT INTO mandate_columns VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"));
  bind(s.get(), 1, std::string_view(table));
  sqlite3_bind_int64(s.get(), 2, static_cast<sqlite3_int64>(position));
  bind(s.get(), 3, std::string_view(spec.name));
  bind(s.get(), 4, name_of(spec.type));
  sqlite3_bind_int(s.get(), 5, spec.unique);
  sqlite3_bind_int(s.get(), 6, spec.index || spec.unique);
  sqlite3_bind_int(s.get(), 7, spec.dictionary);
  return run(s.get());
}

std::string definition(const ColumnSpec& spec) {
  std::string sql;
  append_identifier(sql, spec.name);
  return sql + ' ' + sql_name(spec.type);
}

}  // namespace

Result<void> make_own_tables(sqlite3* db) { return execute(db, kOwnTables); }

Result<void> ensure_table(sqlite3* db, const std::string& table, const std::vector<ColumnSpec>& columns) {
  CHECK_OK(check_name(table));
  TRY(std::vector<ColumnSpec> there, columns_of(db, table));
  bool made = !there.empty();
  for (const ColumnSpec& spec : columns) {
    CHECK_OK(check_name(spec.name));
    const bool known = std::any_of(there.begin(), there.end(), [&](const ColumnSpec& c) {
      return ::strcasecmp(c.name.c_str(), spec.name.c_str()) == 0;
    });
    if (known) continue;
    std::string sql = made ? "ALTER TABLE " : "CREATE TABLE ";
    append_identifier(sql, table);
    sql += made ? " ADD COLUMN " + definition(spec) : " (" + definition(spec) + ')';
    CHECK_OK(execute(db, sql));
    CHECK_OK(record(db, table, there.size(), spec));
    if (spec.unique || spec.index) CHECK_OK(make_index(db, table, spec));
    there.push_back(spec);
    made = true;
  }
  return {};
}

Result<void> ensure_indexes(sqlite3* db, const std::string& table, const std::vector<IndexSpec>& indexes) {
  CHECK_OK(check_name(table));
  std::set<std::string> there, wanted;
  {
    TRY(const Stmt s, prepare(db, "SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = ?1"));
    bind(s.get(), 1, std::string_view(table));
    int rc;
    while ((rc = sqlite3_step(s.get())) == SQLITE_ROW) {
      std::string name = std::get<std::string>(column(s.get(), 0));
      if (name.starts_with(kIndexPrefix)) there.insert(std::move(name));
    }
    if (rc != SQLITE_DONE) return error_of(db, rc, Access::write);
  }
  for (const IndexSpec& spec : indexes) {
    if (spec.columns.empty()) continue;
    const std::string name = index_name(table, spec);
    if (!wanted.insert(name).second || there.contains(name)) continue;
    std::string sql = spec.unique ? "CREATE UNIQUE INDEX " : "CREATE INDEX ";
    append_identifier(sql, name);
    sql += " ON ";
    append_identifier(sql, table);
    for (std::size_t i = 0; i < spec.columns.size(); ++i) {
      sql += i ? ", " : " (";
      append_identifier(sql, spec.columns[i]);
      if (i < spec.dictionary.size() && spec.dictionary[i]) sql += std::string(" COLLATE ") + kDictionary;
    }
    const Result<void> made = execute(db, sql + ')');
    if (!made.ok()) return made.error().code == Code::conflict ? not_unique(spec, made.error()) : made.error();
  }
  if (others_stay(indexes)) return {};
  for (const std::string& name : there) {
    if (wanted.contains(name)) continue;
    std::string sql = "DROP INDEX ";
    append_identifier(sql, name);
    CHECK_OK(execute(db, sql));
  }
  return {};
}

Result<void> drop_table(sqlite3* db, const std::string& table) {
  CHECK_OK(check_name(table));
  TRY(std::vector<ColumnSpec> there, columns_of(db, table));
  if (there.empty()) return {};  // not an app's table, or gone already
  std::string sql = "DROP TABLE IF EXISTS ";
  append_identifier(sql, table);
  CHECK_OK(execute(db, sql));
  TRY(Stmt s, prepare(db, "DELETE FROM mandate_columns WHERE table_name = ?1"));
  bind(s.get(), 1, std::string_view(table));
  return run(s.get());
}

Result<std::vector<CataloguedColumn>> catalogued_columns(sqlite3* db) {
  TRY(const Stmt s, prepare(db, "SELECT table_name, name, type, is_unique, is_indexed, is_dictionary FROM mandate_columns"
                                " ORDER BY table_name, position"));
  std::vector<CataloguedColumn> out;
  int rc;
  while ((rc = sqlite3_step(s.get())) == SQLITE_ROW) {
    CataloguedColumn entry;
    entry.table = std::get<std::string>(column(s.get(), 0));
    entry.spec.name = std::get<std::string>(column(s.get(), 1));
    const Value type = column(s.get(), 2);
    entry.spec.type = type_named(std::get<std::string>(type));
    entry.spec.unique = sqlite3_column_int(s.get(), 3) != 0;
    entry.spec.index = sqlite3_column_int(s.get(), 4) != 0;
    entry.spec.dictionary = sqlite3_column_int(s.get(), 5) != 0;
    out.push_back(std::move(entry));
  }
  if (rc != SQLITE_DONE) return error_of(db, rc, Access::read);
  return out;
}

}  // namespace mandate::store::sqlite
