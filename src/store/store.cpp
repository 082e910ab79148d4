#include "store/store.h"

namespace mandate::store {

Mutation insert(std::string table, std::vector<Cell> cells) {
  Mutation m;
  m.kind = Mutation::Kind::insert;
  m.table = std::move(table);
  m.set = std::move(cells);
  return m;
}

Mutation upsert(std::string table, std::vector<std::string> key, std::vector<Cell> cells) {
  Mutation m = insert(std::move(table), std::move(cells));
  m.kind = Mutation::Kind::upsert;
  m.conflict_key = std::move(key);
  return m;
}

Mutation update(std::string table, ExprPtr where, std::vector<Cell> set) {
  Mutation m = insert(std::move(table), std::move(set));
  m.kind = Mutation::Kind::update;
  m.where = std::move(where);
  return m;
}

Mutation remove(std::string table, ExprPtr where) {
  Mutation m;
  m.kind = Mutation::Kind::remove;
  m.table = std::move(table);
  m.where = std::move(where);
  return m;
}

Mutation check(std::string table, ExprPtr where, Mutation::Expect expect, Code otherwise) {
  Mutation m = remove(std::move(table), std::move(where));
  m.kind = Mutation::Kind::check;
  m.expect = expect;
  m.otherwise = otherwise;
  return m;
}

Task<std::vector<Row>> rows(Store& store, Plan plan) {
  std::vector<Row> kept;
  std::shared_ptr<const std::vector<std::string>> names;
  std::function<bool(const RowView&)> keep = [&](const RowView& row) {
    if (!names) {
      auto list = std::make_shared<std::vector<std::string>>();
      for (std::size_t i = 0; i < row.size(); ++i) list->emplace_back(row.name(i));
      names = std::move(list);
    }
    std::vector<Value> cells;
    cells.reserve(row.size());
    for (std::size_t i = 0; i < row.size(); ++i) cells.push_back(row.value(i));
    kept.emplace_back(names, std::move(cells));
    return true;
  };
  Task<Store::Listed> reading = store.list(std::move(plan), keep);
  Result<Store::Listed> listed = co_await reading;
  CO_CHECK(std::move(listed));
  co_return std::move(kept);
}

}  // namespace mandate::store
