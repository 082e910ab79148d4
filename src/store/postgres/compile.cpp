#include "store/postgres/compile.h"

#include "store/postgres/binder.h"
#include "store/postgres/expression.h"

namespace mandate::store::postgres {
namespace {

// Aliases that no column can have: names of apps' columns do not begin with mandate_.
constexpr std::string_view kStampTable = "mandate_s", kStampColumn = "mandate_last", kArrays = "mandate_k";

Error no_column(std::string_view name) {
  return Error(Code::invalid_request, "There is no such column.", "no column " + std::string(name));
}

/// The list of columns that come back. Empty or "*" = all.
Result<std::string> columns_of(Statement& out, const std::vector<std::string>& wanted, const Table& table) {
  std::string sql;
  auto names = std::make_shared<std::vector<std::string>>();
  const auto add = [&](const Column& column) {
    if (!sql.empty()) sql += ", ";
    sql += column.sql;
    names->push_back(column.name);
    out.kinds.push_back(column.kind);
  };
  if (wanted.empty())
    for (const Column& column : table.columns) add(column);
  for (const std::string& name : wanted) {
    if (name == "*") {
      for (const Column& column : table.columns) add(column);
      continue;
    }
    const Column* column = table.find(name);
    if (!column) return no_column(name);
    add(*column);
  }
  out.names = std::move(names);
  return sql;
}

Result<void> where(Binder& binder, std::string& sql, const Table& table, const std::optional<Owner>& owner, const ExprPtr& condition) {
  std::string_view word = " WHERE ";
  if (table.shared) {
    sql += word;
    sql += std::string(kTenantColumn) + " = " + binder.lead(Lead::tenant);
    word = " AND ";
  }
  if (owner) {
    const Column* column = table.find(owner->column);
    if (!column) return no_column(owner->column);
    sql += word;
    sql += column->sql + " = " + binder.bind(column->kind);
    word = " AND ";
  }
  if (condition) {
    TRY(const std::string text, condition_of(*condition, table, binder));
    sql += word;
    sql += text;
  }
  return {};
}

Result<std::string> select(Statement& out, Binder& binder, const Plan& plan, Wanted wanted, const Table& table) {
  std::string sql = "SELECT ";
  if (wanted == Wanted::count) {
    sql += "count(*)";
    out.names = std::make_shared<const std::vector<std::string>>(1, "count");
    out.kinds = {Kind::int8};
  } else {
    TRY(const std::string columns, columns_of(out, plan.select, table));
    sql += columns;
  }
  sql += " FROM " + table.sql;
  CHECK_OK(where(binder, sql, table, plan.owner, plan.where));
  if (wanted == Wanted::count) return sql;
  std::string_view comma = " ORDER BY ";
  for (const Order& order : plan.order) {
    TRY(const Piece by, expression_of(*order.by, table, binder));
    sql += comma;
    sql += by.sql;
    if (by.kind == Kind::text) sql += collation(order.by->dictionary);
    if (order.descending) sql += " DESC";
    // Nulls are the smallest. The word is left out where it says nothing, so that a plain index serves.
    const Column* column = order.by->op == Op::column ? table.find(order.by->text) : nullptr;
    if (!column || !column->not_null) sql += order.descending ? " NULLS LAST" : " NULLS FIRST";
    comma = ", ";
  }
  if (wanted == Wanted::first) {
    sql += " LIMIT 1";
    if (plan.offset) sql += " OFFSET " + std::to_string(plan.offset);
  } else if (plan.limit || plan.offset) {
    sql += " LIMIT NULLIF(" + binder.bind(Kind::int8) + ", -1)";
    sql += " OFFSET " + binder.bind(Kind::int8);
  }
  return sql;
}

bool stamped(const Mutation& m) {
  for (const Cell& cell : m.set)
    if (std::holds_alternative<Stamp>(cell.value)) return true;
  return false;
}

/// The next stamp of the table, whose row stays locked until the commit: stamps are given in commit order.
std::string next_stamp(Binder& binder, const Table& table, std::string_view schema, bool many) {
  const std::string rows = many ? binder.lead(Lead::table_rows) : "1";
  std::string sql = std::string(kStampTable) + " AS (INSERT INTO " + identifier(schema) + ".mandate_stamps AS m (" + std::string(kTenantColumn);
  sql += ", table_name, last) VALUES (" + binder.lead(Lead::tenant) + ", " + literal_sql(table.name) + ", ";
  sql += binder.lead(Lead::now) + (many ? " + " + rows + " - 1" : "") + ") ON CONFLICT (" + std::string(kTenantColumn);
  sql += ", table_name) DO UPDATE SET last = GREATEST(m.last + " + rows + ", excluded.last) RETURNING last AS ";
  return sql + std::string(kStampColumn) + ")";
}

std::string stamp_of(bool many, Binder& binder) {
  const std::string last = std::string(kStampTable) + '.' + std::string(kStampColumn);
  return many ? last + " - " + binder.lead(Lead::table_rows) + " + " + std::string(kArrays) + ".o" : last;
}

struct Written {
  const Column* column;
  std::string value;
};

Result<std::vector<Written>> cells(Binder& binder, const Mutation& m, const Table& table, bool many) {
  std::vector<Written> out;
  for (const Cell* cell : cells_of(m)) {
    const Column* column = table.find(cell->column);
    if (!column) return no_column(cell->column);
    if (std::holds_alternative<Stamp>(cell->value)) {
      binder.skip();
      out.push_back({column, stamp_of(many, binder)});
    } else {
      out.push_back({column, binder.bind(column->kind)});
    }
  }
  return out;
}

Result<std::string> insert_into(Binder& binder, const Mutation& m, const Table& table, bool many, bool forgiving) {
  const bool stamps = stamped(m);
  TRY(std::vector<Written> written, cells(binder, m, table, many));
  if (m.owner) {
    const Column* column = table.find(m.owner->column);
    if (!column) return no_column(m.owner->column);
    written.push_back({column, binder.bind(column->kind)});
  }
  std::string names, values;
  const auto add = [&](std::string_view name, std::string_view value) {
    if (!names.empty()) names += ", ", values += ", ";
    names += name;
    values += value;
  };
  if (table.shared) add(kTenantColumn, binder.lead(Lead::tenant));
  for (const Written& w : written) add(w.column->sql, w.value);
  std::string sql = "INSERT INTO " + table.sql + " AS m";
  if (names.empty()) sql += " DEFAULT VALUES";
  else if (!stamps && !many) sql += " (" + names + ") VALUES (" + values + ")";
  else {
    sql += " (" + names + ") SELECT " + values + " FROM ";
    if (stamps) sql += kStampTable;
    if (stamps && many) sql += ", ";
    if (many) sql += binder.arrays(kArrays) + " ORDER BY " + std::string(kArrays) + ".o";
  }
  if (m.kind == Mutation::Kind::insert) return forgiving ? sql + " ON CONFLICT DO NOTHING" : sql;

  // An upsert never takes over another owner's row: then nothing is touched and the count is 0.
  sql += " ON CONFLICT (";
  if (table.shared) sql += std::string(kTenantColumn) + ", ";
  for (std::size_t i = 0; i < m.conflict_key.size(); ++i) {
    const Column* column = table.find(m.conflict_key[i]);
    if (!column) return no_column(m.conflict_key[i]);
    sql += (i ? ", " : "") + column->sql;
  }
  sql += ") DO UPDATE SET ";
  std::string sets;
  const auto is_key = [&](const Column* column) {
    return std::any_of(m.conflict_key.begin(), m.conflict_key.end(), [&](const std::string& key) { return table.find(key) == column; });
  };
  for (const Written& w : written)
    if (!is_key(w.column) && !(m.owner && w.column == table.find(m.owner->column))) sets += (sets.empty() ? "" : ", ") + w.column->sql + " = excluded." + w.column->sql;
  if (sets.empty()) {
    const std::string& key = table.find(m.conflict_key.front())->sql;
    sets = key + " = excluded." + key;
  }
  sql += sets;
  if (m.owner) {
    const std::string& column = table.find(m.owner->column)->sql;
    sql += " WHERE m." + column + " = excluded." + column;
  }
  return sql;
}

Result<std::string> change(Binder& binder, const Mutation& m, const Table& table) {
  std::string sql;
  if (m.kind == Mutation::Kind::update) {
    sql = "UPDATE " + table.sql + " SET ";
    TRY(const std::vector<Written> written, cells(binder, m, table, false));
    for (std::size_t i = 0; i < written.size(); ++i) sql += (i ? ", " : "") + written[i].column->sql + " = " + written[i].value;
    // Nothing to change, but the rows still count.
    if (written.empty()) sql += table.columns.front().sql + " = " + table.columns.front().sql;
    if (stamped(m)) sql += " FROM " + std::string(kStampTable);
  } else {
    sql = (m.kind == Mutation::Kind::check ? "SELECT 1 FROM " : "DELETE FROM ") + table.sql;
  }
  CHECK_OK(where(binder, sql, table, m.owner, m.where));
  if (m.kind == Mutation::Kind::check && m.hold) sql += " FOR SHARE";
  return sql;
}

/// Ends the transaction (division by zero, which nothing else here can cause) when the count is not as expected.
std::string guard_of(Mutation::Expect expect, Guard guard) {
  std::string_view holds = "true";
  if (expect == Mutation::Expect::one) holds = guard == Guard::exact ? "count(*) = 1" : "count(*) <= 1";
  if (expect == Mutation::Expect::none) holds = "count(*) = 0";
  if (expect == Mutation::Expect::at_least_one) holds = "count(*) >= 1";
  return "mandate_g AS (SELECT count(*) AS n, 1 / (CASE WHEN " + std::string(holds) + " THEN 1 ELSE 0 END) AS met FROM mandate_d)";
}

}  // namespace

Row row_of(const Statement& s, const PGresult* result, int row) {
  std::vector<Value> cells;
  cells.reserve(s.names->size());
  for (std::size_t i = 0; i < s.names->size(); ++i) cells.push_back(cell_of(result, row, s.before + static_cast<int>(i)));
  return Row(s.names, std::move(cells));
}

Result<Statement> compile(const Plan& plan, Wanted wanted, const TablePtr& table, std::string_view) {
  Statement out;
  out.table = table;
  Binder binder(out, Binder::Style::plain);
  TRY(const std::string text, select(out, binder, plan, wanted, *table));
  out.sql = binder.finish(text);
  return out;
}

Result<Statement> compile_many(const Plan& plan, const TablePtr& table, std::string_view) {
  Statement out;
  out.table = table;
  Binder binder(out, Binder::Style::arrays);
  TRY(const std::string text, select(out, binder, plan, Wanted::first, *table));
  out.before = 1;
  out.sql = binder.finish("SELECT " + std::string(kArrays) + ".o, mandate_r.* FROM " + binder.arrays(kArrays) + " CROSS JOIN LATERAL (" + text + ") AS mandate_r");
  return out;
}

Result<Statement> compile(const Mutation& m, const TablePtr& table, std::string_view schema, Guard guard, bool forgiving) {
  Statement out;
  out.table = table;
  Binder binder(out, Binder::Style::plain);
  const bool inserts = m.kind == Mutation::Kind::insert || m.kind == Mutation::Kind::upsert;
  std::string main;
  if (inserts) {
    TRY(main, insert_into(binder, m, *table, false, forgiving));
  } else {
    TRY(main, change(binder, m, *table));
  }
  const bool checks = m.kind == Mutation::Kind::check, gives = !m.returning.empty() && !checks;
  if (gives) {
    TRY(const std::string columns, columns_of(out, m.returning, *table));
    main += " RETURNING " + columns;
  }
  std::string with = stamped(m) ? "WITH " + next_stamp(binder, *table, schema, false) : "";
  if (guard != Guard::none) {
    out.guarded = true;
    out.before = 2;
    with += (with.empty() ? "WITH " : ", ") + std::string("mandate_d AS (") + main + (gives || checks ? "" : " RETURNING 1") + "), ";
    with += guard_of(m.expect, guard);
    main = !gives ? " SELECT n, met FROM mandate_g" : " SELECT mandate_g.n, mandate_g.met, mandate_d.* FROM mandate_g LEFT JOIN mandate_d ON true";
  } else if (!with.empty()) {
    with += ' ';
  }
  out.sql = binder.finish(with + main);
  return out;
}

Result<Statement> compile_many(const Mutation& m, const TablePtr& table, std::string_view schema) {
  Statement out;
  out.table = table;
  Binder binder(out, Binder::Style::rows);
  TRY(std::string main, insert_into(binder, m, *table, true, false));
  if (!m.returning.empty()) {
    TRY(const std::string columns, columns_of(out, m.returning, *table));
    main += " RETURNING " + columns;
  }
  const std::string with = stamped(m) ? "WITH " + next_stamp(binder, *table, schema, true) + " " : "";
  out.sql = binder.finish(with + main);
  return out;
}

}  // namespace mandate::store::postgres
