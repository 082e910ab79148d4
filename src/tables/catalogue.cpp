#include "tables/catalogue.h"

#include "base/url.h"
#include "store/columns.h"
#include "tables/importing/versions.h"
#include "tables/projection.h"
#include "tables/shape.h"

namespace mandate::tables {
namespace {

constexpr std::string_view kShapes = "table_shapes";
constexpr std::string_view kSequences = "table_sequences";

/// Between one try to make an index and the next.
constexpr std::chrono::seconds kFirstPause{1}, kLongestPause{300};

bool has(const std::vector<store::ColumnSpec>& columns, std::string_view name) {
  for (const auto& column : columns)
    if (iequals(column.name, name)) return true;
  return false;
}

}  // namespace

Catalogue::Catalogue(const Clock& clock, Log& log) : clock_(clock), log_(log) {}
Catalogue::~Catalogue() = default;

Catalogue::SchemaPtr Catalogue::kept(const OperationContext& context, std::string_view physical, bool& due) {
  const std::lock_guard lock(mutex_);
  const auto house = houses_.find(context.here.store);
  if (house == houses_.end()) return nullptr;
  house->second.newest = std::max(house->second.newest, context.here->revision);
  const auto found = house->second.schemas.find(physical);
  if (found == house->second.schemas.end() || found->second->revision != context.here->revision) return nullptr;
  if (house->second.due <= clock_.steady()) {
    const auto indexed = house->second.indexed.find(physical);
    due = indexed != house->second.indexed.end() && indexed->second.again && *indexed->second.again <= clock_.steady() && !indexed->second.under_way;
  }
  return found->second;
}

std::uint64_t Catalogue::generation(store::Store* store) {
  const std::lock_guard lock(mutex_);
  House& house = houses_[store];
  if (!house.watch) house.watch = store->watch({std::string(kShapes)}, [this, store](std::string_view) { forget(store); });
  return house.generation;
}

void Catalogue::keep(store::Store* store, std::uint64_t generation, SchemaPtr schema) {
  const std::lock_guard lock(mutex_);
  House& house = houses_[store];
  if (house.generation != generation || schema->revision < house.newest) return;
  house.newest = schema->revision;
  std::string name = schema->physical;
  house.schemas[std::move(name)] = std::move(schema);
}

void Catalogue::forget(store::Store* store) {
  const std::lock_guard lock(mutex_);
  if (const auto house = houses_.find(store); house != houses_.end()) {
    house->second.schemas.clear();
    ++house->second.generation;
    // A table that was dropped, here or on another node, counts from 1 again when it comes back.
    std::erase_if(blocks_, [store](const auto& block) { return block.first.first == store; });
  }
}

Task<Catalogue::SchemaPtr> Catalogue::get(const OperationContext& context) {
  std::string physical = physical_name(context.service->name, context.table->name);
  bool due = false;
  if (SchemaPtr found = kept(context, physical, due)) {
    // Nobody waits for it.
    if (due) spawn(index(*context.here.store, std::move(physical), indexes_of(*context.table), context.here->revision, true), [](const Result<void>&) {});
    co_return found;
  }
  std::vector<store::ColumnSpec> wanted = columns_of(*context.table);
  Task<SchemaPtr> task = load(context, std::move(physical), std::move(wanted));
  CO_TRY(SchemaPtr schema, co_await task);
  co_return schema;
}

Task<Catalogue::SchemaPtr> Catalogue::extend(const OperationContext& context, std::vector<store::ColumnSpec> columns) {
  std::string physical = physical_name(context.service->name, context.table->name);
  Task<SchemaPtr> task = load(context, std::move(physical), std::move(columns));
  CO_TRY(SchemaPtr schema, co_await task);
  co_return schema;
}

// What is there comes first: only a table that lacks something is touched.
Task<std::vector<store::ColumnSpec>> Catalogue::made(store::Store& store, std::string physical, std::vector<store::ColumnSpec> wanted) {
  Task<std::vector<store::ColumnSpec>> look = store.describe(physical);
  CO_TRY(std::vector<store::ColumnSpec> columns, co_await look);
  std::erase_if(wanted, [&](const store::ColumnSpec& w) { return has(columns, w.name); });
  if (wanted.empty()) co_return columns;
  if (columns.empty()) {
    const std::lock_guard lock(mutex_);
    houses_[&store].indexed[physical].revision.reset();
  }
  if (columns.empty()) {  // no table without its note: whoever removes the service has to find it
    Task<void> noting = note(store, physical);
    CO_CHECK(co_await noting);
  }
  Task<void> change = store.ensure_table(physical, std::move(wanted));
  CO_CHECK(co_await change);
  Task<void> noted = note(store, physical);
  CO_CHECK(co_await noted);
  Task<std::vector<store::ColumnSpec>> again = store.describe(physical);
  CO_TRY(columns, co_await again);
  co_return columns;
}

Task<void> Catalogue::note(store::Store& store, std::string physical) {
  std::vector<store::Cell> cells{{"name", std::move(physical)}, {"changed_at", clock_.now_ms()}};
  store::Batch batch;
  batch.add(store::upsert(std::string(kShapes), {"name"}, std::move(cells)));
  Task<store::Outcome> writing = store.mutate(std::move(batch));
  CO_TRY([[maybe_unused]] const store::Outcome written, co_await writing);
  co_return ok();
}

Task<void> Catalogue::index(store::Store& store, std::string physical, std::vector<store::IndexSpec> indexes, std::uint64_t revision, bool again) {
  if (indexes.empty() && !again) co_return ok();
  bool exactly = false;
  for (;;) {
    auto others = std::make_shared<Signal<bool>>();
    {
      const std::lock_guard lock(mutex_);
      House& house = houses_[&store];
      house.newest = std::max(house.newest, revision);
      Indexed& indexed = house.indexed[physical];
      if (!indexed.under_way) {
        const bool due = again && indexed.again && *indexed.again <= clock_.steady();
        if (revision < house.newest || (indexed.revision && revision <= *indexed.revision && !due)) co_return ok();
        exactly = due && indexed.too_many;
        indexed.revision = revision;
        indexed.under_way = true;
        break;
      }
      if (again) co_return ok();
      indexed.waiting.push_back(others);
    }
    [[maybe_unused]] const Result<bool> waited = co_await *others;
  }
  if (!exactly) indexes.push_back(store::others_stay());
  Task<void> make = store.ensure_indexes(physical, std::move(indexes));
  const Result<void> made = co_await make;
  // The configuration was refused when it was applied over such rows; those that came since are served all the same.
  if (!made.ok()) log_.error("tables.index_failed", {{"table", physical}, {"code", name(made.error().code)}, {"columns", made.error().hint}, {"detail", made.error().detail}});
  else if (exactly) log_.info("tables.settled", {{"table", physical}});
  std::vector<std::shared_ptr<Signal<bool>>> waiting;
  {
    const std::lock_guard lock(mutex_);
    House& house = houses_[&store];
    Indexed& indexed = house.indexed[physical];
    indexed.under_way = false;
    waiting.swap(indexed.waiting);
    if (exactly) indexed.too_many = !made.ok() && store::passes(made.error());
    note(house, indexed, made);
  }
  for (const auto& each : waiting) each->set(true);
  co_return ok();
}

void Catalogue::note(House& house, Indexed& indexed, const Result<void>& tried) {
  if (!tried.ok() && store::passes(tried.error())) {
    indexed.again = clock_.steady() + std::min(kFirstPause * (1 << std::min(indexed.failures++, 10)), kLongestPause);
  } else if (!indexed.too_many) {
    indexed.failures = 0;
    indexed.again.reset();
  }
  house.due = Moment::max();
  for (const auto& [name, each] : house.indexed)
    if (each.again) house.due = std::min(house.due, *each.again);
}

Task<Catalogue::SchemaPtr> Catalogue::load(const OperationContext& context, std::string physical,
                                           std::vector<store::ColumnSpec> wanted) {
  store::Store& store = *context.here.store;
  generation(&store);  // what changes from here on is heard of
  const tenant::Service& service = *context.service;
  const tenant::Table& table = *context.table;
  std::map<std::string, SchemaPtr, std::less<>> targets;
  for (const tenant::TableColumn& column : table.columns) {
    const tenant::Table* target = column.references.empty() ? nullptr : service.table(column.references);
    if (!target) continue;
    std::string name = physical_name(service.name, target->name);
    std::vector<store::ColumnSpec> theirs = columns_of(*target);
    Task<std::vector<store::ColumnSpec>> make = made(store, name, std::move(theirs));
    CO_TRY(std::vector<store::ColumnSpec> there, co_await make);
    targets[ascii_lower(column.references)] = make_schema(*target, std::move(name), std::move(there));
  }
  Task<std::vector<store::ColumnSpec>> make = made(store, physical, std::move(wanted));
  CO_TRY(std::vector<store::ColumnSpec> columns, co_await make);
  // Making columns is a change too, ours: what is kept is what is read after it.
  const std::uint64_t seen = generation(&store);
  Task<std::vector<store::ColumnSpec>> again = store.describe(physical);
  CO_TRY(columns, co_await again);
  std::vector<store::IndexSpec> indexes = indexes_of(table);
  Task<void> indexing = index(store, physical, std::move(indexes), context.here->revision, false);
  CO_CHECK(co_await indexing);
  if (const std::string differ = differing(table, columns); !differ.empty()) log_.error("tables.columns_differ", {{"table", physical}, {"columns", differ}});
  std::shared_ptr<Schema> schema = make_schema(table, std::move(physical), std::move(columns));
  schema->revision = context.here->revision;
  add_relations(*schema, service, table, targets);
  for (const Dialect dialect : {Dialect::v1, Dialect::v2, Dialect::v3, Dialect::v4}) {
    auto whole = whole_row_of(*schema, dialect, {});
    schema->whole[static_cast<std::size_t>(dialect)] = std::move(whole);
  }
  keep(&store, seen, schema);
  co_return SchemaPtr(schema);
}

// A new column is null in every row, and any rows can have an ordinary index, so what is new in that way cannot be at odds with the
// rows: it waits for the configuration. What is refused has then begun nothing that goes on behind.
Task<void> Catalogue::prepare(store::Store& store, const tenant::Service& service, const tenant::Table& table) {
  std::string physical = physical_name(service.name, table.name);
  Task<void> check = check_columns(store, service, table);
  CO_CHECK(co_await check);
  Task<std::vector<store::ColumnSpec>> look = store.describe(physical);
  CO_TRY(const std::vector<store::ColumnSpec> columns, co_await look);
  if (columns.empty()) co_return ok();  // made when it is first used
  std::vector<store::IndexSpec> indexes = indexes_of(table);
  std::erase_if(indexes, [&](const store::IndexSpec& index) { return !index.unique || !std::ranges::all_of(index.columns, [&](const std::string& name) { return has(columns, name); }); });
  if (indexes.empty()) co_return ok();
  indexes.push_back(store::others_stay());
  Task<void> index = store.ensure_indexes(std::move(physical), std::move(indexes));
  Result<void> indexed = co_await index;
  if (indexed.ok()) co_return ok();
  if (indexed.error().code != Code::conflict) co_return std::move(indexed).error();
  co_return Error(Code::invalid_request, "unique: the table has rows with the same " + indexed.error().hint + "; change or delete them first");
}

Task<void> Catalogue::settle(store::Store& store, const tenant::Service& service, const tenant::Table& table) {
  std::string physical = physical_name(service.name, table.name);
  Task<void> settling = settle_now(store, physical, table);
  Result<void> settled = co_await settling;
  const std::lock_guard lock(mutex_);
  House& house = houses_[&store];
  Indexed& indexed = house.indexed[physical];
  indexed.too_many = !settled.ok() && store::passes(settled.error());
  note(house, indexed, settled);
  co_return settled;
}

Task<void> Catalogue::settle_now(store::Store& store, std::string physical, const tenant::Table& table) {
  Task<std::vector<store::ColumnSpec>> look = store.describe(physical);
  CO_TRY(std::vector<store::ColumnSpec> columns, co_await look);
  if (columns.empty()) co_return ok();  // made when it is first used
  std::vector<store::ColumnSpec> wanted = columns_of(table);
  Task<std::vector<store::ColumnSpec>> make = made(store, physical, std::move(wanted));
  CO_TRY(columns, co_await make);
  std::vector<store::IndexSpec> indexes = indexes_of(table);
  Task<void> index = store.ensure_indexes(std::move(physical), std::move(indexes));
  CO_CHECK(co_await index);
  co_return ok();
}

Task<void> Catalogue::drop(store::Store& store, std::string physical, store::Permit* permit) {
  store::Batch before;
  if (permit) {
    Task<std::vector<store::Mutation>> asking = permit->next();
    CO_TRY(before.mutations, co_await asking);
  }
  if (!before.mutations.empty()) {
    Task<store::Outcome> checking = store.mutate(std::move(before));
    CO_TRY([[maybe_unused]] const store::Outcome checked, co_await checking);
  }
  Task<void> dropped = store.drop_table(physical);
  CO_CHECK(co_await dropped);
  Task<std::int64_t> forgetting = store::remove_bunch(store, importing::forgetting(physical), permit);
  CO_TRY([[maybe_unused]] const std::int64_t versions, co_await forgetting);
  store::Batch batch;
  if (permit) {
    Task<std::vector<store::Mutation>> asking = permit->next();
    CO_TRY(batch.mutations, co_await asking);
  }
  batch.add(store::remove(std::string(kShapes), store::equals("name", physical)));  // other nodes hear of it
  batch.add(store::remove(std::string(kSequences), store::equals("name", physical)));
  Task<store::Outcome> noted = store.mutate(std::move(batch));
  CO_TRY(store::Outcome outcome, co_await noted);
  forget(&store);
  const std::lock_guard lock(mutex_);
  blocks_.erase(Key(&store, physical));
  // What was still to be done to its indexes is done.
  Indexed& indexed = houses_[&store].indexed[physical];
  indexed.revision.reset();
  indexed.again.reset();
  indexed.too_many = false;
  co_return ok();
}

Task<std::vector<std::string>> Catalogue::known(store::Store& store, std::string prefix) {
  store::Plan plan;
  plan.table = kShapes;
  plan.select = {"name"};
  Task<std::vector<store::Row>> reading = store::rows(store, std::move(plan));
  CO_TRY(const std::vector<store::Row> rows, co_await reading);
  std::vector<std::string> out;
  for (const store::Row& row : rows)
    if (row.text("name").starts_with(prefix)) out.emplace_back(row.text("name"));
  co_return out;
}

Task<std::int64_t> Catalogue::next_id(const OperationContext& context) {
  store::Store& store = *context.here.store;
  const std::string physical = physical_name(context.service->name, context.table->name);
  const Key key(&store, physical);
  for (;;) {
    std::int64_t size = 1;
    const std::uint64_t seen = generation(&store);
    {
      const std::lock_guard lock(mutex_);
      Block& block = blocks_[key];
      if (block.next < block.end) co_return block.next++;
      size = block.size;
    }
    store::Plan plan;
    plan.table = kSequences;
    plan.where = store::equals("name", physical);
    Task<std::optional<store::Row>> look = store.get(std::move(plan));
    CO_TRY(std::optional<store::Row> row, co_await look);
    const std::int64_t first = row ? row->integer("next_id") : 1;
    store::Batch batch;
    if (row) {
      std::vector<store::ExprPtr> same{store::equals("name", physical), store::equals("next_id", first)};
      std::vector<store::Cell> set{{"next_id", first + size}};
      store::Mutation advance = store::update(std::string(kSequences), store::make(store::Op::and_, std::move(same)), std::move(set));
      advance.expect = store::Mutation::Expect::one;
      batch.add(std::move(advance));
    } else {
      std::vector<store::Cell> cells{{"name", physical}, {"next_id", first + size}};
      batch.add(store::insert(std::string(kSequences), std::move(cells)));
    }
    batch.deadline = context.deadline;
    Task<store::Outcome> change = store.mutate(std::move(batch));
    Result<store::Outcome> outcome = co_await change;
    if (!outcome.ok() && outcome.error().code != Code::conflict) co_return std::move(outcome).error();
    const std::lock_guard lock(mutex_);
    Block& block = blocks_[key];
    if (!outcome.ok()) {
      // Someone took them first: take more at once next time, so that a burst settles.
      block.size = std::min<std::int64_t>(block.size * 2, 64);
      continue;
    }
    if (houses_[&store].generation != seen) co_return first;
    if (block.next < block.end) co_return first;  // another loop filled the block meanwhile: its numbers come first
    block = Block{first + 1, first + size, std::max<std::int64_t>(1, block.size / 2)};
    co_return first;
  }
}

Task<void> check_columns(store::Store& store, const tenant::Service& service, const tenant::Table& table) {
  Task<std::vector<store::ColumnSpec>> look = store.describe(physical_name(service.name, table.name));
  CO_TRY(const std::vector<store::ColumnSpec> columns, co_await look);
  if (const std::string differ = differing(table, columns); !differ.empty()) co_return Error(Code::invalid_request, "columns: " + differ);
  co_return ok();
}

// Blocks of ids that loops and nodes hold go with what they know of shapes: that is what each of them watches. They hold smaller ids
// than the next one, so a file in the order of its ids makes nobody forget anything.
Task<void> Catalogue::pass_ids(const OperationContext& context, std::int64_t first, std::int64_t last) {
  store::Store& store = *context.here.store;
  const std::string physical = physical_name(context.service->name, context.table->name);
  for (int tries = 0; tries < 8; ++tries) {
    store::Plan plan;
    plan.table = kSequences;
    plan.where = store::equals("name", physical);
    plan.deadline = context.deadline;
    Task<std::optional<store::Row>> look = store.get(std::move(plan));
    CO_TRY(const std::optional<store::Row> row, co_await look);
    if (row && row->integer("next_id") > last) co_return ok();
    const bool held = row && first < row->integer("next_id");
    store::Batch batch;
    if (row) {
      store::ExprPtr same = store::both(store::equals("name", physical), store::equals("next_id", row->integer("next_id")));
      std::vector<store::Cell> set{{"next_id", last + 1}};
      store::Mutation advance = store::update(std::string(kSequences), std::move(same), std::move(set));
      advance.expect = store::Mutation::Expect::one;
      batch.add(std::move(advance));
    } else {
      std::vector<store::Cell> begin{{"name", physical}, {"next_id", last + 1}};
      batch.add(store::insert(std::string(kSequences), std::move(begin)));
    }
    if (held) {
      std::vector<store::Cell> note{{"name", physical}, {"changed_at", clock_.now_ms()}};
      batch.add(store::upsert(std::string(kShapes), {"name"}, std::move(note)));
    }
    batch.deadline = context.deadline;
    Task<store::Outcome> change = store.mutate(std::move(batch));
    const Result<store::Outcome> outcome = co_await change;
    if (!outcome.ok() && outcome.error().code != Code::conflict) co_return outcome.error();
    if (!outcome.ok()) continue;
    if (held) forget(&store);
    co_return ok();
  }
  co_return Error(Code::overloaded, "The table is changing. Try again.");
}

}  // namespace mandate::tables
