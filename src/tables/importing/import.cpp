#include "tables/importing/import.h"

#include <set>

#include "base/text.h"
#include "base/url.h"
#include "tables/importing/fate.h"
#include "tables/importing/versions.h"

namespace mandate::tables::importing {
namespace {

/// Rows of one transaction: some ten milliseconds of the writer, who has others waiting.
constexpr std::size_t kPiece = 200;
/// Judgements of rows that others changed each time before they could be written.
constexpr int kMostTries = 8;
constexpr std::size_t kMostColumns = 1000;

void blame(Work& work, std::int64_t line, std::string why) { work.done.faults.push_back({line, std::move(why)}); }

bool is_bare(const Work& work) { return work.context.table->dialect == "v1"; }

/// The columns that the table lacks; a dry run only imagines them.
Task<void> grow(Work& work) {
  CO_TRY(std::vector<store::ColumnSpec> wanted, columns_wanted(*work.schema, is_bare(work), work.import));
  if (wanted.empty()) co_return ok();
  if (!work.context.table->dynamic_schema) {
    std::string names;
    for (const store::ColumnSpec& column : wanted) names += (names.empty() ? "'" : ", '") + column.name + "'";
    co_return Error(Code::invalid_request, "The table has no column " + names + " and takes no new ones: declare them, give them other names, or leave them out.");
  }
  if (work.schema->columns.size() + wanted.size() > kMostColumns) co_return Error(Code::invalid_request, "The table would have too many columns.");
  for (const store::ColumnSpec& column : wanted) work.done.columns.push_back(column.name);
  if (work.import.dry_run) {
    auto imagined = std::make_shared<Schema>(*work.schema);
    imagined->columns.insert(imagined->columns.end(), wanted.begin(), wanted.end());
    work.schema = std::move(imagined);
    co_return ok();
  }
  work.impl.columns_added.add(static_cast<double>(wanted.size()));
  work.impl.log.info("tables.columns_added", {{"table", work.schema->physical}, {"count", wanted.size()}});
  Task<Catalogue::SchemaPtr> growing = work.impl.catalogue.extend(work.context, std::move(wanted));
  CO_TRY(work.schema, co_await growing);
  co_return ok();
}

Task<void> give_id(Work& work, Ready& row) {
  if (!work.schema->integer_id) {
    row.id = work.impl.random.uuid7(work.impl.clock.now_ms());
    co_return ok();
  }
  Task<std::int64_t> next = work.impl.catalogue.next_id(work.context);
  CO_TRY(const std::int64_t id, co_await next);
  row.id = id;
  co_return ok();
}

/// The rows that can be written, as far as they themselves tell.
Task<std::vector<Ready>> fitted(Work& work) {
  std::vector<Ready> out;
  out.reserve(work.import.rows.size());
  std::int64_t smallest = 0, largest = 0;
  std::set<std::string> seen;
  for (const Row& row : work.import.rows) {
    Result<Ready> one = ready(*work.schema, is_bare(work), row, work.import.texts, work.now);
    const bool nameless = one.ok() && store::is_null(one->id) && !work.import.new_ids;
    if (!one.ok() && one.error().code != Code::bad_request) co_return std::move(one).error();
    if (!one.ok() || nameless) {
      blame(work, row.line, nameless ? "The row has no id." : one.error().hint);
      if (work.import.skip_bad) continue;
      work.done.stopped = true;
      break;
    }
    if (const auto* number = std::get_if<std::int64_t>(&one->id)) {
      smallest = largest == 0 ? *number : std::min(smallest, *number);
      largest = std::max(largest, *number);
    }
    if (!store::is_null(one->id)) {
      std::string id = text_of(one->id);
      if (seen.contains(id)) work.repeated.insert(std::move(id));
      else seen.insert(std::move(id));
    }
    out.push_back(*std::move(one));
  }
  // Before the rows: ids with holes are better than an id given twice.
  if (largest > 0 && !work.import.dry_run) {
    Task<void> passing = work.impl.catalogue.pass_ids(work.context, smallest, largest);
    CO_CHECK(co_await passing);
  }
  for (Ready& row : out) {
    if (!store::is_null(row.id) || work.import.dry_run) continue;
    Task<void> giving = give_id(work, row);
    CO_CHECK(co_await giving);
  }
  co_return out;
}

/// What became of some rows that were tried together.
struct Tried {
  std::optional<Error> refused;    ///< the store does not take some value: nothing was written
  std::vector<std::size_t> again;  ///< rows that changed meanwhile, or whose id came before among them
};

/// A row in a transaction, and which of its mutations writes it.
struct Place {
  const Ready* row = nullptr;
  std::size_t number = 0;
  Fate fate = Fate::same;
  std::size_t mutation = 0;
  std::optional<Millis> kept;  ///< the time it keeps
};

/// What a store says of a value rather than of itself.
bool is_about_a_value(Code code) { return code == Code::conflict || code == Code::payload_too_large || code == Code::invalid_request; }

/// Counts a row that was tried; one that was to be changed and was not as it had been seen is to be judged again.
void settle(Work& work, const Place& place, const store::Outcome& outcome, Tried& out) {
  if (place.fate == Fate::same) {
    ++work.done.same;
  } else if (place.fate == Fate::keep) {
    ++work.done.kept;
  } else if (!work.import.dry_run && outcome[place.mutation].count == 0) {
    out.again.push_back(place.number);
  } else {
    ++(place.fate == Fate::insert ? work.done.inserted : work.done.updated);
    if (work.import.dry_run || outcome[place.mutation].rows.empty()) return;
    work.written[text_of(place.row->id)] = {outcome[place.mutation].rows.front().integer(system_column::kUpdated), place.row->updated};
  }
}

/// One transaction. Rows without a place of their own in it (the same id twice) are left for the next.
Task<Tried> attempt(Work& work, std::span<const Ready> rows, std::size_t first) {
  Tried out;
  Task<Found> looking = look(work, rows);
  CO_TRY(const Found found, co_await looking);
  store::Batch batch;
  std::vector<Place> places;
  std::set<std::string> seen;
  std::vector<Fault> faults;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Ready& row = rows[i];
    const bool unnamed = store::is_null(row.id);  // only in a dry run
    const std::string id = unnamed ? std::string() : text_of(row.id);
    if (!unnamed && !seen.insert(id).second) {
      out.again.push_back(first + i);
      continue;
    }
    const auto known = unnamed ? found.end() : found.find(id);
    const There* there = known == found.end() ? nullptr : &known->second;
    Place place{&row, first + i, fate_of(work, row, there), batch.mutations.size(), std::nullopt};
    if (place.fate == Fate::insert || place.fate == Fate::update) {
      Result<store::Mutation> writing = there ? change(work, row, *there) : addition(work, row);
      if (!writing.ok()) {
        if (writing.error().code != Code::bad_request) co_return std::move(writing).error();
        faults.push_back({row.line, writing.error().hint});
        if (!work.import.skip_bad) break;
        continue;
      }
      if (work.repeated.contains(id)) writing->returning = {std::string(system_column::kUpdated)};
      batch.add(*std::move(writing));
      place.kept = time_kept(work, row, there);
    } else if (place.fate == Fate::same && row.updated == there->stamp) {
      place.kept = row.updated;  // what the old server called this state may not have been said before
    }
    if (row.version && place.kept) batch.add(remember(work.schema->physical, id, *row.version, *place.kept));
    places.push_back(std::move(place));
  }
  store::Outcome outcome;
  if (!work.import.dry_run && !batch.mutations.empty()) {
    batch.deadline = work.context.deadline;
    Task<store::Outcome> writing = work.context.here.store->mutate(std::move(batch));
    Result<store::Outcome> written = co_await writing;
    if (!written.ok()) {
      if (!is_about_a_value(written.error().code)) co_return std::move(written).error();
      out.refused = std::move(written).error();
      co_return out;
    }
    outcome = *std::move(written);
  }
  for (const Place& place : places) settle(work, place, outcome, out);
  for (Fault& fault : faults) work.done.faults.push_back(std::move(fault));
  co_return out;
}

/// Whose row it is, where rows belong to somebody.
std::optional<store::Owner> owner_in(const Work& work, const Ready& row) {
  const std::string& column = work.context.table->user_id_column;
  for (const store::Cell& cell : row.cells)
    if (!column.empty() && iequals(cell.column, column)) return store::Owner{column, cell.value};
  return std::nullopt;
}

/// Why the store does not take this row; nullopt: its id has come meanwhile, and it is to be tried again.
Task<std::optional<std::string>> why_refused(Work& work, const Ready& row, bool was_there, Error refused) {
  if (refused.code != Code::conflict) co_return std::optional(refused.hint.empty() ? "The row cannot be stored." : refused.hint);
  Task<Found> looking = look(work, std::span(&row, 1));
  CO_TRY(const Found found, co_await looking);
  if (!was_there && !found.empty()) co_return std::optional<std::string>();
  Task<std::string> asking = value_taken(work.context, work.schema, row.cells, owner_in(work, row));
  CO_TRY(std::string why, co_await asking);
  co_return std::optional(std::move(why));
}

struct Piece {
  std::size_t from = 0, to = 0;
  int tries = 0;
};

/// Writes the rows in their order. A piece that is refused is halved until the row that is to blame stands alone.
Task<void> write(Work& work, std::vector<Ready> rows) {
  std::vector<Piece> pieces;
  for (std::size_t end = rows.size(); end > 0;) {
    const std::size_t from = (end - 1) / kPiece * kPiece;
    pieces.push_back({from, end, 0});
    end = from;
  }
  while (!pieces.empty()) {
    const Piece piece = pieces.back();
    pieces.pop_back();
    const std::span<const Ready> some(rows.data() + piece.from, piece.to - piece.from);
    const std::size_t faults = work.done.faults.size();
    work.done.failed_line = some.front().line;
    bool was_there = false;
    if (some.size() == 1) {
      Task<Found> looking = look(work, some);
      CO_TRY(const Found found, co_await looking);
      was_there = !found.empty();
    }
    Task<Tried> trying = attempt(work, some, piece.from);
    CO_TRY(Tried tried, co_await trying);
    if (tried.refused && some.size() > 1) {
      const std::size_t middle = piece.from + some.size() / 2;
      pieces.push_back({middle, piece.to, 0});
      pieces.push_back({piece.from, middle, 0});
      continue;
    }
    if (tried.refused) {
      Task<std::optional<std::string>> asking = why_refused(work, some.front(), was_there, *tried.refused);
      CO_TRY(std::optional<std::string> why, co_await asking);
      if (why) blame(work, some.front().line, *std::move(why));
      else tried.again.push_back(piece.from);
    }
    if (!work.import.skip_bad && work.done.faults.size() > faults) {
      work.done.stopped = true;
      pieces.clear();
    }
    if (tried.again.empty()) continue;
    if (some.size() == 1 && piece.tries >= kMostTries) co_return Error(Code::overloaded, "The rows are changing. Try again.");
    std::ranges::sort(tried.again, std::greater());
    for (const std::size_t row : tried.again) pieces.push_back({row, row + 1, piece.tries + 1});
  }
  co_return ok();
}

}  // namespace

