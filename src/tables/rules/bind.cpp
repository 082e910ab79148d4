#include "tables/rules/bind.h"

#include "base/url.h"
#include "store/text.h"
#include "tables/odata/functions.h"
#include "tables/odata/typing.h"

namespace mandate::tables::rules {
namespace {

using odata::Edm;
using odata::Tree;
using store::Expr;
using store::ExprPtr;
using store::Op;
using store::Value;

/// One side of a comparison.
struct Term {
  enum class What {
    known,    ///< the same for every row: `values` has it, several of a list, none where the caller does not have it
    of_row,   ///< `tree`
  };
  What what = What::known;
  bool list = false, moment = false, written_null = false;  ///< written_null: the word null
  std::vector<Value> values;
  Tree tree;
  const Relation* relation = nullptr;  ///< whose row; null = the row's own

  bool missing() const { return what == What::known && values.empty() && !list; }
  bool row() const { return what == What::of_row; }
};

Error refused(std::string text) { return Error(Code::invalid_request, std::move(text)); }

ExprPtr constant(bool value) {
  return store::make(Op::eq, {store::literal(std::int64_t(1)), store::literal(std::int64_t(value ? 1 : 0))});
}

Tree tree_of(const Term& term) {
  if (term.row()) return term.tree;
  if (term.moment) return odata::literal_of(term.values.front(), Edm::moment);
  return store::literal(term.values.empty() ? Value{} : term.values.front());
}

/// Dictionary order is for people who look for something.
ExprPtr exact(const ExprPtr& expr) {
  auto copy = std::make_shared<Expr>(*expr);
  copy->dictionary = false;
  for (ExprPtr& arg : copy->args) arg = exact(arg);
  return copy;
}

std::optional<double> number(const Value& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
  if (const auto* real = std::get_if<double>(&value)) return *real;
  return std::nullopt;
}

bool same(const Value& a, const Value& b) {
  const auto x = number(a), y = number(b);
  return x && y ? *x == *y : a == b;
}

/// <0, 0, >0; nullopt for values of which none is smaller.
std::optional<int> order(const Value& a, const Value& b) {
  const auto x = number(a), y = number(b);
  if (x && y) return *x < *y ? -1 : *x > *y ? 1 : 0;
  const auto *s = std::get_if<std::string>(&a), *t = std::get_if<std::string>(&b);
  if (s && t) return s->compare(*t);
  return std::nullopt;
}

void add_claim(Term& out, const Json& value) {
  if (value.is_string()) out.values.emplace_back(std::string(view(value.get_string())));
  else if (value.is_bool()) out.values.emplace_back(value.get_bool());
  else if (value.is_int64()) out.values.emplace_back(value.get_int64());
  else if (value.is_double()) out.values.emplace_back(value.get_double());
}

Term claim(const Json* value) {
  Term out;
  if (!value || value->is_null()) return out;
  if (const JsonArray* list = value->if_array()) {
    out.list = true;
    for (const Json& each : *list) add_claim(out, each);
  } else {
    add_claim(out, *value);
  }
  return out;
}

std::string_view word(identity::Level level) {
  switch (level) {
    case identity::Level::anonymous: return "anonymous";
    case identity::Level::application: return "application";
    case identity::Level::authenticated: return "authenticated";
    case identity::Level::admin: return "admin";
  }
  return "";
}

std::string joined(const std::vector<std::string>& path) {
  std::string out;
  for (const std::string& each : path) out += (out.empty() ? "" : ".") + each;
  return out.substr(0, 120);
}

Op op_of(Kind kind) {
  switch (kind) {
    case Kind::ne: return Op::ne;
    case Kind::lt: return Op::lt;
    case Kind::le: return Op::le;
    case Kind::gt: return Op::gt;
    case Kind::ge: return Op::ge;
    default: return Op::eq;
  }
}

class Binder {
 public:
  explicit Binder(const Scene& scene) : scene_(scene) {}

