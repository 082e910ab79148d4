#include "store/expr.h"

namespace mandate::store {
namespace {

Type type_of(const Value& value) {
  switch (value.index()) {
    case 1: return Type::boolean;
    case 2: return Type::integer;
    case 3: return Type::real;
    case 4: return Type::text;
    default: return Type::unknown;
  }
}

}  // namespace

ExprPtr literal(Value value, Type type) {
  auto e = std::make_shared<Expr>();
  e->op = Op::literal;
  e->type = type == Type::unknown ? type_of(value) : type;
  e->value = std::move(value);
  return e;
}

ExprPtr column(std::string name, Type type) {
  auto e = std::make_shared<Expr>();
  e->op = Op::column;
  e->type = type;
  e->text = std::move(name);
  return e;
}

ExprPtr among(ExprPtr value, std::string table, ExprPtr key, ExprPtr condition) {
  auto e = std::make_shared<Expr>();
  e->op = Op::among;
  e->type = Type::boolean;
  e->text = std::move(table);
  e->args = {std::move(value), std::move(key), std::move(condition)};
  return e;
}

void tables_of(const ExprPtr& expr, std::vector<std::string>& out) {
  if (!expr) return;
  if (expr->op == Op::among) out.push_back(expr->text);
  for (const ExprPtr& arg : expr->args) tables_of(arg, out);
}

ExprPtr make(Op op, std::vector<ExprPtr> args, Type type) {
  auto e = std::make_shared<Expr>();
  e->op = op;
  e->type = type;
  e->args = std::move(args);
  return e;
}

ExprPtr call(Function function, std::vector<ExprPtr> args, Type type) {
  auto e = std::make_shared<Expr>();
  e->op = Op::call;
  e->function = function;
  e->type = type;
  e->args = std::move(args);
  return e;
}

ExprPtr equals(std::string column_name, Value value) {
  return make(Op::eq, {column(std::move(column_name)), literal(std::move(value))});
}

ExprPtr both(ExprPtr a, ExprPtr b) {
  if (!a) return b;
  if (!b) return a;
  return make(Op::and_, {std::move(a), std::move(b)});
}

}  // namespace mandate::store
