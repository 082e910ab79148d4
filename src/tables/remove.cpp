// Delete and undelete. Where the table says soft, a delete is a mark with a new stamp, so that clients that sync see it.
#include "tables/core.h"
#include "tables/ids.h"
#include "tables/odata/to_plan.h"

namespace mandate::tables {
namespace {

std::vector<store::Cell> mark(bool deleted) {
  return {{std::string(system_column::kDeleted), deleted}, {std::string(system_column::kUpdated), store::Stamp{}}};
}

/// Rows of a delete by filter that go in one transaction: some ten milliseconds of the writer, who has others waiting.
constexpr std::size_t kPiece = 500;
/// Pieces in a row that met a row which had changed since it was read.
constexpr int kMostStuck = 20;

/// Ids and stamps of the rows of a condition behind the id `after`, in the order of their ids; at most a piece.
store::Plan piece_of(const Schema& schema, const store::ExprPtr& condition, const store::Value& after) {
  const store::ExprPtr id = store::column(std::string(system_column::kId), schema.integer_id ? store::Type::integer : store::Type::text);
  store::Plan plan;
  plan.table = schema.physical;
  plan.select = {std::string(system_column::kId), std::string(system_column::kUpdated)};
  plan.where = condition;
  if (!store::is_null(after)) plan.where = store::both(store::make(store::Op::gt, {id, store::literal(after)}), plan.where);
  plan.order.push_back({id, false});
  plan.limit = static_cast<std::int64_t>(kPiece);
  return plan;
}

/// A mutation for each row, so that each gets a stamp of its own; a row that has another stamp by now is left alone.
store::Batch removal_of(const Schema& schema, const std::vector<store::Row>& rows, const Reach& reach) {
  store::Batch batch;
  for (const store::Row& row : rows) {
    store::ExprPtr same = row_condition(schema, row[system_column::kId], false);
    store::ExprPtr unchanged = store::equals(std::string(system_column::kUpdated), row[system_column::kUpdated]);
    store::Mutation mutation = removal(schema, store::both(std::move(same), std::move(unchanged)));
    mutation.where = store::both(mutation.where, store::both(reach.visible, reach.touch));
    mutation.owner = reach.owner;
    if (schema.referred) {
      // What comes with the row's removal must not happen without it.
      mutation.expect = store::Mutation::Expect::one;
      mutation.otherwise = otherwise::kUntouched;
    }
    batch.add(std::move(mutation));
  }
  return batch;
}

/// The mutation of one row under an expected version; what it left, or why not.
Task<Answer> change_one(Tables::Impl& impl, OperationContext context, Catalogue::SchemaPtr schema, std::string id,
                        std::optional<std::string> expected_version, bool undelete) {
  const Operation operation = undelete ? Operation::undelete : Operation::remove;
  CO_TRY(Reach reach, reach_of(impl, context, *schema, operation));
  CO_TRY(store::Value key, id_of_url(*schema, id));
  std::vector<store::Mutation> then;
  if (!undelete && schema->referred) {
    // What refers to a row is nobody's business who may not delete it.
    Task<void> ask = check_removable(context, schema, key, id, reach);
    CO_CHECK(co_await ask);
    std::vector<store::Value> ids{key};
    Task<std::vector<store::Mutation>> follow = consequences_of(impl, context, schema, std::move(ids));
    CO_TRY(then, co_await follow);
  }
  const bool checked = expected_version && has_versions(*schema, context.dialect);
  store::ExprPtr condition = row_condition(*schema, key, undelete);
  const Millis stamp = checked ? stamp_of(*expected_version).value_or(-1) : 0;
  if (checked) condition = store::both(std::move(condition), store::equals(std::string(system_column::kUpdated), stamp));
  store::Mutation mutation = undelete ? store::update(schema->physical, std::move(condition), mark(false))
                                      : removal(*schema, std::move(condition));
  mutation.where = store::both(mutation.where, store::both(reach.visible, reach.touch));
  mutation.owner = reach.owner;
  mutation.returning = {"*"};
  Task<store::Touched> change = mutate_row(context, std::move(mutation), std::move(then));
  CO_TRY(store::Touched touched, co_await change);
  if (!touched.rows.empty()) {
    if (undelete) context.system.deleted = true;
    co_return row_answer(*schema, context, touched.rows.front(), nullptr);
  }
  const bool ruled = reach.touch != nullptr;
  Task<store::Row> get = current_row(context, schema, std::move(key), std::move(id), std::move(reach), undelete);
  CO_TRY(store::Row row, co_await get);
  if (ruled && (!checked || row.integer(system_column::kUpdated) == stamp)) co_return against_the_rules();
  if (!checked) co_return Error(Code::overloaded, "The item is changing. Try again.");
  impl.stale.add();
  co_return stale_answer(*schema, context.dialect, row);
}

}  // namespace

store::Mutation removal(const Schema& schema, store::ExprPtr condition) {
  if (schema.soft_delete) return store::update(schema.physical, std::move(condition), mark(true));
  return store::remove(schema.physical, std::move(condition));
}

Task<Answer> Tables::remove(OperationContext context, std::string id, std::optional<std::string> expected_version) {
  impl_->writes.add();
  Task<Catalogue::SchemaPtr> look = impl_->catalogue.get(context);
  CO_TRY(Catalogue::SchemaPtr schema, co_await look);
  Task<Answer> task = change_one(*impl_, std::move(context), std::move(schema), std::move(id), std::move(expected_version), false);
  CO_TRY(Answer answer, co_await task);
  co_return answer;
}

Task<Answer> Tables::undelete(OperationContext context, std::string id, std::optional<std::string> expected_version) {
  impl_->writes.add();
  Task<Catalogue::SchemaPtr> look = impl_->catalogue.get(context);
  CO_TRY(Catalogue::SchemaPtr schema, co_await look);
  if (!schema->soft_delete) co_return Error(Code::bad_request, "The table does not keep deleted items.");
  Task<Answer> task = change_one(*impl_, std::move(context), std::move(schema), std::move(id), std::move(expected_version), true);
  CO_TRY(Answer answer, co_await task);
  co_return answer;
}

// The rows are found as a read finds them, off the writer and under a read's limits, and then deleted by id, a piece at a
// time. With others writing meanwhile: each piece happens as a whole or not at all; a row goes only as it was when it
// matched, and one that changed since is matched anew; a row that begins to match behind the place already reached stays.
// An error in the middle (timeout, overloaded) leaves whole pieces deleted, and asking again goes on from there.
Task<Answer> Tables::remove_matching(OperationContext context, odata::Query query) {
  impl_->writes.add();
  Task<Catalogue::SchemaPtr> look = impl_->catalogue.get(context);
  CO_TRY(Catalogue::SchemaPtr schema, co_await look);
  CO_TRY(const Reach reach, reach_of(*impl_, context, *schema, Operation::remove));
  if (!query.filter) co_return Error(Code::bad_request, "A delete without an id needs a filter.");
  Answer answer;
  bool empty = false;
  CO_TRY(store::ExprPtr condition, odata::to_condition(query.filter, *schema, context.dialect, context.table->dynamic_schema, empty));
  if (empty) co_return answer;
  if (schema->soft_delete) condition = store::both(std::move(condition), store::equals(std::string(system_column::kDeleted), false));
  condition = store::both(std::move(condition), store::both(reach.visible, reach.touch));

  store::Store& store = *context.here.store;
  store::Value after;
  for (int stuck = 0; stuck < kMostStuck;) {
    store::Plan plan = piece_of(*schema, condition, after);
    plan.owner = reach.owner;
    plan.deadline = context.deadline;
    Task<std::vector<store::Row>> look = store::rows(store, std::move(plan));
    CO_TRY(const std::vector<store::Row> rows, co_await look);
    if (rows.empty()) co_return answer;
    store::Batch batch = removal_of(*schema, rows, reach);
    std::vector<store::Value> ids;
    if (schema->referred) {
      for (const store::Row& row : rows) ids.push_back(row[system_column::kId]);
      Task<std::vector<store::Mutation>> follow = consequences_of(*impl_, context, schema, std::move(ids));
      CO_TRY(std::vector<store::Mutation> then, co_await follow);
      for (store::Mutation& each : then) batch.add(std::move(each));
    }
    batch.deadline = context.deadline;
    Task<store::Outcome> change = store.mutate(std::move(batch));
    Result<store::Outcome> done = co_await change;
    if (!done.ok() && done.error().code == otherwise::kReferred) co_return Error(Code::conflict, "Other items refer to one of the items.");
    if (!done.ok() && done.error().code == otherwise::kUntouched) {
      ++stuck;
      continue;
    }
    CO_TRY(const store::Outcome outcome, std::move(done));
    std::size_t settled = 0;  // rows before the first that had changed; from there on it is read again
    bool changed = false;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      answer.count += outcome[i].count;
      changed = changed || outcome[i].count == 0;
      if (!changed) ++settled;
    }
    if (settled > 0) after = rows[settled - 1][system_column::kId];
    if (!changed && rows.size() < kPiece) co_return answer;
    stuck = changed ? stuck + 1 : 0;
  }
  co_return Error(Code::overloaded, "The items are changing. Try again.");
}

}  // namespace mandate::tables
