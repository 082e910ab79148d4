// Reading a shape must visit values in exactly the order in which the engines number parameters.
#include <strings.h>

#include "store/shape.h"

namespace mandate::store {
namespace {

void put(std::string& key, std::string_view text) {
  // The length first: no name can be mistaken for the end of itself and the start of the next.
  const auto size = static_cast<std::uint32_t>(text.size());
  key.append(reinterpret_cast<const char*>(&size), sizeof size);
  key += text;
}

void put(std::string& key, unsigned char byte) { key += static_cast<char>(byte); }

void read(const Expr& e, Shape& out) {
  put(out.key, static_cast<unsigned char>(e.op));
  put(out.key, static_cast<unsigned char>(static_cast<unsigned>(e.type) << 1 | (e.dictionary ? 1U : 0U)));
  switch (e.op) {
    case Op::literal:
      put(out.key, static_cast<unsigned char>(e.value.index()));
      if (!is_null(e.value)) out.bound.push_back({&e.value});
      return;
    case Op::column: put(out.key, e.text); return;
    case Op::among: put(out.key, e.text); break;
    case Op::call: put(out.key, static_cast<unsigned char>(e.function)); break;
    default: break;
  }
  const auto count = static_cast<std::uint32_t>(e.args.size());
  out.key.append(reinterpret_cast<const char*>(&count), sizeof count);
  for (const ExprPtr& arg : e.args) read(*arg, out);
}

void read(const std::optional<Owner>& owner, Shape& out) {
  put(out.key, static_cast<unsigned char>(owner.has_value()));
  if (!owner) return;
  put(out.key, owner->column);
  out.bound.push_back({&owner->value});
}

void read(const ExprPtr& where, Shape& out) {
  put(out.key, static_cast<unsigned char>(where != nullptr));
  if (where) read(*where, out);
}

}  // namespace

void read_shape(const Plan& plan, Wanted wanted, Shape& out) {
  put(out.key, static_cast<unsigned char>(wanted));
  put(out.key, plan.table);
  read(plan.owner, out);
  read(plan.where, out);
  if (wanted == Wanted::count) return;
  put(out.key, static_cast<unsigned char>(plan.select.empty()));
  for (const std::string& name : plan.select) put(out.key, name);
  put(out.key, "");
  for (const Order& order : plan.order) {
    put(out.key, static_cast<unsigned char>(order.descending ? 'd' : 'a'));
    read(*order.by, out);
  }
  if (wanted == Wanted::first) return put(out.key, plan.offset ? std::to_string(plan.offset) : std::string());
  put(out.key, static_cast<unsigned char>(plan.limit || plan.offset ? 'l' : 'n'));
  if (!plan.limit && !plan.offset) return;
  out.bound.push_back({nullptr, plan.limit.value_or(-1)});
  out.bound.push_back({nullptr, plan.offset});
}

void read_shape(const Mutation& m, Shape& out, bool returning) {
  put(out.key, static_cast<unsigned char>(0x80 | static_cast<unsigned>(m.kind) | (m.hold ? 0x40U : 0U)));
  put(out.key, m.table);
  const auto cells = cells_of(m);
  for (const Cell* cell : cells) {
    put(out.key, cell->column);
    out.bound.push_back({&cell->value});
  }
  put(out.key, "");
  for (const std::string& name : m.conflict_key) put(out.key, name);
  put(out.key, "");
  if (returning)
    for (const std::string& name : m.returning) put(out.key, name);
  put(out.key, "");
  read(m.owner, out);
  if (m.kind != Mutation::Kind::insert && m.kind != Mutation::Kind::upsert) read(m.where, out);
}

std::vector<const Cell*> cells_of(const Mutation& m) {
  std::vector<const Cell*> cells;
  cells.reserve(m.set.size());
  for (const Cell& cell : m.set)
    if (!m.owner || ::strcasecmp(cell.column.c_str(), m.owner->column.c_str()) != 0) cells.push_back(&cell);
  return cells;
}

bool whole(const Expr& e) {
  if (e.op == Op::literal || e.op == Op::column || e.op == Op::call) return e.type == Type::integer;
  if (e.op == Op::negate || e.op == Op::add || e.op == Op::sub || e.op == Op::mul || e.op == Op::div || e.op == Op::mod) {
    if (e.type == Type::real) return false;
    for (const ExprPtr& arg : e.args)
      if (!whole(*arg)) return false;
    return true;
  }
  return false;
}

bool null_literal(const Expr& e) { return e.op == Op::literal && is_null(e.value); }

bool by_dictionary(const Expr& e) {
  if (e.dictionary) return true;
  for (const ExprPtr& arg : e.args)
    if (arg->dictionary) return true;
  return false;
}

bool met(Mutation::Expect expect, std::int64_t count) {
  switch (expect) {
    case Mutation::Expect::one: return count == 1;
    case Mutation::Expect::at_least_one: return count >= 1;
    case Mutation::Expect::none: return count == 0;
    default: return true;
  }
}

}  // namespace mandate::store
