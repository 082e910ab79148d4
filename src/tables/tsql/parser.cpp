#include "tables/tsql/parser.h"

#include "base/url.h"
#include "tables/tsql/reader.h"

namespace mandate::tables::tsql {
namespace {

constexpr std::string_view kReserved[] = {
    "ALL", "ALTER", "AND", "ANY", "AS", "ASC", "BEGIN", "BETWEEN", "BY", "CASE", "COMMIT", "CREATE", "CROSS", "DEFAULT", "DELETE", "DESC", "DISTINCT", "DROP", "ELSE", "END",
    "ESCAPE", "EXCEPT", "EXEC", "EXECUTE", "EXISTS", "FETCH", "FOR", "FROM", "FULL", "GROUP", "HAVING", "IF", "IN", "INNER", "INSERT", "INTERSECT", "INTO", "IS", "JOIN", "LEFT", "LIKE",
    "MERGE", "NOT", "NULL", "ON", "OPTION", "OR", "ORDER", "OUTER", "OVER", "PIVOT", "RIGHT", "ROLLBACK", "SELECT", "SET", "SOME", "TABLE", "THEN", "TOP", "TRUNCATE", "UNION", "UNPIVOT",
    "UPDATE", "VALUES", "WHEN", "WHERE", "WHILE", "WITH",
};

}  // namespace

bool reserved(std::string_view word) {
  return std::any_of(std::begin(kReserved), std::end(kReserved), [&](std::string_view each) { return iequals(each, word); });
}

bool Reader::at_word(std::string_view word, std::size_t ahead) const { return peek(ahead).kind == Kind::word && iequals(peek(ahead).text, word); }
bool Reader::at_symbol(std::string_view symbol, std::size_t ahead) const { return peek(ahead).kind == Kind::symbol && peek(ahead).text == symbol; }
bool Reader::take_word(std::string_view word) { return at_word(word) && (take(), true); }
bool Reader::take_symbol(std::string_view symbol) { return at_symbol(symbol) && (take(), true); }
bool Reader::at_service() const { return peek().kind == Kind::word && iequals(peek().text, service_) && at_symbol(".", 1); }
bool Reader::at_name() const { return peek().kind == Kind::quoted || (peek().kind == Kind::word && !reserved(peek().text)); }

Result<void> Reader::expect_word(std::string_view word) {
  if (take_word(word)) return {};
  return fault(std::string(word) + " is expected, not '" + peek().text + "'", peek().at);
}
Result<void> Reader::expect_symbol(std::string_view symbol) {
  if (take_symbol(symbol)) return {};
  if (peek().kind == Kind::end) return fault("'" + std::string(symbol) + "' is missing at the end", peek().at);
  return unexpected();
}

Error Reader::unexpected() const {
  const Token& token = peek();
  switch (token.kind) {
    case Kind::end: return fault("The SQL ends too early", token.at);
    case Kind::variable: return fault("Variables ('@" + token.text + "') are not supported: use question marks", token.at);
    case Kind::global: return fault("'@@" + token.text + "' is not supported here", token.at);
    case Kind::parameter: return fault("A question mark cannot stand here", token.at);
    case Kind::word: return fault("'" + token.text + "' is not supported here", token.at);
    default: return fault("Incorrect syntax near '" + token.text.substr(0, 60) + "'", token.at);
  }
}

Result<void> Reader::check_depth() const {
  if (depth_ > limits_.depth) return fault("The SQL is too deep", peek().at);
  return {};
}

Result<Script> Reader::script() {
  Script out;
  for (;;) {
    while (take_symbol(";")) {
    }
    if (peek().kind == Kind::end) break;
    if (out.statements.size() >= limits_.statements) return fault("There are more than " + std::to_string(limits_.statements) + " statements", peek().at);
    TRY(Statement made, statement());
    out.statements.push_back(std::move(made));
    // The next one begins behind a semicolon, or by itself.
    const bool begins = at_word("SELECT") || at_word("INSERT") || at_word("UPDATE") || at_word("DELETE") || at_word("BEGIN") || at_word("COMMIT") || at_word("ROLLBACK");
    if (peek().kind != Kind::end && !at_symbol(";") && !begins) return unexpected();
  }
  if (out.statements.empty()) return fault("The SQL is empty", peek().at);
  out.parameters = parameters_;
  return out;
}

Result<Statement> Reader::statement() {
  if (at_word("SELECT") || at_symbol("(")) return select_statement();
  if (at_word("INSERT")) return insert_statement();
  if (at_word("UPDATE")) return update_statement();
  if (at_word("DELETE")) return delete_statement();
  if (at_word("BEGIN") && (at_word("TRAN", 1) || at_word("TRANSACTION", 1))) return transaction(Statement::Kind::begin);
  if (at_word("COMMIT")) return transaction(Statement::Kind::commit);
  if (at_word("ROLLBACK")) return transaction(Statement::Kind::rollback);
  if (peek().kind == Kind::word) return fault("'" + peek().text + "' is not supported: SELECT, INSERT, UPDATE and DELETE are", peek().at);
  return unexpected();
}

Result<Statement> Reader::transaction(Statement::Kind kind) {
  Statement out;
  out.kind = kind;
  out.at = take().at;
  if (!take_word("TRANSACTION")) (void)take_word("TRAN");
  return out;
}

Result<Statement> Reader::select_statement() {
  Statement out;
  out.at = peek().at;
  TRY(out.query, query());
  return out;
}

Result<std::unique_ptr<Query>> Reader::query() {
  const Level level(*this);
  CHECK_OK(check_depth());
  auto out = std::make_unique<Query>();
  out->at = peek().at;
  for (;;) {
    TRY(Select one, select());
    out->selects.push_back(std::move(one));
    if (!take_word("UNION")) break;
    out->all.push_back(take_word("ALL"));
  }
  if (at_word("EXCEPT") || at_word("INTERSECT")) return unexpected();
  if (take_word("ORDER")) {
    CHECK_OK(expect_word("BY"));
    do {
      Ordering ordering;
      TRY(ordering.by, scalar());
      ordering.descending = take_word("DESC");
      if (!ordering.descending) (void)take_word("ASC");
      out->order.push_back(std::move(ordering));
    } while (take_symbol(","));
    if (take_word("OFFSET")) {
      TRY(out->offset, scalar());
      if (!take_word("ROWS")) CHECK_OK(expect_word("ROW"));
      if (take_word("FETCH")) {
        if (!take_word("NEXT")) CHECK_OK(expect_word("FIRST"));
        TRY(out->fetch, scalar());
        if (!take_word("ROWS")) CHECK_OK(expect_word("ROW"));
        CHECK_OK(expect_word("ONLY"));
      }
    }
  }
  if (at_word("FOR") || at_word("OPTION")) return unexpected();
  return out;
}

Result<void> Reader::top(Select& into) {
  if (!take_word("TOP")) return {};
  if (take_symbol("(")) {
    TRY(into.top, scalar());
    CHECK_OK(expect_symbol(")"));
  } else {
    TRY(into.top, primary());
    if (is_condition(*into.top)) return fault("A condition stands where a value is expected", into.top->at);
  }
  into.percent = take_word("PERCENT");
  if (at_word("WITH") && at_word("TIES", 1)) take(), take(), into.ties = true;
  return {};
}

Result<Select> Reader::select() {
  Select out;
  out.at = peek().at;
  CHECK_OK(expect_word("SELECT"));
  out.distinct = take_word("DISTINCT");
  if (!out.distinct) (void)take_word("ALL");
  CHECK_OK(top(out));
  do {
    TRY(Item one, item());
    out.items.push_back(std::move(one));
  } while (take_symbol(","));
  if (at_word("INTO")) return unexpected();
  if (take_word("FROM")) {
    TRY(out.sources, sources());
  }
  if (take_word("WHERE")) {
    TRY(out.where, condition());
  }
  if (take_word("GROUP")) {
    CHECK_OK(expect_word("BY"));
    do {
      TRY(ExprPtr by, scalar());
      out.group.push_back(std::move(by));
    } while (take_symbol(","));
    if (at_word("WITH")) return unexpected();
  }
  if (take_word("HAVING")) {
    TRY(out.having, condition());
  }
  return out;
}

/// *, t.*, value [[AS] name], name = value.
Result<Item> Reader::item() {
  Item out;
  out.at = peek().at;
  if (take_symbol("*")) return out;
  if (at_name()) {
    std::size_t ahead = 0;
    while (at_symbol(".", ahead + 1) && !at_symbol("*", ahead + 2)) ahead += 2;
    if (at_symbol(".", ahead + 1) && at_symbol("*", ahead + 2)) {
      out.qualifier = peek(ahead).text;
      for (std::size_t i = 0; i < ahead + 3; ++i) take();
      return out;
    }
    if (at_symbol("=", 1)) {
      out.name = take().text;
      take();
      TRY(out.value, scalar());
      return out;
    }
  }
  TRY(out.value, scalar());
  TRY(const auto name, alias(true));
  if (name) out.name = *name;
  else if (out.value->op == Op::column) out.name = out.value->name;
  return out;
}

/// [AS] name. A text may name a column of a result.
Result<std::optional<std::string>> Reader::alias(bool bare) {
  const bool as = take_word("AS");
  if (at_name() || (bare && peek().kind == Kind::string)) return std::optional(take().text);
  if (as) return unexpected();
  return std::optional<std::string>();
}

Result<std::vector<Source>> Reader::sources() {
  std::vector<Source> out;
  TRY(Source first, source());
  out.push_back(std::move(first));
  for (;;) {
    if (out.size() > 20) return fault("There are too many tables", peek().at);
    Join join = Join::inner;
    if (take_symbol(",")) {
      join = Join::cross;
    } else if (take_word("CROSS")) {
      CHECK_OK(expect_word("JOIN"));
      join = Join::cross;
    } else if (take_word("INNER")) {
      CHECK_OK(expect_word("JOIN"));
    } else if (at_word("LEFT") || at_word("RIGHT") || at_word("FULL")) {
      join = at_word("LEFT") ? Join::left : at_word("RIGHT") ? Join::right : Join::full;
      take();
      (void)take_word("OUTER");
      CHECK_OK(expect_word("JOIN"));
    } else if (!take_word("JOIN")) {
      return out;
    }
    TRY(Source next, source());
    next.join = join;
    if (join != Join::cross) {
      CHECK_OK(expect_word("ON"));
      TRY(next.on, condition());
    }
    out.push_back(std::move(next));
  }
}

Result<Source> Reader::source() {
  Source out;
  out.at = peek().at;
  if (take_symbol("(")) {
    if (!at_word("SELECT")) return unexpected();
    TRY(out.derived, query());
    CHECK_OK(expect_symbol(")"));
  } else {
    TRY(out.table, table_name());
    if (at_symbol("(") && !at_word("NOLOCK", 1)) return unexpected();
  }
  TRY(const auto name, alias(false));
  CHECK_OK(hints());
  if (name) out.alias = *name;
  else if (out.derived) return fault("A subselect in FROM needs a name", out.at);
  else out.alias = out.table;
  return out;
}

/// WITH (NOLOCK) and its older form (NOLOCK) mean nothing here: no read waits for a lock.
Result<void> Reader::hints() {
  const bool with = at_word("WITH");
  if (!with && !(at_symbol("(") && at_word("NOLOCK", 1))) return {};
  if (with) take();
  CHECK_OK(expect_symbol("("));
  CHECK_OK(expect_word("NOLOCK"));
  return expect_symbol(")");
}

/// [schema.]table, where the schema is this service or dbo.
Result<std::string> Reader::table_name() {
  if (!at_name() && !at_service()) return unexpected();
  const Token first = take();
  if (!at_symbol(".")) return first.text;
  take();
  if (!iequals(first.text, service_) && !iequals(first.text, "dbo")) return fault("The schema '" + first.text + "' is not this service's", first.at);
  if (peek().kind != Kind::word && peek().kind != Kind::quoted) return unexpected();
  const Token second = take();
  if (at_symbol(".")) return fault("Names of other databases are not supported", first.at);
  return second.text;
}

Result<std::string> Reader::column_name() {
  TRY(const ExprPtr e, column());
  return e->name;
}

Result<Statement> Reader::insert_statement() {
  Statement out;
  out.kind = Statement::Kind::insert;
  out.at = take().at;
  if (at_word("TOP")) return unexpected();
  (void)take_word("INTO");
  TRY(out.table, table_name());
  if (at_symbol("(") && !at_word("SELECT", 1)) {
    take();
    do {
      out.column_places.push_back(peek().at);
      TRY(std::string name, column_name());
      out.columns.push_back(std::move(name));
    } while (take_symbol(","));
    CHECK_OK(expect_symbol(")"));
  }
  if (at_word("OUTPUT") || at_word("EXEC") || at_word("EXECUTE")) return unexpected();
  if (take_word("DEFAULT")) {
    CHECK_OK(expect_word("VALUES"));
    out.defaults = true;
    return out;
  }
  if (take_word("VALUES")) {
    do {
      CHECK_OK(expect_symbol("("));
      std::vector<ExprPtr> row;
      do {
        if (take_word("DEFAULT")) {
          row.push_back(nullptr);
          continue;
        }
        TRY(ExprPtr value, scalar());
        row.push_back(std::move(value));
      } while (take_symbol(","));
      CHECK_OK(expect_symbol(")"));
      out.rows.push_back(std::move(row));
    } while (take_symbol(","));
    return out;
  }
  const bool brackets = take_symbol("(");
  if (!at_word("SELECT")) return unexpected();
  TRY(out.query, query());
  if (brackets) CHECK_OK(expect_symbol(")"));
  return out;
}

Result<Statement> Reader::update_statement() {
  Statement out;
  out.kind = Statement::Kind::update;
  out.at = take().at;
  Select select;
  select.at = out.at;
  CHECK_OK(top(select));
  const Position place = peek().at;
  TRY(out.table, table_name());
  CHECK_OK(hints());
  CHECK_OK(expect_word("SET"));
  do {
    Assignment one;
    one.at = peek().at;
    TRY(one.column, column_name());
    CHECK_OK(expect_symbol("="));
    if (!take_word("DEFAULT")) {
      TRY(one.value, scalar());
    }
    out.set.push_back(std::move(one));
  } while (take_symbol(","));
  CHECK_OK(which_rows(out, std::move(select), place));
  return out;
}

/// The end of UPDATE and DELETE: [FROM …] [WHERE …]. `place`: where the table was named.
Result<void> Reader::which_rows(Statement& out, Select select, Position place) {
  if (at_word("OUTPUT")) return unexpected();
  if (take_word("FROM")) {
    TRY(select.sources, sources());
  } else {
    Source source;
    source.table = source.alias = out.table;
    source.at = place;
    select.sources.push_back(std::move(source));
  }
  if (take_word("WHERE")) {
    if (at_word("CURRENT")) return unexpected();
    TRY(select.where, condition());
  }
  out.query = std::make_unique<Query>();
  out.query->selects.push_back(std::move(select));
  return {};
}

/// DELETE [FROM] t [WHERE …], DELETE a FROM t AS a JOIN … [WHERE …].
Result<Statement> Reader::delete_statement() {
  Statement out;
  out.kind = Statement::Kind::remove;
  out.at = take().at;
  Select select;
  select.at = out.at;
  CHECK_OK(top(select));
  (void)take_word("FROM");
  const Position place = peek().at;
  TRY(out.table, table_name());
  CHECK_OK(hints());
  CHECK_OK(which_rows(out, std::move(select), place));
  return out;
}

Result<Script> parse(std::string_view text, std::string_view service, const Limits& limits) {
  TRY(std::vector<Token> tokens, tokens_of(text, limits));
  return Reader(std::move(tokens), service, limits).script();
}

}  // namespace mandate::tables::tsql
