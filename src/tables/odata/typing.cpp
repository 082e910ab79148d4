#include "tables/odata/typing.h"

#include "base/clock.h"
#include "tables/fit.h"
#include "tables/odata/functions.h"

namespace mandate::tables::odata {
namespace {

using store::Expr;
using store::ExprPtr;
using store::Op;
using store::Type;

bool numeric(Type type) { return type == Type::integer || type == Type::real; }
bool same_kind(Type a, Type b) { return a == b || (numeric(a) && numeric(b)) || a == Type::unknown || b == Type::unknown; }

std::string_view word(Type type) {
  switch (type) {
    case Type::boolean: return "boolean";
    case Type::integer:
    case Type::real: return "number";
    case Type::text: return "string";
    case Type::date: return "date";
    case Type::json: return "json";
    case Type::unknown: break;
  }
  return "unknown";
}

Error mismatch(Type a, Type b) {
  return Error(Code::bad_request, "Bad request", std::string(word(a)) + " does not go with " + std::string(word(b)));
}

Json json_of(const Expr& literal) {
  if (const auto* b = std::get_if<bool>(&literal.value)) return Json(*b);
  if (const auto* d = std::get_if<double>(&literal.value)) return Json(*d);
  if (const auto* s = std::get_if<std::string>(&literal.value)) return Json(boost::json::string(*s));
  if (const auto* i = std::get_if<std::int64_t>(&literal.value)) {
    if (literal.type == Type::date) return Json(boost::json::string(iso8601(*i)));
    return Json(*i);
  }
  return Json(nullptr);
}

/// A literal as another type, by the rules of an insert; dates never become numbers or the reverse.
Result<Typed> convert_literal(const Typed& literal, Type to) {
  const Type from = literal.type;
  if (numeric(to) && (from == Type::date || from == Type::boolean)) return mismatch(from, to);
  if (to == Type::json) return mismatch(from, to);
  TRY(store::Value value, convert(json_of(*literal.expr), numeric(to) ? Type::real : to));
  return Typed{store::literal(std::move(value), to), to, Role::own};
}

ExprPtr with_dictionary(ExprPtr expr) {
  auto copy = std::make_shared<Expr>(*expr);
  copy->dictionary = true;
  return copy;
}

ExprPtr constant(bool value) { return store::literal(value, Type::boolean); }

Op mirrored(Op op) {
  switch (op) {
    case Op::lt: return Op::gt;
    case Op::gt: return Op::lt;
    case Op::le: return Op::ge;
    case Op::ge: return Op::le;
    default: return op;
  }
}

}  // namespace

Result<Typed> Typing::value(const Tree& tree) {
  switch (tree->op) {
    case Op::literal: return Typed{tree, store::is_null(tree->value) ? Type::unknown : tree->type, Role::own};
    case Op::column: return column(tree);
    case Op::and_:
    case Op::or_: {
      std::vector<ExprPtr> args;
      for (const Tree& arg : tree->args) {
        TRY(ExprPtr typed, condition(arg));
        args.push_back(std::move(typed));
      }
      return Typed{store::make(tree->op, std::move(args)), Type::boolean, Role::own};
    }
    case Op::not_: {
      TRY(ExprPtr arg, condition(tree->args[0]));
      return Typed{store::make(Op::not_, {std::move(arg)}), Type::boolean, Role::own};
    }
    case Op::eq:
    case Op::ne:
    case Op::lt:
    case Op::le:
    case Op::gt:
    case Op::ge: return comparison(tree);
    case Op::call: return function(tree);
    default: return arithmetic(tree);
  }
}

Result<ExprPtr> Typing::condition(const Tree& tree) {
  TRY(Typed typed, value(tree));
  if (typed.type == Type::boolean)
    return typed.expr->op == Op::column ? store::make(Op::eq, {typed.expr, constant(true)}) : typed.expr;
  if (typed.type == Type::unknown) return typed.expr;
  if (numeric(typed.type) && typed.role != Role::version) return store::make(Op::eq, {typed.expr, store::literal(std::int64_t(1))});
  return mismatch(typed.type, Type::boolean);
}

Result<Typed> Typing::column(const Tree& tree) {
  if (auto field = schema_.resolve(dialect_, tree->text))
    return Typed{store::column(std::move(field->column), field->type), field->type, field->role};
  if (!dynamic_schema_) return Error(Code::bad_request, "Invalid column name '" + tree->text + "'.");
  unknown_column_ = true;
  return Typed{store::literal(store::Value{}), Type::unknown, Role::own};
}

Result<Typed> Typing::comparison(const Tree& tree) {
  TRY(Typed a, value(tree->args[0]));
  TRY(Typed b, value(tree->args[1]));
  if (a.role == Role::version && !b.is_null() && b.role != Role::version) return version_comparison(tree->op, a, b, false);
  if (b.role == Role::version && !a.is_null() && a.role != Role::version) return version_comparison(tree->op, b, a, true);
  if (!same_kind(a.type, b.type)) {
    if (b.is_literal()) {
      TRY(b, convert_literal(b, a.type));
    } else if (a.is_literal()) {
      TRY(a, convert_literal(a, b.type));
    } else {
      return mismatch(a.type, b.type);
    }
  }
  const bool text = a.type == Type::text || b.type == Type::text;
  ExprPtr out = store::make(tree->op, {a.expr, b.expr});
  if (text && a.role != Role::id && b.role != Role::id) out = with_dictionary(std::move(out));
  return Typed{std::move(out), Type::boolean, Role::own};
}

// A version is kept as a number and written as base64 of its bytes, whose order is the same.
Result<Typed> Typing::version_comparison(Op op, const Typed& version, const Typed& other, bool swapped) {
  const auto* text = std::get_if<std::string>(&other.expr->value);
  if (!text) return mismatch(Type::text, other.type);
  const auto stamp = stamp_of(*text);
  if (!stamp) return Typed{constant(op == Op::ne), Type::boolean, Role::own};
  const Op mine = swapped ? mirrored(op) : op;
  return Typed{store::make(mine, {version.expr, store::literal(*stamp, Type::integer)}), Type::boolean, Role::own};
}

Result<Typed> Typing::arithmetic(const Tree& tree) {
  std::vector<ExprPtr> args;
  Type type = Type::integer;
  for (const Tree& arg : tree->args) {
    TRY(Typed typed, value(arg));
    if (typed.type != Type::unknown && (!numeric(typed.type) || typed.role == Role::version)) return mismatch(typed.type, Type::real);
    if (typed.type != Type::integer) type = Type::real;
    args.push_back(std::move(typed.expr));
  }
  return Typed{store::make(tree->op, std::move(args), type), type, Role::own};
}

Result<Typed> Typing::function(const Tree& tree) {
  const FunctionInfo& info = info_of(tree->function);
  CHECK_OK(check_arguments(info, tree->args));  // a tree need not come from our parser
  std::vector<ExprPtr> args;
  for (std::size_t i = 0; i < tree->args.size(); ++i) {
    TRY(Typed typed, value(tree->args[i]));
    const Type wanted = info.arguments[i];
    const bool joined = info.function == store::Function::concat && numeric(typed.type) && typed.role != Role::version;
    if (!same_kind(typed.type, wanted) || (typed.role == Role::version && !typed.is_null())) {
      if (typed.is_literal()) {
        TRY(typed, convert_literal(typed, wanted));
      } else if (!joined) {
        return mismatch(typed.type, wanted);
      }
    }
    args.push_back(std::move(typed.expr));
  }
  return Typed{store::call(info.function, std::move(args), info.result), info.result, Role::own};
}

}  // namespace mandate::tables::odata
