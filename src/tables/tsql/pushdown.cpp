#include "tables/tsql/pushdown.h"

#include "tables/tsql/machine.h"

namespace mandate::tables::tsql {
namespace {

using Role = TableInfo::Role;
using store::ExprPtr;

constexpr std::size_t kMostAlternatives = 200;

/// A condition for the store; `exact` when it says the same as the one it was made of.
struct Made {
  ExprPtr condition;
  bool exact = true;
};

store::Type type_for(const TableInfo::Column& column) {
  switch (column.type) {
    case Type::bit: return store::Type::boolean;
    case Type::integer: return store::Type::integer;
    case Type::real: return store::Type::real;
    case Type::date: return store::Type::date;
    default: return store::Type::text;
  }
}

ExprPtr column_of(const TableInfo::Column& column) { return store::column(column.store, type_for(column)); }

class Maker {
 public:
  Maker(const Load& load, const std::vector<Value>& values, const Surroundings& around) : load_(load), values_(values), around_(around) {
    for (const Source& source : load.select->sources) outer_joins_ = outer_joins_ || source.join == Join::left || source.join == Join::right || source.join == Join::full;
  }

  /// nullopt: nothing the store could use.
  std::optional<Made> condition(const Expr& e) const {
    switch (e.op) {
      case Op::and_: return all(e);
      case Op::or_: return any(e);
      case Op::eq:
      case Op::ne:
      case Op::lt:
      case Op::le:
      case Op::gt:
      case Op::ge: return comparison(e);
      case Op::between: {
        if (e.negated || !column(*e.args[0])) return std::nullopt;
        const auto from = against(Op::ge, *e.args[0], *e.args[1]), to = against(Op::le, *e.args[0], *e.args[2]);
        if (!from || !to) return std::nullopt;
        return Made{store::both(from->condition, to->condition), from->exact && to->exact};
      }
      case Op::in_list: return member(e);
      case Op::is_null: {
        // What an outer join fills up is null only later.
        const auto* found = outer_joins_ ? nullptr : column(*e.args[0]);
        if (!found) return std::nullopt;
        return Made{store::make(e.negated ? store::Op::ne : store::Op::eq, {column_of(*found), store::literal({})})};
      }
      case Op::like: return like_of(e);
      default: return std::nullopt;
    }
  }

 private:
  /// The column of our source that `e` is, when the store has it as it looks.
  const TableInfo::Column* column(const Expr& e) const {
    if (e.op != Op::column || e.level != 0 || e.source != load_.source) return nullptr;
    const TableInfo::Column& found = load_.table->columns[e.slot];
    return found.opaque() ? nullptr : &found;
  }

  std::optional<Made> all(const Expr& e) const {
    Made out;
    std::vector<ExprPtr> parts;
    for (const auto& arg : e.args) {
      const auto each = condition(*arg);
      out.exact = out.exact && each && each->exact;
      if (each) parts.push_back(each->condition);
    }
    if (parts.empty()) return std::nullopt;
    out.condition = store::make(store::Op::and_, std::move(parts));
    return out;
  }

  std::optional<Made> any(const Expr& e) const {
    Made out;
    std::vector<ExprPtr> parts;
    if (e.args.size() > kMostAlternatives) return std::nullopt;
    for (const auto& arg : e.args) {
      const auto each = condition(*arg);
      if (!each) return std::nullopt;
      out.exact = out.exact && each->exact;
      parts.push_back(each->condition);
    }
    out.condition = store::make(store::Op::or_, std::move(parts));
    return out;
  }

  std::optional<Made> comparison(const Expr& e) const {
    if (column(*e.args[0])) return against(e.op, *e.args[0], *e.args[1]);
    if (!column(*e.args[1])) return std::nullopt;
    const Op turned = e.op == Op::lt ? Op::gt : e.op == Op::le ? Op::ge : e.op == Op::gt ? Op::lt : e.op == Op::ge ? Op::le : e.op;
    return against(turned, *e.args[1], *e.args[0]);
  }

