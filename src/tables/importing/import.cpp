#include "tables/importing/import.h"

#include <set>

#include "base/url.h"
#include "tables/core.h"
#include "tables/declared.h"
#include "tables/importing/cells.h"
#include "tables/importing/versions.h"

namespace mandate::tables::importing {
namespace {

/// Rows of one transaction: some ten milliseconds of the writer, who has others waiting.
constexpr std::size_t kPiece = 200;
/// Judgements of rows that others changed each time before they could be written.
constexpr int kMostTries = 8;
constexpr std::size_t kMostColumns = 1000;

std::string text_of(const store::Value& id) {
  const auto* text = std::get_if<std::string>(&id);
  return text ? *text : std::to_string(std::get<std::int64_t>(id));
}

/// What the steps of one import share.
struct Work {
  Tables::Impl& impl;
  OperationContext context;
  Import import;
  Catalogue::SchemaPtr schema;
  Imported done;
};

void blame(Work& work, std::int64_t line, std::string why) { work.done.faults.push_back({line, std::move(why)}); }

bool is_bare(const Work& work) { return work.schema->integer_id && work.context.table->dialect == "v1"; }

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
  const Millis now = work.impl.clock.now_ms();
  std::int64_t largest = 0;
  for (const Row& row : work.import.rows) {
    Result<Ready> one = ready(*work.schema, is_bare(work), row, work.import.texts, now);
    const bool nameless = one.ok() && store::is_null(one->id) && !work.import.new_ids;
    if (!one.ok() && one.error().code != Code::bad_request) co_return std::move(one).error();
    if (!one.ok() || nameless) {
      blame(work, row.line, nameless ? "The row has no id." : one.error().hint);
      if (work.import.skip_bad) continue;
      work.done.stopped = true;
      break;
    }
    if (work.import.restamp) one->updated.reset(), one->version.reset();
    if (const auto* number = std::get_if<std::int64_t>(&one->id)) largest = std::max(largest, *number);
    out.push_back(*std::move(one));
  }
  // Before the rows: ids with holes are better than an id given twice.
  if (largest > 0 && !work.import.dry_run) {
    Task<void> passing = work.impl.catalogue.pass_id(work.context, largest);
    CO_CHECK(co_await passing);
  }
  for (Ready& row : out) {
    if (!store::is_null(row.id) || work.import.dry_run) continue;
    Task<void> giving = give_id(work, row);
    CO_CHECK(co_await giving);
  }
  co_return out;
}

/// Stamps of those rows that are there, by id.
Task<std::map<std::string, Millis>> stamps_of(const Work& work, std::span<const Ready> rows) {
  std::vector<store::ExprPtr> args{store::column(std::string(system_column::kId), work.schema->integer_id ? store::Type::integer : store::Type::text)};
  for (const Ready& row : rows)
    if (!store::is_null(row.id)) args.push_back(store::literal(row.id));
  std::map<std::string, Millis> out;
  if (args.size() == 1) co_return out;
  store::Plan plan;
  plan.table = work.schema->physical;
  plan.select = {std::string(system_column::kId), std::string(system_column::kUpdated)};
  plan.where = store::make(store::Op::in, std::move(args));
  plan.deadline = work.context.deadline;
  Task<std::vector<store::Row>> reading = store::rows(*work.context.here.store, std::move(plan));
  CO_TRY(const std::vector<store::Row> found, co_await reading);
  for (const store::Row& row : found) out[text_of(row[system_column::kId])] = row.integer(system_column::kUpdated);
  co_return out;
}

store::Value moment(const std::optional<Millis>& given) { return given ? store::Value(*given) : store::Value(store::Stamp{}); }

/// bad_request: a required column, or the owner's, without a value.
Result<store::Mutation> addition(const Work& work, const Ready& row) {
  const std::string& owner = work.context.table->user_id_column;
  std::vector<store::Cell> cells = row.cells;
  CHECK_OK(complete(*work.schema, owner, cells));
  const auto owns = std::ranges::find_if(cells, [&](const store::Cell& cell) { return iequals(cell.column, owner); });
  if (!owner.empty() && (owns == cells.end() || store::is_null(owns->value)))
    return Error(Code::bad_request, "The row has no '" + owner + "': nobody could see it in a table of its users' own rows.");
  cells.push_back({std::string(system_column::kId), row.id});
  cells.push_back({std::string(system_column::kCreated), moment(row.created ? row.created : row.updated)});
  cells.push_back({std::string(system_column::kUpdated), moment(row.updated)});
  cells.push_back({std::string(system_column::kDeleted), row.deleted.value_or(false)});
  return store::insert(work.schema->physical, std::move(cells));
}

/// The row as it was seen, or nothing is touched. What is older than what was there gets a new stamp: else nobody heard of it.
store::Mutation change(const Work& work, const Ready& row, Millis seen, bool older) {
  std::vector<store::Cell> cells = row.cells;
  if (row.created) cells.push_back({std::string(system_column::kCreated), *row.created});
  cells.push_back({std::string(system_column::kUpdated), older ? store::Value(store::Stamp{}) : moment(row.updated)});
  if (row.deleted) cells.push_back({std::string(system_column::kDeleted), *row.deleted});
  store::ExprPtr same = store::both(store::equals(std::string(system_column::kId), row.id), store::equals(std::string(system_column::kUpdated), seen));
  return store::update(work.schema->physical, std::move(same), std::move(cells));
}

/// What became of some rows that were tried together.
struct Tried {
  bool refused = false;            ///< some value is taken: nothing was written
  std::vector<std::size_t> again;  ///< rows that changed meanwhile, or whose id came before among them
};

enum class Fate { skip, insert, update };

/// One transaction. Rows without a place of their own in it (the same id twice) are left for the next.
Task<Tried> attempt(Work& work, std::span<const Ready> rows, std::size_t first) {
  Tried out;
  Task<std::map<std::string, Millis>> looking = stamps_of(work, rows);
  CO_TRY(const auto there, co_await looking);
  store::Batch batch;
  std::vector<std::pair<std::size_t, Fate>> places;  // of each mutation
  std::set<std::string> seen;
  std::int64_t kept = 0;
  std::vector<Fault> faults;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Ready& row = rows[i];
    const bool unnamed = store::is_null(row.id);  // only in a dry run
    std::string id = unnamed ? std::string() : text_of(row.id);
    if (!unnamed && !seen.insert(id).second) {
      out.again.push_back(first + i);
      continue;
    }
    const auto found = unnamed ? there.end() : there.find(id);
    const bool older = found != there.end() && row.updated && *row.updated < found->second;
    if (older && !work.import.replace) {
      ++kept;
      continue;
    }
    if (found == there.end()) {
      Result<store::Mutation> adding = addition(work, row);
      if (!adding.ok()) {
        if (adding.error().code != Code::bad_request) co_return std::move(adding).error();
        faults.push_back({row.line, adding.error().hint});
        if (!work.import.skip_bad) break;
        continue;
      }
      batch.add(*std::move(adding));
    } else {
      batch.add(change(work, row, found->second, older));
    }
    places.emplace_back(first + i, found == there.end() ? Fate::insert : Fate::update);
    if (row.version && row.updated && !older) {
      batch.add(remember(work.schema->physical, std::move(id), *row.version, *row.updated));
      places.emplace_back(first + i, Fate::skip);
    }
  }
  store::Outcome outcome;
  if (!work.import.dry_run && !batch.mutations.empty()) {
    batch.deadline = work.context.deadline;
    Task<store::Outcome> writing = work.context.here.store->mutate(std::move(batch));
    Result<store::Outcome> written = co_await writing;
    if (!written.ok()) {
      if (written.error().code != Code::conflict) co_return std::move(written).error();
      out.refused = true;
      co_return out;
    }
    outcome = *std::move(written);
  }
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto [row, fate] = places[i];
    if (fate == Fate::skip) continue;
    const bool touched = work.import.dry_run || outcome[i].count > 0;
    if (!touched) out.again.push_back(row);
    else ++(fate == Fate::insert ? work.done.inserted : work.done.updated);
  }
  work.done.kept += kept;
  for (Fault& fault : faults) work.done.faults.push_back(std::move(fault));
  co_return out;
}

