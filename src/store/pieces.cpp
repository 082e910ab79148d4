#include "store/pieces.h"

namespace mandate::store {

Task<std::int64_t> remove_bunch(Store& store, Bunch bunch, Permit* permit) {
  for (std::int64_t removed = 0;;) {
    Plan plan;
    plan.table = bunch.table;
    plan.select = bunch.key;
    plan.where = bunch.where;
    plan.limit = kPieceRows;
    Task<std::vector<Row>> reading = rows(store, std::move(plan));
    CO_TRY(const std::vector<Row> piece, co_await reading);
    if (piece.empty()) co_return removed;
    Batch batch;
    if (permit) {
      Task<std::vector<Mutation>> asking = permit->next();
      CO_TRY(batch.mutations, co_await asking);
    }
    for (const Row& row : piece) {
      ExprPtr same;
      for (const std::string& column : bunch.key) {
        ExprPtr equal = equals(column, row[column]);
        same = same ? both(std::move(same), std::move(equal)) : std::move(equal);
      }
      batch.add(remove(bunch.table, std::move(same)));
    }
    Task<Outcome> removing = store.mutate(std::move(batch));
    CO_TRY([[maybe_unused]] const Outcome outcome, co_await removing);
    removed += static_cast<std::int64_t>(piece.size());
    if (static_cast<std::int64_t>(piece.size()) < kPieceRows) co_return removed;
  }
}

}  // namespace mandate::store
