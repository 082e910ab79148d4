#include "store/postgres/move_rows.h"

#include <algorithm>

#include "store/columns.h"
#include "store/postgres/schema.h"

namespace mandate::store::postgres {
namespace {

constexpr int kTogether = 2000;  // rows of one round trip

// What belongs to the engine or to a move, not to the data.
constexpr std::string_view kOwn[] = {"mandate_columns", "mandate_feed"};

constexpr std::size_t kNamesTogether = 2000;  // rows asked for by name at once

Type type_of(Kind kind) {
  switch (kind) {
    case Kind::boolean: return Type::boolean;
    case Kind::int8: return Type::integer;
    case Kind::float8: return Type::real;
    default: return Type::text;
  }
}

/// Gives what a statement answers, in binary.
Result<void> rows_asked(PGconn* connection, const std::string& sql, const Parameters& parameters, const MovedTable& table,
                        const EachMoved& each) {
  Parameters::View view;
  parameters.view(view);
  const Answer rows(PQexecParams(connection, sql.c_str(), static_cast<int>(parameters.size()), nullptr, view.values.data(),
                                 view.lengths.data(), view.formats.data(), 1));
  if (PQresultStatus(rows.get()) != PGRES_TUPLES_OK)
    return PQstatus(connection) == CONNECTION_OK ? error_of(rows.get()) : lost(connection);
  std::vector<Value> cells(table.columns.size());
  for (int row = 0; row < PQntuples(rows.get()); ++row) {
    for (std::size_t i = 0; i < cells.size(); ++i) cells[i] = cell_of(rows.get(), row, static_cast<int>(i));
    CHECK_OK(fit_cells(table, row + 1, cells));
    CHECK_OK(each(row + 1, cells));
  }
  return {};
}

}  // namespace

Result<std::vector<std::string>> shared_tables(PGconn* connection, const std::string& schema) {
  TRY(const Answer found,
      run(connection,
          "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = "
          "c.oid"
          " WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND a.attname = $2 AND NOT a.attisdropped ORDER BY 1",
          {schema, kTenantColumn}));
  std::vector<std::string> out;
  for (int i = 0; i < PQntuples(found.get()); ++i)
    if (std::find(std::begin(kOwn), std::end(kOwn), cell(found, i, 0)) == std::end(kOwn)) out.emplace_back(cell(found, i, 0));
  return out;
}

Whereabouts whereabouts(const Core& core, const std::string& tenant, const MovedTable& table) {
  if (table.app) return {identifier(core.schema_of(tenant)) + "." + identifier(table.name), ""};
  return {identifier(core.options().schema) + "." + identifier(table.name),
          " AND " + std::string(kTenantColumn) + " = " + literal_sql(tenant)};
}

MovedTable room_table(const Table& known) {
  MovedTable out;
  out.name = known.name;
  for (const Column& column : known.columns) {
    ColumnSpec spec;
    spec.name = column.name;
    spec.type = type_of(column.kind);
    out.columns.push_back(std::move(spec));
  }
  return out;
}

Result<std::map<std::string, std::vector<MovedTable>>> app_tables(PGconn* connection) {
  TRY(const Answer columns,
      run(connection,
          "SELECT mandate_tenant, table_name, name, type, is_unique, is_indexed, is_dictionary FROM mandate_columns"
          " ORDER BY mandate_tenant, table_name, position"));
  std::map<std::string, std::vector<MovedTable>> out;
  for (int i = 0; i < PQntuples(columns.get()); ++i) {
    std::vector<MovedTable>& tables = out[std::string(cell(columns, i, 0))];
    if (tables.empty() || tables.back().name != cell(columns, i, 1)) {
      MovedTable table;
      table.name = cell(columns, i, 1);
      table.app = true;
      tables.push_back(std::move(table));
    }
    ColumnSpec spec;
    spec.name = cell(columns, i, 2);
    spec.type = type_named(cell(columns, i, 3));
    spec.unique = cell(columns, i, 4) == "t";
    spec.index = cell(columns, i, 5) == "t";
    spec.dictionary = cell(columns, i, 6) == "t";
    tables.back().columns.push_back(std::move(spec));
  }
  return out;
}

Result<void> moved_rows(PGconn* connection, const MovedTable& table, const std::string& from, const std::string& number,
                        const std::string& rest, const EachMoved& each) {
  std::string sql = "DECLARE moved BINARY NO SCROLL CURSOR FOR SELECT " + number;
  for (const ColumnSpec& spec : table.columns) sql += ", " + identifier(spec.name);
  CHECK_OK(run(connection, sql + " FROM " + from + " WHERE true" + rest));
  std::vector<Value> cells(table.columns.size());
  std::int64_t count = 0;
  for (bool more = true; more;) {
    TRY(const Answer rows, run(connection, "FETCH " + std::to_string(kTogether) + " FROM moved"));
    const int fetched = PQntuples(rows.get());
    more = fetched == kTogether;
    for (int row = 0; row < fetched; ++row) {
      const Value known = cell_of(rows.get(), row, 0);
      const auto* given = std::get_if<std::int64_t>(&known);
      ++count;
      for (std::size_t i = 0; i < cells.size(); ++i) cells[i] = cell_of(rows.get(), row, static_cast<int>(i) + 1);
      CHECK_OK(fit_cells(table, given ? *given : count, cells));
      CHECK_OK(each(given ? *given : count, cells));
    }
  }
  CHECK_OK(run(connection, "CLOSE moved"));
  return {};
}

namespace {

/// The rows that have one of `names`, whose cells none is null.
Result<void> rows_named(PGconn* connection, const MovedTable& table, const Whereabouts& where, const std::vector<Kind>& kinds,
                        const std::vector<const RowName*>& names, const EachMoved& each) {
  std::string sql = "SELECT ", arrays, columns, match;
  for (std::size_t i = 0; i < table.columns.size(); ++i) sql += (i ? ", t." : "t.") + identifier(table.columns[i].name);
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const std::string n = std::to_string(i + 1), comma = i ? ", " : "";
    arrays += comma + "$" + n + "::" + sql_name(kinds[i]) + "[]";
    columns += comma + "k" + n;
    match += (i ? " AND t." : "t.") + identifier(table.key[i]) + " = k.k" + n;
  }
  sql += " FROM unnest(" + arrays + ") AS k(" + columns + ") JOIN " + where.table + " AS t ON " + match + where.condition;
  std::vector<Parameters> rows(names.size());
  std::vector<const Parameters*> pointers;
  for (std::size_t r = 0; r < names.size(); ++r) {
    for (std::size_t i = 0; i < kinds.size(); ++i) CHECK_OK(rows[r].add((*names[r])[i], kinds[i]));
    pointers.push_back(&rows[r]);
  }
  Parameters parameters;
  for (std::size_t i = 0; i < kinds.size(); ++i) parameters.add_array(pointers, i, kinds[i]);
  return rows_asked(connection, sql, parameters, table, each);
}

/// Those of a name with nulls in it, which no equality finds.
Result<void> rows_of_a_null(PGconn* connection, const MovedTable& table, const Whereabouts& where, const std::vector<Kind>& kinds,
                            const RowName& name, const EachMoved& each) {
  std::string sql = "SELECT ";
  for (std::size_t i = 0; i < table.columns.size(); ++i) sql += (i ? ", t." : "t.") + identifier(table.columns[i].name);
  sql += " FROM " + where.table + " AS t WHERE true" + where.condition;
  Parameters parameters;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    sql += " AND t." + identifier(table.key[i]);
    if (is_null(name[i])) {
      sql += " IS NULL";
      continue;
    }
    CHECK_OK(parameters.add(name[i], kinds[i]));
    sql += " = $" + std::to_string(parameters.size()) + "::" + sql_name(kinds[i]);
  }
  return rows_asked(connection, sql, parameters, table, each);
}

}  // namespace

std::vector<Kind> key_kinds(const MovedTable& table) {
  std::vector<Kind> out;
  for (const std::string& name : table.key)
    for (const ColumnSpec& spec : table.columns)
      if (spec.name == name) out.push_back(kind_of(spec.type));
  return out;
}

Result<void> rows_by_name(PGconn* connection, const MovedTable& table, const Whereabouts& where, const RowNames& names,
                          const EachMoved& each) {
  const std::vector<Kind> kinds = key_kinds(table);
  std::vector<const RowName*> together;
  for (const RowName& name : names) {
    if (std::any_of(name.begin(), name.end(), is_null)) {
      CHECK_OK(rows_of_a_null(connection, table, where, kinds, name, each));
      continue;
    }
    together.push_back(&name);
    if (together.size() < kNamesTogether) continue;
    CHECK_OK(rows_named(connection, table, where, kinds, together, each));
    together.clear();
  }
  return together.empty() ? Result<void>{} : rows_named(connection, table, where, kinds, together, each);
}

}  // namespace mandate::store::postgres
