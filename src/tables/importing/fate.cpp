#include "tables/importing/fate.h"

#include "base/url.h"
#include "tables/declared.h"

namespace mandate::tables::importing {
namespace {

/// How far clocks of nodes and writes under way are apart, at most.
constexpr Millis kFresh = 60'000;

std::optional<double> number_in(const store::Value& value) {
  if (const auto* truth = std::get_if<bool>(&value)) return *truth ? 1 : 0;
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
  if (const auto* real = std::get_if<double>(&value)) return *real;
  return std::nullopt;
}

/// Engines give truths and whole numbers back in types of theirs.
bool alike(const store::Value& there, const store::Value& given) {
  if (there == given) return true;
  if (std::holds_alternative<std::int64_t>(there) && std::holds_alternative<std::int64_t>(given)) return false;
  const auto left = number_in(there), right = number_in(given);
  return left && right && *left == *right;
}

/// Our cells that a row says, but for its time.
std::vector<store::Cell> own_system_cells(const Ready& row) {
  std::vector<store::Cell> out;
  if (row.created) out.push_back({std::string(system_column::kCreated), *row.created});
  if (row.deleted) out.push_back({std::string(system_column::kDeleted), *row.deleted});
  return out;
}

store::Value moment(const std::optional<Millis>& given) { return given ? store::Value(*given) : store::Value(store::Stamp{}); }

const store::Cell* owner_in(const Work& work, const std::vector<store::Cell>& cells) {
  const std::string& owner = work.context.table->user_id_column;
  const auto found = std::ranges::find_if(cells, [&](const store::Cell& cell) { return !owner.empty() && iequals(cell.column, owner); });
  return found == cells.end() ? nullptr : &*found;
}

Error ownerless(const Work& work) {
  return Error(Code::bad_request, "The row has no '" + work.context.table->user_id_column + "': nobody could see it in a table of its users' own rows.");
}

}  // namespace

std::string text_of(const store::Value& id) {
  const auto* text = std::get_if<std::string>(&id);
  return text ? *text : std::to_string(std::get<std::int64_t>(id));
}

Task<Found> look(const Work& work, std::span<const Ready> rows) {
  std::vector<store::ExprPtr> args{store::column(std::string(system_column::kId), work.schema->integer_id ? store::Type::integer : store::Type::text)};
  std::map<std::string, const Ready*> coming;
  std::set<std::string> columns;
  for (const Ready& row : rows) {
    if (store::is_null(row.id) || !coming.emplace(text_of(row.id), &row).second) continue;
    args.push_back(store::literal(row.id));
    for (const store::Cell& cell : row.cells) columns.insert(cell.column);
  }
  Found out;
  if (coming.empty()) co_return out;
  // A dry run only imagines those: no row has anything in them.
  if (work.import.dry_run)
    for (const std::string& made : work.done.columns) columns.erase(made);
  store::Plan plan;
  plan.table = work.schema->physical;
  plan.select = {std::string(system_column::kId), std::string(system_column::kUpdated), std::string(system_column::kCreated), std::string(system_column::kDeleted)};
  plan.select.insert(plan.select.end(), columns.begin(), columns.end());
  plan.where = store::make(store::Op::in, std::move(args));
  plan.deadline = work.context.deadline;
  std::map<std::string, std::size_t, std::less<>> places;
  for (std::size_t i = 0; i < plan.select.size(); ++i) places[plan.select[i]] = i;
  std::function<bool(const store::RowView&)> each = [&](const store::RowView& row) {
    const store::Value id = row.value(0);
    const auto ready = coming.find(text_of(id));
    if (ready == coming.end()) return true;
    const auto is_there = [&](const store::Cell& cell) {
      const auto place = places.find(cell.column);
      return alike(place == places.end() ? store::Value{} : row.value(place->second), cell.value);
    };
    const bool same = std::ranges::all_of(ready->second->cells, is_there) && std::ranges::all_of(own_system_cells(*ready->second), is_there);
    out[ready->first] = {row.integer(1), same};
    return true;
  };
  Task<store::Store::Listed> reading = work.context.here.store->list(std::move(plan), each);
  Result<store::Store::Listed> read = co_await reading;
  CO_CHECK(std::move(read));
  co_return out;
}

Fate fate_of(const Work& work, const Ready& row, const There* there) {
  if (!there) return Fate::insert;
  const auto before = work.written.find(text_of(row.id));
  const bool ours = before != work.written.end() && before->second.stamp == there->stamp;
  if (!ours && row.updated && *row.updated > there->stamp) return Fate::update;
  if (there->same) return work.import.restamp && !ours && row.updated == there->stamp ? Fate::update : Fate::same;
  if (work.import.replace) return Fate::update;
  if (ours) return row.updated && before->second.said && *row.updated < *before->second.said ? Fate::keep : Fate::update;
  // Without a time nobody knows who is newer: what clients did here counts.
  return row.updated == there->stamp ? Fate::update : Fate::keep;
}

std::optional<Millis> time_kept(const Work& work, const Ready& row, const There* there) {
  const bool late = there && row.updated && *row.updated <= there->stamp;
  if (work.import.restamp || !row.updated || late || *row.updated > work.now - kFresh) return std::nullopt;
  return row.updated;
}

Result<store::Mutation> addition(const Work& work, const Ready& row) {
  std::vector<store::Cell> cells = row.cells;
  CHECK_OK(complete(*work.schema, work.context.table->user_id_column, cells));
  const store::Cell* owner = owner_in(work, cells);
  if (!work.context.table->user_id_column.empty() && (!owner || store::is_null(owner->value))) return ownerless(work);
  cells.push_back({std::string(system_column::kId), row.id});
  cells.push_back({std::string(system_column::kCreated), moment(row.created ? row.created : row.updated)});
  cells.push_back({std::string(system_column::kUpdated), moment(time_kept(work, row, nullptr))});
  cells.push_back({std::string(system_column::kDeleted), row.deleted.value_or(false)});
  return store::insert(work.schema->physical, std::move(cells));
}

Result<store::Mutation> change(const Work& work, const Ready& row, const There& there) {
  if (const store::Cell* owner = owner_in(work, row.cells); owner && store::is_null(owner->value)) return ownerless(work);
  std::vector<store::Cell> cells = row.cells;
  for (store::Cell& cell : own_system_cells(row)) cells.push_back(std::move(cell));
  cells.push_back({std::string(system_column::kUpdated), moment(time_kept(work, row, &there))});
  store::ExprPtr same = store::both(store::equals(std::string(system_column::kId), row.id), store::equals(std::string(system_column::kUpdated), there.stamp));
  return store::update(work.schema->physical, std::move(same), std::move(cells));
}

}  // namespace mandate::tables::importing
