#include <charconv>

#include "base/url.h"
#include "tables/tsql/dates.h"
#include "tables/tsql/functions.h"
#include "tables/tsql/reader.h"

namespace mandate::tables::tsql {
namespace {

constexpr std::pair<std::string_view, Op> kComparisons[] = {{"=", Op::eq}, {"<>", Op::ne}, {"<", Op::lt}, {"<=", Op::le}, {">", Op::gt}, {">=", Op::ge}};
constexpr std::pair<std::string_view, Aggregate> kAggregates[] = {
    {"COUNT", Aggregate::count}, {"COUNT_BIG", Aggregate::count}, {"SUM", Aggregate::sum}, {"AVG", Aggregate::avg}, {"MIN", Aggregate::min}, {"MAX", Aggregate::max}};

struct TypeWord {
  std::string_view word;
  Type type;
};
constexpr TypeWord kTypes[] = {
    {"BIT", Type::bit},           {"TINYINT", Type::integer},  {"SMALLINT", Type::integer}, {"INT", Type::integer},      {"INTEGER", Type::integer},
    {"BIGINT", Type::integer},    {"FLOAT", Type::real},       {"REAL", Type::real},        {"DECIMAL", Type::real},     {"NUMERIC", Type::real},
    {"DEC", Type::real},          {"MONEY", Type::real},       {"SMALLMONEY", Type::real},  {"CHAR", Type::text},        {"VARCHAR", Type::text},
    {"NCHAR", Type::text},        {"NVARCHAR", Type::text},    {"TEXT", Type::text},        {"NTEXT", Type::text},       {"UNIQUEIDENTIFIER", Type::text},
    {"SYSNAME", Type::text},      {"DATE", Type::date},        {"DATETIME", Type::date},    {"DATETIME2", Type::date},   {"SMALLDATETIME", Type::date},
    {"DATETIMEOFFSET", Type::date},
};

}  // namespace

ExprPtr Reader::fresh(Op op) const {
  auto e = std::make_unique<Expr>();
  e->op = op;
  e->at = peek().at;
  return e;
}

/// Judges what was put together: how deep it is, and that values and conditions are where they belong.
Result<ExprPtr> Reader::made(ExprPtr e) const {
  for (std::size_t i = 0; i < e->args.size(); ++i) {
    const ExprPtr& arg = e->args[i];
    e->depth = std::max(e->depth, arg->depth + 1);
    const bool when = e->op == Op::case_ && !e->simple && i % 2 == 0 && i + 1 < e->args.size();
    const bool wanted = when || e->op == Op::and_ || e->op == Op::or_ || e->op == Op::not_;
    if (is_condition(*arg) == wanted) continue;
    return fault(wanted ? "An expression stands where a condition is expected" : "A condition stands where a value is expected", arg->at);
  }
  if (e->depth > limits_.depth) return fault("The expression is too deep", e->at);
  return e;
}

Result<ExprPtr> Reader::condition() {
  TRY(ExprPtr e, any(0));
  if (!is_condition(*e)) return fault("An expression stands where a condition is expected", e->at);
  return e;
}

Result<ExprPtr> Reader::scalar() {
  TRY(ExprPtr e, any(0));
  if (is_condition(*e)) return fault("A condition stands where a value is expected", e->at);
  return e;
}

Result<ExprPtr> Reader::any(int) {
  const Level level(*this);
  CHECK_OK(check_depth());
  return logical(0);
}

/// OR is level 0, AND is level 1.
Result<ExprPtr> Reader::logical(int level) {
  if (level == 2) {
    if (!at_word("NOT")) return predicate();
    const Level deeper(*this);
    CHECK_OK(check_depth());
    ExprPtr e = fresh(Op::not_);
    take();
    TRY(ExprPtr arg, logical(2));
    e->args.push_back(std::move(arg));
    return made(std::move(e));
  }
  const std::string_view word = level == 0 ? "OR" : "AND";
  TRY(ExprPtr first, logical(level + 1));
  if (!at_word(word)) return first;
  ExprPtr e = fresh(level == 0 ? Op::or_ : Op::and_);
  e->args.push_back(std::move(first));
  while (take_word(word)) {
    TRY(ExprPtr next, logical(level + 1));
    e->args.push_back(std::move(next));
  }
  return made(std::move(e));
}

Result<ExprPtr> Reader::predicate() {
  if (at_word("EXISTS")) {
    ExprPtr e = fresh(Op::exists);
    take();
    CHECK_OK(expect_symbol("("));
    TRY(e->query, query());
    CHECK_OK(expect_symbol(")"));
    return e;
  }
  TRY(ExprPtr left, sum());
  if (is_condition(*left)) return left;  // it stood in brackets
  const bool negated = at_word("NOT") && (at_word("IN", 1) || at_word("LIKE", 1) || at_word("BETWEEN", 1));
  if (negated) take();
  return predicate_of(std::move(left), negated);
}

Result<ExprPtr> Reader::predicate_of(ExprPtr left, bool negated) {
  ExprPtr e = fresh(Op::literal);
  for (const auto& [symbol, op] : kComparisons) {
    if (!take_symbol(symbol)) continue;
    if (at_word("ALL") || at_word("ANY") || at_word("SOME")) return unexpected();
    e->op = op;
    e->args.push_back(std::move(left));
    TRY(ExprPtr right, sum());
    e->args.push_back(std::move(right));
    return made(std::move(e));
  }
  e->negated = negated;
  if (take_word("IS")) {
    e->op = Op::is_null;
    e->negated = take_word("NOT");
    CHECK_OK(expect_word("NULL"));
    e->args.push_back(std::move(left));
  } else if (take_word("IN")) {
    CHECK_OK(expect_symbol("("));
    e->op = at_word("SELECT") ? Op::in_query : Op::in_list;
    e->args.push_back(std::move(left));
    if (e->op == Op::in_query) {
      TRY(e->query, query());
    } else {
      do {
        TRY(ExprPtr each, sum());
        e->args.push_back(std::move(each));
      } while (take_symbol(","));
    }
    CHECK_OK(expect_symbol(")"));
  } else if (take_word("LIKE")) {
    e->op = Op::like;
    e->args.push_back(std::move(left));
    TRY(ExprPtr pattern, sum());
    e->args.push_back(std::move(pattern));
    if (take_word("ESCAPE")) {
      TRY(ExprPtr escape, sum());
      e->args.push_back(std::move(escape));
    }
  } else if (take_word("BETWEEN")) {
    e->op = Op::between;
    e->args.push_back(std::move(left));
    TRY(ExprPtr from, sum());
    CHECK_OK(expect_word("AND"));
    TRY(ExprPtr to, sum());
    e->args.push_back(std::move(from));
    e->args.push_back(std::move(to));
  } else {
    return left;
  }
  return made(std::move(e));
}

Result<ExprPtr> Reader::sum() {
  TRY(ExprPtr left, product());
  while (at_symbol("+") || at_symbol("-")) {
    ExprPtr e = fresh(at_symbol("+") ? Op::add : Op::sub);
    take();
    TRY(ExprPtr right, product());
    e->args.push_back(std::move(left));
    e->args.push_back(std::move(right));
    TRY(left, made(std::move(e)));
  }
  return left;
}

Result<ExprPtr> Reader::product() {
  TRY(ExprPtr left, unary());
  while (at_symbol("*") || at_symbol("/") || at_symbol("%")) {
    ExprPtr e = fresh(at_symbol("*") ? Op::mul : at_symbol("/") ? Op::div : Op::mod);
    take();
    TRY(ExprPtr right, unary());
    e->args.push_back(std::move(left));
    e->args.push_back(std::move(right));
    TRY(left, made(std::move(e)));
  }
  return left;
}

Result<ExprPtr> Reader::unary() {
  if (!at_symbol("-") && !at_symbol("+")) return primary();
  const Level level(*this);
  CHECK_OK(check_depth());
  ExprPtr e = fresh(Op::negate);
  const bool minus = at_symbol("-");
  take();
  TRY(ExprPtr arg, unary());
  if (is_condition(*arg)) return fault("A condition stands where a value is expected", arg->at);
  if (!minus) return arg;
  if (auto* whole = std::get_if<std::int64_t>(&arg->value); arg->op == Op::literal && whole && *whole != INT64_MIN) {
    arg->value = -*whole;
    return arg;
  }
  e->args.push_back(std::move(arg));
  return made(std::move(e));
}

Result<ExprPtr> Reader::primary() {
  ExprPtr e = fresh(Op::literal);
  switch (peek().kind) {
    case Kind::string:
      e->value = take().text;
      return e;
    case Kind::whole:
    case Kind::real: {
      const Token token = take();
      std::int64_t whole = 0;
      const char *begin = token.text.data(), *end = begin + token.text.size();
      if (token.kind == Kind::whole && std::from_chars(begin, end, whole).ec == std::errc{}) {
        e->value = whole;
        return e;
      }
      double real = 0;
      if (std::from_chars(begin, end, real).ec != std::errc{}) return fault("A number is too large", token.at);
      e->value = real;
      return e;
    }
    case Kind::parameter:
      take();
      e->op = Op::parameter;
      e->number = parameters_++;
      if (parameters_ > limits_.values) return fault("There are more than " + std::to_string(limits_.values) + " question marks", e->at);
      return e;
    case Kind::global: {
      e->op = Op::call;
      e->function = global_named(peek().text);
      if (!e->function) return fault("'@@" + peek().text + "' is not supported", e->at);
      take();
      return e;
    }
    case Kind::variable: return fault("Variables ('@" + peek().text + "') are not supported: use question marks", e->at);
    case Kind::quoted:
    case Kind::word: return named();
    case Kind::symbol:
      if (take_symbol("(")) {
        const Level level(*this);
        CHECK_OK(check_depth());
        if (at_word("SELECT")) {
          e->op = Op::scalar_query;
          TRY(e->query, query());
        } else {
          TRY(e, any(0));
        }
        CHECK_OK(expect_symbol(")"));
        return e;
      }
      break;
    case Kind::end: break;
  }
  return unexpected();
}

/// What begins with a word: null, CASE, a function, a column.
Result<ExprPtr> Reader::named() {
  const bool quoted = peek().kind == Kind::quoted;
  if (!quoted && at_word("NULL")) {
    ExprPtr e = fresh(Op::literal);
    take();
    return e;
  }
  if (!quoted && at_word("CASE")) return case_when();
  if (!quoted && at_symbol("(", 1)) {
    const Token name = take();
    take();
    const Level level(*this);
    CHECK_OK(check_depth());
    for (const auto& [word, which] : kAggregates)
      if (iequals(word, name.text)) return aggregate(name, which);
    if (iequals(name.text, "CAST") || iequals(name.text, "CONVERT")) return cast(name);
    if (iequals(name.text, "IIF")) {
      ExprPtr e = fresh(Op::case_);
      TRY(ExprPtr when, condition());
      e->args.push_back(std::move(when));
      for (int i = 0; i < 2; ++i) {
        CHECK_OK(expect_symbol(","));
        TRY(ExprPtr value, scalar());
        e->args.push_back(std::move(value));
      }
      CHECK_OK(expect_symbol(")"));
      return made(std::move(e));
    }
    return call(name);
  }
  // These three are words of T-SQL that work without brackets.
  if (!quoted && (at_word("CURRENT_TIMESTAMP"))) {
    ExprPtr e = fresh(Op::call);
    take();
    e->function = function_named("GETDATE");
    return e;
  }
  return column();
}

Result<ExprPtr> Reader::column() {
  ExprPtr e = fresh(Op::column);
  if (!at_name() && !at_service()) return unexpected();
  std::vector<std::string> parts{take().text};
  while (at_symbol(".") && parts.size() < 3) {
    take();
    if (peek().kind != Kind::word && peek().kind != Kind::quoted) return unexpected();
    parts.push_back(take().text);
  }
  if (parts.size() == 3 && !iequals(parts[0], service_) && !iequals(parts[0], "dbo")) return fault("The schema '" + parts[0] + "' is not this service's", e->at);
  e->name = std::move(parts.back());
  if (parts.size() > 1) e->qualifier = std::move(parts[parts.size() - 2]);
  return e;
}

Result<ExprPtr> Reader::call(const Token& name) {
  ExprPtr e = fresh(Op::call);
  e->at = name.at;
  e->function = function_named(name.text);
  if (!e->function) return fault("The function '" + name.text + "' is not supported", name.at);
  const Function& f = *e->function;
  if (f.takes_part) {
    const Token part = take();
    const auto known = date_part_named(part.text);
    if (!known) return fault("'" + part.text + "' is no part of a date", part.at);
    e->part = static_cast<int>(*known);
    if (f.most > 0) CHECK_OK(expect_symbol(","));
  }
  if (!at_symbol(")")) {
    do {
      TRY(ExprPtr arg, scalar());
      e->args.push_back(std::move(arg));
    } while (take_symbol(","));
  }
  CHECK_OK(expect_symbol(")"));
  if (e->args.size() < f.least || e->args.size() > f.most) return fault("The function '" + name.text + "' takes another number of arguments", name.at);
  return made(std::move(e));
}

Result<ExprPtr> Reader::aggregate(const Token& name, Aggregate which) {
  ExprPtr e = fresh(Op::aggregate);
  e->at = name.at;
  e->aggregate = which;
  if (which == Aggregate::count && at_symbol("*")) {
    take();
    e->aggregate = Aggregate::count_rows;
  } else {
    e->distinct = take_word("DISTINCT");
    if (!e->distinct) (void)take_word("ALL");
    TRY(ExprPtr arg, scalar());
    e->args.push_back(std::move(arg));
  }
  CHECK_OK(expect_symbol(")"));
  if (at_word("OVER")) return unexpected();
  return made(std::move(e));
}

/// CAST(value AS type), CONVERT(type, value[, style]).
Result<ExprPtr> Reader::cast(const Token& name) {
  ExprPtr e = fresh(Op::cast);
  e->at = name.at;
  if (iequals(name.text, "CAST")) {
    TRY(ExprPtr value, scalar());
    e->args.push_back(std::move(value));
    CHECK_OK(expect_word("AS"));
    TRY(e->cast, type());
  } else {
    TRY(e->cast, type());
    CHECK_OK(expect_symbol(","));
    TRY(ExprPtr value, scalar());
    e->args.push_back(std::move(value));
    if (take_symbol(",")) {
      TRY(ExprPtr style, scalar());
      e->args.push_back(std::move(style));
    }
  }
  CHECK_OK(expect_symbol(")"));
  return made(std::move(e));
}

Result<Cast> Reader::type() {
  const Token name = take();
  Cast out;
  const auto* known = std::find_if(std::begin(kTypes), std::end(kTypes), [&](const TypeWord& each) { return iequals(each.word, name.text); });
  if (known == std::end(kTypes)) return fault("The data type '" + name.text + "' is not supported", name.at);
  out.type = known->type;
  out.day = known->word == "DATE";
  const bool texts = known->word.ends_with("CHAR");
  const bool decimals = known->word.starts_with("DEC") || known->word == "NUMERIC";
  if (texts) out.length = 30;
  if (decimals) out.scale = 0;
  if (known->word == "UNIQUEIDENTIFIER") out.length = 36;
  if (!take_symbol("(")) return out;
  const Token first = take();
  int number = 0;
  if (first.kind == Kind::word && texts && iequals(first.text, "MAX")) {
    out.length.reset();
  } else {
    if (first.kind != Kind::whole || std::from_chars(first.text.data(), first.text.data() + first.text.size(), number).ec != std::errc{}) return fault("A length is expected", first.at);
    if (texts) out.length = number;
  }
  if (take_symbol(",")) {
    const Token second = take();
    if (second.kind != Kind::whole || !decimals || std::from_chars(second.text.data(), second.text.data() + second.text.size(), number).ec != std::errc{} || number > 38)
      return fault("A scale is expected", second.at);
    out.scale = number;
  }
  CHECK_OK(expect_symbol(")"));
  return out;
}

Result<ExprPtr> Reader::case_when() {
  const Level level(*this);
  CHECK_OK(check_depth());
  ExprPtr e = fresh(Op::case_);
  take();
  if (!at_word("WHEN")) {
    TRY(ExprPtr subject, scalar());
    e->simple = true;
    e->args.push_back(std::move(subject));
  }
  if (!at_word("WHEN")) return unexpected();
  while (take_word("WHEN")) {
    Result<ExprPtr> when = e->simple ? scalar() : condition();
    if (!when.ok()) return std::move(when).error();
    e->args.push_back(*std::move(when));
    CHECK_OK(expect_word("THEN"));
    TRY(ExprPtr then, scalar());
    e->args.push_back(std::move(then));
  }
  if (take_word("ELSE")) {
    TRY(ExprPtr otherwise, scalar());
    e->args.push_back(std::move(otherwise));
  }
  CHECK_OK(expect_word("END"));
  return made(std::move(e));
}

}  // namespace mandate::tables::tsql
