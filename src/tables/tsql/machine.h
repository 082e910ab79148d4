// Runs a bound statement over rows that were read. Pure: the same rows give the same answer whatever engine they came from.
#pragma once

#include <memory>
#include <vector>

#include "tables/tsql/ast.h"
#include "tables/tsql/functions.h"

namespace mandate::tables::tsql {

using Row = std::vector<Value>;
using Rows = std::vector<Row>;

/// What a statement may cost.
struct Cost {
  std::size_t rows = 100'000;        ///< of a result
  std::size_t bytes = 8 << 20;       ///< of a result
  std::size_t tuples = 1'000'000;    ///< that joins make, at once
  Deadline until = kNoDeadline;
};

/// The rows of a select's sources that belong together, and what holds those of derived tables.
struct Tuples {
  std::size_t width = 0;
  std::vector<const Row*> rows;  ///< `width` for each tuple; null: nothing of an outer join's other side
  std::vector<std::shared_ptr<const Rows>> held;
  std::size_t size() const { return width ? rows.size() / width : rows.size(); }
  const Row* const* at(std::size_t tuple) const { return rows.data() + tuple * width; }
};

/// For one statement, on one thread. Errors: bad_request in T-SQL's words, payload_too_large and timeout when it costs too much.
class Machine {
 public:
  /// `loaded`: by Source::load. All must outlive it.
  Machine(const std::vector<Rows>& loaded, const std::vector<Value>& parameters, const Surroundings& around, const Cost& cost);
  ~Machine();

  Result<Rows> rows(const Query& query);
  /// Those that the conditions of a select without items leave, as many as its TOP says.
  Result<Tuples> tuples(const Select& select);
  /// Of a tuple of `tuples`; null: of no rows.
  Result<Value> value(const Expr& e, const Row* const* tuple);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The value of an expression that is constant().
Result<Value> value_of(const Expr& e, const std::vector<Value>& parameters, const Surroundings& around);

}  // namespace mandate::tables::tsql
