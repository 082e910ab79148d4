#include "store/postgres/expression.h"

namespace mandate::store::postgres {
namespace {

bool is_whole(Kind kind) { return kind == Kind::int8 || kind == Kind::numeric || kind == Kind::boolean; }

std::string call(std::string_view function, std::string_view argument) {
  return std::string(function) + '(' + std::string(argument) + ')';
}

std::string as_bool(const Piece& p) {
  switch (p.kind) {
    case Kind::boolean: return p.sql;
    case Kind::none: return "NULL::boolean";
    case Kind::text: return "(" + call("mandate_number", p.sql) + " <> 0)";
    default: return "(" + p.sql + " <> 0)";
  }
}

/// A number of some kind.
Piece as_number(const Piece& p) {
  switch (p.kind) {
    case Kind::boolean: return {"(" + p.sql + ")::int::bigint", Kind::int8};
    case Kind::none: return {"NULL::bigint", Kind::int8};
    case Kind::text: return {call("mandate_number", p.sql), Kind::float8};
    default: return p;
  }
}

std::string as_real(const Piece& p) {
  const Piece number = as_number(p);
  return number.kind == Kind::float8 ? number.sql : "(" + number.sql + ")::float8";
}

/// Whole numbers are computed as numeric, which cannot run over.
std::string as_wide(const Piece& p) {
  const Piece number = as_number(p);
  return number.kind == Kind::numeric ? number.sql : "(" + number.sql + ")::numeric";
}

std::string as_text(const Piece& p) {
  switch (p.kind) {
    case Kind::text: return p.sql;
    case Kind::none: return "NULL::text";
    case Kind::boolean: return "(" + p.sql + ")::int::text";
    case Kind::float8: return call("mandate_shown", p.sql);
    default: return "(" + p.sql + ")::text";
  }
}

class Reader {
 public:
  Reader(const Table& table, Binder& binder) : table_(table), binder_(binder) {}

  Result<Piece> read(const Expr& e) {
    switch (e.op) {
      case Op::literal: return null_literal(e) ? Piece{"NULL", Kind::none} : Piece{binder_.bind(kind_of(e.value)), kind_of(e.value)};
      case Op::column: {
        const Column* column = table_.find(e.text);
        if (!column) return Error(Code::invalid_request, "There is no such column.", "no column " + e.text);
        return Piece{column->sql, column->kind};
      }
      case Op::and_: return chain(e, " AND ", "true");
      case Op::or_: return chain(e, " OR ", "false");
      case Op::not_: {
        TRY(const Piece p, read(*e.args[0]));
        return Piece{"(NOT " + as_bool(p) + ")", Kind::boolean};
      }
      case Op::negate: {
        TRY(const Piece p, read(*e.args[0]));
        const Piece number = as_number(p);
        if (number.kind == Kind::float8) return Piece{"(- " + number.sql + ")", Kind::float8};
        return Piece{"(- " + as_wide(number) + ")", Kind::numeric};
      }
      case Op::eq: return compare(e, " = ", " IS NULL");
      case Op::ne: return compare(e, " <> ", " IS NOT NULL");
      case Op::lt: return compare(e, " < ");
      case Op::le: return compare(e, " <= ");
      case Op::gt: return compare(e, " > ");
      case Op::ge: return compare(e, " >= ");
      case Op::add: return arithmetic(e, " + ");
      case Op::sub: return arithmetic(e, " - ");
      case Op::mul: return arithmetic(e, " * ");
      case Op::div: return divide(e);
      case Op::mod: return modulo(e);
      case Op::in: return member(e);
      case Op::among: return among(e);
      case Op::call: return function(e);
    }
    return Error(Code::server_error, "", "an operator without SQL");
  }

 private:
  Result<Piece> chain(const Expr& e, std::string_view word, std::string_view empty) {
    if (e.args.empty()) return Piece{std::string(empty), Kind::boolean};
    std::string sql = "(";
    for (std::size_t i = 0; i < e.args.size(); ++i) {
      TRY(const Piece p, read(*e.args[i]));
      if (i) sql += word;
      sql += as_bool(p);
    }
    return Piece{sql + ")", Kind::boolean};
  }

  /// Two pieces made comparable; true when they are texts.
  static bool alike(const Expr& a_expr, Piece& a, const Expr& b_expr, Piece& b) {
    if (a.kind == Kind::text && b.kind == Kind::text) return true;
    // A number beside a text column is looked at as text, everything else as numbers.
    if (a.kind == Kind::text && a_expr.op == Op::column && b_expr.op == Op::literal) return b = {as_text(b), Kind::text}, true;
    if (b.kind == Kind::text && b_expr.op == Op::column && a_expr.op == Op::literal) return a = {as_text(a), Kind::text}, true;
    if (a.kind == Kind::boolean && b.kind == Kind::boolean) return false;
    a = as_number(a);
    b = as_number(b);
    return false;
  }

