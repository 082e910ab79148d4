// Update: the sent members change, the row gets a new stamp, the expected version decides.
#include "tables/core.h"
#include "tables/ids.h"

namespace mandate::tables {

Result<void> check_id_member(const Schema& schema, const Json* member, const store::Value& id) {
  if (!member) return {};
  if (const auto* text = std::get_if<std::string>(&id)) {
    if (member->is_string() && view(member->get_string()) == *text) return {};
  } else if (const auto* number = std::get_if<std::int64_t>(&id)) {
    if (schema.integer_id && member->is_int64() && member->get_int64() == *number) return {};
  }
  return Error(Code::bad_request, "The item ID and querystring ID did not match");
}

Task<Answer> Tables::update(OperationContext context, std::string id, JsonObject item, std::optional<std::string> expected_version) {
  impl_->writes.add();
  Task<Catalogue::SchemaPtr> look = impl_->catalogue.get(context);
  CO_TRY(Catalogue::SchemaPtr schema, co_await look);
  CO_TRY(Reach reach, reach_of(*impl_, context, *schema, Operation::update));
  CO_TRY(store::Value key, id_of_url(*schema, id));
  CO_CHECK(check_id_member(*schema, item.if_contains("id"), key));
  CO_TRY(Fitted fitted, fit(*schema, context.dialect, item));
  CO_CHECK(settle_owner(context, reach.owner, fitted));

  const bool checked = expected_version && has_versions(*schema, context.dialect);
  // A text that is no version of ours matches no row.
  const Millis stamp = checked ? stamp_of(*expected_version).value_or(-1) : 0;
  if (!fitted.missing.empty()) {
    if (context.table->dynamic_schema) {
      // A refused write leaves the table as it was: columns are added for a row that may be changed.
      Task<store::Row> look = current_row(context, schema, key, id, reach, false);
      CO_TRY(const store::Row row, co_await look);
      if (checked && row.integer(system_column::kUpdated) != stamp) {
        impl_->stale.add();
        co_return stale_answer(*schema, context.dialect, row);
      }
      if (schema->rules) {
        Task<void> judge = check_touch(*impl_, context, schema, key, fitted.cells);
        CO_CHECK(co_await judge);
      }
    }
    Task<Fitted> growing = fit_and_grow(*impl_, context, schema, item);
    CO_TRY(fitted, co_await growing);
    CO_CHECK(settle_owner(context, reach.owner, fitted));
  }
  if (schema->rules) {
    CO_TRY(reach, reach_of(*impl_, context, *schema, Operation::update, &fitted.cells));
  }
  std::vector<store::Mutation> demands;
  if (is_demanding(*schema, reach)) {
    Task<std::vector<store::Mutation>> ask = demands_of(*impl_, context, schema, key, reach, fitted.cells);
    CO_TRY(demands, co_await ask);
  }
  store::ExprPtr condition = store::both(row_condition(*schema, key, false), store::both(reach.visible, reach.touch));
  if (checked) condition = store::both(std::move(condition), store::equals(std::string(system_column::kUpdated), stamp));
  std::vector<store::Cell> cells = std::move(fitted.cells);
  const std::vector<store::Cell> sent = schema->uniques.empty() && schema->relations.empty() ? std::vector<store::Cell>() : cells;
  cells.push_back({std::string(system_column::kUpdated), store::Stamp{}});
  store::Mutation mutation = store::update(schema->physical, std::move(condition), std::move(cells));
  mutation.owner = reach.owner;
  mutation.returning = {"*"};
  std::optional<store::Mutation> again;
  if (!schema->relations.empty()) again = mutation;
  Task<store::Touched> change = mutate_row(context, std::move(mutation), std::move(demands));
  Result<store::Touched> touched = co_await change;
  if (!touched.ok() && again && is_no_target(touched.error())) {
    // Clients send the whole item back: what it referred to before, it may go on to refer to.
    Task<store::Row> get = current_row(context, schema, key, id, reach, false);
    CO_TRY(const store::Row before, co_await get);
    store::ExprPtr same = store::equals(std::string(system_column::kUpdated), before[system_column::kUpdated]);
    again->where = store::both(again->where, std::move(same));
    Task<std::vector<store::Mutation>> ask = demands_of(*impl_, context, schema, key, reach, sent, &before);
    CO_TRY(std::vector<store::Mutation> fewer, co_await ask);
    Task<store::Touched> retry = mutate_row(context, *std::move(again), std::move(fewer));
    touched = co_await retry;
  }
  if (!touched.ok()) {
    if (touched.error().code != Code::conflict || schema->uniques.empty()) co_return std::move(touched).error();
    Task<std::string> why = value_taken(context, schema, sent, reach.owner);
    CO_TRY(std::string hint, co_await why);
    co_return Error(Code::conflict, std::move(hint));
  }
  if (!touched->rows.empty()) {
    if (checked) context.system.version = true;
    co_return row_answer(*schema, context, touched->rows.front(), &fitted.sent);
  }
  // Gone, somebody else's, not to be changed, or changed meanwhile: only what the caller sees is told apart.
  const bool ruled = reach.touch != nullptr;
  Task<store::Row> get = current_row(context, schema, std::move(key), std::move(id), std::move(reach), false);
  CO_TRY(store::Row row, co_await get);
  if (ruled && (!checked || row.integer(system_column::kUpdated) == stamp)) co_return against_the_rules();
  if (!checked) co_return Error(Code::overloaded, "The item is changing. Try again.");
  impl_->stale.add();
  co_return stale_answer(*schema, context.dialect, row);
}

}  // namespace mandate::tables