  Result<ExprPtr> condition(const Node& node, bool negated) {
    switch (node.kind) {
      case Kind::and_:
      case Kind::or_: {
        std::vector<ExprPtr> args;
        for (const NodePtr& arg : node.args) {
          TRY(ExprPtr each, condition(*arg, negated));
          args.push_back(std::move(each));
        }
        return store::make((node.kind == Kind::and_) != negated ? Op::and_ : Op::or_, std::move(args));
      }
      case Kind::not_: return condition(*node.args[0], !negated);
      case Kind::literal:
        if (const auto* truth = std::get_if<bool>(&node.value)) return constant(*truth != negated);
        break;
      case Kind::path: {
        TRY(const Term term, value(node));
        if (term.row()) return typed(term.tree, term.relation, negated);
        const bool truth = term.values.size() == 1 && term.values.front() == Value(true);
        return constant(truth != negated);
      }
      case Kind::eq:
      case Kind::ne:
      case Kind::lt:
      case Kind::le:
      case Kind::gt:
      case Kind::ge: return comparison(node, negated);
      case Kind::in:
      case Kind::contains:
      case Kind::starts_with:
      case Kind::ends_with: return search(node, negated);
      default: break;
    }
    return refused("'" + to_text(node).substr(0, 80) + "' is no condition");
  }

 private:
  Result<Term> value(const Node& node) {
    Term out;
    switch (node.kind) {
      case Kind::literal:
        out.written_null = store::is_null(node.value);
        if (!out.written_null) out.values.push_back(node.value);
        return out;
      case Kind::list:
        out.list = true;
        for (const NodePtr& arg : node.args) {
          TRY(Term each, value(*arg));
          if (each.row()) return refused("a list has values only, not columns");
          for (Value& one : each.values) out.values.push_back(std::move(one));
        }
        return out;
      case Kind::path: return named(node.path);
      case Kind::lower:
      case Kind::upper:
      case Kind::length: return function(node);
      default: return refused("'" + to_text(node).substr(0, 80) + "' is a condition, not a value");
    }
  }

  Result<Term> function(const Node& node) {
    TRY(Term of, value(*node.args[0]));
    if (of.list) return refused("a function takes one value, not a list");
    if (of.row()) {
      const std::string_view name = node.kind == Kind::lower ? "tolower" : node.kind == Kind::upper ? "toupper" : "length";
      of.tree = odata::call_of(*odata::find_function(name, odata::Grammar::v4), {of.tree});
      return of;
    }
    for (Value& each : of.values) {
      const auto* text = std::get_if<std::string>(&each);
      if (!text) return refused("'" + to_text(node).substr(0, 80) + "' is of a value that is no text");
      if (node.kind == Kind::length) each = store::length(*text);
      else each = node.kind == Kind::lower ? store::lower(*text) : store::upper(*text);
    }
    return of;
  }

  Result<Term> named(const std::vector<std::string>& path) {
    if (path[0] == "user") return of_user(path);
    if (path[0] == "request") {
      if (path.size() != 2 || path[1] != "time") return refused("there is no '" + joined(path) + "': request has time");
      Term out;
      out.moment = true;
      out.values.emplace_back(scene_.now - scene_.now % 1000);  // whole seconds: what is counted for one stays true for others
      return out;
    }
    if (path[0] == "item" || path[0] == "row") {
      if (path.size() != 2) return refused("'" + path[0] + "' is followed by a column: " + path[0] + ".title");
      if (path[0] == "item" && scene_.state == State::as_it_is) return refused("'item' is what is written: it is for insert, update and check");
      if (path[0] == "item" && scene_.state == State::changing) return sent(path[1]);
      return column(scene_.schema, path[1], nullptr);
    }
    if (path.size() == 1) return column(scene_.schema, path[0], nullptr);
    const Relation* relation = scene_.schema.relation(path[0]);
    if (!relation) return refused("there is no relation '" + path[0].substr(0, 80) + "'");
    if (path.size() > 2) return refused("'" + joined(path) + "' goes through more than one relation");
    return column(*relation->target, path[1], relation);
  }

