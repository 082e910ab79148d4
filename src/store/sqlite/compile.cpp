#include "store/sqlite/compile.h"

#include <bit>
#include <span>

#include "store/sqlite/functions.h"
#include "store/sqlite/handle.h"

namespace mandate::store::sqlite {
namespace {

std::string_view function_name(Function f) {
  switch (f) {
    case Function::concat: return "mandate_concat";
    case Function::startswith: return "mandate_startswith";
    case Function::endswith: return "mandate_endswith";
    case Function::indexof: return "mandate_indexof";
    case Function::replace: return "mandate_replace";
    case Function::substring: return "mandate_substring";
    case Function::length: return "mandate_length";
    case Function::tolower: return "mandate_lower";
    case Function::toupper: return "mandate_upper";
    case Function::trim: return "mandate_trim";
    case Function::year: return "mandate_year";
    case Function::month: return "mandate_month";
    case Function::day: return "mandate_day";
    case Function::hour: return "mandate_hour";
    case Function::minute: return "mandate_minute";
    case Function::second: return "mandate_second";
    case Function::floor: return "mandate_floor";
    case Function::ceiling: return "mandate_ceiling";
    case Function::round: return "mandate_round";
    case Function::number_text: return "mandate_concat";
    case Function::truth_text: return "mandate_truth";
    case Function::moment_text: return "mandate_moment_text";
    case Function::text_number: return "mandate_number";
    case Function::text_moment: return "mandate_moment";
    case Function::whole: return "mandate_whole";
    case Function::day_start: return "mandate_day_start";
    case Function::time_of_day: return "mandate_time_of_day";
    case Function::fraction: return "mandate_fraction";
    case Function::distance: return "mandate_distance";
    default: return "";
  }
}

/// Writes one statement. Every piece that holds parameters is written once and in the order of read_shape.
class Writer {
 public:
  std::string sql;

  void parameter() { sql += '?' + std::to_string(++count_); }
  int parameters() const { return count_; }
  void identifier(std::string_view name) { append_identifier(sql, name); }

  void expression(const Expr& e) {
    switch (e.op) {
      case Op::literal: return null_literal(e) ? void(sql += "NULL") : parameter();
      case Op::column: return identifier(e.text);
      case Op::and_: return chain(e, " AND ", "1");
      case Op::or_: return chain(e, " OR ", "0");
      case Op::not_: return prefix("(NOT ", e);
      case Op::negate: return prefix("(- ", e);
      case Op::eq: return compare(e, " = ", " IS NULL");
      case Op::ne: return compare(e, " <> ", " IS NOT NULL");
      case Op::lt: return compare(e, " < ");
      case Op::le: return compare(e, " <= ");
      case Op::gt: return compare(e, " > ");
      case Op::ge: return compare(e, " >= ");
      case Op::add: return infix(e, " + ");
      case Op::sub: return infix(e, " - ");
      case Op::mul: return infix(e, " * ");
      case Op::div: return divide(e);
      case Op::mod: return function("mandate_mod", e);
      case Op::in: return member(e);
      case Op::among: return among(e);
      case Op::call: return call(e);
    }
  }

  /// WHERE owner AND where; nothing when there is neither.
  void where(const std::optional<Owner>& owner, const ExprPtr& condition) {
    if (!owner && !condition) return;
    sql += " WHERE ";
    if (owner) {
      identifier(owner->column);
      sql += " = ";
      parameter();
      if (condition) sql += " AND ";
    }
    if (condition) {
      sql += '(';
      expression(*condition);
      sql += ')';
    }
  }

  void names(const std::vector<std::string>& list) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (i) sql += ", ";
      if (list[i] == "*") sql += '*';
      else identifier(list[i]);
    }
  }

 private:
  void chain(const Expr& e, std::string_view word, std::string_view empty) {
    if (e.args.empty()) return void(sql += empty);
    balanced(std::span(e.args), word);
  }

  /// SQLite reads a OR b OR c … as deep as it is long, and takes 1000: brackets by halves make it shallow.
  void balanced(std::span<const ExprPtr> args, std::string_view word) {
    if (args.size() == 1) return expression(*args[0]);
    sql += '(';
    balanced(args.first(args.size() / 2), word);
    sql += word;
    balanced(args.subspan(args.size() / 2), word);
    sql += ')';
  }

