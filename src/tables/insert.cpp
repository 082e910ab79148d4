// Insert: columns fitted, id and stamps made, one mutation.
#include "tables/core.h"
#include "tables/declared.h"
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
Task<Answer> taken_answer(const OperationContext& context, Catalogue::SchemaPtr schema, store::Value id, Reach reach) {
  if (is_datasync(context.dialect)) {
    Task<store::Row> get = current_row(context, schema, std::move(id), {}, std::move(reach), true);
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
  CO_TRY(Reach reach, reach_of(*impl_, context, *schema, Operation::insert));
  const Json* id_member = item.if_contains("id");
  CO_TRY(std::optional<std::string> chosen, chosen_id(*schema, context.dialect, id_member));
  CO_TRY(Fitted fitted, fit(*schema, context.dialect, item));
  CO_CHECK(settle_owner(context, reach.owner, fitted));
  if (!fitted.missing.empty()) {
    if (chosen && context.table->dynamic_schema) {
      // A refused write leaves the table as it was.
      Task<bool> look = taken(context, *schema, *chosen);
      CO_TRY(const bool exists, co_await look);
      if (exists) {
        Task<Answer> refusing = taken_answer(context, schema, *chosen, reach);
        CO_TRY(Answer answer, co_await refusing);
        co_return answer;
      }
    }
    Task<Fitted> growing = fit_and_grow(*impl_, context, schema, item);
    CO_TRY(fitted, co_await growing);
    CO_CHECK(settle_owner(context, reach.owner, fitted));
  }
  CO_CHECK(complete(*schema, context.table->user_id_column, fitted.cells));
  const bool own_id = chosen.has_value();
  Task<store::Value> identify = id_for(*impl_, context, *schema, std::move(chosen));
  CO_TRY(store::Value id, co_await identify);

  const store::Value key = id;
  std::vector<store::Mutation> demands;
  if (is_demanding(*schema, reach)) {
    Task<std::vector<store::Mutation>> ask = demands_of(*impl_, context, schema, key, reach, fitted.cells);
    CO_TRY(demands, co_await ask);
  }
  std::vector<store::Cell> cells;
  cells.reserve(fitted.cells.size() + 4);
  cells.push_back({std::string(system_column::kId), std::move(id)});
  cells.push_back({std::string(system_column::kCreated), store::Stamp{}});
  cells.push_back({std::string(system_column::kUpdated), store::Stamp{}});
  cells.push_back({std::string(system_column::kDeleted), false});
  const std::vector<store::Cell> sent = schema->uniques.empty() ? std::vector<store::Cell>() : fitted.cells;
  for (store::Cell& cell : fitted.cells) cells.push_back(std::move(cell));
  store::Mutation mutation = store::insert(schema->physical, std::move(cells));
  mutation.owner = reach.owner;
  mutation.returning = {"*"};
  Task<store::Touched> change = mutate_row(context, std::move(mutation), std::move(demands));
  Result<store::Touched> touched = co_await change;
  if (!touched.ok()) {
    if (touched.error().code != Code::conflict) co_return std::move(touched).error();
    if (!schema->uniques.empty()) {
      bool id_taken = own_id;
      if (own_id) {
        const auto* text = std::get_if<std::string>(&key);
        Task<bool> look_again = taken(context, *schema, text ? *text : std::string());
        CO_TRY(id_taken, co_await look_again);
      }
      if (!id_taken) {
        Task<std::string> why = value_taken(context, schema, sent, reach.owner);
        CO_TRY(std::string hint, co_await why);
        co_return Error(Code::conflict, std::move(hint));
      }
    }
    Task<Answer> refusing = taken_answer(context, schema, key, std::move(reach));
    CO_TRY(Answer answer, co_await refusing);
    co_return answer;
  }
  if (touched->rows.empty()) co_return Error(Code::server_error, "", "an insert gave no row back");
  co_return row_answer(*schema, context, touched->rows.front(), &fitted.sent);
}

}  // namespace mandate::tables
