#include "tables/tsql/session.h"

#include "base/json.h"
#include "store/text.h"
#include "tables/schema.h"

namespace mandate::tables::tsql {
namespace {

using Role = TableInfo::Role;

store::Cell cell(std::string_view column, store::Value value) { return {std::string(column), std::move(value)}; }

/// What a row holds fits its columns already.
store::Value kept(const TableInfo::Column& column, const Value& value) {
  Result<store::Value> made = stored(column, value);
  return made.ok() ? *std::move(made) : store::Value();
}

}  // namespace

Result<store::Value> stored(const TableInfo::Column& column, const Value& value) {
  TRY(Value made, convert(value, column.type));
  if (const auto* moment = std::get_if<Moment>(&made); moment && column.meaning) made = Moment{store::day_start(moment->ms)};
  if (is_null(made)) return store::Value();
  if (const auto* bit = std::get_if<bool>(&made)) return store::Value(*bit);
  if (const auto* whole = std::get_if<std::int64_t>(&made)) return store::Value(*whole);
  if (const auto* real = std::get_if<double>(&made)) return store::Value(*real);
  if (const auto* moment = std::get_if<Moment>(&made)) return store::Value(moment->ms);
  const std::string& text = std::get<std::string>(made);
  if (column.meaning) {
    if (auto kept = odata::read_as(*column.meaning, text)) return *std::move(kept);
    return Error(Code::bad_request, "'" + text.substr(0, 60) + "' is no value of column '" + column.name + "' (" + std::string(odata::word(column.meaning->edm)) + ").");
  }
  if (!column.json) return store::Value(text);
  // A text that is no JSON is kept as the JSON of a text.
  Result<Json> parsed = parse_json(text);
  return store::Value(parsed.ok() ? to_json(*parsed) : to_json(Json(text)));
}

std::string Changes::key(const Row& row) const { return shown(row[table_->slot_of(Role::id)]); }

Result<void> Changes::insert(Row row) {
  std::string id = key(row);
  const auto found = rows_.find(id);
  if (found == rows_.end()) {
    rows_.emplace(std::move(id), Pending{Pending::State::inserted, std::move(row), 0, {}});
    return {};
  }
  Pending& there = found->second;
  if (there.state != Pending::State::removed) return Error(Code::conflict, "A row with the id '" + id + "' exists already in table '" + table_->name + "'.");
  // It took the place of one that was removed.
  there.state = Pending::State::updated;
  there.row = std::move(row);
  for (std::size_t i = 0; i < table_->columns.size(); ++i)
    if (table_->columns[i].role == Role::own || table_->columns[i].role == Role::deleted) there.slots.insert(i);
  return {};
}

void Changes::update(const Row& before, Row after, const std::set<std::size_t>& slots) {
  const auto* stamp = std::get_if<Moment>(&before[table_->slot_of(Role::updated)]);
  auto [place, fresh] = rows_.try_emplace(key(before), Pending{Pending::State::updated, {}, stamp ? stamp->ms : 0, {}});
  place->second.row = std::move(after);
  place->second.slots.insert(slots.begin(), slots.end());
}

void Changes::remove(const Row& row) {
  const auto* stamp = std::get_if<Moment>(&row[table_->slot_of(Role::updated)]);
  std::string id = key(row);
  const auto found = rows_.find(id);
  if (found == rows_.end()) {
    rows_.emplace(std::move(id), Pending{Pending::State::removed, row, stamp ? stamp->ms : 0, {}});
  } else if (found->second.state == Pending::State::inserted) {
    rows_.erase(found);
  } else {
    found->second.state = Pending::State::removed;
  }
}

void Changes::lay_over(Rows& rows) const {
  if (rows_.empty()) return;
  std::erase_if(rows, [this](const Row& row) { return rows_.contains(key(row)); });
  for (const auto& [id, pending] : rows_)
    if (pending.state != Pending::State::removed) rows.push_back(pending.row);
}

void Changes::add_to(store::Batch& batch) const {
  const std::size_t id = table_->slot_of(Role::id);
  const auto unchanged = [&](const Pending& pending) {
    return store::both(store::equals(std::string(system_column::kId), kept(table_->columns[id], pending.row[id])), store::equals(std::string(system_column::kUpdated), pending.base));
  };
  const auto expected = [&](store::Mutation mutation) {
    mutation.expect = store::Mutation::Expect::one;
    mutation.otherwise = Code::precondition_failed;
    batch.add(std::move(mutation));
  };
  // Removals first: what they free may be taken again.
  for (const auto& [key, pending] : rows_)
    if (pending.state == Pending::State::removed) expected(store::remove(table_->physical, unchanged(pending)));
  for (const auto& [key, pending] : rows_) {
    if (pending.state != Pending::State::updated) continue;
    std::vector<store::Cell> cells{cell(system_column::kUpdated, store::Stamp{})};
    for (const std::size_t slot : pending.slots) cells.push_back(cell(table_->columns[slot].store, kept(table_->columns[slot], pending.row[slot])));
    expected(store::update(table_->physical, unchanged(pending), std::move(cells)));
  }
  for (const auto& [key, pending] : rows_) {
    if (pending.state != Pending::State::inserted) continue;
    std::vector<store::Cell> cells{cell(system_column::kCreated, store::Stamp{}), cell(system_column::kUpdated, store::Stamp{})};
    for (std::size_t slot = 0; slot < table_->columns.size(); ++slot) {
      const TableInfo::Column& column = table_->columns[slot];
      if (column.role == Role::own || column.role == Role::id) {
        if (!is_null(pending.row[slot])) cells.push_back(cell(column.store, kept(column, pending.row[slot])));
      } else if (column.role == Role::deleted) {
        const auto* deleted = std::get_if<bool>(&pending.row[slot]);
        cells.push_back(cell(column.store, deleted && *deleted));
      }
    }
    batch.add(store::insert(table_->physical, std::move(cells)));
  }
}

Changes& changes_of(AllChanges& all, const TablePtr& table) { return all.try_emplace(table->physical, table).first->second; }

std::size_t count_of(const AllChanges& all) {
  std::size_t out = 0;
  for (const auto& [name, changes] : all) out += changes.rows().size();
  return out;
}

}  // namespace mandate::tables::tsql
