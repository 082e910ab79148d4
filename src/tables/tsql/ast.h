// The SQL of a script as a tree. The parser makes it, resolve() finds what its names mean, the machine runs it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tables/tsql/lexer.h"
#include "tables/tsql/value.h"

namespace mandate::tables::tsql {

struct Query;
struct Function;

enum class Op {
  literal, parameter, column,
  negate, add, sub, mul, div, mod,
  eq, ne, lt, le, gt, ge,         ///< conditions from here …
  and_, or_, not_,
  is_null, in_list, in_query, exists, like, between,
  case_,                          ///< … to here: a value again
  call, cast, scalar_query, aggregate,
};

enum class Aggregate { count_rows, count, sum, avg, min, max };

/// What CAST and CONVERT make of a value.
struct Cast {
  Type type = Type::text;
  std::optional<int> length;  ///< of a text, in characters
  std::optional<int> scale;   ///< of a decimal, digits behind its point
  bool day = false;           ///< a date without its time
};

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

struct Expr {
  Op op = Op::literal;
  Position at;
  Value value;                   ///< literal
  std::size_t number = 0;        ///< parameter: from 0; aggregate: its place among those of its select
  std::string name, qualifier;   ///< column
  bool negated = false;          ///< IS NOT NULL, NOT IN, NOT LIKE, NOT BETWEEN
  bool distinct = false;         ///< aggregate
  bool simple = false;           ///< case_: args[0] is what the others are compared with
  Aggregate aggregate = Aggregate::count;
  const Function* function = nullptr;
  int part = 0;                  ///< call: the part of a date (dates.h)
  Cast cast;
  std::vector<ExprPtr> args;     ///< case_: [subject] when then … [else]; like: text pattern [escape]
  std::unique_ptr<Query> query;
  int depth = 1;

  // Set by resolve().
  int level = 0;                 ///< column: 0 = of its own select, 1 = of the one around it …
  std::size_t source = 0, slot = 0;
  Type type = Type::null;
  bool exact = false;            ///< comparison: byte for byte, since it has an id on one side
};

/// Whether it is a condition, which in T-SQL is no value.
inline bool is_condition(const Expr& e) { return e.op >= Op::eq && e.op < Op::case_; }

struct Item {
  ExprPtr value;           ///< null: a star
  std::string qualifier;   ///< of a star
  std::string name;        ///< empty: it has none
  Position at;
};

enum class Join { first, cross, inner, left, right, full };

struct Source {
  std::string table, alias;
  std::unique_ptr<Query> derived;  ///< instead of a table
  Join join = Join::first;
  ExprPtr on;
  Position at;

  // Set by resolve().
  std::size_t load = 0;                        ///< of a table: its place among what the statement reads
  std::vector<std::string> names;              ///< of its columns
  std::vector<Type> types;
  std::vector<bool> ids;                       ///< columns that hold ids of rows or of users
  std::vector<bool> shown;                     ///< columns that a star means
};

struct Select {
  bool distinct = false;
  ExprPtr top;
  bool percent = false, ties = false;
  std::vector<Item> items;
  std::vector<Source> sources;
  ExprPtr where;
  std::vector<ExprPtr> group;
  ExprPtr having;
  Position at;

  // Set by resolve().
  std::vector<Expr*> aggregates;
  bool grouped = false;
};

struct Ordering {
  ExprPtr by;
  bool descending = false;
  std::optional<std::size_t> item;  ///< set by resolve() when it means a column of the result
};

struct Query {
  std::vector<Select> selects;
  std::vector<bool> all;  ///< UNION ALL before select i + 1
  std::vector<Ordering> order;
  ExprPtr offset, fetch;
  Position at;

  // Set by resolve().
  bool correlated = false;  ///< uses columns of a select around it
  std::vector<std::string> names;
  std::vector<Type> types;
};

struct Assignment {
  std::string column;
  ExprPtr value;  ///< null: DEFAULT
  Position at;
  std::size_t slot = 0;  ///< set by resolve()
};

struct Statement {
  enum class Kind { select, insert, update, remove, begin, commit, rollback };
  Kind kind = Kind::select;
  Position at;
  /// select: itself. insert: what gives the rows, unless `rows`. update, remove: one select without items, whose tuples are
  /// the rows to change.
  std::unique_ptr<Query> query;
  std::string table;                       ///< insert; update and remove: name or alias of the source to change
  std::vector<std::string> columns;        ///< insert; empty = all own columns in their order
  std::vector<Position> column_places;
  std::vector<std::vector<ExprPtr>> rows;  ///< insert: VALUES; null = DEFAULT
  bool defaults = false;                   ///< insert: DEFAULT VALUES
  std::vector<Assignment> set;             ///< update

  // Set by resolve().
  std::size_t target = 0;                  ///< update, remove: the source to change
  std::size_t load = 0;                    ///< insert: the table's place among what the statement reads
  std::vector<std::size_t> slots;          ///< insert: of the columns
};

}  // namespace mandate::tables::tsql
