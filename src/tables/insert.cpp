// Insert: columns fitted, id and stamps made, one mutation.
#include "tables/core.h"
#include "tables/ids.h"

namespace mandate::tables {
namespace {

Task<store::Value> id_for(Tables::Impl& impl, const OperationContext& context, const Schema& schema, std::optional<std::string> chosen) {
  if (chosen) co_return store::Value(std::move(*chosen));
  if (!schema.integer_id) {
    std::string id = impl.random.uuid7(impl.clock.now_ms());
    if (is_datasync(context.dialect)) std::erase(id, '-');
    co_return store::Value(std::move(id));
  }
  Task<std::int64_t> next = impl.catalogue.next_id(context);
  CO_TRY(std::int64_t id, co_await next);
  co_return store::Value(id);
}

/// Whether the id is taken, by whomever and deleted or not.
Task<bool> taken(const OperationContext& context, const Schema& schema, std::string id) {
  store::Plan plan;
  plan.table = schema.physical;
  plan.select = {std::string(system_column::kId)};
  plan.where = store::equals(std::string(system_column::kId), std::move(id));
  plan.deadline = context.deadline;
  Task<std::optional<store::Row>> get = context.here.store->get(std::move(plan));
  CO_TRY(const std::optional<store::Row> row, co_await get);
  co_return row.has_value();
}

/// The answer to an insert whose id is taken. Datasync clients get the row that has it, when it is one they may see.
Task<Answer> taken_answer(const OperationContext& context, Catalogue::SchemaPtr schema, store::Value id, std::optional<store::Owner> owner) {
  if (is_datasync(context.dialect)) {
    Task<store::Row> get = current_row(context, schema, std::move(id), {}, std::move(owner), true);
    Result<store::Row> row = co_await get;
    if (row.ok()) co_return stale_answer(*schema, context.dialect, *row);
    if (row.error().code != Code::not_found) co_return std::move(row).error();
  }
  co_return Error(Code::conflict, std::string(kItemExists));
}

}  // namespace

Task<Answer> Tables::insert(OperationContext context, JsonObject item) {
  impl_->writes.add();
  Task<Catalogue::SchemaPtr> look = impl_->catalogue.get(context);
  CO_TRY(Catalogue::SchemaPtr schema, co_await look);
  CO_TRY(std::optional<store::Owner> owner, owner_of(context));
  const Json* id_member = item.if_contains("id");
  CO_TRY(std::optional<std::string> chosen, chosen_id(*schema, context.dialect, id_member));
  CO_TRY(Fitted fitted, fit(*schema, context.dialect, item));
  CO_CHECK(settle_owner(context, owner, fitted));
  if (!fitted.missing.empty()) {
    if (chosen && context.table->dynamic_schema) {
      // A refused write leaves the table as it was.
      Task<bool> look = taken(context, *schema, *chosen);
      CO_TRY(const bool exists, co_await look);
      if (exists) {
        Task<Answer> refusing = taken_answer(context, schema, *chosen, std::move(owner));
        CO_TRY(Answer answer, co_await refusing);
        co_return answer;
      }
    }
    Task<Fitted> growing = fit_and_grow(*impl_, context, schema, item);
    CO_TRY(fitted, co_await growing);
    CO_CHECK(settle_owner(context, owner, fitted));
  }
  Task<store::Value> identify = id_for(*impl_, context, *schema, std::move(chosen));
  CO_TRY(store::Value id, co_await identify);

  std::vector<store::Cell> cells;
  cells.reserve(fitted.cells.size() + 4);
  const store::Value key = id;
  cells.push_back({std::string(system_column::kId), std::move(id)});
  cells.push_back({std::string(system_column::kCreated), store::Stamp{}});
  cells.push_back({std::string(system_column::kUpdated), store::Stamp{}});
  cells.push_back({std::string(system_column::kDeleted), false});
  for (store::Cell& cell : fitted.cells) cells.push_back(std::move(cell));
  store::Mutation mutation = store::insert(schema->physical, std::move(cells));
  mutation.owner = owner;
  mutation.returning = {"*"};
  Task<store::Touched> change = mutate_one(context, std::move(mutation));
  Result<store::Touched> touched = co_await change;
  if (!touched.ok()) {
    if (touched.error().code != Code::conflict) co_return std::move(touched).error();
    Task<Answer> refusing = taken_answer(context, schema, key, std::move(owner));
    CO_TRY(Answer answer, co_await refusing);
    co_return answer;
  }
  if (touched->rows.empty()) co_return Error(Code::server_error, "", "an insert gave no row back");
  co_return row_answer(*schema, context, touched->rows.front(), &fitted.sent);
}

}  // namespace mandate::tables
