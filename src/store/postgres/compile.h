// Plans and mutations as SQL of PostgreSQL, with typed parameters. One text for each shape; values never enter it.
#pragma once

#include "store/shape.h"
#include "store/postgres/table.h"

namespace mandate::store::postgres {

/// What stands before the values of the shape.
enum class Lead { tenant, now, table_rows };

/// One prepared statement. Immutable.
struct Statement {
  std::string name;               ///< for the server; the same on every connection
  std::string sql;
  std::vector<Lead> lead;         ///< the first parameters
  std::vector<Kind> bound;        ///< how each value of the shape is bound; none = it has no parameter (a Stamp)
  std::vector<unsigned> types;    ///< of all parameters
  std::shared_ptr<const std::vector<std::string>> names;  ///< of the rows that come back
  std::vector<Kind> kinds;
  /// Columns before the row's own: of a guarded mutation the count and the guard, of many gets the number of the one asked.
  int before = 0;
  bool guarded = false;
  TablePtr table;
};
using StatementPtr = std::shared_ptr<const Statement>;

/// A row that came back.
Row row_of(const Statement& statement, const PGresult* result, int row);

/// How a mutation's Expect is kept.
enum class Guard {
  none,      ///< the client counts: nothing has to be undone when it is unmet
  at_most,   ///< more rows than expected end the transaction; fewer changed nothing
  exact,     ///< any other number ends the transaction
};

/// invalid_request for a column that the table lacks.
Result<Statement> compile(const Plan& plan, Wanted wanted, const TablePtr& table, std::string_view schema);
/// Gets of one shape in one statement: each parameter is an array, rows come with the number of the get from 1.
Result<Statement> compile_many(const Plan& plan, const TablePtr& table, std::string_view schema);

/// `forgiving`: an insert that meets a row of the same key changes nothing and counts 0 instead of ending the transaction.
Result<Statement> compile(const Mutation& mutation, const TablePtr& table, std::string_view schema, Guard guard, bool forgiving);
/// Inserts of one shape in one statement: each value of the shape is an array. Rows come back in order.
Result<Statement> compile_many(const Mutation& mutation, const TablePtr& table, std::string_view schema);

}  // namespace mandate::store::postgres