  std::optional<Made> member(const Expr& e) const {
    if (e.negated || e.args.size() > kMostAlternatives) return std::nullopt;
    Made out;
    std::vector<ExprPtr> parts;
    for (std::size_t i = 1; i < e.args.size(); ++i) {
      const auto each = against(Op::eq, *e.args[0], *e.args[i]);
      if (!each) return std::nullopt;
      out.exact = out.exact && each->exact;
      parts.push_back(each->condition);
    }
    out.condition = store::make(store::Op::or_, std::move(parts));
    return out;
  }

  std::optional<Value> known(const Expr& e) const {
    if (!constant(e)) return std::nullopt;
    Result<Value> value = value_of(e, values_, around_);
    if (!value.ok() || is_null(*value)) return std::nullopt;
    return *std::move(value);
  }

  std::optional<Made> against(Op op, const Expr& left, const Expr& right) const {
    const TableInfo::Column* mine = column(left);
    const std::optional<Value> value = mine ? known(right) : std::nullopt;
    if (!value) return std::nullopt;
    if (mine->type == Type::text) return text_against(op, *mine, *value);
    if (mine->type == Type::bit) {
      // 0 and 1 are all there is.
      const auto bit = convert(*value, higher(Type::integer, type_of(*value)));
      if (!bit.ok() || (op != Op::eq && op != Op::ne)) return std::nullopt;
      const auto one = compare(*bit, Value(std::int64_t(1))), zero = compare(*bit, Value(std::int64_t(0)));
      if (!one.ok() || !zero.ok() || (*one != 0 && *zero != 0)) return std::nullopt;
      return Made{store::make(op_of(op), {column_of(*mine), store::literal(*one == 0, store::Type::boolean)})};
    }
    const Type type = higher(mine->type, type_of(*value));
    if (type != mine->type) return std::nullopt;
    const auto made = convert(*value, type);
    if (!made.ok()) return std::nullopt;
    return Made{store::make(op_of(op), {column_of(*mine), literal_of(*made)})};
  }

  /// Texts are equal whatever blanks they end with: those that end with one are looked at later.
  std::optional<Made> text_against(Op op, const TableInfo::Column& mine, const Value& value) const {
    const auto* text = std::get_if<std::string>(&value);
    if (!text || op != Op::eq) return std::nullopt;
    if (mine.role == Role::id || mine.exact) return Made{store::equals(mine.store, *text)};
    auto same = std::make_shared<store::Expr>(*store::make(store::Op::eq, {column_of(mine), store::literal(std::string(without_trailing_blanks(*text)), store::Type::text)}));
    same->dictionary = true;
    ExprPtr blank = store::call(store::Function::endswith, {column_of(mine), store::literal(std::string(" "), store::Type::text)}, store::Type::boolean);
    return Made{store::make(store::Op::or_, {std::move(same), std::move(blank)}), false};
  }

  /// What a pattern without other wildcards has between its percent signs is in the text.
  std::optional<Made> like_of(const Expr& e) const {
    const TableInfo::Column* mine = e.negated || e.args.size() > 2 ? nullptr : column(*e.args[0]);
    if (!mine || mine->type != Type::text) return std::nullopt;
    const auto value = known(*e.args[1]);
    const auto* pattern = value ? std::get_if<std::string>(&*value) : nullptr;
    if (!pattern) return std::nullopt;
    std::string_view middle = *pattern;
    while (middle.starts_with('%')) middle.remove_prefix(1);
    while (middle.ends_with('%')) middle.remove_suffix(1);
    if (middle.empty() || middle.find_first_of("%_[]") != std::string_view::npos) return std::nullopt;
    return Made{store::call(store::Function::substringof, {store::literal(std::string(middle), store::Type::text), column_of(*mine)}, store::Type::boolean), false};
  }

  static ExprPtr literal_of(const Value& value) {
    if (const auto* whole = std::get_if<std::int64_t>(&value)) return store::literal(*whole, store::Type::integer);
    if (const auto* real = std::get_if<double>(&value)) return store::literal(*real, store::Type::real);
    return store::literal(std::get<Moment>(value).ms, store::Type::date);
  }