/// The row that the store does not take: either its id has come meanwhile, then it is to be tried again, or a value is taken.
Task<bool> came_meanwhile(Work& work, const Ready& row, bool was_there) {
  Task<std::map<std::string, Millis>> looking = stamps_of(work, std::span(&row, 1));
  CO_TRY(const auto there, co_await looking);
  co_return !was_there && !there.empty();
}

/// Whose row it is, where rows belong to somebody.
std::optional<store::Owner> owner_in(const Work& work, const Ready& row) {
  const std::string& column = work.context.table->user_id_column;
  for (const store::Cell& cell : row.cells)
    if (!column.empty() && iequals(cell.column, column)) return store::Owner{column, cell.value};
  return std::nullopt;
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
    bool was_there = false;
    if (some.size() == 1) {
      Task<std::map<std::string, Millis>> looking = stamps_of(work, some);
      CO_TRY(const auto there, co_await looking);
      was_there = !there.empty();
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
      Task<bool> asking = came_meanwhile(work, some.front(), was_there);
      CO_TRY(const bool came, co_await asking);
      if (came) {
        tried.again.push_back(piece.from);
      } else {
        Task<std::string> why = value_taken(work.context, work.schema, some.front().cells, owner_in(work, some.front()));
        CO_TRY(std::string hint, co_await why);
        blame(work, some.front().line, std::move(hint));
      }
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
  Work work{tables.impl(), std::move(context), std::move(import), nullptr, {}};
  Task<Catalogue::SchemaPtr> look = work.impl.catalogue.get(work.context);
  CO_TRY(work.schema, co_await look);
  Task<void> growing = grow(work);
  CO_CHECK(co_await growing);
  Task<std::vector<Ready>> fitting = fitted(work);
  CO_TRY(std::vector<Ready> rows, co_await fitting);
  Task<void> writing = write(work, std::move(rows));
  CO_CHECK(co_await writing);
  if (!work.import.dry_run) work.impl.imported.add(static_cast<double>(work.done.inserted + work.done.updated));
  std::ranges::sort(work.done.faults, {}, &Fault::line);
  if (work.done.stopped) work.done.faults.resize(1);  // a row that was not fit any more came after the one that the store refused
  co_return std::move(work.done);
}

}  // namespace mandate::tables::importing