  Result<Piece> compare(const Expr& e, std::string_view word, std::string_view with_null = {}) {
    const bool left = null_literal(*e.args[0]), right = null_literal(*e.args[1]);
    TRY(Piece a, read(*e.args[0]));
    TRY(Piece b, read(*e.args[1]));
    if (left || right) {
      if (with_null.empty()) return Piece{"NULL::boolean", Kind::boolean};
      return Piece{"(" + (left ? b.sql : a.sql) + std::string(with_null) + ")", Kind::boolean};
    }
    const bool texts = alike(*e.args[0], a, *e.args[1], b);
    std::string sql = "(" + a.sql + std::string(word) + b.sql;
    if (texts) sql += collation(by_dictionary(e));
    return Piece{sql + ")", Kind::boolean};
  }

  Result<Piece> arithmetic(const Expr& e, std::string_view word) {
    TRY(const Piece a, read(*e.args[0]));
    TRY(const Piece b, read(*e.args[1]));
    if (is_whole(as_number(a).kind) && is_whole(as_number(b).kind))
      return Piece{"(" + as_wide(a) + std::string(word) + as_wide(b) + ")", Kind::numeric};
    return Piece{"(" + as_real(a) + std::string(word) + as_real(b) + ")", Kind::float8};
  }

  Result<Piece> divide(const Expr& e) {
    TRY(const Piece a, read(*e.args[0]));
    TRY(const Piece b, read(*e.args[1]));
    const bool all_whole = e.type != Type::real && whole(*e.args[0]) && whole(*e.args[1]);
    if (all_whole && is_whole(as_number(a).kind) && is_whole(as_number(b).kind))
      return Piece{"div(" + as_wide(a) + ", NULLIF(" + as_wide(b) + ", 0))", Kind::numeric};
    return Piece{"(" + as_real(a) + " / NULLIF(" + as_real(b) + ", 0))", Kind::float8};
  }

  Result<Piece> modulo(const Expr& e) {
    TRY(const Piece a, read(*e.args[0]));
    TRY(const Piece b, read(*e.args[1]));
    const std::string sql = "mod(" + as_wide(a) + ", NULLIF(" + as_wide(b) + ", 0))";
    if (is_whole(as_number(a).kind) && is_whole(as_number(b).kind)) return Piece{sql, Kind::numeric};
    return Piece{"(" + sql + ")::float8", Kind::float8};
  }

  /// A null among the members means IS NULL, as in the or-chains the clients write for it.
  Result<Piece> member(const Expr& e) {
    TRY(const Piece left, read(*e.args[0]));
    bool with_null = false;
    std::vector<std::pair<std::string, std::string>> lists;  // what is looked for, as members of different types want it
    for (std::size_t i = 1; i < e.args.size(); ++i) {
      if (null_literal(*e.args[i])) {
        with_null = true;
        continue;
      }
      TRY(Piece right, read(*e.args[i]));
      Piece mine = left;
      if (mine.kind == Kind::none) mine = {"NULL::text", Kind::text};
      if (alike(*e.args[0], mine, *e.args[i], right)) mine.sql += collation(by_dictionary(e));
      const auto found = std::find_if(lists.begin(), lists.end(), [&](const auto& list) { return list.first == mine.sql; });
      if (found == lists.end()) lists.emplace_back(mine.sql, right.sql);
      else found->second += ", " + right.sql;
    }
    std::string sql;
    for (const auto& [mine, members] : lists) sql += (sql.empty() ? "" : " OR ") + mine + " IN (" + members + ")";
    if (with_null) sql += (sql.empty() ? "" : " OR ") + left.sql + " IS NULL";
    return Piece{sql.empty() ? "false" : "(" + sql + ")", Kind::boolean};
  }

  /// The other table is described by the columns that the expression names: their types are told there.
  Result<Piece> among(const Expr& e) {
    TRY(const Piece value, read(*e.args[0]));
    Table other;
    other.name = e.text;
    other.sql = table_.sql.substr(0, table_.sql.size() - identifier(table_.name).size()) + identifier(e.text);
    describe(*e.args[1], other);
    describe(*e.args[2], other);
    Reader inner(other, binder_);
    TRY(Piece key, inner.read(*e.args[1]));
    TRY(const Piece condition, inner.read(*e.args[2]));
    Piece mine = value;
    if (mine.kind == Kind::none) mine = {"NULL::text", Kind::text};
    if (mine.kind != key.kind) mine = as_like(mine, key.kind), key = as_like(key, key.kind);
    return Piece{"(" + mine.sql + " IN (SELECT " + key.sql + " FROM " + other.sql + " WHERE " + as_bool(condition) + "))", Kind::boolean};
  }