  static store::Op op_of(Op op) {
    switch (op) {
      case Op::eq: return store::Op::eq;
      case Op::ne: return store::Op::ne;
      case Op::lt: return store::Op::lt;
      case Op::le: return store::Op::le;
      case Op::gt: return store::Op::gt;
      default: return store::Op::ge;
    }
  }

  const Load& load_;
  const std::vector<Value>& values_;
  const Surroundings& around_;
  bool outer_joins_ = false;
};

std::optional<std::int64_t> known_count(const Expr* e, const std::vector<Value>& values, const Surroundings& around) {
  if (!e || !constant(*e)) return std::nullopt;
  const auto value = value_of(*e, values, around);
  if (!value.ok()) return std::nullopt;
  const auto number = convert(*value, Type::integer);
  const auto* whole = number.ok() ? std::get_if<std::int64_t>(&*number) : nullptr;
  if (!whole || *whole < 0 || *whole > 1'000'000'000) return std::nullopt;
  return *whole;
}

}  // namespace

Reading reading_of(const Load& load, const std::vector<Value>& values, const Surroundings& around) {
  Reading out;
  const TableInfo& table = *load.table;
  out.plan.table = table.physical;
  const std::size_t id = table.slot_of(Role::id);
  for (std::size_t slot = 0; slot < table.columns.size(); ++slot) {
    if (!load.used[slot] && slot != id) continue;
    out.plan.select.push_back(table.columns[slot].store);
    out.slots.push_back(slot);
  }
  out.plan.order.push_back({store::column(table.columns[id].store, type_for(table.columns[id])), false});
  out.exact = true;
  if (!load.select) return out;
  const Select& select = *load.select;
  const Maker maker(load, values, around);
  const auto add = [&](const Expr* e) {
    if (!e) return true;
    const auto made = maker.condition(*e);
    if (made) out.plan.where = store::both(out.plan.where, made->condition);
    return made && made->exact;
  };
  out.exact = add(select.where.get());
  for (std::size_t i = 0; i < select.sources.size(); ++i) {
    const Join join = select.sources[i].join;
    if (join == Join::inner || (join == Join::left && i == load.source)) (void)add(select.sources[i].on.get());
  }
  return out;
}

void narrow(Reading& reading, const Query& query, const Load& load, const std::vector<Value>& values, const Surroundings& around) {
  if (query.selects.size() != 1 || !reading.exact) return;
  const Select& select = query.selects.front();
  if (&select != load.select || select.sources.size() != 1 || select.grouped || select.distinct || select.percent || select.ties) return;
  auto most = known_count(select.top.get(), values, around);
  if (query.fetch) {
    const auto fetch = known_count(query.fetch.get(), values, around), offset = known_count(query.offset.get(), values, around);
    if (!fetch || !offset) return;
    most = *fetch + *offset;
  } else if (query.offset) {
    return;
  }
  if (!most) return;
  std::vector<store::Order> order;
  for (const Ordering& ordering : query.order) {
    const Expr& by = ordering.item ? *select.items[*ordering.item].value : *ordering.by;
    if (by.op != Op::column || by.level != 0) return;
    const TableInfo::Column& column = load.table->columns[by.slot];
    if (column.opaque()) return;
    auto key = std::make_shared<store::Expr>(*column_of(column));
    key->dictionary = column.type == Type::text;
    order.push_back({std::move(key), ordering.descending});
  }
  for (const store::Order& each : reading.plan.order) order.push_back(each);
  reading.plan.order = std::move(order);
  reading.plan.limit = *most;
}

bool only_counts(const Query& query, const Reading& reading) {
  if (query.selects.size() != 1 || !reading.exact || query.offset) return false;
  const Select& select = query.selects.front();
  if (select.sources.size() != 1 || !select.group.empty() || select.having || select.distinct || select.top) return false;
  return std::all_of(select.items.begin(), select.items.end(), [](const Item& item) { return item.value->op == Op::aggregate && item.value->aggregate == Aggregate::count_rows; });
}

}  // namespace mandate::tables::tsql
