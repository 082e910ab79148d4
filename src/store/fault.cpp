#include "store/fault.h"

namespace mandate::store {

// A Task is lazy: the inner call does nothing until it is awaited here.
template <class T>
Task<T> FaultStore::counted(Task<T> call) {
  ++calls_;
  const bool fails = left_ > 0 && --left_ == 0;
  if (fails) fired_ = true;
  if (fails && when_ == When::before) co_return error_;
  Result<T> result = co_await call;
  if (fails) co_return error_;
  co_return result;
}

Task<std::optional<Row>> FaultStore::get(Plan plan) { return counted(inner_.get(std::move(plan))); }
Task<Store::Listed> FaultStore::list(Plan plan, std::function<bool(const RowView&)> each) {
  return counted(inner_.list(std::move(plan), std::move(each)));
}
Task<Outcome> FaultStore::mutate(Batch batch) { return counted(inner_.mutate(std::move(batch))); }
Task<void> FaultStore::ensure_table(std::string table, std::vector<ColumnSpec> columns) {
  return counted(inner_.ensure_table(std::move(table), std::move(columns)));
}
Task<void> FaultStore::ensure_indexes(std::string table, std::vector<IndexSpec> indexes) {
  return counted(inner_.ensure_indexes(std::move(table), std::move(indexes)));
}
Task<void> FaultStore::drop_table(std::string table) { return counted(inner_.drop_table(std::move(table))); }
Task<std::vector<ColumnSpec>> FaultStore::describe(std::string table) { return counted(inner_.describe(std::move(table))); }
Task<std::string> FaultStore::check() { return counted(inner_.check()); }

}  // namespace mandate::store
