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
  CO_TRY(std::optional<store::Owner> owner, owner_of(context));
  CO_TRY(store::Value key, id_of_url(*schema, id));
  CO_CHECK(check_id_member(*schema, item.if_contains("id"), key));
  CO_TRY(Fitted fitted, fit(*schema, context.dialect, item));
  CO_CHECK(settle_owner(context, owner, fitted));

  const bool checked = expected_version && has_versions(*schema, context.dialect);
  // A text that is no version of ours matches no row.
  const Millis stamp = checked ? stamp_of(*expected_version).value_or(-1) : 0;
  if (!fitted.missing.empty()) {
    if (context.table->dynamic_schema) {
      // A refused write leaves the table as it was: columns are added for a row that may be changed.
      Task<store::Row> look = current_row(context, schema, key, id, owner, false);
      CO_TRY(const store::Row row, co_await look);
      if (checked && row.integer(system_column::kUpdated) != stamp) {
        impl_->stale.add();
        co_return stale_answer(*schema, context.dialect, row);
      }
    }
    Task<Fitted> growing = fit_and_grow(*impl_, context, schema, item);
    CO_TRY(fitted, co_await growing);
    CO_CHECK(settle_owner(context, owner, fitted));
  }
  store::ExprPtr condition = row_condition(*schema, key, false);
  if (checked) condition = store::both(std::move(condition), store::equals(std::string(system_column::kUpdated), stamp));
  std::vector<store::Cell> cells = std::move(fitted.cells);
  cells.push_back({std::string(system_column::kUpdated), store::Stamp{}});
  store::Mutation mutation = store::update(schema->physical, std::move(condition), std::move(cells));
  mutation.owner = owner;
  mutation.returning = {"*"};
  Task<store::Touched> change = mutate_one(context, std::move(mutation));
  CO_TRY(store::Touched touched, co_await change);
  if (!touched.rows.empty()) {
    if (checked) context.system.version = true;
    co_return row_answer(*schema, context, touched.rows.front(), &fitted.sent);
  }
  // Gone, somebody else's, or changed meanwhile: only the last is told apart.
  Task<store::Row> get = current_row(context, schema, std::move(key), std::move(id), std::move(owner), false);
  CO_TRY(store::Row row, co_await get);
  if (!checked) co_return Error(Code::overloaded, "The item is changing. Try again.");
  impl_->stale.add();
  co_return stale_answer(*schema, context.dialect, row);
}

}  // namespace mandate::tables