  void prefix(std::string_view word, const Expr& e) {
    sql += word;
    expression(*e.args[0]);
    sql += ')';
  }

  void infix(const Expr& e, std::string_view word) {
    sql += '(';
    expression(*e.args[0]);
    sql += word;
    expression(*e.args[1]);
    sql += ')';
  }

  void compare(const Expr& e, std::string_view word, std::string_view with_null = {}) {
    const bool left = null_literal(*e.args[0]), right = null_literal(*e.args[1]);
    sql += '(';
    if (!with_null.empty() && (left || right)) {
      expression(left ? *e.args[1] : *e.args[0]);
      sql += with_null;
    } else {
      expression(*e.args[0]);
      if (by_dictionary(e)) sql += std::string(" COLLATE ") + kDictionary;
      sql += word;
      expression(*e.args[1]);
    }
    sql += ')';
  }

  void divide(const Expr& e) {
    if (e.type != Type::real && whole(*e.args[0]) && whole(*e.args[1])) return infix(e, " / ");
    sql += "(CAST(";
    expression(*e.args[0]);
    sql += " AS REAL) / ";
    expression(*e.args[1]);
    sql += ')';
  }

  /// A null among the members means IS NULL, as in the or-chains the clients write for it.
  void member(const Expr& e) {
    bool with_null = false, first = true;
    Writer left;
    left.count_ = count_;
    left.expression(*e.args[0]);
    count_ = left.count_;
    sql += '(' + left.sql;
    if (by_dictionary(e)) sql += std::string(" COLLATE ") + kDictionary;
    sql += " IN (";
    for (std::size_t i = 1; i < e.args.size(); ++i) {
      if (null_literal(*e.args[i])) {
        with_null = true;
        continue;
      }
      if (!first) sql += ", ";
      first = false;
      expression(*e.args[i]);
    }
    sql += ')';
    if (with_null) sql += " OR " + left.sql + " IS NULL";
    sql += ')';
  }

  /// What is looked for stands before the brackets, so that its names mean the outer row.
  void among(const Expr& e) {
    sql += '(';
    expression(*e.args[0]);
    sql += " IN (SELECT ";
    expression(*e.args[1]);
    sql += " FROM ";
    identifier(e.text);
    sql += " WHERE ";
    expression(*e.args[2]);
    sql += "))";
  }

  void function(std::string_view name, const Expr& e) {
    sql += name;
    sql += '(';
    for (std::size_t i = 0; i < e.args.size(); ++i) {
      if (i) sql += ", ";
      expression(*e.args[i]);
    }
    sql += ')';
  }

  void call(const Expr& e) {
    if (e.function == Function::substringof) {
      // (needle, hay) in OData, (hay, needle) in ours; ?NNN keeps the order of the values.
      Writer needle, hay;
      needle.count_ = count_;
      needle.expression(*e.args[0]);
      hay.count_ = needle.count_;
      hay.expression(*e.args[1]);
      count_ = hay.count_;
      sql += "mandate_contains(" + hay.sql + ", " + needle.sql + ')';
      return;
    }
    function(function_name(e.function), e);
  }

  int count_ = 0;
};

void returning(Writer& w, const Mutation& m) {
  if (m.returning.empty()) return;
  w.sql += " RETURNING ";
  w.names(m.returning);
}

void insert_into(Writer& w, const Mutation& m, const std::vector<const Cell*>& cells) {
  w.sql = "INSERT INTO ";
  w.identifier(m.table);
  if (cells.empty() && !m.owner) {
    w.sql += " DEFAULT VALUES";
    return;
  }
  std::string_view comma = " (";
  for (const Cell* cell : cells) {
    w.sql += comma;
    w.identifier(cell->column);
    comma = ", ";
  }
  if (m.owner) {
    w.sql += comma;
    w.identifier(m.owner->column);
  }
  w.sql += ") VALUES (";
  for (std::size_t i = 0; i < cells.size() + (m.owner ? 1 : 0); ++i) {
    if (i) w.sql += ", ";
    w.parameter();
  }
  w.sql += ')';
}

