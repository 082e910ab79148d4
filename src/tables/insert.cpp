// Insert: columns fitted, id and stamps made, one mutation.
#include "base/url.h"
#include "tables/app_acts.h"
#include "tables/core.h"
#include "tables/declared.h"
#include "tables/ids.h"
#include "tables/permissions.h"

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

void add_system_cells(std::vector<store::Cell>& cells, store::Value id) {
  cells.push_back({std::string(system_column::kId), std::move(id)});
  cells.push_back({std::string(system_column::kCreated), store::Stamp{}});
  cells.push_back({std::string(system_column::kUpdated), store::Stamp{}});
  cells.push_back({std::string(system_column::kDeleted), false});
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

/// The answer to an insert whose id is taken. Datasync clients get the row that has it, when it is one that they could read as
/// well: by the table's permission, without code in front that might hide it, under its owner and rules.
Task<Answer> taken_answer(Tables::Impl& impl, const OperationContext& context, Catalogue::SchemaPtr schema, store::Value id) {
  identity::KeysShown keys;
  keys.application = context.application_key;
  const bool admin = context.principal.level == identity::Level::admin;
  const bool readable = is_datasync(context.dialect) && (admin || (check_permission(*context.table, Operation::read, keys, context.principal).ok() && !is_read_through_code(*context.service, *context.table)));
  if (readable) {
    CO_TRY(Reach reach, reach_of(impl, context, *schema, Operation::read));
    Task<store::Row> get = current_row(context, schema, std::move(id), {}, std::move(reach), true);
    Result<store::Row> row = co_await get;
    if (row.ok()) co_return stale_answer(*schema, context.dialect, *row);
    if (row.error().code != Code::not_found) co_return std::move(row).error();
  }
  co_return Error(Code::conflict, std::string(kItemExists));
}

/// Says that everything before it held, and undoes it.
constexpr Code kAllowed = Code::precondition_failed;

/// Whether the caller may write such a row, whatever has its id: the row is written over what is there, looked at, and all of it
/// undone. forbidden, bad_request (no such row to refer to), conflict (a value that must be unique). What the table refuses is
/// refused in the same words whether the id exists or not (security DA-1), and gives the table no columns.
Task<void> check_new(Tables::Impl& impl, OperationContext context, Catalogue::SchemaPtr schema, store::Value key, Reach reach, std::vector<store::Cell> cells) {
  Task<std::vector<store::Mutation>> ask = demands_of(impl, context, schema, key, reach, cells);
  CO_TRY(std::vector<store::Mutation> demands, co_await ask);
  const std::vector<store::Cell> sent = cells;
  if (reach.owner) cells.push_back({reach.owner->column, reach.owner->value});
  for (const store::ColumnSpec& column : schema->columns) {
    const bool there = std::ranges::any_of(cells, [&](const store::Cell& cell) { return iequals(cell.column, column.name); });
    if (!there && schema->own(column.name) == &column && column.name != system_column::kId) cells.push_back({column.name, store::Value{}});
  }
  add_system_cells(cells, key);
  store::Batch batch;
  batch.add(store::upsert(schema->physical, {std::string(system_column::kId)}, std::move(cells)));
  for (store::Mutation& each : demands) batch.add(std::move(each));
  batch.add(store::check(schema->physical, store::equals(std::string(system_column::kId), key), store::Mutation::Expect::none, kAllowed));
  batch.deadline = context.deadline;
  Task<store::Outcome> trying = context.here.store->mutate(std::move(batch));
  const Result<store::Outcome> tried = co_await trying;
  if (tried.ok()) co_return Error(Code::server_error, "", "a row that was only tried was kept");
  if (tried.error().code == kAllowed) co_return ok();
  if (tried.error().code != Code::conflict) {
    // The row that has the id gave way here, and with it its values: were the id free, they would be in the way first.
    Task<void> look = check_values_free(context, schema, sent, reach.owner);
    CO_CHECK(co_await look);
    co_return demand_refused(tried.error());
  }
  Task<std::string> why = value_taken(context, schema, sent, reach.owner);
  CO_TRY(std::string hint, co_await why);
  co_return Error(Code::conflict, std::move(hint));
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
  const bool own_id = chosen.has_value();
  const bool demanding = is_demanding(*schema, reach);
  if (!fitted.missing.empty()) {
    // A refused write leaves the table as it was.
    if (demanding && context.table->dynamic_schema) {
      std::vector<store::Cell> cells = fitted.cells;
      CO_CHECK(complete(*schema, context.table->user_id_column, cells));
      store::Value id = chosen ? store::Value(*chosen) : schema->integer_id ? store::Value(std::int64_t(0)) : store::Value(impl_->random.uuid7(impl_->clock.now_ms()));
      Task<void> allowed = check_new(*impl_, context, schema, std::move(id), reach, std::move(cells));
      CO_CHECK(co_await allowed);
    }
    if (chosen && context.table->dynamic_schema) {
      Task<bool> look = taken(context, *schema, *chosen);
      CO_TRY(const bool exists, co_await look);
      if (exists) {
        Task<Answer> refusing = taken_answer(*impl_, context, schema, *chosen);
        CO_TRY(Answer answer, co_await refusing);
        co_return answer;
      }
    }
    Task<Fitted> growing = fit_and_grow(*impl_, context, schema, item);
    CO_TRY(fitted, co_await growing);
    CO_CHECK(settle_owner(context, reach.owner, fitted));
  }
  CO_CHECK(complete(*schema, context.table->user_id_column, fitted.cells));
  Task<store::Value> identify = id_for(*impl_, context, *schema, std::move(chosen));
  CO_TRY(store::Value id, co_await identify);

  const store::Value key = id;
  std::vector<store::Mutation> demands;
  if (demanding) {
    Task<std::vector<store::Mutation>> ask = demands_of(*impl_, context, schema, key, reach, fitted.cells);
    CO_TRY(demands, co_await ask);
  }
  std::vector<store::Cell> cells;
  cells.reserve(fitted.cells.size() + 4);
  add_system_cells(cells, std::move(id));
  const std::vector<store::Cell> sent = schema->uniques.empty() && !demanding ? std::vector<store::Cell>() : fitted.cells;
  for (store::Cell& cell : fitted.cells) cells.push_back(std::move(cell));
  store::Mutation mutation = store::insert(schema->physical, std::move(cells));
  mutation.owner = reach.owner;
  mutation.returning = {"*"};
  Task<store::Touched> change = mutate_row(context, std::move(mutation), std::move(demands));
  Result<store::Touched> touched = co_await change;
  if (!touched.ok()) {
    if (touched.error().code != Code::conflict) co_return std::move(touched).error();
    if (demanding) {
      Task<void> allowed = check_new(*impl_, context, schema, key, reach, sent);
      CO_CHECK(co_await allowed);
    }
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
    Task<Answer> refusing = taken_answer(*impl_, context, schema, key);
    CO_TRY(Answer answer, co_await refusing);
    co_return answer;
  }
  if (touched->rows.empty()) co_return Error(Code::server_error, "", "an insert gave no row back");
  co_return row_answer(*schema, context, touched->rows.front(), &fitted.sent);
}

}  // namespace mandate::tables
