// Which rows an act reaches: the owner's predicate and the row rules, at the root of every plan and mutation (security 0.3 #3).
#include "base/url.h"
#include "tables/core.h"
#include "tables/ids.h"
#include "tables/odata/to_plan.h"
#include "tables/rules/rules.h"

namespace mandate::tables {

Result<std::optional<store::Owner>> owner_of(const OperationContext& context) {
  const std::string& column = context.table->user_id_column;
  if (column.empty() || context.principal.level == identity::Level::admin) return std::optional<store::Owner>();
  if (context.principal.user_id.empty()) return Error(Code::unauthorized, "Unauthorized");
  return std::optional<store::Owner>(store::Owner{column, context.principal.user_id});
}

Result<void> settle_owner(const OperationContext& context, const std::optional<store::Owner>& owner, Fitted& fitted) {
  if (!owner) return {};
  for (std::size_t i = 0; i < fitted.cells.size(); ++i) {
    if (!iequals(fitted.cells[i].column, owner->column)) continue;
    if (fitted.cells[i].value != owner->value)
      return Error(Code::bad_request, "The property '" + context.table->user_id_column + "' is set by the service.");
    fitted.cells.erase(fitted.cells.begin() + static_cast<std::ptrdiff_t>(i));
    return {};
  }
  return {};
}

namespace {

/// OperationContext::also as the store knows it.
Result<store::ExprPtr> also_of(Tables::Impl& impl, const OperationContext& context, const Schema& schema) {
  bool empty = false;
  const odata::Setting setting{schema, context.dialect, context.table->dynamic_schema, impl.clock.now_ms()};
  TRY(store::ExprPtr condition, odata::to_condition(context.also, setting, empty));
  if (empty) return store::make(store::Op::eq, {store::literal(std::int64_t(1)), store::literal(std::int64_t(0))});
  return condition;
}

}  // namespace

Result<Reach> reach_of(Tables::Impl& impl, const OperationContext& context, const Schema& schema, Operation operation, const std::vector<store::Cell>* item) {
  Reach out;
  TRY(out.owner, owner_of(context));
  if (context.also && operation != Operation::insert) {
    TRY(out.visible, also_of(impl, context, schema));
  }
  if (!schema.rules) return out;
  std::string denied;
  rules::Conditions conditions = rules::conditions_of(schema, operation, context.principal, impl.clock.now_ms(), item, denied);
  if (!denied.empty()) {
    impl.denied.add();
    impl.log.warn("tables.rule_denied", {{"table", schema.physical}, {"operation", name(operation)}, {"why", denied}});
  }
  out.visible = store::both(std::move(out.visible), std::move(conditions.visible));
  out.touch = std::move(conditions.touch);
  out.after = std::move(conditions.after);
  return out;
}

namespace {
constexpr std::string_view kNoTarget = "a relation to no row";
}

bool is_no_target(const Error& error) { return error.code == Code::bad_request && error.detail == kNoTarget; }

Error against_the_rules() { return Error(Code::forbidden, "The rules of the table do not allow this."); }

Task<store::Row> current_row(const OperationContext& context, Catalogue::SchemaPtr schema, store::Value id, std::string id_text, Reach reach,
                             bool with_deleted) {
  store::Plan plan;
  plan.table = schema->physical;
  plan.where = store::both(row_condition(*schema, id, with_deleted), reach.visible);
  plan.owner = std::move(reach.owner);
  plan.deadline = context.deadline;
  Task<std::optional<store::Row>> task = context.here.store->get(std::move(plan));
  CO_TRY(std::optional<store::Row> row, co_await task);
  if (!row) co_return no_such_item(id_text);
  co_return std::move(*row);
}

Task<void> check_touch(Tables::Impl& impl, OperationContext context, Catalogue::SchemaPtr schema, store::Value key, std::vector<store::Cell> cells) {
  CO_TRY(Reach reach, reach_of(impl, context, *schema, Operation::update, &cells));
  if (!reach.touch) co_return ok();
  reach.visible = store::both(std::move(reach.visible), std::move(reach.touch));
  Task<store::Row> get = current_row(context, schema, std::move(key), {}, std::move(reach), true);
  const Result<store::Row> row = co_await get;
  if (row.ok()) co_return ok();
  if (row.error().code == Code::not_found) co_return against_the_rules();
  co_return row.error();
}

Task<void> check_removable(OperationContext context, Catalogue::SchemaPtr schema, store::Value key, std::string id, Reach reach) {
  store::ExprPtr touch = reach.touch;
  Task<store::Row> see = current_row(context, schema, key, id, reach, false);
  const Result<store::Row> seen = co_await see;
  if (!seen.ok()) co_return seen.error();
  if (!touch) co_return ok();
  reach.visible = store::both(std::move(reach.visible), std::move(touch));
  Task<store::Row> get = current_row(context, schema, std::move(key), std::move(id), std::move(reach), false);
  const Result<store::Row> row = co_await get;
  if (row.ok()) co_return ok();
  if (row.error().code == Code::not_found) co_return against_the_rules();
  co_return row.error();
}

Error demand_refused(Error error) {
  switch (error.code) {
    case otherwise::kAgainstRules: return against_the_rules();
    case otherwise::kNoTarget: return Error(Code::bad_request, "The item refers to an item that does not exist.", std::string(kNoTarget));
    case otherwise::kReferred: return Error(Code::conflict, "Other items refer to the item.");
    default: return error;
  }
}

Task<store::Touched> mutate_one(const OperationContext& context, store::Mutation mutation) {
  store::Batch batch;
  batch.add(std::move(mutation));
  batch.deadline = context.deadline;
  Task<store::Outcome> task = context.here.store->mutate(std::move(batch));
  CO_TRY(store::Outcome outcome, co_await task);
  if (outcome.empty()) co_return Error(Code::server_error, "", "the store gave no outcome");
  co_return std::move(outcome.front());
}

Task<store::Touched> mutate_row(const OperationContext& context, store::Mutation mutation, std::vector<store::Mutation> then) {
  if (then.empty()) {
    Task<store::Touched> alone = mutate_one(context, std::move(mutation));
    Result<store::Touched> touched = co_await alone;
    co_return touched;
  }
  // What comes behind is about a row that was written: where none was, nothing is said of any.
  if (mutation.kind != store::Mutation::Kind::insert) {
    mutation.expect = store::Mutation::Expect::one;
    mutation.otherwise = otherwise::kUntouched;
  }
  store::Batch batch;
  batch.add(std::move(mutation));
  for (store::Mutation& each : then) batch.add(std::move(each));
  batch.deadline = context.deadline;
  Task<store::Outcome> task = context.here.store->mutate(std::move(batch));
  Result<store::Outcome> outcome = co_await task;
  if (outcome.ok()) {
    if (outcome->empty()) co_return Error(Code::server_error, "", "the store gave no outcome");
    co_return std::move(outcome->front());
  }
  if (outcome.error().code == otherwise::kUntouched) co_return store::Touched{};
  co_return demand_refused(std::move(outcome).error());
}

namespace {

std::string same_values(const Unique& unique) {
  std::string names;
  for (const std::string& column : unique.columns) names += (names.empty() ? "'" : ", '") + column + "'";
  return "An item with the same " + names + " exists already.";
}

/// The rows with the same values; nullopt when one of them is not among the cells.
std::optional<store::Plan> with_values(const OperationContext& context, const Schema& schema, const Unique& unique, const std::vector<store::Cell>& cells,
                                       const std::optional<store::Owner>& owner) {
  store::Plan plan;
  for (const std::string& column : unique.columns) {
    const auto cell = std::ranges::find_if(cells, [&](const store::Cell& each) { return iequals(each.column, column); });
    const bool is_owner = owner && iequals(column, owner->column);
    if (!is_owner && cell == cells.end()) return std::nullopt;
    plan.where = store::both(plan.where, store::equals(column, is_owner ? owner->value : cell->value));
  }
  plan.table = schema.physical;
  plan.select = {std::string(system_column::kId)};
  if (unique.per_owner) plan.owner = owner;
  plan.deadline = context.deadline;
  return plan;
}

bool has_null(const Unique& unique, const std::vector<store::Cell>& cells) {
  return std::ranges::any_of(cells, [&](const store::Cell& cell) {
    return store::is_null(cell.value) && std::ranges::any_of(unique.columns, [&](const std::string& column) { return iequals(column, cell.column); });
  });
}

}  // namespace

Task<std::string> value_taken(const OperationContext& context, Catalogue::SchemaPtr schema, std::vector<store::Cell> cells, std::optional<store::Owner> owner) {
  if (schema->uniques.size() == 1) co_return same_values(schema->uniques.front());
  for (const Unique& unique : schema->uniques) {
    std::optional<store::Plan> plan = with_values(context, *schema, unique, cells, owner);
    if (!plan) continue;
    Task<std::optional<store::Row>> get = context.here.store->get(*std::move(plan));
    CO_TRY(const std::optional<store::Row> row, co_await get);
    if (row) co_return same_values(unique);
  }
  co_return std::string("An item with the same values exists already.");
}

Task<void> check_values_free(const OperationContext& context, Catalogue::SchemaPtr schema, std::vector<store::Cell> cells, std::optional<store::Owner> owner) {
  for (const Unique& unique : schema->uniques) {
    std::optional<store::Plan> plan = with_values(context, *schema, unique, cells, owner);
    if (!plan || has_null(unique, cells)) continue;
    Task<std::optional<store::Row>> get = context.here.store->get(*std::move(plan));
    CO_TRY(const std::optional<store::Row> row, co_await get);
    if (row) co_return Error(Code::conflict, same_values(unique));
  }
  co_return ok();
}

}  // namespace mandate::tables
