#include "tables/tsql/evaluate.h"

namespace mandate::tables::tsql {
namespace {

/// Bytes of text that a function goes through in the time of a tuple.
constexpr std::size_t kTextStep = 256;

Error took_too_long() { return Error(Code::timeout, "The SQL took too long."); }

bool holds(Op op, int order) {
  switch (op) {
    case Op::eq: return order == 0;
    case Op::ne: return order != 0;
    case Op::lt: return order < 0;
    case Op::le: return order <= 0;
    case Op::gt: return order > 0;
    default: return order >= 0;
  }
}

char sign_of(Op op) {
  switch (op) {
    case Op::add: return '+';
    case Op::sub: return '-';
    case Op::mul: return '*';
    case Op::div: return '/';
    default: return '%';
  }
}

Truth turned(Truth truth, bool negated) { return negated ? inverse(truth) : truth; }

}  // namespace

Result<void> Evaluator::step(std::uint64_t weight) {
  steps_ += weight;
  if (steps_ < 0x100) return {};
  steps_ = 0;
  if (std::chrono::steady_clock::now() > until_) return took_too_long();
  return {};
}

Result<const Value*> Evaluator::look(const Expr& e, const Frame& frame, Value& hold) {
  if (e.op == Op::literal) return &e.value;
  if (e.op == Op::parameter) {
    if (e.number < parameters_.size()) return &parameters_[e.number];
    return fault("There are more question marks than values", e.at);
  }
  if (e.op == Op::column) {
    const Frame* f = &frame;
    for (int level = e.level; level > 0 && f->outer; --level) f = f->outer;
    const Row* row = f->rows ? f->rows[e.source] : nullptr;
    if (row) return &(*row)[e.slot];
    hold = Value();
    return &hold;
  }
  TRY(hold, value(e, frame));
  return &hold;
}

Result<Value> Evaluator::value(const Expr& e, const Frame& frame) {
  switch (e.op) {
    case Op::literal:
    case Op::parameter:
    case Op::column: {
      Value hold;
      TRY(const Value* found, look(e, frame, hold));
      return *found;
    }
    case Op::negate: {
      TRY(const Value arg, value(*e.args[0], frame));
      if (const auto* real = std::get_if<double>(&arg)) return Value(-*real);
      return arithmetic('-', Value(std::int64_t(0)), arg);
    }
    case Op::add:
    case Op::sub:
    case Op::mul:
    case Op::div:
    case Op::mod: {
      Value left, right;
      TRY(const Value* a, look(*e.args[0], frame, left));
      TRY(const Value* b, look(*e.args[1], frame, right));
      return arithmetic(sign_of(e.op), *a, *b);
    }
    case Op::case_: return choice(e, frame);
    case Op::call: return call(e, frame);
    case Op::cast: {
      TRY(Value arg, value(*e.args[0], frame));
      std::optional<int> style;
      if (e.args.size() > 1) {
        TRY(const Value given, value(*e.args[1], frame));
        TRY(const Value number, convert(given, Type::integer));
        if (const auto* whole = std::get_if<std::int64_t>(&number); whole && *whole > 0 && *whole < 1000) style = static_cast<int>(*whole);
      }
      return cast_to(e.cast, std::move(arg), style);
    }
    case Op::scalar_query: {
      TRY(const std::shared_ptr<const Rows> rows, subselect(*e.query, frame, false));
      if (rows->size() > 1) return fault("A subselect gave more than one row", e.at);
      return rows->empty() ? Value() : rows->front()[0];
    }
    case Op::aggregate: return frame.aggregates ? (*frame.aggregates)[e.number] : Value();
    default: break;
  }
  return fault("A condition stands where a value is expected", e.at);
}

Result<Value> Evaluator::choice(const Expr& e, const Frame& frame) {
  Value subject;
  std::size_t i = 0;
  if (e.simple) {
    TRY(subject, value(*e.args[0], frame));
    i = 1;
  }
  for (; i + 1 < e.args.size(); i += 2) {
    bool taken = false;
    if (e.simple) {
      TRY(const Value with, value(*e.args[i], frame));
      if (!is_null(subject) && !is_null(with)) {
        TRY(const int order, compare(subject, with));
        taken = order == 0;
      }
    } else {
      TRY(const Truth when, truth(*e.args[i], frame));
      taken = when == Truth::yes;
    }
    if (!taken) continue;
    TRY(Value then, value(*e.args[i + 1], frame));
    return convert(std::move(then), e.type);
  }
  if (i >= e.args.size()) return Value();
  TRY(Value otherwise, value(*e.args[i], frame));
  return convert(std::move(otherwise), e.type);
}

Result<Value> Evaluator::call(const Expr& e, const Frame& frame) {
  const Function& f = *e.function;
  const bool first = f.name == "ISNULL" || f.name == "COALESCE";  // the others are not looked at once one is found
  std::vector<Value> args;
  args.reserve(e.args.size());
  for (const ExprPtr& arg : e.args) {
    TRY(Value made, value(*arg, frame));
    if (first && !is_null(made)) return convert(std::move(made), e.type);
    if (is_null(made) && !f.takes_null) return Value();
    args.push_back(std::move(made));
  }
  if (first) return Value();
  std::uint64_t weight = 1;
  for (const Value& arg : args)
    if (const auto* text = std::get_if<std::string>(&arg)) weight += text->size() / kTextStep;
  TRY(Value out, f.run({args, e.part, around_}));
  if (const auto* text = std::get_if<std::string>(&out)) weight += text->size() / kTextStep;
  CHECK_OK(step(weight));
  return out;
}

Result<Truth> Evaluator::truth(const Expr& e, const Frame& frame) {
  switch (e.op) {
    case Op::and_:
    case Op::or_: {
      const Truth end = e.op == Op::and_ ? Truth::no : Truth::yes;
      Truth out = inverse(end);
      for (const ExprPtr& arg : e.args) {
        TRY(const Truth each, truth(*arg, frame));
        if (each == end) return end;
        if (each == Truth::unknown) out = each;
      }
      return out;
    }
    case Op::not_: {
      TRY(const Truth arg, truth(*e.args[0], frame));
      return inverse(arg);
    }
    case Op::is_null: {
      Value hold;
      TRY(const Value* arg, look(*e.args[0], frame, hold));
      return truth_of(is_null(*arg) != e.negated);
    }
    case Op::exists: {
      TRY(const std::shared_ptr<const Rows> rows, subselect(*e.query, frame, true));
      return truth_of(!rows->empty());
    }
    case Op::in_list:
    case Op::in_query: return member(e, frame);
    case Op::like: return alike(e, frame);
    case Op::between: return between(e, frame);
    default: break;
  }
  if (is_condition(e)) return comparison(e, frame);
  return fault("An expression stands where a condition is expected", e.at);
}

Result<Truth> Evaluator::comparison(const Expr& e, const Frame& frame) {
  Value left, right;
  TRY(const Value* a, look(*e.args[0], frame, left));
  TRY(const Value* b, look(*e.args[1], frame, right));
  if (is_null(*a) || is_null(*b)) return Truth::unknown;
  TRY(const int order, compare(*a, *b, e.exact));
  return truth_of(holds(e.op, order));
}

Result<Truth> Evaluator::member(const Expr& e, const Frame& frame) {
  Value left, right;
  TRY(const Value* what, look(*e.args[0], frame, left));
  std::shared_ptr<const Rows> rows;
  if (e.query) {
    TRY(rows, subselect(*e.query, frame, false));
    if (rows->empty()) return truth_of(e.negated);
  }
  if (is_null(*what)) return Truth::unknown;
  Truth out = Truth::no;
  const std::size_t count = rows ? rows->size() : e.args.size() - 1;
  for (std::size_t i = 0; i < count && out != Truth::yes; ++i) {
    CHECK_OK(step());
    const Value* each = rows ? &(*rows)[i][0] : nullptr;
    if (!each) {
      TRY(each, look(*e.args[i + 1], frame, right));
    }
    if (is_null(*each)) {
      out = Truth::unknown;
      continue;
    }
    TRY(const int order, compare(*what, *each, e.exact));
    if (order == 0) out = Truth::yes;
  }
  return turned(out, e.negated);
}

Result<Truth> Evaluator::alike(const Expr& e, const Frame& frame) {
  Value text_held, pattern_held;
  TRY(const Value* text, look(*e.args[0], frame, text_held));
  TRY(const Value* pattern, look(*e.args[1], frame, pattern_held));
  if (is_null(*text) || is_null(*pattern)) return Truth::unknown;
  char32_t escape = 0;
  if (e.args.size() > 2) {
    TRY(const Value given, value(*e.args[2], frame));
    const std::string letter = shown(given);
    if (letter.size() != 1) return fault("ESCAPE takes one character", e.at);
    escape = static_cast<unsigned char>(letter[0] >= 'A' && letter[0] <= 'Z' ? letter[0] + 32 : letter[0]);
  }
  const auto enough = [this] { return std::chrono::steady_clock::now() > until_; };
  TRY(const bool found, like(shown(*text), shown(*pattern), escape, enough));
  return turned(truth_of(found), e.negated);
}

Result<Truth> Evaluator::between(const Expr& e, const Frame& frame) {
  Value holds_what, holds_from, holds_to;
  TRY(const Value* what, look(*e.args[0], frame, holds_what));
  TRY(const Value* from, look(*e.args[1], frame, holds_from));
  TRY(const Value* to, look(*e.args[2], frame, holds_to));
  Truth out = Truth::yes;
  for (const auto& [bound, sign] : {std::pair{from, 1}, std::pair{to, -1}}) {
    Truth one = Truth::unknown;
    if (!is_null(*what) && !is_null(*bound)) {
      TRY(const int order, compare(*what, *bound, e.exact));
      one = truth_of(order * sign >= 0);
    }
    if (one == Truth::no) return turned(Truth::no, e.negated);
    if (one == Truth::unknown) out = one;
  }
  return turned(out, e.negated);
}

}  // namespace mandate::tables::tsql