/// An upsert never takes over another owner's row: then nothing is touched and the count is 0.
void on_conflict(Writer& w, const Mutation& m, const std::vector<const Cell*>& cells) {
  w.sql += " ON CONFLICT (";
  w.names(m.conflict_key);
  w.sql += ") DO UPDATE SET ";
  std::string_view comma;
  auto set = [&](std::string_view column) {
    w.sql += comma;
    w.identifier(column);
    w.sql += " = excluded.";
    w.identifier(column);
    comma = ", ";
  };
  for (const Cell* cell : cells)
    if (std::find(m.conflict_key.begin(), m.conflict_key.end(), cell->column) == m.conflict_key.end()) set(cell->column);
  if (comma.empty()) set(m.conflict_key.front());
  if (!m.owner) return;
  w.sql += " WHERE ";
  w.identifier(m.table);
  w.sql += '.';
  w.identifier(m.owner->column);
  w.sql += " = ?" + std::to_string(w.parameters());
}

}  // namespace

std::size_t depth_of(const Expr& e) {
  std::size_t deepest = 0;
  for (const ExprPtr& arg : e.args) deepest = std::max(deepest, depth_of(*arg));
  switch (e.op) {
    case Op::literal:
    case Op::column: return 1;
    case Op::and_:
    case Op::or_: return deepest + static_cast<std::size_t>(std::bit_width(e.args.size()));
    default: return deepest + 2;  // a COLLATE or a CAST may lie between
  }
}

std::string sql_of(const Plan& plan, Wanted wanted) {
  Writer w;
  w.sql = "SELECT ";
  if (wanted == Wanted::count) w.sql += "count(*)";
  else if (plan.select.empty()) w.sql += '*';
  else w.names(plan.select);
  w.sql += " FROM ";
  w.identifier(plan.table);
  w.where(plan.owner, plan.where);
  if (wanted == Wanted::count) return std::move(w.sql);
  std::string_view comma = " ORDER BY ";
  for (const Order& order : plan.order) {
    w.sql += comma;
    w.expression(*order.by);
    if (order.by->dictionary) w.sql += std::string(" COLLATE ") + kDictionary;
    if (order.descending) w.sql += " DESC";
    comma = ", ";
  }
  if (wanted == Wanted::first) {
    w.sql += " LIMIT 1";
    if (plan.offset) w.sql += " OFFSET " + std::to_string(plan.offset);
  } else if (plan.limit || plan.offset) {
    w.sql += " LIMIT ";
    w.parameter();
    w.sql += " OFFSET ";
    w.parameter();
  }
  return std::move(w.sql);
}

std::string sql_of_row(const Mutation& m) {
  Writer w;
  w.sql = "SELECT ";
  w.names(m.returning);
  w.sql += " FROM ";
  w.identifier(m.table);
  w.sql += std::string(" WHERE ") + kRowNumber + " = ?1";
  return std::move(w.sql);
}

std::string sql_of(const Mutation& m, bool with_rows) {
  Writer w;
  const auto cells = cells_of(m);
  switch (m.kind) {
    case Mutation::Kind::insert: insert_into(w, m, cells); break;
    case Mutation::Kind::upsert:
      insert_into(w, m, cells);
      on_conflict(w, m, cells);
      break;
    case Mutation::Kind::update: {
      w.sql = "UPDATE ";
      w.identifier(m.table);
      std::string_view comma = " SET ";
      for (const Cell* cell : cells) {
        w.sql += comma;
        w.identifier(cell->column);
        w.sql += " = ";
        w.parameter();
        comma = ", ";
      }
      if (cells.empty()) w.sql += " SET rowid = rowid";  // nothing to change, but the rows still count
      w.where(m.owner, m.where);
      break;
    }
    case Mutation::Kind::check:
      w.sql = "SELECT count(*) FROM ";
      w.identifier(m.table);
      w.where(m.owner, m.where);
      return std::move(w.sql);
    case Mutation::Kind::remove:
      w.sql = "DELETE FROM ";
      w.identifier(m.table);
      w.where(m.owner, m.where);
      break;
  }
  if (with_rows) returning(w, m);
  return std::move(w.sql);
}

}  // namespace mandate::store::sqlite
