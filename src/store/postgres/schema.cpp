#include "store/postgres/schema.h"

#include <strings.h>

#include <algorithm>
#include <map>
#include <set>

#include "store/columns.h"
#include "store/postgres/bootstrap.h"

namespace mandate::store::postgres {
namespace {

constexpr int kTries = 6;
// Who reads or writes a table waits behind a change of its columns that waits for somebody who reads it for long. Milliseconds.
constexpr const char* kPatience = "SET LOCAL lock_timeout TO 1000";

std::string column_sql(const ColumnSpec& spec) {
  const Kind kind = kind_of(spec.type);
  return identifier(spec.name) + ' ' + sql_name(kind) + (kind == Kind::text ? " COLLATE \"C\"" : "");
}

Result<std::vector<std::string>> columns_of(PGconn* c, const std::string& tenant, const std::string& table) {
  TRY(const Answer found, run(c, "SELECT name FROM mandate_columns WHERE mandate_tenant = $1 AND table_name = $2 ORDER BY position", {tenant, table}));
  std::vector<std::string> out;
  for (int i = 0; i < PQntuples(found.get()); ++i) out.emplace_back(cell(found, i, 0));
  return out;
}

Result<void> make_index(PGconn* c, const std::string& where, const std::string& table, const ColumnSpec& spec) {
  std::string sql = spec.unique ? "CREATE UNIQUE INDEX " : "CREATE INDEX ";
  sql += identifier(table + "." + spec.name) + " ON " + where + " (" + identifier(spec.name);
  if (spec.dictionary && !spec.unique) sql += " COLLATE mandate_dictionary";
  // As ORDER BY has it here: nulls are the smallest.
  CHECK_OK(run(c, sql + " NULLS FIRST)"));
  return {};
}

/// For LIKE, where an underscore stands for any character.
std::string replaced_underscores(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '_' ? std::string("\\_") : std::string(1, c);
  return out;
}

/// The indexes of IndexSpecs that a table has, and whether each is whole: one that is being made behind everybody's back, or whose
/// making was broken off, is not.
Result<std::map<std::string, bool>> indexes_there(PGconn* c, const std::string& where) {
  TRY(const Answer found, run(c,
                              "SELECT i.relname, x.indisvalid FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid"
                              " WHERE x.indrelid = $1::regclass AND i.relname LIKE $2",
                              {where, replaced_underscores(kIndexPrefix) + "%"}));
  std::map<std::string, bool> out;
  for (int i = 0; i < PQntuples(found.get()); ++i) out.emplace(cell(found, i, 0), cell(found, i, 1) == "t");
  return out;
}

bool is_whole(const std::map<std::string, bool>& there, const std::string& name) {
  const auto found = there.find(name);
  return found != there.end() && found->second;
}

Result<bool> has_more_rows(PGconn* c, const std::string& where, std::size_t than) {
  TRY(const Answer some, run(c, "SELECT FROM " + where + " OFFSET " + std::to_string(than) + " LIMIT 1"));
  return PQntuples(some.get()) > 0;
}

/// Columns are found without case; the server's are not.
std::string as_spelt(const std::vector<std::string>& columns, const std::string& any_case) {
  for (const std::string& name : columns)
    if (::strcasecmp(name.c_str(), any_case.c_str()) == 0) return name;
  return any_case;
}

std::string sql_of(const IndexSpec& spec, const std::string& name, const std::string& where, const std::vector<std::string>& columns, bool behind) {
  std::string sql = spec.unique ? "CREATE UNIQUE INDEX " : behind ? "CREATE INDEX CONCURRENTLY IF NOT EXISTS " : "CREATE INDEX ";
  sql += identifier(name) + " ON " + where;
  for (std::size_t i = 0; i < spec.columns.size(); ++i) {
    sql += (i ? ", " : " (") + identifier(as_spelt(columns, spec.columns[i]));
    if (i < spec.dictionary.size() && spec.dictionary[i]) sql += " COLLATE mandate_dictionary";
    sql += " NULLS FIRST";  // as ORDER BY has it here
  }
  return sql + ")";
}

/// In a transaction that goes on when an ordinary index cannot be made.
Result<void> make_spec(PGconn* c, const std::string& sql, bool unique) {
  if (!unique) CHECK_OK(run(c, "SAVEPOINT one"));
  const auto made = run(c, sql);
  if (!made.ok() && !unique) (void)run(c, "ROLLBACK TO one");
  if (!made.ok()) return made.error();
  return {};
}

/// One transaction under a lock, told to the other nodes; run again when it met another's.
template <class Lock, class Work>
Result<void> change(Core& core, const std::string& tenant, const Lock& lock, const Work& work) {
  TRY(const Core::Writing writing, core.connect_to_write());
  PGconn* c = writing.connection.get();
  Result<void> done;
  for (int i = 0; i < kTries; ++i) {
    done = [&]() -> Result<void> {
      CHECK_OK(run(c, "BEGIN"));
      CHECK_OK(lock(c));
      CHECK_OK(run(c, kPatience));
      TRY(const bool changed, work(c));
      if (changed) {
        TRY(const Answer counted, run(c, "UPDATE mandate_streams SET n = n + 1 WHERE stream = $1 AND NOT fenced", {writing.stream}));
        if (std::string_view(PQcmdTuples(counted.get())) == "0")
          return Error(Code::temporarily_unavailable, "The data has moved: this database takes no changes any more.");
        CHECK_OK(run(c, std::string("INSERT INTO mandate_feed SELECT stream, n, $2, 'mandate_columns', ") + kDatabaseNow +
                            " FROM mandate_streams WHERE stream = $1",
                     {writing.stream, tenant}));
        if (core.options().notifications) CHECK_OK(run(c, "SELECT pg_notify($1, '')", {core.options().schema}));
      }
      CHECK_OK(run(c, "COMMIT"));
      return {};
    }();
    if (done.ok()) break;
    (void)run(c, "ROLLBACK");
    const bool in_the_way = done.error().code == Code::overloaded || done.error().detail.starts_with("postgres 55P03");
    if (!in_the_way || PQstatus(c) != CONNECTION_OK) return done;
  }
  core.schema_changed(tenant);
  return done;
}

}  // namespace

Result<void> ensure_table(Core& core, const std::string& tenant, const std::string& table, const std::vector<ColumnSpec>& columns) {
  CHECK_OK(check_name(table));
  for (const ColumnSpec& spec : columns) CHECK_OK(check_name(spec.name));
  return change(core, tenant, lock_schema, [&](PGconn* c) -> Result<bool> {
    TRY(std::vector<std::string> there, columns_of(c, tenant, table));
    const std::string schema = identifier(core.schema_of(tenant)), where = schema + "." + identifier(table);
    bool changed = false, made = !there.empty();
    for (const ColumnSpec& spec : columns) {
      const bool known = std::any_of(there.begin(), there.end(), [&](const std::string& name) { return ::strcasecmp(name.c_str(), spec.name.c_str()) == 0; });
      if (known) continue;
      if (!made) {
        CHECK_OK(run(c, "CREATE SCHEMA IF NOT EXISTS " + schema));
        CHECK_OK(run(c, "CREATE TABLE " + where + " (" + column_sql(spec) + ")"));
      } else {
        CHECK_OK(run(c, "ALTER TABLE " + where + " ADD COLUMN " + column_sql(spec)));
      }
      const auto yes = [](bool value) { return value ? "true" : "false"; };
      CHECK_OK(run(c, "INSERT INTO mandate_columns VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                   {tenant, table, std::to_string(there.size()), spec.name, name_of(spec.type), yes(spec.unique), yes(spec.index || spec.unique),
                    yes(spec.dictionary)}));
      if (spec.unique || spec.index) CHECK_OK(make_index(c, where, table, spec));
      there.push_back(spec.name);
      changed = made = true;
    }
    return changed;
  });
}

