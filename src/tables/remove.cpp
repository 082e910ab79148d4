// Delete and undelete. Where the table says soft, a delete is a mark with a new stamp, so that clients that sync see it.
#include "tables/core.h"
#include "tables/ids.h"
#include "tables/odata/to_plan.h"

namespace mandate::tables {
namespace {

std::vector<store::Cell> mark(bool deleted) {
  return {{std::string(system_column::kDeleted), deleted}, {std::string(system_column::kUpdated), store::Stamp{}}};
}

store::Mutation removal(const Schema& schema, store::ExprPtr condition) {
  if (schema.soft_delete) return store::update(schema.physical, std::move(condition), mark(true));
  return store::remove(schema.physical, std::move(condition));
}

/// The mutation of one row under an expected version; what it left, or why not.
Task<Answer> change_one(Tables::Impl& impl, OperationContext context, Catalogue::SchemaPtr schema, std::string id,
                        std::optional<std::string> expected_version, bool undelete) {
  CO_TRY(std::optional<store::Owner> owner, owner_of(context));
  CO_TRY(store::Value key, id_of_url(*schema, id));
  const bool checked = expected_version && has_versions(*schema, context.dialect);
  store::ExprPtr condition = row_condition(*schema, key, undelete);
  const Millis stamp = checked ? stamp_of(*expected_version).value_or(-1) : 0;
  if (checked) condition = store::both(std::move(condition), store::equals(std::string(system_column::kUpdated), stamp));
  store::Mutation mutation = undelete ? store::update(schema->physical, std::move(condition), mark(false))
                                      : removal(*schema, std::move(condition));
  mutation.owner = owner;
  mutation.returning = {"*"};
  Task<store::Touched> change = mutate_one(context, std::move(mutation));
  CO_TRY(store::Touched touched, co_await change);
  if (!touched.rows.empty()) {
    if (undelete) context.system.deleted = true;
    co_return row_answer(*schema, context, touched.rows.front(), nullptr);
  }
  Task<store::Row> get = current_row(context, schema, std::move(key), std::move(id), std::move(owner), undelete);
  CO_TRY(store::Row row, co_await get);
  if (!checked) co_return Error(Code::overloaded, "The item is changing. Try again.");
  impl.stale.add();
  co_return stale_answer(*schema, context.dialect, row);
}

}  // namespace

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

Task<Answer> Tables::remove_matching(OperationContext context, odata::Query query) {
  impl_->writes.add();
  Task<Catalogue::SchemaPtr> look = impl_->catalogue.get(context);
  CO_TRY(Catalogue::SchemaPtr schema, co_await look);
  CO_TRY(std::optional<store::Owner> owner, owner_of(context));
  if (!query.filter) co_return Error(Code::bad_request, "A delete without an id needs a filter.");
  Answer answer;
  bool empty = false;
  CO_TRY(store::ExprPtr condition, odata::to_condition(query.filter, *schema, context.dialect, context.table->dynamic_schema, empty));
  if (empty) co_return answer;
  if (schema->soft_delete) condition = store::both(std::move(condition), store::equals(std::string(system_column::kDeleted), false));
  store::Mutation mutation = removal(*schema, std::move(condition));
  mutation.owner = std::move(owner);
  Task<store::Touched> change = mutate_one(context, std::move(mutation));
  CO_TRY(store::Touched touched, co_await change);
  answer.count = touched.count;
  co_return answer;
}

}  // namespace mandate::tables