  Result<Term> of_user(const std::vector<std::string>& path) {
    Term out;
    if (path.size() >= 3 && path[1] == "claims") {
      const Json* at = scene_.user ? scene_.user->claim(path[2]) : nullptr;
      for (std::size_t i = 3; at && i < path.size(); ++i) at = at->is_object() ? at->get_object().if_contains(path[i]) : nullptr;
      return claim(at);
    }
    if (path.size() != 2) return refused("there is no '" + joined(path) + "': user has id, level, provider, roles and claims.NAME");
    if (path[1] == "roles") {
      if (scene_.user)
        for (const std::string_view name : {"roles", "role"})
          if (const Json* roles = scene_.user->claim(name)) {
            out = claim(roles);
            break;
          }
      out.list = true;
      return out;
    }
    std::string text;
    if (path[1] == "id") text = scene_.user ? scene_.user->user_id : "somebody";
    else if (path[1] == "provider") text = scene_.user ? scene_.user->provider : "someone";
    else if (path[1] == "level") text = word(scene_.user ? scene_.user->level : identity::Level::authenticated);
    else return refused("there is no '" + joined(path) + "': user has id, level, provider, roles and claims.NAME");
    if (!text.empty()) out.values.emplace_back(std::move(text));
    return out;
  }

  /// Only what the configuration names: columns that come and go with the rows' members decide nothing.
  Result<Term> column(const Schema& schema, const std::string& name, const Relation* relation) {
    const bool own = role_of(Dialect::v4, name) == Role::own;
    const Declared* declared = own ? schema.declaration(name) : nullptr;
    const bool owner = own && !schema.owner_column.empty() && iequals(name, schema.owner_column);
    const auto field = schema.resolve(Dialect::v4, name);
    if (!field || (own && !declared && !owner))
      return refused("'" + name.substr(0, 80) + "' is not among the columns" + (relation ? " of '" + relation->name + "'" : std::string()));
    if (field->type == store::Type::json) return refused("'" + name + "' is JSON, which rules cannot look into");
    Term out;
    out.what = Term::What::of_row;
    out.tree = store::column(name);
    out.relation = relation;
    return out;
  }

  /// A member as it will be.
  Result<Term> sent(const std::string& name) {
    TRY(Term out, column(scene_.schema, name, nullptr));
    if (!scene_.item) return out;
    for (const store::Cell& cell : *scene_.item) {
      if (!iequals(cell.column, name) || std::holds_alternative<store::Stamp>(cell.value)) continue;
      const Declared* declared = scene_.schema.declaration(name);
      if (store::is_null(cell.value) || !declared || !declared->meaning) out.tree = store::literal(cell.value, store::is_null(cell.value) ? store::Type::unknown : scene_.schema.own(name)->type);
      else if (declared->edm == Edm::enumeration) out.tree = store::literal(odata::write_as(*declared->meaning, cell.value));
      else out.tree = odata::literal_of(cell.value, declared->edm);
    }
    return out;
  }

  Result<ExprPtr> comparison(const Node& node, bool negated) {
    TRY(Term a, value(*node.args[0]));
    TRY(Term b, value(*node.args[1]));
    if (a.list || b.list) return refused("'" + to_text(node).substr(0, 80) + "' compares a list: use 'in' or 'contains'");
    const bool equal = node.kind == Kind::eq, unequal = node.kind == Kind::ne;
    if (!a.row() && !b.row()) return constant(fold(node.kind, a, b) != negated);
    if ((a.missing() && !a.written_null) || (b.missing() && !b.written_null)) return constant(negated);
    if ((a.written_null || b.written_null) && !equal && !unequal) return constant(negated);
    TRY(const Relation* relation, whose(node, a, b));
    return typed(store::make(op_of(node.kind), {tree_of(a), tree_of(b)}), relation, negated);
  }