Result<std::vector<IndexSpec>> ensure_indexes(Core& core, const std::string& tenant, const std::string& table, const std::vector<IndexSpec>& indexes) {
  CHECK_OK(check_name(table));
  const std::string schema = identifier(core.schema_of(tenant)), where = schema + "." + identifier(table);
  std::map<std::string, const IndexSpec*> wanted;
  for (const IndexSpec& spec : indexes)
    if (!spec.columns.empty()) wanted.emplace(index_name(table, spec), &spec);
  const bool keep = others_stay(indexes);
  std::set<std::string> named;
  for (const auto& [name, spec] : wanted) named.insert(name);
  std::vector<IndexSpec> behind;
  {
    // Mostly all is as it should be: then nobody is held up.
    TRY(const Connection looking, core.connect());
    TRY(const auto there, indexes_there(looking.get(), where));
    const bool too_many = !keep && std::any_of(there.begin(), there.end(), [&](const auto& each) { return !named.contains(each.first); });
    std::erase_if(wanted, [&](const auto& each) { return is_whole(there, each.first); });
    const bool ordinary = std::any_of(wanted.begin(), wanted.end(), [](const auto& each) { return !each.second->unique; });
    bool large = false;
    if (ordinary) {
      TRY(large, has_more_rows(looking.get(), where, core.options().rows_indexed_at_once));
    }
    for (auto each = wanted.begin(); large && each != wanted.end();) {
      if (each->second->unique) ++each;
      else behind.push_back(*each->second), each = wanted.erase(each);
    }
    if (wanted.empty() && !too_many) return behind;
  }
  // Of this table alone: others may change theirs while a large index is made.
  const auto lock_columns = [&](PGconn* c) -> Result<void> {
    CHECK_OK(run(c, "SELECT name FROM mandate_columns WHERE mandate_tenant = $1 AND table_name = $2 ORDER BY position FOR UPDATE", {tenant, table}));
    CHECK_OK(run(c, "SET LOCAL statement_timeout TO 0"));
    return {};
  };
  Result<void> impossible;
  CHECK_OK(change(core, tenant, lock_columns, [&](PGconn* c) -> Result<bool> {
    TRY(const auto there, indexes_there(c, where));
    TRY(const std::vector<std::string> columns, columns_of(c, tenant, table));
    for (const auto& [name, whole] : there) {
      const bool half = !whole && wanted.contains(name), surplus = !keep && !named.contains(name);
      if (half || surplus) CHECK_OK(run(c, "DROP INDEX " + schema + "." + identifier(name)));
    }
    impossible = {};
    for (const bool unique : {true, false})
      for (const auto& [name, spec] : wanted) {
        if (spec->unique != unique || is_whole(there, name)) continue;
        const Result<void> made = make_spec(c, sql_of(*spec, name, where, columns, false), unique);
        if (made.ok()) continue;
        if (made.error().code == Code::conflict) return not_unique(*spec, made.error());
        if (unique || passes(made.error())) return made.error();
        impossible = made;
      }
    return false;  // who reads or writes the table need not know
  }));
  CHECK_OK(impossible);
  return behind;
}

