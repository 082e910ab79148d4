#include "tables/tsql/joins.h"

#include <algorithm>

namespace mandate::tables::tsql {
namespace {

int family(const Value& value) {
  const Type type = type_of(value);
  return type == Type::null ? 0 : type == Type::text ? 3 : type == Type::date ? 2 : 1;
}

/// Whether it is made of columns of that source alone, and of at least one.
bool is_of(const Expr& e, std::size_t source, bool& any) {
  if (e.query || e.op == Op::aggregate || (e.function && e.function->changes)) return false;
  if (e.op == Op::column) {
    any = true;
    return e.level == 0 && e.source == source;
  }
  return std::all_of(e.args.begin(), e.args.end(), [&](const ExprPtr& arg) { return is_of(*arg, source, any); });
}

/// Whether it needs rows of that source or of one behind it.
bool needs(const Expr& e, std::size_t source) {
  if (e.query || (e.function && e.function->changes)) return true;
  if (e.op == Op::column && e.level == 0 && e.source >= source) return true;
  return std::any_of(e.args.begin(), e.args.end(), [&](const ExprPtr& arg) { return needs(*arg, source); });
}

}  // namespace

Index::Index(std::vector<Value> keys, bool exact) : keys_(std::move(keys)), exact_(exact) {
  sorted_.reserve(keys_.size());
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    if (is_null(keys_[i])) continue;
    sorted_.push_back(static_cast<std::uint32_t>(i));
    mixed_ = mixed_ || family(keys_[i]) != family(keys_[sorted_.front()]);
  }
  if (mixed_) return;
  std::sort(sorted_.begin(), sorted_.end(), [this](std::uint32_t a, std::uint32_t b) {
    const int order = compare_values(keys_[a], keys_[b]);
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
  if (mixed_ || family(value) != family(keys_[sorted_.front()])) return std::nullopt;
  const auto first = std::lower_bound(sorted_.begin(), sorted_.end(), value, [this](std::uint32_t row, const Value& v) { return compare_values(keys_[row], v) < 0; });
  const auto last = std::upper_bound(first, sorted_.end(), value, [this](const Value& v, std::uint32_t row) { return compare_values(v, keys_[row]) < 0; });
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
      bool any = false;
      if (is_of(mine, source, any) && any && !needs(other, source)) return Hint{&mine, &other, each->exact};
    }
  }
  return std::nullopt;
}

}  // namespace mandate::tables::tsql