  static bool fold(Kind kind, const Term& a, const Term& b) {
    if (a.written_null || b.written_null) {
      const bool both = a.values.empty() && b.values.empty();
      return kind == Kind::eq ? both : kind == Kind::ne && !both;
    }
    if (a.values.empty() || b.values.empty()) return false;
    if (kind == Kind::eq) return same(a.values.front(), b.values.front());
    if (kind == Kind::ne) return !same(a.values.front(), b.values.front());
    const auto ordered = order(a.values.front(), b.values.front());
    if (!ordered) return false;
    switch (kind) {
      case Kind::lt: return *ordered < 0;
      case Kind::le: return *ordered <= 0;
      case Kind::gt: return *ordered > 0;
      default: return *ordered >= 0;
    }
  }

  /// in, contains, startsWith, endsWith.
  Result<ExprPtr> search(const Node& node, bool negated) {
    TRY(Term a, value(*node.args[0]));
    TRY(Term b, value(*node.args[1]));
    if (node.kind == Kind::in) {
      if (b.row()) return refused("'" + to_text(node).substr(0, 80) + "': behind 'in' stands a list");
      return member(node, a, b, negated);
    }
    if (node.kind == Kind::contains && a.list) return member(node, b, a, negated);
    if (a.list || b.list) return refused("'" + to_text(node).substr(0, 80) + "' searches in a list; 'contains' and 'in' do that");
    if (a.missing() || b.missing()) return constant(negated);
    if (!a.row() && !b.row()) {
      const auto *hay = std::get_if<std::string>(&a.values.front()), *needle = std::get_if<std::string>(&b.values.front());
      const bool found = hay && needle && (node.kind == Kind::contains      ? hay->find(*needle) != std::string::npos
                                           : node.kind == Kind::starts_with ? hay->starts_with(*needle)
                                                                            : hay->ends_with(*needle));
      return constant(found != negated);
    }
    TRY(const Relation* relation, whose(node, a, b));
    return typed(searching(node.kind, tree_of(a), tree_of(b)), relation, negated);
  }

  Result<ExprPtr> member(const Node& node, const Term& one, const Term& of, bool negated) {
    if (one.list) return refused("'" + to_text(node).substr(0, 80) + "' looks for a list in a list");
    if (one.missing() || of.values.empty()) return constant(negated);
    if (!one.row()) {
      const bool found = std::ranges::any_of(of.values, [&](const Value& each) { return same(each, one.values.front()); });
      return constant(found != negated);
    }
    if (of.values.size() > kMostMembers) return refused("a list has more than " + std::to_string(kMostMembers) + " values");
    std::vector<Tree> args{one.tree};
    for (const Value& each : of.values) args.push_back(store::literal(each));
    return typed(store::make(Op::in, std::move(args)), one.relation, negated);
  }

  /// With respect to letter case, which the functions of queries do not have.
  static Tree searching(Kind kind, const Tree& hay, const Tree& needle) {
    const auto call = [](std::string_view name, std::vector<Tree> args) {
      return odata::call_of(*odata::find_function(name, odata::Grammar::v4), std::move(args));
    };
    Tree found;
    if (kind == Kind::contains) {
      found = store::make(Op::ne, {call("replace", {hay, needle, store::literal(std::string())}), hay});
    } else if (kind == Kind::starts_with) {
      found = store::make(Op::eq, {call("substring", {hay, store::literal(std::int64_t(0)), call("length", {needle})}), needle});
    } else {
      const Tree long_enough = store::make(Op::ge, {call("length", {hay}), call("length", {needle})});
      const Tree from = store::make(Op::sub, {call("length", {hay}), call("length", {needle})});
      found = store::both(long_enough, store::make(Op::eq, {call("substring", {hay, from}), needle}));
    }
    const auto there = [](const Tree& tree) { return store::make(Op::ne, {tree, store::literal(Value{})}); };
    if (needle->op != Op::literal) found = store::both(there(needle), found);
    return hay->op != Op::literal ? store::both(there(hay), found) : found;
  }

