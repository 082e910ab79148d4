#include "tables/odata/typing.h"

#include "tables/odata/convert.h"
#include "tables/odata/functions.h"

namespace mandate::tables::odata {
namespace {

using store::Expr;
using store::ExprPtr;
using store::Op;
using store::Type;

ExprPtr with_dictionary(ExprPtr expr) {
  auto copy = std::make_shared<Expr>(*expr);
  copy->dictionary = true;
  return copy;
}

ExprPtr constant(bool value) { return store::literal(value, Type::boolean); }
ExprPtr is_null(const ExprPtr& expr, bool negated = false) { return store::make(negated ? Op::ne : Op::eq, {expr, store::literal(store::Value{})}); }

Op mirrored(Op op) {
  switch (op) {
    case Op::lt: return Op::gt;
    case Op::gt: return Op::lt;
    case Op::le: return Op::ge;
    case Op::ge: return Op::le;
    default: return op;
  }
}

Op opposite(Op op) {
  switch (op) {
    case Op::eq: return Op::ne;
    case Op::ne: return Op::eq;
    case Op::lt: return Op::ge;
    case Op::ge: return Op::lt;
    case Op::gt: return Op::le;
    case Op::le: return Op::gt;
    case Op::and_: return Op::or_;
    default: return Op::and_;
  }
}

bool is_condition(Op op) {
  switch (op) {
    case Op::and_:
    case Op::or_:
    case Op::not_:
    case Op::eq:
    case Op::ne:
    case Op::lt:
    case Op::le:
    case Op::gt:
    case Op::ge:
    case Op::in: return true;
    default: return false;
  }
}

/// Text beside text is compared in dictionary order, but ids and bytes as they are.
bool by_dictionary(const Typed& a, const Typed& b) {
  const auto text = [](const Typed& t) { return t.edm == Edm::text || t.edm == Edm::guid; };
  const auto exact = [](const Typed& t) { return t.role == Role::id || t.edm == Edm::binary; };
  return (text(a) || text(b)) && !exact(a) && !exact(b);
}

bool may_be_null(const Typed& side) { return !side.is_literal() && (side.role == Role::own || side.expr->op != Op::column); }

/// Brings two sides of a comparison to one kind.
Result<void> align(Typed& a, Typed& b) {
  if (same_kind(a.edm, b.edm)) {
    // A guid's column holds lower case, whatever the literal has.
    if (a.edm == Edm::guid && b.edm == Edm::text && b.is_literal()) {
      if (auto guid = convert_literal(b, Edm::guid); guid.ok()) b = *std::move(guid);
    }
    return {};
  }
  if (b.is_literal()) {
    TRY(b, convert_literal(b, a.edm, a.meaning.get()));
  } else if (a.is_literal()) {
    TRY(a, convert_literal(a, b.edm, b.meaning.get()));
  } else {
    return mismatch(a.edm, b.edm);
  }
  return {};
}

// A version is kept as a number and written as base64 of its bytes, whose order is the same.
Result<ExprPtr> version_comparison(Op op, const Typed& version, const Typed& other) {
  const auto* text = std::get_if<std::string>(&other.expr->value);
  if (!text) return mismatch(Edm::text, other.edm);
  const auto stamp = stamp_of(*text);
  if (!stamp) return constant(op == Op::ne);
  return store::make(op, {version.expr, store::literal(*stamp, Type::integer)});
}

/// The comparison of OData 4, which is never unknown. `op` is already the opposite one when `negated`.
ExprPtr decided(Op op, const Typed& a, const Typed& b, bool negated, ExprPtr plain) {
  std::vector<ExprPtr> any{std::move(plain)};
  if (op == Op::eq || op == Op::ne) {
    if (a.is_null() || b.is_null()) return any[0];  // IS [NOT] NULL
    const bool left = may_be_null(a), right = may_be_null(b);
    if (op == Op::eq) {
      if (left && right) any.push_back(store::make(Op::and_, {is_null(a.expr), is_null(b.expr)}));
    } else {
      if (left) any.push_back(right ? store::make(Op::and_, {is_null(a.expr), is_null(b.expr, true)}) : is_null(a.expr));
      if (right) any.push_back(left ? store::make(Op::and_, {is_null(a.expr, true), is_null(b.expr)}) : is_null(b.expr));
    }
  } else {
    if (a.is_null() || b.is_null()) return constant(negated);
    if (negated && may_be_null(a)) any.push_back(is_null(a.expr));
    if (negated && may_be_null(b)) any.push_back(is_null(b.expr));
  }
  return any.size() == 1 ? any[0] : store::make(Op::or_, std::move(any));
}

}  // namespace

Result<Typed> Typing::value(const Tree& tree) {
  if (is_condition(tree->op)) {
    TRY(ExprPtr expr, condition(tree));
    return Typed{std::move(expr), Edm::boolean};
  }
  switch (tree->op) {
    case Op::literal: return Typed{tree, edm_of(*tree)};
    case Op::column: return column(tree);
    case Op::call: return function(tree);
    default: return arithmetic(tree);
  }
}

Result<ExprPtr> Typing::condition(const Tree& tree, bool negated) {
  switch (tree->op) {
    case Op::and_:
    case Op::or_: {
      std::vector<ExprPtr> args;
      for (const Tree& arg : tree->args) {
        TRY(ExprPtr typed, condition(arg, negated));
        args.push_back(std::move(typed));
      }
      return store::make(negated ? opposite(tree->op) : tree->op, std::move(args));
    }
    case Op::not_: {
      if (two_valued()) return condition(tree->args[0], !negated);
      TRY(ExprPtr arg, condition(tree->args[0]));
      return store::make(Op::not_, {std::move(arg)});
    }
    case Op::eq:
    case Op::ne:
    case Op::lt:
    case Op::le:
    case Op::gt:
    case Op::ge: return comparison(tree, negated);
    case Op::in: return membership(tree, negated);
    default: break;
  }
  TRY(Typed typed, value(tree));
  ExprPtr expr = typed.expr;
  if (typed.edm == Edm::boolean) {
    if (expr->op == Op::column) expr = store::make(Op::eq, {expr, constant(!negated)});
    else if (negated) expr = store::make(Op::not_, {expr});
    return expr;
  }
  if (typed.edm == Edm::unknown) return expr;
  if (!two_valued() && numeric(typed.edm) && typed.role != Role::version) return store::make(Op::eq, {expr, store::literal(std::int64_t(1))});
  return mismatch(typed.edm, Edm::boolean);
}

Result<Typed> Typing::column(const Tree& tree) {
  if (auto field = setting_.schema.resolve(setting_.dialect, tree->text)) {
    const Edm edm = field->meaning ? field->meaning->edm : plain(field->type);
    return Typed{store::column(std::move(field->column), field->type), edm, field->role, std::move(field->meaning)};
  }
  if (!setting_.dynamic_schema || is_datasync(setting_.dialect)) return Error(Code::bad_request, "Invalid column name '" + tree->text + "'.");
  unknown_column_ = true;
  return Typed{store::literal(store::Value{}), Edm::unknown};
}

Result<std::pair<Typed, Typed>> Typing::sides(const Tree& tree) {
  TRY(Typed a, value(tree->args[0]));
  TRY(Typed b, value(tree->args[1]));
  return std::pair(std::move(a), std::move(b));
}

Result<ExprPtr> Typing::comparison(const Tree& tree, bool negated) {
  if (two_valued() && (tree->op == Op::eq || tree->op == Op::ne)) {
    // (a condition) eq true is the condition; a value of SQL would not say what is neither.
    for (const std::size_t i : {0U, 1U}) {
      const auto* truth = std::get_if<bool>(&tree->args[1 - i]->value);
      const FunctionInfo* info = tree->args[i]->op == Op::call ? info_of(*tree->args[i]) : nullptr;
      const bool decides = is_condition(tree->args[i]->op) || (info && info->result == Edm::boolean);
      if (truth && tree->args[1 - i]->op == Op::literal && decides)
        return condition(tree->args[i], (negated != (tree->op == Op::ne)) != !*truth);
    }
  }
  TRY(auto both, sides(tree));
  auto& [a, b] = both;
  const Op op = negated ? opposite(tree->op) : tree->op;
  if (a.role == Role::version && !b.is_null() && b.role != Role::version) return version_comparison(op, a, b);
  if (b.role == Role::version && !a.is_null() && a.role != Role::version) return version_comparison(mirrored(op), b, a);
  CHECK_OK(align(a, b));
  ExprPtr out = store::make(op, {a.expr, b.expr});
  if (by_dictionary(a, b)) out = with_dictionary(std::move(out));
  return two_valued() ? decided(op, a, b, negated, std::move(out)) : out;
}

Result<ExprPtr> Typing::membership(const Tree& tree, bool negated) {
  TRY(Typed left, value(tree->args[0]));
  std::vector<ExprPtr> args{left.expr}, versions;
  bool with_null = false, dictionary = false;
  for (std::size_t i = 1; i < tree->args.size(); ++i) {
    TRY(Typed member, value(tree->args[i]));
    with_null = with_null || member.is_null();
    if (left.role == Role::version && !member.is_null()) {
      TRY(ExprPtr one, version_comparison(Op::eq, left, member));
      versions.push_back(std::move(one));
      continue;
    }
    Typed mine = left;
    CHECK_OK(align(mine, member));
    if (mine.expr != left.expr) return mismatch(left.edm, member.edm);
    dictionary = dictionary || by_dictionary(left, member);
    args.push_back(std::move(member.expr));
  }
  ExprPtr out = store::make(Op::in, std::move(args));
  if (dictionary) out = with_dictionary(std::move(out));
  if (!versions.empty()) out = store::make(Op::or_, std::move(versions));
  if (!negated) return out;
  out = store::make(Op::not_, {std::move(out)});
  return with_null || !may_be_null(left) ? out : store::make(Op::or_, {std::move(out), is_null(left.expr)});
}

Result<Typed> Typing::arithmetic(const Tree& tree) {
  std::vector<ExprPtr> args;
  std::vector<Edm> kinds;
  bool whole = true;
  for (const Tree& arg : tree->args) {
    TRY(Typed typed, value(arg));
    if (typed.role == Role::version) return mismatch(Edm::text, Edm::real);
    whole = whole && typed.edm == Edm::integer;
    kinds.push_back(typed.edm);
    args.push_back(std::move(typed.expr));
  }
  const auto number = [](Edm edm) { return edm == Edm::unknown || edm == Edm::integer || edm == Edm::real; };
  if (std::all_of(kinds.begin(), kinds.end(), number)) {
    const Type type = whole ? Type::integer : Type::real;
    return Typed{store::make(tree->op, std::move(args), type), plain(type)};
  }
  // Time and its differences (OData 4.01 part 2, 5.1.1.2).
  const auto made = [&](Edm edm) { return Typed{store::make(tree->op, std::move(args), stored_as(edm)), edm}; };
  const Edm a = kinds.front(), b = kinds.back();
  const bool at_a = a == Edm::moment || a == Edm::date, at_b = b == Edm::moment || b == Edm::date;
  if (tree->op == Op::negate && a == Edm::duration) return made(a);
  if ((tree->op == Op::add || tree->op == Op::sub) && b == Edm::duration && (at_a || a == Edm::duration)) return made(at_a ? Edm::moment : a);
  if (tree->op == Op::add && a == Edm::duration && at_b) return made(Edm::moment);
  if (tree->op == Op::sub && at_a && at_b && two_valued()) return made(Edm::duration);
  return mismatch(number(a) ? b : a, Edm::real);
}

Result<Typed> Typing::function(const Tree& tree) {
  if (const std::string_view type = cast_type(*tree); !type.empty()) {
    TRY(Typed what, value(tree->args[0]));
    return cast(what, *edm_named(type));
  }
  const FunctionInfo* info = info_of(*tree);
  if (!info) return Error(Code::bad_request, "Bad request", "a call of no function");
  CHECK_OK(check_arguments(*info, tree->args));  // a tree need not come from our parser
  const bool concat = info->function == store::Function::concat;
  const bool clock = info->function == store::Function::hour || info->function == store::Function::minute || info->function == store::Function::second ||
                     info->function == store::Function::fraction;
  std::vector<ExprPtr> args;
  for (std::size_t i = 0; i < tree->args.size(); ++i) {
    TRY(Typed typed, value(tree->args[i]));
    const Edm wanted = info->arguments[i];
    const bool version = typed.role == Role::version && !typed.is_null();
    const bool joined = concat && numeric(typed.edm) && typed.edm != Edm::enumeration && !version;
    const bool fits = (same_kind(typed.edm, wanted) && !version) || joined || (clock && typed.edm == Edm::time);
    if (!fits || (joined && typed.is_literal())) {
      if (!typed.is_literal()) return mismatch(typed.edm, wanted);
      TRY(typed, convert_literal(typed, wanted));
    }
    args.push_back(std::move(typed.expr));
  }
  const auto literal = [](Millis at) { return Typed{literal_of(at, Edm::moment), Edm::moment}; };
  if (info->function != store::Function::none) return Typed{store::call(info->function, std::move(args), stored_as(info->result)), info->result};
  if (info->name == "contains") {
    std::swap(args[0], args[1]);
    return Typed{store::call(store::Function::substringof, std::move(args), Type::boolean), Edm::boolean};
  }
  if (info->name == "totalseconds") return Typed{store::make(Op::div, {args[0], store::literal(1000.0)}, Type::real), Edm::real};
  if (info->name == "totaloffsetminutes") return Typed{store::literal(std::int64_t(0)), Edm::integer};  // moments are kept in UTC
  if (info->name == "mindatetime") return literal(-62'135'596'800'000);
  if (info->name == "maxdatetime") return literal(253'402'300'799'999);
  if (!setting_.now) return Error(Code::bad_request, "The function 'now' is not supported here.");
  return literal(*setting_.now);
}

}  // namespace mandate::tables::odata
