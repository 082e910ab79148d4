#include "store/postgres/move_rows.h"

#include <algorithm>

#include "store/columns.h"
#include "store/postgres/schema.h"

namespace mandate::store::postgres {
namespace {

constexpr int kTogether = 2000;  // rows of one round trip

// What belongs to the engine or to a move, not to the data.
constexpr std::string_view kOwn[] = {"mandate_columns", "mandate_feed"};

Type type_of(Kind kind) {
  switch (kind) {
    case Kind::boolean: return Type::boolean;
    case Kind::int8: return Type::integer;
    case Kind::float8: return Type::real;
    default: return Type::text;
  }
}

}  // namespace

Result<std::vector<std::string>> shared_tables(PGconn* connection, const std::string& schema) {
  TRY(const Answer found,
      run(connection,
          "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid"
          " WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND a.attname = $2 AND NOT a.attisdropped ORDER BY 1",
          {schema, kTenantColumn}));
  std::vector<std::string> out;
  for (int i = 0; i < PQntuples(found.get()); ++i)
    if (std::find(std::begin(kOwn), std::end(kOwn), cell(found, i, 0)) == std::end(kOwn)) out.emplace_back(cell(found, i, 0));
  return out;
}

Whereabouts whereabouts(const Core& core, const std::string& tenant, const MovedTable& table) {
  if (table.app) return {identifier(core.schema_of(tenant)) + "." + identifier(table.name), ""};
  return {identifier(core.options().schema) + "." + identifier(table.name), " WHERE " + std::string(kTenantColumn) + " = " + literal_sql(tenant)};
}

Result<std::vector<MovedTable>> moved_tables(const Core& core, PGconn* connection, const std::string& tenant) {
  std::vector<MovedTable> out;
  TRY(const std::vector<std::string> shared, shared_tables(connection, core.options().schema));
  for (const std::string& name : shared) {
    const TablePtr known = core.shared_table(name);
    if (!known) continue;
    MovedTable table;
    table.name = name;
    for (const Column& column : known->columns) {
      ColumnSpec spec;
      spec.name = column.name;
      spec.type = type_of(column.kind);
      table.columns.push_back(std::move(spec));
    }
    out.push_back(std::move(table));
  }
  TRY(const Answer columns, run(connection,
                                "SELECT table_name, name, type, is_unique, is_indexed, is_dictionary FROM mandate_columns"
                                " WHERE mandate_tenant = $1 ORDER BY table_name, position",
                                {tenant}));
  for (int i = 0; i < PQntuples(columns.get()); ++i) {
    if (out.empty() || !out.back().app || out.back().name != cell(columns, i, 0)) {
      MovedTable table;
      table.name = cell(columns, i, 0);
      table.app = true;
      out.push_back(std::move(table));
    }
    ColumnSpec spec;
    spec.name = cell(columns, i, 1);
    spec.type = type_named(cell(columns, i, 2));
    spec.unique = cell(columns, i, 3) == "t";
    spec.index = cell(columns, i, 4) == "t";
    spec.dictionary = cell(columns, i, 5) == "t";
    out.back().columns.push_back(std::move(spec));
  }
  return out;
}

Result<void> moved_rows(PGconn* connection, const MovedTable& table, const std::string& from, const std::string& number,
                        const std::string& rest, const EachMoved& each) {
  std::string sql = "DECLARE moved BINARY NO SCROLL CURSOR FOR SELECT " + number;
  for (const ColumnSpec& spec : table.columns) sql += ", " + identifier(spec.name);
  CHECK_OK(run(connection, sql + " FROM " + from + rest));
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

}  // namespace mandate::store::postgres