  static Result<const Relation*> whose(const Node& node, const Term& a, const Term& b) {
    if (a.row() && b.row() && a.relation != b.relation) return refused("'" + to_text(node).substr(0, 80) + "' compares columns of two tables");
    return a.row() ? a.relation : b.relation;
  }

  /// The tree over the row, or over the row that `relation` leads to.
  Result<ExprPtr> typed(const Tree& tree, const Relation* relation, bool negated) {
    const odata::Setting setting{relation ? *relation->target : scene_.schema, Dialect::v4, false, scene_.now};
    odata::Typing typing(setting);
    auto done = typing.condition(tree, negated && !relation);
    if (!done.ok()) {
      const std::string& why = done.error().detail.empty() ? done.error().hint : done.error().detail;
      return refused("values that do not go together: " + why);
    }
    ExprPtr out = exact(*done);
    if (!relation) return out;
    const Schema& target = *relation->target;
    if (target.soft_delete) out = store::both(std::move(out), store::make(Op::eq, {store::column(std::string(system_column::kDeleted), store::Type::boolean), store::literal(false)}));
    const store::ColumnSpec* from = scene_.schema.own(relation->column);
    const ExprPtr value = store::column(from ? from->name : relation->column, from ? from->type : store::Type::text);
    const ExprPtr key = store::column(std::string(system_column::kId), target.integer_id ? store::Type::integer : store::Type::text);
    const ExprPtr found = store::among(value, target.physical, key, std::move(out));
    if (!negated) return found;
    return store::make(Op::or_, {store::make(Op::not_, {found}), store::make(Op::eq, {value, store::literal(Value{})})});
  }

  static constexpr std::size_t kMostMembers = 1000;
  const Scene& scene_;
};

std::string_view sign(Op op) {
  switch (op) {
    case Op::and_: return " and ";
    case Op::or_: return " or ";
    case Op::eq: return " = ";
    case Op::ne: return " <> ";
    case Op::lt: return " < ";
    case Op::le: return " <= ";
    case Op::gt: return " > ";
    case Op::ge: return " >= ";
    case Op::add: return " + ";
    case Op::sub: return " - ";
    case Op::mul: return " * ";
    case Op::div: return " / ";
    case Op::mod: return " % ";
    default: return ", ";
  }
}

std::string describe(const Value& value, store::Type type) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    std::string out = "'";
    for (const char c : *text) out += c == '\'' ? std::string("''") : std::string(1, c);
    return out + "'";
  }
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return type == store::Type::date ? iso8601(*whole) : std::to_string(*whole);
  if (const auto* real = std::get_if<double>(&value)) {
    std::string out;
    append_json_number(out, *real);
    return out;
  }
  return "null";
}

}  // namespace

Result<ExprPtr> bind(const Node& rule, const Scene& scene) { return Binder(scene).condition(rule, false); }

std::string describe(const store::Expr& e) {
  std::string out;
  const auto list = [&](std::size_t from, std::string_view between) {
    for (std::size_t i = from; i < e.args.size(); ++i) out += (i > from ? std::string(between) : "") + describe(*e.args[i]);
  };
  switch (e.op) {
    case Op::literal: return describe(e.value, e.type);
    case Op::column: return e.text;
    case Op::not_: return "not " + describe(*e.args[0]);
    case Op::negate: return "-" + describe(*e.args[0]);
    case Op::in:
      out = describe(*e.args[0]) + " in (";
      list(1, ", ");
      return out + ")";
    case Op::among:
      return describe(*e.args[0]) + " in (" + describe(*e.args[1]) + " of " + e.text + " where " + describe(*e.args[2]) + ")";
    case Op::call: {
      const odata::FunctionInfo* info = odata::info_of(e);
      out = std::string(info ? info->name : "function") + "(";
      list(0, ", ");
      return out + ")";
    }
    default:
      out = "(";
      list(0, sign(e.op));
      return out + ")";
  }
}

}  // namespace mandate::tables::rules
