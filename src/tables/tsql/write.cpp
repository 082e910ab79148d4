#include "tables/tsql/write.h"

namespace mandate::tables::tsql {
namespace {

using Role = TableInfo::Role;

constexpr std::chrono::seconds kCommitTime{5};

/// What relations ask of the rows that are written, and what becomes of those that refer to the rows that go.
Task<void> relate(Tables::Impl& impl, const OperationContext& context, const Changes& changes, store::Batch& batch) {
  const TableInfo& table = *changes.table();
  OperationContext there = context;
  there.table = context.service->table(table.name);
  if (!there.table) co_return ok();
  Task<Catalogue::SchemaPtr> look = impl.catalogue.get(there);
  CO_TRY(const Catalogue::SchemaPtr schema, co_await look);
  const std::size_t id = table.slot_of(Role::id);
  std::vector<store::Value> gone;
  for (const auto& [key, pending] : changes.rows()) {
    CO_TRY(store::Value known, stored(table.columns[id], pending.row[id]));
    if (pending.state == Changes::Pending::State::removed) {
      gone.push_back(std::move(known));
      continue;
    }
    // Marked as deleted: for those that refer to it, it goes.
    const std::size_t mark = table.slot_of(Role::deleted);
    if (const auto* marked = std::get_if<bool>(&pending.row[mark]); marked && *marked && pending.slots.contains(mark)) gone.push_back(known);
    if (schema->relations.empty()) continue;
    std::vector<store::Cell> cells;
    for (std::size_t slot = 0; slot < table.columns.size(); ++slot) {
      if (table.columns[slot].role != Role::own) continue;
      if (pending.state == Changes::Pending::State::updated && !pending.slots.contains(slot)) continue;
      CO_TRY(store::Value value, stored(table.columns[slot], pending.row[slot]));
      cells.push_back({table.columns[slot].store, std::move(value)});
    }
    Task<std::vector<store::Mutation>> asking = demands_of(impl, there, schema, std::move(known), Reach{}, std::move(cells));
    CO_TRY(std::vector<store::Mutation> demands, co_await asking);
    for (store::Mutation& each : demands) batch.add(std::move(each));
  }
  Task<std::vector<store::Mutation>> following = consequences_of(impl, there, schema, std::move(gone));
  CO_TRY(std::vector<store::Mutation> then, co_await following);
  for (store::Mutation& each : then) batch.add(std::move(each));
  co_return ok();
}

}  // namespace

Task<void> write(Tables::Impl& impl, const OperationContext& context, const AllChanges& changes) {
  store::Batch batch;
  for (const auto& [name, each] : changes) each.add_to(batch);
  if (batch.mutations.empty()) co_return ok();
  for (const auto& [name, each] : changes) {
    Task<void> relating = relate(impl, context, each, batch);
    CO_CHECK(co_await relating);
  }
  batch.deadline = std::min(context.deadline, std::chrono::steady_clock::now() + kCommitTime);
  Task<store::Outcome> writing = context.here.store->mutate(std::move(batch));
  Result<store::Outcome> written = co_await writing;
  if (written.ok()) co_return ok();
  if (written.error().code == otherwise::kNoTarget) co_return Error(Code::bad_request, "A row refers to a row that does not exist.");
  if (written.error().code == otherwise::kReferred) co_return Error(Code::conflict, "Other rows refer to one of the rows.");
  if (written.error().code == Code::conflict) co_return Error(Code::conflict, "A row with the same id, or the same value in a unique column, exists already.");
  co_return written.error();
}

}  // namespace mandate::tables::tsql
