#include "tables/odata/query.h"

#include "base/clock.h"
#include "store/geo.h"
#include "tables/odata/edm.h"
#include "tables/odata/functions.h"

namespace mandate::tables::odata {
namespace {

using store::Op;
using store::Type;

std::string_view word(Op op) {
  switch (op) {
    case Op::and_: return "and";
    case Op::or_: return "or";
    case Op::eq: return "eq";
    case Op::ne: return "ne";
    case Op::lt: return "lt";
    case Op::le: return "le";
    case Op::gt: return "gt";
    case Op::ge: return "ge";
    case Op::add: return "add";
    case Op::sub: return "sub";
    case Op::mul: return "mul";
    case Op::div: return "div";
    case Op::mod: return "mod";
    default: return "";
  }
}

void append_quoted(std::string& out, std::string_view text) {
  out += '\'';
  for (char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  out += '\'';
}

void append_literal(std::string& out, const store::Expr& literal) {
  if (const auto* b = std::get_if<bool>(&literal.value)) {
    out += *b ? "true" : "false";
  } else if (const auto* i = std::get_if<std::int64_t>(&literal.value)) {
    switch (edm_of(literal)) {
      case Edm::moment:
        out += "datetime'";
        append_iso8601(out, *i);
        out += '\'';
        break;
      case Edm::date: out += write_date(*i); break;
      case Edm::time: out += write_time(*i); break;
      case Edm::duration: out += "duration'" + write_duration(*i) + '\''; break;
      default: out += std::to_string(*i);
    }
  } else if (const auto* d = std::get_if<double>(&literal.value)) {
    std::string number;
    append_json_number(number, *d);
    // A real stays a real, because division asks.
    if (number.find_first_of(".eE") == std::string::npos) number += ".0";
    out += number;
  } else if (const auto* s = std::get_if<std::string>(&literal.value)) {
    const auto point = edm_of(literal) == Edm::point ? store::point_of(*s) : std::nullopt;
    if (!point) return append_quoted(out, *s);
    out += "geography'POINT(";
    append_json_number(out, point->longitude);
    out += ' ';
    append_json_number(out, point->latitude);
    out += ")'";
  } else {
    out += "null";
  }
}

void append(std::string& out, const store::Expr& tree) {
  const auto list = [&](std::string_view separator) {
    for (std::size_t i = 0; i < tree.args.size(); ++i) {
      if (i) out += separator;
      append(out, *tree.args[i]);
    }
  };
  switch (tree.op) {
    case Op::literal: append_literal(out, tree); return;
    case Op::column: out += tree.text; return;
    case Op::not_:
      out += "not (";
      list("");
      out += ')';
      return;
    case Op::negate:
      out += "-(";
      list("");
      out += ')';
      return;
    case Op::in:
      out += '(';
      append(out, *tree.args[0]);
      out += " in (";
      for (std::size_t i = 1; i < tree.args.size(); ++i) {
        if (i > 1) out += ',';
        append(out, *tree.args[i]);
      }
      out += "))";
      return;
    case Op::call: {
      const FunctionInfo* info = info_of(tree);
      const std::string_view type = cast_type(tree);
      out += info ? info->name : "cast";
      out += '(';
      list(",");
      if (!type.empty()) out += ',', out += type;
      out += ')';
      return;
    }
    default:
      out += '(';
      list(" " + std::string(word(tree.op)) + " ");
      out += ')';
  }
}

Result<Tree> literal_of(const Json& value) {
  if (value.is_null()) return store::literal(store::Value{});
  if (value.is_bool()) return store::literal(value.get_bool(), Type::boolean);
  if (value.is_int64()) return store::literal(value.get_int64(), Type::integer);
  if (value.is_uint64()) return store::literal(static_cast<double>(value.get_uint64()), Type::real);
  if (value.is_double()) return store::literal(value.get_double(), Type::real);
  if (value.is_string()) return store::literal(std::string(view(value.get_string())), Type::text);
  return Error(Code::bad_request, "A condition compares with a single value.");
}

}  // namespace

void narrow(Query& query, Tree condition) { query.filter = store::both(query.filter, std::move(condition)); }

Result<Tree> equality_of(const JsonObject& members) {
  std::vector<Tree> all;
  for (const auto& member : members) {
    TRY(Tree value, literal_of(member.value()));
    all.push_back(store::make(Op::eq, {store::column(std::string(member.key())), std::move(value)}));
  }
  if (all.empty()) return Tree();
  if (all.size() == 1) return all[0];
  return store::make(Op::and_, std::move(all));
}

std::string to_text(const Tree& tree) {
  std::string out;
  if (tree) append(out, *tree);
  return out;
}

std::string to_text(const std::vector<Ordering>& order) {
  std::string out;
  for (const Ordering& ordering : order) {
    if (!out.empty()) out += ',';
    append(out, *ordering.by);
    if (ordering.descending) out += " desc";
  }
  return out;
}

}  // namespace mandate::tables::odata
