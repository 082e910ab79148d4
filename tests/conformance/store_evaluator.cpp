#include "tests/conformance/store_evaluator.h"

#include <cmath>

#include "base/json.h"
#include "store/geo.h"
#include "store/text.h"

namespace mandate::store {
namespace {

bool is_text(const Value& v) { return std::holds_alternative<std::string>(v); }
bool is_whole(const Value& v) { return std::holds_alternative<std::int64_t>(v) || std::holds_alternative<bool>(v); }
const std::string& text(const Value& v) { return std::get<std::string>(v); }
std::int64_t whole(const Value& v) {
  if (auto* b = std::get_if<bool>(&v)) return *b;
  return std::get<std::int64_t>(v);
}
double real(const Value& v) { return is_whole(v) ? static_cast<double>(whole(v)) : std::get<double>(v); }

std::string shown(const Value& v) {
  if (is_text(v)) return text(v);
  if (is_whole(v)) return std::to_string(whole(v));
  std::string out;
  append_json_number(out, real(v));
  return out;
}

int order(const Value& a, const Value& b, bool dictionary) {
  if (is_text(a)) return dictionary ? compare_dictionary(text(a), text(b)) : text(a).compare(text(b));
  if (is_whole(a) && is_whole(b)) return whole(a) < whole(b) ? -1 : whole(a) > whole(b);
  return real(a) < real(b) ? -1 : real(a) > real(b);
}

bool null_literal(const Expr& e) { return e.op == Op::literal && is_null(e.value); }

std::optional<bool> truth(const Value& v) {
  if (is_null(v)) return std::nullopt;
  return real(v) != 0;
}

Value compare(const Expr& e, const PlainRow& row) {
  const Value a = evaluate(*e.args[0], row), b = evaluate(*e.args[1], row);
  if (e.op == Op::eq || e.op == Op::ne) {
    if (null_literal(*e.args[1])) return is_null(a) == (e.op == Op::eq);
    if (null_literal(*e.args[0])) return is_null(b) == (e.op == Op::eq);
  }
  if (is_null(a) || is_null(b)) return {};
  const int c = order(a, b, e.dictionary);
  switch (e.op) {
    case Op::eq: return c == 0;
    case Op::ne: return c != 0;
    case Op::lt: return c < 0;
    case Op::le: return c <= 0;
    case Op::gt: return c > 0;
    default: return c >= 0;
  }
}

Value arithmetic(const Expr& e, const PlainRow& row) {
  const Value a = evaluate(*e.args[0], row), b = evaluate(*e.args[1], row);
  if (is_null(a) || is_null(b)) return {};
  const bool whole_both = is_whole(a) && is_whole(b);
  switch (e.op) {
    case Op::add: return whole_both ? Value(whole(a) + whole(b)) : Value(real(a) + real(b));
    case Op::sub: return whole_both ? Value(whole(a) - whole(b)) : Value(real(a) - real(b));
    case Op::mul: return whole_both ? Value(whole(a) * whole(b)) : Value(real(a) * real(b));
    case Op::mod:
      if (real(b) == 0) return {};
      return whole_both ? Value(whole(a) % whole(b)) : Value(std::fmod(real(a), real(b)));
    default:
      if (real(b) == 0) return {};
      // Integer columns and literals divide whole, everything else as real (mobile-backend-wire 9.4).
      return e.type == Type::integer ? Value(whole(a) / whole(b)) : Value(real(a) / real(b));
  }
}

template <class T>
Value or_null(const std::optional<T>& value) {
  return value ? Value(*value) : Value{};
}

Value call(const Expr& e, const PlainRow& row) {
  std::vector<Value> a;
  for (const ExprPtr& arg : e.args) {
    a.push_back(evaluate(*arg, row));
    if (is_null(a.back())) return {};
  }
  auto rounded = [&](double (*f)(double)) { return is_whole(a[0]) ? a[0] : Value(f(real(a[0]))); };
  switch (e.function) {
    case Function::substringof: return index_of(shown(a[1]), shown(a[0])) >= 0;
    case Function::startswith: return starts_with(shown(a[0]), shown(a[1]));
    case Function::endswith: return ends_with(shown(a[0]), shown(a[1]));
    case Function::concat: return shown(a[0]) + shown(a[1]);
    case Function::indexof: return index_of(shown(a[0]), shown(a[1]));
    case Function::replace: return replace_all(shown(a[0]), shown(a[1]), shown(a[2]));
    case Function::substring:
      return std::string(substring(shown(a[0]), whole(a[1]), a.size() > 2 ? std::optional(whole(a[2])) : std::nullopt));
    case Function::length: return length(shown(a[0]));
    case Function::tolower: return lower(shown(a[0]));
    case Function::toupper: return upper(shown(a[0]));
    case Function::trim: return std::string(trim(shown(a[0])));
    case Function::floor: return rounded([](double x) { return std::floor(x); });
    case Function::ceiling: return rounded([](double x) { return std::ceil(x); });
    case Function::round: return rounded([](double x) { return round_half_away(x); });
    case Function::number_text: return shown(a[0]);
    case Function::truth_text: return std::string(whole(a[0]) ? "true" : "false");
    case Function::moment_text: return or_null<std::string>(moment_text(whole(a[0])));
    case Function::text_number: return or_null<double>(number_of(text(a[0])));
    case Function::text_moment: return or_null<std::int64_t>(moment_of(text(a[0])));
    case Function::whole: return is_whole(a[0]) ? a[0] : or_null<std::int64_t>(whole_of(real(a[0])));
    case Function::day_start: return day_start(whole(a[0]));
    case Function::time_of_day: return time_of_day(whole(a[0]));
    case Function::fraction: return fraction_of_second(whole(a[0]));
    case Function::distance: {
      const auto from = point_of(text(a[0])), to = point_of(text(a[1]));
      return from && to ? Value(distance_km(*from, *to)) : Value{};
    }
    default: return date_part(e.function, whole(a[0]));
  }
}

}  // namespace

Value evaluate(const Expr& e, const PlainRow& row) {
  switch (e.op) {
    case Op::literal: return e.value;
    case Op::column: return row.at(e.text);
    case Op::and_:
    case Op::or_: {
      bool unknown = false;
      for (const ExprPtr& arg : e.args) {
        const auto t = truth(evaluate(*arg, row));
        if (!t) unknown = true;
        else if (*t == (e.op == Op::or_)) return *t;
      }
      return unknown ? Value{} : Value(e.op == Op::and_);
    }
    case Op::not_: {
      const auto t = truth(evaluate(*e.args[0], row));
      return t ? Value(!*t) : Value{};
    }
    case Op::negate: {
      const Value v = evaluate(*e.args[0], row);
      if (is_null(v)) return {};
      return is_whole(v) ? Value(-whole(v)) : Value(0 - real(v));
    }
    case Op::in: {
      const Value v = evaluate(*e.args[0], row);
      bool with_null = false, unknown = false, any = false;
      for (std::size_t i = 1; i < e.args.size(); ++i) {
        if (null_literal(*e.args[i])) {
          with_null = true;
          continue;
        }
        any = true;
        const Value member = evaluate(*e.args[i], row);
        if (is_null(member)) unknown = true;
        else if (!is_null(v) && order(v, member, e.dictionary) == 0) return true;
      }
      if (with_null && is_null(v)) return true;
      if (any && (is_null(v) || unknown)) return {};
      return false;
    }
    case Op::call: return call(e, row);
    case Op::add:
    case Op::sub:
    case Op::mul:
    case Op::div:
    case Op::mod: return arithmetic(e, row);
    default: return compare(e, row);
  }
}

bool keeps(const Expr& expr, const PlainRow& row) { return truth(evaluate(expr, row)).value_or(false); }

}  // namespace mandate::store
