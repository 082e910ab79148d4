// Changes of a row that is looked at first: RFC 9110 preconditions, replacement, rows that come back. What was judged and what
// is changed are the same row: the mutation holds only for the state that was read.
#include "base/url.h"
#include "tables/core.h"
#include "tables/ids.h"

namespace mandate::tables {
namespace {

/// Readings of one row that others changed each time before it could be written.
constexpr int kMostTries = 8;

/// What the five acts look up before they begin.
struct Target {
  Catalogue::SchemaPtr schema;
  std::optional<store::Owner> owner;
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

/// Null for every own column that was not sent; the owner's stays.
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
    CO_CHECK(settle_owner(act.context, target.owner, fitted));
  }
  std::vector<store::Cell> cells = std::move(fitted.cells);
  if (act.replace) blank_the_rest(*target.schema, target.owner, cells);
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
  CO_TRY(target.owner, owner_of(act.context));
  CO_TRY(target.key, id_of_url(*target.schema, act.id));
  Fitted fitted;
  if (update) {
    CO_CHECK(check_id_member(*target.schema, act.item.if_contains("id"), target.key));
    CO_TRY(fitted, fit(*target.schema, act.context.dialect, act.item));
    CO_CHECK(settle_owner(act.context, target.owner, fitted));
  }
  const Preconditions conditions = conditions_of(act);
  for (int tried = 0; tried < kMostTries; ++tried) {
    Task<store::Row> get = current_row(act.context, target.schema, target.key, act.id, target.owner, true);
    CO_TRY(const store::Row row, co_await get);
    const bool deleted = target.schema->soft_delete && row.boolean(system_column::kDeleted);
    const bool back = deleted && update && comes_back(act, fitted);
    if (deleted && !back) co_return deleted_row(act);
    if (!deleted && target.schema->soft_delete && fitted.deleted.value_or(false))
      co_return Error(Code::bad_request, "An item is deleted by DELETE, not by its property 'deleted'.");
    if (judge(conditions, row.integer(system_column::kUpdated), false) == Judgement::failed) {
      impl_->stale.add();
      co_return stale_answer(*target.schema, act.context.dialect, row);
    }
    store::ExprPtr judged = as_it_was(*target.schema, target.key, row, !conditions.empty());
    store::Mutation mutation;
    if (update) {
      Task<std::vector<store::Cell>> fill = cells_for(*impl_, act, target, fitted, back);
      CO_TRY(std::vector<store::Cell> cells, co_await fill);
      mutation = store::update(target.schema->physical, std::move(judged), std::move(cells));
    } else {
      mutation = removal(*target.schema, std::move(judged));
    }
    mutation.owner = target.owner;
    mutation.returning = {"*"};
    Task<store::Touched> touch = mutate_one(act.context, std::move(mutation));
    CO_TRY(const store::Touched touched, co_await touch);
    if (!touched.rows.empty()) co_return row_answer(*target.schema, act.context, touched.rows.front(), nullptr);
  }
  co_return Error(Code::overloaded, "The item is changing. Try again.");
}

}  // namespace mandate::tables