  static Piece as_like(const Piece& p, Kind kind) { return kind == Kind::text ? Piece{as_text(p), Kind::text} : as_number(p); }

  static void describe(const Expr& e, Table& table) {
    if (e.op == Op::column && !table.find(e.text)) table.columns.push_back({e.text, identifier(e.text), kind_of(e.type), false});
    for (const ExprPtr& arg : e.args) describe(*arg, table);
  }

  Result<Piece> function(const Expr& e) {
    std::vector<Piece> a;
    for (const ExprPtr& arg : e.args) {
      TRY(Piece p, read(*arg));
      a.push_back(std::move(p));
    }
    const auto texts = [&](std::string_view name, Kind kind) {
      std::string sql(name);
      for (std::size_t i = 0; i < a.size(); ++i) sql += (i ? ", " : "(") + as_text(a[i]);
      return Piece{sql + ")", kind};
    };
    const auto rounded = [&](std::string_view name) {
      const Piece number = as_number(a[0]);
      return number.kind == Kind::float8 ? Piece{call(name, number.sql), Kind::float8} : number;
    };
    const auto moment = [](const Piece& p) {
      return p.kind == Kind::text ? call("mandate_moment", p.sql) : "(" + as_number(p).sql + ")::bigint";
    };
    const auto part = [&](std::string_view name) { return Piece{call(name, moment(a[0])), Kind::int8}; };
    switch (e.function) {
      case Function::substringof: return Piece{"mandate_contains(" + as_text(a[1]) + ", " + as_text(a[0]) + ")", Kind::boolean};
      case Function::startswith: return texts("mandate_startswith", Kind::boolean);
      case Function::endswith: return texts("mandate_endswith", Kind::boolean);
      case Function::indexof: return texts("mandate_indexof", Kind::int8);
      case Function::length: return texts("mandate_length", Kind::int8);
      case Function::tolower: return texts("mandate_lower", Kind::text);
      case Function::toupper: return texts("mandate_upper", Kind::text);
      case Function::trim: return texts("mandate_trim", Kind::text);
      case Function::replace: return texts("mandate_replace", Kind::text);
      case Function::concat: {
        std::string sql = as_text(a[0]);
        for (std::size_t i = 1; i < a.size(); ++i) sql = "mandate_concat(" + sql + ", " + as_text(a[i]) + ")";
        return Piece{sql, Kind::text};
      }
      case Function::substring: {
        std::string sql = "mandate_substring(" + as_text(a[0]);
        for (std::size_t i = 1; i < a.size(); ++i) sql += ", " + as_real(a[i]);
        return Piece{sql + ")", Kind::text};
      }
      case Function::floor: return rounded("floor");
      case Function::ceiling: return rounded("ceil");
      case Function::round: return rounded("mandate_round");
      case Function::year: return part("mandate_year");
      case Function::month: return part("mandate_month");
      case Function::day: return part("mandate_day");
      case Function::hour: return part("mandate_hour");
      case Function::minute: return part("mandate_minute");
      case Function::second: return part("mandate_second");
      case Function::number_text: return Piece{as_text(as_number(a[0])), Kind::text};
      case Function::truth_text: return Piece{call("mandate_truth", as_bool(a[0])), Kind::text};
      case Function::moment_text: return Piece{call("mandate_moment_text", moment(a[0])), Kind::text};
      case Function::text_number: return Piece{call("mandate_number", as_text(a[0])), Kind::float8};
      case Function::text_moment: return Piece{call("mandate_moment", as_text(a[0])), Kind::int8};
      case Function::whole: {
        const Piece number = as_number(a[0]);
        return is_whole(number.kind) ? number : Piece{call("mandate_whole", number.sql), Kind::int8};
      }
      case Function::day_start: return Piece{call("mandate_day_start", moment(a[0])), Kind::int8};
      case Function::time_of_day: return Piece{call("mandate_time_of_day", moment(a[0])), Kind::int8};
      case Function::fraction: return Piece{call("mandate_fraction", moment(a[0])), Kind::float8};
      case Function::distance: return texts("mandate_distance", Kind::float8);
      case Function::none: break;
    }
    return Error(Code::server_error, "", "a function without SQL");
  }

  const Table& table_;
  Binder& binder_;
};

}  // namespace

Result<Piece> expression_of(const Expr& e, const Table& table, Binder& binder) { return Reader(table, binder).read(e); }

Result<std::string> condition_of(const Expr& e, const Table& table, Binder& binder) {
  TRY(const Piece p, Reader(table, binder).read(e));
  return as_bool(p);
}

std::string_view collation(bool dictionary) { return dictionary ? " COLLATE mandate_dictionary" : " COLLATE \"C\""; }

}  // namespace mandate::store::postgres
