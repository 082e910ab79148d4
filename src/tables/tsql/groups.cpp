#include "tables/tsql/groups.h"

namespace mandate::tables::tsql {

int compare_rows(const Row& a, const Row& b) {
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i)
    if (const int way = order(a[i], b[i]); way != 0) return way;
  return 0;
}

Result<void> Fold::add(Value value) {
  if (is_null(value)) return {};
  if (e_.distinct && !seen_.insert(value).second) return {};
  ++count_;
  switch (e_.aggregate) {
    case Aggregate::count_rows:
    case Aggregate::count: return {};
    case Aggregate::min:
    case Aggregate::max:
      if (is_null(folded_) || (order(value, folded_) < 0) == (e_.aggregate == Aggregate::min)) {
        // Of equals the first stays.
        if (is_null(folded_) || order(value, folded_) != 0) folded_ = std::move(value);
      }
      return {};
    case Aggregate::sum:
    case Aggregate::avg: break;
  }
  const Type type = type_of(value);
  if (type != Type::integer && type != Type::real) return fault("Operand data type " + std::string(name_of(type)) + " is invalid for this aggregate function", e_.at);
  if (is_null(folded_)) {
    folded_ = std::move(value);
    return {};
  }
  TRY(folded_, arithmetic('+', folded_, value));
  return {};
}

Result<Value> Fold::result() const {
  if (e_.aggregate == Aggregate::count || e_.aggregate == Aggregate::count_rows) return Value(count_);
  if (e_.aggregate == Aggregate::avg && count_ > 0) return arithmetic('/', folded_, Value(count_));
  return folded_;
}

}  // namespace mandate::tables::tsql
