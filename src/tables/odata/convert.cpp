#include "tables/odata/convert.h"

#include "base/url.h"
#include "store/text.h"
#include "tables/fit.h"

namespace mandate::tables::odata {
namespace {

using store::ExprPtr;
using store::Function;
using store::Op;
using store::Type;

bool textual(Edm edm) { return edm == Edm::text || edm == Edm::guid || edm == Edm::binary; }

Json json_of(const Typed& literal) {
  const store::Value& value = literal.expr->value;
  if (const auto* b = std::get_if<bool>(&value)) return Json(*b);
  if (const auto* d = std::get_if<double>(&value)) return Json(*d);
  if (const auto* s = std::get_if<std::string>(&value)) return Json(boost::json::string(*s));
  if (const auto* i = std::get_if<std::int64_t>(&value)) {
    switch (literal.edm) {
      case Edm::moment: return Json(boost::json::string(iso8601(*i)));
      case Edm::date: return Json(boost::json::string(write_date(*i)));
      case Edm::time: return Json(boost::json::string(*i % 1000 ? write_time(*i) : write_time(*i).substr(0, 8)));
      case Edm::duration: return Json(boost::json::string(write_duration(*i)));
      default: return Json(*i);
    }
  }
  return Json(nullptr);
}

ExprPtr whole_of(ExprPtr expr) { return store::call(Function::whole, {std::move(expr)}, Type::integer); }
ExprPtr number_of(ExprPtr expr) { return store::call(Function::text_number, {std::move(expr)}, Type::real); }
ExprPtr moment_of(ExprPtr expr) { return store::call(Function::text_moment, {std::move(expr)}, Type::date); }
ExprPtr text_of(ExprPtr moment, std::int64_t from, std::int64_t size) {
  ExprPtr text = store::call(Function::moment_text, {std::move(moment)}, Type::text);
  return store::call(Function::substring, {std::move(text), store::literal(from), store::literal(size)}, Type::text);
}

/// Of a value that is no literal; null when there is no such cast.
ExprPtr cast_expr(const ExprPtr& expr, Edm from, Edm to) {
  switch (to) {
    case Edm::text:
      if (numeric(from) && from != Edm::enumeration) return store::call(Function::number_text, {expr}, Type::text);
      if (from == Edm::boolean) return store::call(Function::truth_text, {expr}, Type::text);
      if (from == Edm::moment) return store::call(Function::moment_text, {expr}, Type::text);
      if (from == Edm::date) return text_of(expr, 0, 10);
      if (from == Edm::time) return text_of(expr, 11, 12);
      return nullptr;
    case Edm::integer:
      if (from == Edm::enumeration) return expr;
      if (from == Edm::real) return whole_of(expr);
      return from == Edm::text ? whole_of(number_of(expr)) : nullptr;
    case Edm::real:
      if (numeric(from)) return store::make(Op::mul, {expr, store::literal(1.0)}, Type::real);
      return from == Edm::text ? number_of(expr) : nullptr;
    case Edm::moment:
      if (from == Edm::date) return expr;
      return from == Edm::text ? moment_of(expr) : nullptr;
    case Edm::date:
      if (from == Edm::text) return store::call(Function::day_start, {moment_of(expr)}, Type::date);
      return from == Edm::moment ? store::call(Function::day_start, {expr}, Type::date) : nullptr;
    case Edm::time: return from == Edm::moment ? store::call(Function::time_of_day, {expr}, Type::date) : nullptr;
    default: return nullptr;
  }
}

/// Of a literal, beyond what convert_literal does.
Result<Typed> cast_literal(const Typed& value, Edm to) {
  const auto* number = std::get_if<std::int64_t>(&value.expr->value);
  const auto made = [&](store::Value as) { return Typed{literal_of(std::move(as), to), to}; };
  if (number && value.edm == Edm::moment && to == Edm::date) return made(store::day_start(*number));
  if (number && value.edm == Edm::moment && to == Edm::time) return made(store::time_of_day(*number));
  if (number && value.edm == Edm::date && to == Edm::moment) return made(*number);
  if (to == Edm::integer && (numeric(value.edm) || value.edm == Edm::text)) {
    TRY(Typed real, convert_literal(value, Edm::real));
    const auto whole = store::whole_of(std::get<double>(real.expr->value));
    if (!whole) return mismatch(value.edm, to);
    return made(*whole);
  }
  return convert_literal(value, to);
}

}  // namespace

bool numeric(Edm edm) { return edm == Edm::integer || edm == Edm::real || edm == Edm::enumeration; }

bool same_kind(Edm a, Edm b) {
  const auto both = [&](Edm x, Edm y) { return (a == x && b == y) || (a == y && b == x); };
  return a == b || a == Edm::unknown || b == Edm::unknown || (numeric(a) && numeric(b)) || (textual(a) && textual(b)) ||
         both(Edm::moment, Edm::date) || both(Edm::point, Edm::json);
}

Error mismatch(Edm a, Edm b) {
  return Error(Code::bad_request, "Bad request", std::string(word(a)) + " does not go with " + std::string(word(b)));
}

Result<Typed> convert_literal(const Typed& literal, Edm to, const Meaning* like) {
  const Edm from = literal.edm;
  if (literal.is_null() || from == to) return literal;
  const auto* text = std::get_if<std::string>(&literal.expr->value);
  switch (to) {
    case Edm::date:
    case Edm::time:
    case Edm::duration:
    case Edm::guid:
    case Edm::enumeration: {
      if (!text) return mismatch(from, to);
      auto value = read_as(like ? *like : Meaning{to, {}}, *text);
      if (!value) return mismatch(from, to);
      return Typed{literal_of(*std::move(value), to), to};
    }
    case Edm::point:
    case Edm::json:
    case Edm::unknown: return mismatch(from, to);
    default: break;
  }
  if (from == Edm::point) return mismatch(from, to);
  if (numeric(to) && !numeric(from) && !text) return mismatch(from, to);
  if (to == Edm::moment && !text) return mismatch(from, to);
  const Type type = numeric(to) ? Type::real : stored_as(to);
  TRY(store::Value value, convert(json_of(literal), type));
  return Typed{store::literal(std::move(value), type), numeric(to) ? Edm::real : to};
}

Result<Typed> cast(const Typed& value, Edm to) {
  if (value.is_null() || value.edm == Edm::unknown) return Typed{value.expr, Edm::unknown};
  if (value.role == Role::version) return mismatch(Edm::text, to);
  if (value.edm == to || (textual(value.edm) && textual(to))) return Typed{value.expr, to};
  if (value.is_literal()) return cast_literal(value, to);
  ExprPtr expr = cast_expr(value.expr, value.edm, to);
  if (!expr) return mismatch(value.edm, to);
  return Typed{std::move(expr), to};
}

}  // namespace mandate::tables::odata
