#include "tables/tsql/joins.h"

#include <algorithm>

namespace mandate::tables::tsql {
namespace {

int family(const Value& value) {
  const Type type = type_of(value);
  return type == Type::null ? 0 : type == Type::text ? 3 : type == Type::date ? 2 : 1;
}

/// Whether it needs rows of that source or of one behind it.
bool needs(const Expr& e, std::size_t source) {
  if (e.query || (e.function && e.function->changes)) return true;
  if (e.op == Op::column && e.level == 0 && e.source >= source) return true;
  return std::any_of(e.args.begin(), e.args.end(), [&](const ExprPtr& arg) { return needs(*arg, source); });
}

}  // namespace

Index::Index(const Rows& rows, std::size_t slot, bool exact) : rows_(rows), slot_(slot), exact_(exact) {
  sorted_.reserve(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (is_null(rows[i][slot])) continue;
    sorted_.push_back(static_cast<std::uint32_t>(i));
    mixed_ = mixed_ || family(rows[i][slot]) != family(rows[sorted_.front()][slot]);
  }
  if (mixed_) return;
  std::sort(sorted_.begin(), sorted_.end(), [this](std::uint32_t a, std::uint32_t b) {
    const int order = compare_values(rows_[a][slot_], rows_[b][slot_]);
    return order < 0 || (order == 0 && a < b);
  });
}

int Index::compare_values(const Value& a, const Value& b) const {
  if (exact_)
    if (const auto* text = std::get_if<std::string>(&a)) return text->compare(std::get<std::string>(b));
  return order(a, b);
}

std::optional<std::vector<std::uint32_t>> Index::find(const Value& value) const {
  if (is_null(value) || sorted_.empty()) return std::vector<std::uint32_t>();
  if (mixed_ || family(value) != family(rows_[sorted_.front()][slot_])) return std::nullopt;
  const auto first = std::lower_bound(sorted_.begin(), sorted_.end(), value, [this](std::uint32_t row, const Value& v) { return compare_values(rows_[row][slot_], v) < 0; });
  const auto last = std::upper_bound(first, sorted_.end(), value, [this](const Value& v, std::uint32_t row) { return compare_values(v, rows_[row][slot_]) < 0; });
  return std::vector<std::uint32_t>(first, last);
}

std::vector<const Expr*> conjuncts(const Expr* condition) {
  std::vector<const Expr*> out;
  if (!condition) return out;
  if (condition->op != Op::and_) return {condition};
  for (const ExprPtr& arg : condition->args)
    for (const Expr* each : conjuncts(arg.get())) out.push_back(each);
  return out;
}

std::optional<Hint> hint_for(const Expr* condition, std::size_t source) {
  for (const Expr* each : conjuncts(condition)) {
    if (each->op != Op::eq) continue;
    for (const int side : {0, 1}) {
      const Expr& mine = *each->args[static_cast<std::size_t>(side)];
      const Expr& other = *each->args[static_cast<std::size_t>(1 - side)];
      if (mine.op == Op::column && mine.level == 0 && mine.source == source && !needs(other, source)) return Hint{mine.slot, &other, each->exact};
    }
  }
  return std::nullopt;
}

}  // namespace mandate::tables::tsql