Result<void> make_index_behind(Core& core, const std::string& tenant, const std::string& table, const IndexSpec& spec, int wake) {
  const std::string schema = identifier(core.schema_of(tenant)), where = schema + "." + identifier(table), name = index_name(table, spec);
  TRY(const Core::Writing writing, core.connect_to_write());
  PGconn* c = writing.connection.get();
  const Patience patience{.wake = wake};
  CHECK_OK(run(c, "SET statement_timeout TO 0", patience));
  // Who makes an index like this holds the table's lock of that kind to the end: what is not whole while nobody holds it was
  // broken off. And two that are made at once would wait for each other.
  const auto clear = [&]() -> Result<bool> {
    CHECK_OK(run(c, "BEGIN", patience));
    CHECK_OK(run(c, kPatience, patience));
    CHECK_OK(run(c, "LOCK TABLE " + where + " IN SHARE UPDATE EXCLUSIVE MODE NOWAIT", patience));
    TRY(const auto there, indexes_there(c, where));
    if (there.contains(name) && !is_whole(there, name)) CHECK_OK(run(c, "DROP INDEX " + schema + "." + identifier(name), patience));
    CHECK_OK(run(c, "COMMIT", patience));
    return is_whole(there, name);
  };
  TRY(const bool whole, clear());
  if (whole) return {};
  TRY(const std::vector<std::string> columns, columns_of(c, tenant, table));
  const auto made = run(c, sql_of(spec, name, where, columns, true), patience);
  if (made.ok()) return {};
  // Nobody comes back to one that fails for good, and every write would go on filling it.
  for (int i = 0; i < kTries && !passes(made.error()) && PQstatus(c) == CONNECTION_OK; ++i) {
    if (clear().ok()) break;
    (void)run(c, "ROLLBACK", patience);
  }
  return made.error();
}

Result<void> drop_table(Core& core, const std::string& tenant, const std::string& table) {
  CHECK_OK(check_name(table));
  return change(core, tenant, lock_schema, [&](PGconn* c) -> Result<bool> {
    TRY(const std::vector<std::string> there, columns_of(c, tenant, table));
    if (there.empty()) return false;  // not an app's table, or gone already
    CHECK_OK(run(c, "DROP TABLE IF EXISTS " + identifier(core.schema_of(tenant)) + "." + identifier(table)));
    CHECK_OK(run(c, "DELETE FROM mandate_columns WHERE mandate_tenant = $1 AND table_name = $2", {tenant, table}));
    return true;
  });
}

Result<std::string> check(Core& core, const std::string& tenant) {
  TRY(const Connection connection, core.connect());
  PGconn* c = connection.get();
  CHECK_OK(run(c, "SET statement_timeout TO 0"));
  TRY(const Answer tables, run(c,
                               "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                               " WHERE n.nspname IN ($1, $2) AND c.relkind IN ('r', 'p') ORDER BY 1, 2",
                               {core.options().schema, core.schema_of(tenant)}));
  std::string damaged;
  for (int i = 0; i < PQntuples(tables.get()); ++i) {
    const std::string name = identifier(cell(tables, i, 0)) + "." + identifier(cell(tables, i, 1));
    // Every page of the table and of what lies beside it is read, and every row taken apart.
    const auto read = run(c, "SELECT sum(length(t::text)) FROM " + name + " AS t");
    if (read.ok()) continue;
    if (PQstatus(c) != CONNECTION_OK) return read.error();
    damaged += (damaged.empty() ? "" : "; ") + name + ": " + read.error().detail;
  }
  return damaged;
}

}  // namespace mandate::store::postgres
