// Changes of a row that is looked at first: RFC 9110 preconditions, replacement, rows that come back. What was judged and what
// is changed are the same row: the mutation holds only for the state that was read.
#include "base/url.h"
#include "tables/core.h"
#include "tables/declared.h"
#include "tables/ids.h"

namespace mandate::tables {
namespace {

/// Readings of one row that others changed each time before it could be written.
constexpr int kMostTries = 8;

/// What the five acts look up before they begin.
struct Target {
  Catalogue::SchemaPtr schema;
  Reach reach;
  store::Value key;
};

/// V2 sends the one version it expects; V3 and V4 what RFC 9110 knows.
Preconditions conditions_of(const Act& act) {
  Preconditions out = act.preconditions;
  if (act.expected_version) {
    out.match.emplace();
    if (const auto stamp = stamp_of(*act.expected_version)) out.match->stamps.push_back(*stamp);
  }
  return out;
}

/// Whether a deleted row may be changed, and thereby comes back.
bool comes_back(const Act& act, const Fitted& fitted) {
  if (!is_datasync(act.context.dialect)) return false;
  if (act.replace) return act.context.include_deleted && !fitted.deleted.value_or(false);
  return fitted.deleted == false;
}

Error deleted_row(const Act& act) {
  if (is_datasync(act.context.dialect)) return Error(Code::gone, "The item has been deleted.");
  return no_such_item(act.id);
}

/// Null for every own column that has no value yet; the owner's stays.
void blank_the_rest(const Schema& schema, const std::optional<store::Owner>& owner, std::vector<store::Cell>& cells) {
  for (const store::ColumnSpec& column : schema.columns) {
    if (column.name == system_column::kId || schema.own(column.name) != &column) continue;
    if (owner && iequals(column.name, owner->column)) continue;
    const bool sent = std::ranges::any_of(cells, [&](const store::Cell& cell) { return cell.column == column.name; });
    if (!sent) cells.push_back({column.name, store::Value{}});
  }
}

/// The row in the state that was judged: the very version where the client had conditions, else deleted or not as it was, so
/// that writers who ask for nothing do not wait for each other.
store::ExprPtr as_it_was(const Schema& schema, const store::Value& key, const store::Row& row, bool conditional) {
  store::ExprPtr same = row_condition(schema, key, true);
  if (conditional) return store::both(std::move(same), store::equals(std::string(system_column::kUpdated), row[system_column::kUpdated]));
  if (!schema.soft_delete) return same;
  return store::both(std::move(same), store::equals(std::string(system_column::kDeleted), row.boolean(system_column::kDeleted)));
}

/// The cells of an update of `row`; the table may get columns for it.
Task<std::vector<store::Cell>> cells_for(Tables::Impl& impl, const Act& act, Target& target, Fitted fitted, bool back) {
  if (!fitted.missing.empty()) {
    Task<Fitted> growing = fit_and_grow(impl, act.context, target.schema, act.item);
    CO_TRY(fitted, co_await growing);
    CO_CHECK(settle_owner(act.context, target.reach.owner, fitted));
  }
  std::vector<store::Cell> cells = std::move(fitted.cells);
  if (act.replace) {
    CO_CHECK(complete(*target.schema, act.context.table->user_id_column, cells));
    blank_the_rest(*target.schema, target.reach.owner, cells);
  }
  cells.push_back({std::string(system_column::kUpdated), store::Stamp{}});
  if (back) cells.push_back({std::string(system_column::kDeleted), false});
  co_return cells;
}

}  // namespace

Task<Answer> Tables::change(Act act) {
  impl_->writes.add();
  const bool update = act.operation == Operation::update;
  Target target;
  Task<Catalogue::SchemaPtr> look = impl_->catalogue.get(act.context);
  CO_TRY(target.schema, co_await look);
  CO_TRY(target.reach, reach_of(*impl_, act.context, *target.schema, act.operation));
  CO_TRY(target.key, id_of_url(*target.schema, act.id));
  Fitted fitted;
  if (update) {
    CO_CHECK(check_id_member(*target.schema, act.item.if_contains("id"), target.key));
    CO_TRY(fitted, fit(*target.schema, act.context.dialect, act.item));
    CO_CHECK(settle_owner(act.context, target.reach.owner, fitted));
  }
  const Preconditions conditions = conditions_of(act);
  for (int tried = 0; tried < kMostTries; ++tried) {
    Task<store::Row> get = current_row(act.context, target.schema, target.key, act.id, target.reach, true);
    CO_TRY(const store::Row row, co_await get);
    const bool deleted = target.schema->soft_delete && row.boolean(system_column::kDeleted);
    const bool back = deleted && update && comes_back(act, fitted);
    if (deleted && !back) co_return deleted_row(act);
    if (!deleted && target.schema->soft_delete && fitted.deleted.value_or(false))
      co_return Error(Code::bad_request, "An item is deleted by DELETE, not by its property 'deleted'.");
    const Millis stamp = row.integer(system_column::kUpdated);
    if (judge(conditions, stamp, false) == Judgement::failed || (act.made_of && stamp != *act.made_of)) {
      impl_->stale.add();
      co_return stale_answer(*target.schema, act.context.dialect, row);
    }
    store::ExprPtr judged = as_it_was(*target.schema, target.key, row, !conditions.empty() || act.made_of);
    store::Mutation mutation;
    std::vector<store::Mutation> then;
    std::vector<store::Cell> sent;
    Reach reach = target.reach;
    if (update) {
      if (target.schema->rules && !fitted.missing.empty()) {
        Task<void> may = check_touch(*impl_, act.context, target.schema, target.key, fitted.cells);
        CO_CHECK(co_await may);
      }
      Task<std::vector<store::Cell>> fill = cells_for(*impl_, act, target, fitted, back);
      CO_TRY(std::vector<store::Cell> cells, co_await fill);
      if (target.schema->rules) {
        CO_TRY(reach, reach_of(*impl_, act.context, *target.schema, act.operation, &cells));
      }
      if (is_demanding(*target.schema, reach)) {
        Task<std::vector<store::Mutation>> ask = demands_of(*impl_, act.context, target.schema, target.key, reach, cells, &row);
        CO_TRY(then, co_await ask);
      }
      if (!target.schema->uniques.empty()) sent = cells;
      mutation = store::update(target.schema->physical, judged, std::move(cells));
    } else {
      if (target.schema->referred) {
        Task<void> ask = check_removable(act.context, target.schema, target.key, act.id, reach);
        CO_CHECK(co_await ask);
        std::vector<store::Value> ids{target.key};
        Task<std::vector<store::Mutation>> follow = consequences_of(*impl_, act.context, target.schema, std::move(ids));
        CO_TRY(then, co_await follow);
      }
      mutation = removal(*target.schema, judged);
    }
    mutation.where = store::both(mutation.where, store::both(reach.visible, reach.touch));
    mutation.owner = reach.owner;
    mutation.returning = {"*"};
    Task<store::Touched> touch = mutate_row(act.context, std::move(mutation), std::move(then));
    Result<store::Touched> touched = co_await touch;
    if (!touched.ok()) {
      if (touched.error().code != Code::conflict || !update || target.schema->uniques.empty()) co_return std::move(touched).error();
      Task<std::string> why = value_taken(act.context, target.schema, std::move(sent), reach.owner);
      CO_TRY(std::string hint, co_await why);
      co_return Error(Code::conflict, std::move(hint));
    }
    if (!touched->rows.empty()) co_return row_answer(*target.schema, act.context, touched->rows.front(), nullptr);
    if (!reach.touch) continue;
    // The rules, or somebody who was faster?
    store::Plan plan;
    plan.table = target.schema->physical;
    plan.where = store::both(std::move(judged), reach.visible);
    plan.owner = reach.owner;
    plan.deadline = act.context.deadline;
    Task<std::optional<store::Row>> look_again = act.context.here.store->get(std::move(plan));
    CO_TRY(const std::optional<store::Row> unchanged, co_await look_again);
    if (unchanged) co_return against_the_rules();
  }
  co_return Error(Code::overloaded, "The item is changing. Try again.");
}

}  // namespace mandate::tables
