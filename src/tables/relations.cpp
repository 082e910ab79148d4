// Rows that refer to rows of other tables: what a write asks of the row it refers to, and what becomes of the rows that refer
// to one that is deleted.
#include <set>

#include "base/url.h"
#include "tables/core.h"

namespace mandate::tables {
namespace {

/// Rows that one delete takes with it, and tables behind each other.
constexpr std::size_t kMostTaken = 2000;
constexpr int kMostLevels = 8;
/// Values of one `in`.
constexpr std::size_t kPiece = 500;

store::ExprPtr not_deleted(const Schema& schema) {
  return schema.soft_delete ? store::equals(std::string(system_column::kDeleted), false) : nullptr;
}

/// The rows of `schema`, not deleted, whose `column` has one of the ids.
store::ExprPtr referring(const Schema& schema, const store::ColumnSpec& column, std::span<const store::Value> ids) {
  std::vector<store::ExprPtr> args{store::column(column.name, column.type)};
  for (const store::Value& id : ids) args.push_back(store::literal(id));
  return store::both(store::make(store::Op::in, std::move(args)), not_deleted(schema));
}

/// A column that refers to `table`.
struct Referrer {
  const tenant::Table* table;
  const tenant::TableColumn* column;
};

std::string place_of(const Schema& schema, const store::Value& id) {
  const auto* text = std::get_if<std::string>(&id);
  const auto* number = std::get_if<std::int64_t>(&id);
  return schema.physical + ' ' + (text ? *text : number ? std::to_string(*number) : std::string());
}

std::vector<Referrer> referrers(const tenant::Service& service, const tenant::Table& table) {
  std::vector<Referrer> out;
  for (const auto& [lower, other] : service.tables)
    for (const tenant::TableColumn& column : other.columns)
      if (iequals(column.references, table.name)) out.push_back({&other, &column});
  return out;
}

struct Consequences {
  std::vector<store::Mutation> acts, checks;
  std::size_t taken = 0;
  std::set<std::string> seen;  ///< table and id: relations may go round
};

Task<void> follow(Tables::Impl& impl, OperationContext context, std::vector<store::Value> ids, Consequences& out, int level);

/// The rows of one table that go, or lose their value, with `ids`.
Task<void> follow_one(Tables::Impl& impl, const OperationContext& context, Referrer referrer, const std::vector<store::Value>& ids, Consequences& out, int level) {
  OperationContext theirs = context;
  theirs.table = referrer.table;
  Task<Catalogue::SchemaPtr> look = impl.catalogue.get(theirs);
  CO_TRY(const Catalogue::SchemaPtr schema, co_await look);
  const store::ColumnSpec* column = schema->own(referrer.column->name);
  if (!column) co_return ok();
  const bool restrict = referrer.column->on_delete == "restrict", cascade = referrer.column->on_delete == "cascade";
  std::vector<store::Value> gone;
  for (std::size_t at = 0; at < ids.size(); at += kPiece) {
    const std::span<const store::Value> piece = std::span(ids).subspan(at, std::min(kPiece, ids.size() - at));
    store::ExprPtr rows_of_piece = referring(*schema, *column, piece);
    if (restrict) {
      out.checks.push_back(store::check(schema->physical, std::move(rows_of_piece), store::Mutation::Expect::none, otherwise::kReferred));
      continue;
    }
    store::Plan plan;
    plan.table = schema->physical;
    plan.select = {std::string(system_column::kId)};
    plan.where = rows_of_piece;
    plan.limit = static_cast<std::int64_t>(kMostTaken) + 1;
    plan.deadline = context.deadline;
    Task<std::vector<store::Row>> read = store::rows(*context.here.store, std::move(plan));
    CO_TRY(const std::vector<store::Row> found, co_await read);
    for (const store::Row& row : found) {
      const store::Value id = row[system_column::kId];
      if (cascade && !out.seen.insert(place_of(*schema, id)).second) continue;
      if (++out.taken > kMostTaken) co_return Error(Code::conflict, "Too many items refer to the item: delete those of '" + referrer.table->name + "' first.");
      // A mutation for each row, so that each gets a stamp of its own.
      store::ExprPtr same = store::both(store::equals(std::string(system_column::kId), id), not_deleted(*schema));
      if (cascade) {
        out.acts.push_back(removal(*schema, std::move(same)));
        gone.push_back(id);
      } else {
        std::vector<store::Cell> blank{{column->name, store::Value{}}, {std::string(system_column::kUpdated), store::Stamp{}}};
        out.acts.push_back(store::update(schema->physical, std::move(same), std::move(blank)));
      }
    }
    // Those that came since they were read.
    out.checks.push_back(store::check(schema->physical, std::move(rows_of_piece), store::Mutation::Expect::none, Code::overloaded));
  }
  if (gone.empty()) co_return ok();
  Task<void> further = follow(impl, std::move(theirs), std::move(gone), out, level + 1);
  CO_CHECK(co_await further);
  co_return ok();
}

Task<void> follow(Tables::Impl& impl, OperationContext context, std::vector<store::Value> ids, Consequences& out, int level) {
  const std::vector<Referrer> all = referrers(*context.service, *context.table);
  if (!all.empty() && level >= kMostLevels) co_return Error(Code::conflict, "Too many tables refer to each other for one delete.");
  for (const Referrer& referrer : all) {
    Task<void> one = follow_one(impl, context, referrer, ids, out, level);
    CO_CHECK(co_await one);
  }
  co_return ok();
}

}  // namespace

Task<std::vector<store::Mutation>> consequences_of(Tables::Impl& impl, OperationContext context, Catalogue::SchemaPtr schema, std::vector<store::Value> ids) {
  Consequences found;
  if (!schema->referred || ids.empty()) co_return std::move(found.acts);
  for (const store::Value& id : ids) found.seen.insert(place_of(*schema, id));
  Task<void> task = follow(impl, std::move(context), std::move(ids), found, 0);
  CO_CHECK(co_await task);
  for (store::Mutation& check : found.checks) found.acts.push_back(std::move(check));
  co_return std::move(found.acts);
}

Task<std::vector<store::Mutation>> demands_of(Tables::Impl& impl, OperationContext context, Catalogue::SchemaPtr schema, store::Value key, Reach reach,
                                              std::vector<store::Cell> cells, const store::Row* before) {
  std::vector<store::Mutation> out;
  if (reach.after) {
    store::ExprPtr good = store::both(store::equals(std::string(system_column::kId), std::move(key)), std::move(reach.after));
    out.push_back(store::check(schema->physical, std::move(good), store::Mutation::Expect::one, otherwise::kAgainstRules));
  }
  for (const Relation& relation : schema->relations) {
    const auto cell = std::ranges::find_if(cells, [&](const store::Cell& each) { return iequals(each.column, relation.column); });
    if (cell == cells.end() || store::is_null(cell->value)) continue;
    if (before && (*before)[cell->column] == cell->value) continue;
    Task<Related> look = related(impl, context, relation);
    CO_TRY(const Related target, co_await look);
    store::ExprPtr there = store::both(store::equals(std::string(system_column::kId), cell->value), store::both(not_deleted(*target.schema), target.reach.visible));
    store::Mutation check = store::check(target.schema->physical, std::move(there), store::Mutation::Expect::one, otherwise::kNoTarget);
    check.owner = target.reach.owner;
    check.hold = true;
    out.push_back(std::move(check));
  }
  co_return std::move(out);
}

Task<Related> related(Tables::Impl& impl, OperationContext context, const Relation& relation) {
  Related out;
  context.table = context.service->table(relation.table);
  context.also = nullptr;  // of the rows that refer
  if (!context.table) co_return Error(Code::server_error, "", "a relation to a table that is not there");
  Task<Catalogue::SchemaPtr> look = impl.catalogue.get(context);
  CO_TRY(out.schema, co_await look);
  CO_TRY(out.reach, reach_of(impl, context, *out.schema, Operation::read));
  out.table = context.table;
  co_return std::move(out);
}

}  // namespace mandate::tables
