#include "store/sqlite/still.h"

#include <sqlite3.h>
#include <strings.h>

#include <algorithm>

#include "base/url.h"
#include "store/sqlite/catalogue.h"

namespace mandate::store::sqlite {
namespace {

Type type_of(std::string_view declared) {
  const std::string word = ascii_lower(declared);
  if (word == "boolean") return Type::boolean;
  if (word == "bigint" || word == "integer") return Type::integer;
  return word == "double precision" ? Type::real : Type::text;
}

/// A name of the row's number that no column hides.
Result<std::string> number_name(const MovedTable& table) {
  for (const char* name : {"rowid", "_rowid_", "oid"})
    if (std::none_of(table.columns.begin(), table.columns.end(), [&](const ColumnSpec& c) { return ::strcasecmp(c.name.c_str(), name) == 0; }))
      return std::string(name);
  return Error(Code::invalid_request, "table " + table.name + " has columns rowid, _rowid_ and oid, which hide the numbers of its rows");
}

Result<std::vector<ColumnSpec>> room_columns(sqlite3* db, const std::string& table) {
  TRY(const Stmt s, prepare(db, "SELECT name, type FROM pragma_table_info(?1) ORDER BY cid"));
  bind(s.get(), 1, std::string_view(table));
  std::vector<ColumnSpec> out;
  int rc;
  while ((rc = sqlite3_step(s.get())) == SQLITE_ROW) {
    ColumnSpec spec;
    spec.name = std::get<std::string>(column(s.get(), 0));
    spec.type = type_of(std::get<std::string>(column(s.get(), 1)));
    out.push_back(std::move(spec));
  }
  if (rc != SQLITE_DONE) return error_of(db, rc, Access::read);
  return out;
}

}  // namespace

Result<std::vector<MovedTable>> moved_tables(sqlite3* db) {
  std::map<std::string, MovedTable> found;
  {
    TRY(const Stmt s, prepare(db, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
                                  " AND name NOT IN ('mandate_migrations', 'mandate_columns') ORDER BY name"));
    int rc;
    while ((rc = sqlite3_step(s.get())) == SQLITE_ROW) {
      MovedTable table;
      table.name = std::get<std::string>(column(s.get(), 0));
      found.emplace(table.name, std::move(table));
    }
    if (rc != SQLITE_DONE) return error_of(db, rc, Access::read);
  }
  TRY(const std::vector<CataloguedColumn> catalogue, catalogued_columns(db));
  for (const CataloguedColumn& entry : catalogue) {
    const auto table = found.find(entry.table);
    if (table == found.end()) continue;
    table->second.app = true;
    table->second.columns.push_back(entry.spec);
  }
  std::vector<MovedTable> out;
  for (auto& [name, table] : found) {
    if (!table.app) {
      TRY(table.columns, room_columns(db, name));
    }
    out.push_back(std::move(table));
  }
  return out;
}

std::string key_condition(const std::string& column, std::size_t place) {
  std::string out;
  append_identifier(out, column);
  return out + " IS ?" + std::to_string(place + 1);
}

Result<void> moved_rows(sqlite3* db, const MovedTable& table, const RowNames* only, const EachMoved& each) {
  TRY(const std::string number, number_name(table));
  const auto named = [&] {
    if (table.key.empty()) return number + " = ?1";
    std::string out;
    for (std::size_t i = 0; i < table.key.size(); ++i) out += (i ? " AND " : "") + key_condition(table.key[i], i);
    return out;
  };
  std::string sql = "SELECT " + number;
  for (const ColumnSpec& spec : table.columns) {
    sql += ", ";
    append_identifier(sql, spec.name);
  }
  sql += " FROM ";
  append_identifier(sql, table.name);
  sql += only ? " WHERE " + named() : " ORDER BY " + number;
  TRY(const Stmt s, prepare(db, sql));
  std::vector<Value> cells(table.columns.size());
  const auto give = [&]() -> Result<void> {
    int rc;
    while ((rc = sqlite3_step(s.get())) == SQLITE_ROW) {
      const std::int64_t row = sqlite3_column_int64(s.get(), 0);
      for (std::size_t i = 0; i < cells.size(); ++i) cells[i] = column(s.get(), static_cast<int>(i) + 1);
      CHECK_OK(fit_cells(table, row, cells));
      CHECK_OK(each(row, cells));
    }
    if (rc != SQLITE_DONE) return error_of(db, rc, Access::read);
    sqlite3_reset(s.get());
    return {};
  };
  if (!only) return give();
  for (const RowName& one : *only) {
    for (std::size_t i = 0; i < one.size(); ++i) bind(s.get(), static_cast<int>(i) + 1, one[i]);
    CHECK_OK(give());
  }
  return {};
}

Result<std::unique_ptr<Snapshot>> Snapshot::connect(const Place& place) {
  TRY(Db db, sqlite::connect(place, Access::read));
  return std::unique_ptr<Snapshot>(new Snapshot(std::move(db)));
}

Result<void> Snapshot::begin(Changes changes) {
  changes_ = std::move(changes);
  // The first read fixes the moment.
  return execute(db_.get(), "BEGIN; SELECT count(*) FROM mandate_migrations", Access::read);
}

Result<std::vector<MovedTable>> Snapshot::tables() { return moved_tables(db_.get()); }

Result<void> Snapshot::all(const MovedTable& table, const EachMoved& each) { return moved_rows(db_.get(), table, nullptr, each); }

Result<void> Snapshot::some(const MovedTable& table, const RowNames& names, const EachMoved& each) {
  return moved_rows(db_.get(), table, &names, each);
}

}  // namespace mandate::store::sqlite