Task<Imported> import_rows(Tables& tables, OperationContext context, Import import) {
  if (import.rows.size() > kMostRows) co_return Error(Code::invalid_request, "At most " + std::to_string(kMostRows) + " rows at once.");
  Work work{tables.impl(), std::move(context), std::move(import), tables.impl().clock.now_ms(), nullptr, {}, {}, {}};
  Task<Catalogue::SchemaPtr> look = work.impl.catalogue.get(work.context);
  CO_TRY(work.schema, co_await look);
  Task<void> growing = grow(work);
  CO_CHECK(co_await growing);
  Task<std::vector<Ready>> fitting = fitted(work);
  CO_TRY(std::vector<Ready> rows, co_await fitting);
  Task<void> writing = write(work, std::move(rows));
  Result<void> written = co_await writing;
  const bool some = work.done.inserted + work.done.updated > 0 && !work.import.dry_run;
  if (!written.ok() && !some) co_return std::move(written).error();
  if (!written.ok()) work.done.failure = std::move(written).error();
  if (!work.import.dry_run) work.impl.imported.add(static_cast<double>(work.done.inserted + work.done.updated));
  std::ranges::sort(work.done.faults, {}, &Fault::line);
  if (work.done.stopped) work.done.faults.resize(1);  // a row that was not fit any more came after the one that the store refused
  co_return std::move(work.done);
}

}  // namespace mandate::tables::importing
