// Reads: rows go from the engine's row straight into the text of the answer.
#include "tables/core.h"
#include "tables/expand.h"
#include "tables/ids.h"
#include "tables/odata/to_plan.h"

namespace mandate::tables {
namespace {

/// A script reads without pages, so it gets the bytes of several.
constexpr std::size_t kScriptPages = 4;

/// A query made ready for the store.
struct Reading {
  Catalogue::SchemaPtr schema;
  store::Plan plan;
  std::shared_ptr<const Projection> projection;
  bool empty = false, one = false, total = false;
  std::int64_t page = -1;             ///< rows of the page when one row more is read to see whether there is one
  std::vector<std::size_t> keys;      ///< where in a row the keys of the order are; empty when the list cannot be resumed
  store::ExprPtr uncut;               ///< the condition without the place where an earlier page ended: what a total counts
  bool bounded = false;               ///< rows that change while a client goes from page to page are left to its next pull
  std::vector<Expansion> expansions;
  std::optional<Millis> bound;        ///< the newest stamp when the first page was read
};

/// Where the column is read. A projection that lacks it is replaced: the usual ones are shared and stay as they are.
std::size_t source_of(std::shared_ptr<const Projection>& projection, std::string_view column) {
  const auto there = std::ranges::find(projection->select, column);
  if (there != projection->select.end()) return static_cast<std::size_t>(there - projection->select.begin());
  auto wider = std::make_shared<Projection>(*projection);
  const std::size_t source = wider->source_of(column);
  projection = std::move(wider);
  return source;
}

bool is_system(const store::Expr& by, const Schema& schema) {
  if (by.op != store::Op::column) return false;
  if (by.text == system_column::kId) return !schema.integer_id || by.type == store::Type::integer;
  return by.text == system_column::kUpdated || by.text == system_column::kCreated;
}

/// Rows behind the row with these keys: (a > x) or (a = x and ((b > y) or …)). Keys are never null.
store::ExprPtr behind(const std::vector<store::Order>& order, const std::vector<store::Value>& keys) {
  store::ExprPtr out;
  for (std::size_t i = order.size(); i-- > 0;) {
    const store::ExprPtr key = store::literal(keys[i], order[i].by->type);
    store::ExprPtr further = store::make(order[i].descending ? store::Op::lt : store::Op::gt, {order[i].by, key});
    if (out) {
      store::ExprPtr tied = store::both(store::make(store::Op::eq, {order[i].by, key}), std::move(out));
      std::vector<store::ExprPtr> either{std::move(further), std::move(tied)};
      further = store::make(store::Op::or_, std::move(either));
    }
    out = std::move(further);
  }
  return out;
}

store::ExprPtr by_stamp() { return store::column(std::string(system_column::kUpdated), store::Type::date); }

/// A pull in the order of the stamps that does not see deleted rows: a row that it saw and that is deleted meanwhile has to come
/// behind the newest stamp it saw, or its next pull passes over the deletion.
bool is_blind_pull(const OperationContext& context, const Reading& reading) {
  if (!is_datasync(context.dialect) || context.include_deleted || !reading.schema->soft_delete) return false;
  const store::Order& first = reading.plan.order.front();
  return first.by->op == store::Op::column && first.by->text == system_column::kUpdated && !first.descending;
}

/// The page, its place, and whether the next one can begin behind its last row (docs/adr/0013).
Result<void> prepare_page(Reading& out, const OperationContext& context) {
  if (is_datasync(context.dialect) && !context.unlimited) out.plan.limit = std::min(out.plan.limit.value_or(context.page), context.page);
  const bool by_system = std::ranges::all_of(out.plan.order, [&](const store::Order& o) { return is_system(*o.by, *out.schema); });
  out.uncut = out.plan.where;
  if (!context.after.empty()) {
    const std::size_t keys = out.plan.order.size();
    bool fits = by_system && (context.after.size() == keys || context.after.size() == keys + 1);
    for (std::size_t i = 0; fits && i < keys; ++i)
      fits = std::holds_alternative<std::string>(context.after[i]) == (out.plan.order[i].by->type == store::Type::text);
    if (fits && context.after.size() > keys) {
      const auto* bound = std::get_if<std::int64_t>(&context.after.back());
      fits = bound != nullptr;
      if (bound) out.bound = *bound;
    }
    if (!fits) return Error(Code::bad_request, "The value of '$skiptoken' does not belong to this query.");
    out.plan.where = store::both(out.plan.where, behind(out.plan.order, context.after));
    out.plan.offset = 0;
  }
  if (context.look_ahead && out.plan.limit) {
    out.page = *out.plan.limit;
    ++*out.plan.limit;
  }
  if (!context.resumable || !by_system) return {};
  out.bounded = out.bound || (context.after.empty() && is_blind_pull(context, out));
  for (const store::Order& order : out.plan.order) out.keys.push_back(source_of(out.projection, order.by->text));
  return {};
}

Result<Reading> prepare(Tables::Impl& impl, const OperationContext& context, const odata::Query& query, Catalogue::SchemaPtr schema) {
  Reading out;
  out.schema = std::move(schema);
  const std::optional<std::int64_t> page = context.unlimited ? std::nullopt : std::optional<std::int64_t>(context.page);
  TRY(odata::Planned planned, odata::to_plan(query, {*out.schema, context.dialect, context.table->dynamic_schema, impl.clock.now_ms()}, page));
  out.plan = std::move(planned.plan);
  out.empty = planned.empty;
  if (query.id) {
    TRY(store::Value id, id_of_url(*out.schema, *query.id));
    out.plan.where = store::both(store::equals(std::string(system_column::kId), std::move(id)), out.plan.where);
    out.plan.order.clear();
    out.plan.limit.reset();
    out.one = true;
  }
  const bool tells_deleted = out.one && is_datasync(context.dialect);  // 410 is not 404
  if (out.schema->soft_delete && !context.include_deleted && !tells_deleted)
    out.plan.where = store::both(out.plan.where, store::equals(std::string(system_column::kDeleted), false));
  TRY(Reach reach, reach_of(impl, context, *out.schema, Operation::read));
  out.plan.owner = std::move(reach.owner);
  out.plan.where = store::both(out.plan.where, std::move(reach.visible));
  out.plan.deadline = context.deadline;
  if (query.select.empty()) {
    out.projection = whole_row_of(*out.schema, context.dialect, context.system);
  } else {
    auto shown = std::make_shared<Projection>(selected(*out.schema, context.dialect, context.system, query.select));
    shown->source_of(system_column::kUpdated);  // the tag needs it, whatever is shown
    out.projection = std::move(shown);
  }
  if (!query.expand.empty()) {
    auto wider = std::make_shared<Projection>(*out.projection);
    TRY(out.expansions, expansions_of(context, *out.schema, query.expand, *wider));
    out.projection = std::move(wider);
  }
  if (out.one) {
    if (tells_deleted) source_of(out.projection, system_column::kDeleted);
  } else {
    out.total = std::exchange(out.plan.count, false);
    CHECK_OK(prepare_page(out, context));
  }
  out.plan.select = out.projection->select;
  return out;
}

/// The table's newest stamp; nullopt when it has no rows.
Task<std::optional<Millis>> newest_stamp(const OperationContext& context, const Reading& reading) {
  store::Plan plan;
  plan.table = reading.plan.table;
  plan.select = {std::string(system_column::kUpdated)};
  plan.order.push_back({by_stamp(), true});
  plan.deadline = context.deadline;
  Task<std::optional<store::Row>> get = context.here.store->get(std::move(plan));
  CO_TRY(const std::optional<store::Row> row, co_await get);
  if (!row) co_return std::optional<Millis>();
  co_return std::optional<Millis>(row->integer(system_column::kUpdated));
}

/// Where a pull that misses deletions ends: at the newest stamp when its first page was read.
Task<void> bind_pull(const OperationContext& context, Reading& reading) {
  if (reading.bounded && !reading.bound) {
    Task<std::optional<Millis>> ask = newest_stamp(context, reading);
    CO_TRY(reading.bound, co_await ask);
  }
  if (reading.bound)
    reading.plan.where = store::both(reading.plan.where, store::make(store::Op::le, {by_stamp(), store::literal(*reading.bound, store::Type::date)}));
  co_return ok();
}

/// The keys of the row, by which a list goes on behind it.
void note_keys(const Reading& reading, const store::RowView& row, std::vector<store::Value>& last) {
  last.resize(reading.keys.size());
  for (std::size_t i = 0; i < reading.keys.size(); ++i) last[i] = row.value(reading.keys[i]);
}

/// What a list counts: its rows without page and place.
store::Plan counted(const Reading& reading) {
  store::Plan out;
  out.table = reading.plan.table;
  out.where = reading.uncut;
  out.owner = reading.plan.owner;
  out.deadline = reading.plan.deadline;
  return out;
}

Error too_much() {
  return Error(Code::payload_too_large, "The answer is too large. Ask for fewer items with $top, or for fewer columns with $select.");
}

}  // namespace

Task<Answer> Tables::read(OperationContext context, odata::Query query) {
  impl_->reads.add();
  Task<Catalogue::SchemaPtr> look = impl_->catalogue.get(context);
  CO_TRY(Catalogue::SchemaPtr schema, co_await look);
  CO_TRY(Reading reading, prepare(*impl_, context, query, std::move(schema)));
  Answer answer;
  if (reading.one) {
    answer.kind = Answer::Kind::row;
    if (reading.empty) co_return no_such_item(*query.id);
    Task<std::optional<store::Row>> get = context.here.store->get(std::move(reading.plan));
    CO_TRY(std::optional<store::Row> row, co_await get);
    if (!row) co_return no_such_item(*query.id);
    if (is_datasync(context.dialect) && reading.schema->soft_delete && !context.include_deleted && row->boolean(system_column::kDeleted))
      co_return Error(Code::gone, "The item has been deleted.");
    append_row(answer.json, *reading.projection, *row);
    if (!reading.expansions.empty()) {
      for (Expansion& each : reading.expansions) each.ids.push_back((*row)[reading.projection->select[each.source]]);
      std::vector<std::size_t> ends{answer.json.size() - 1};
      Task<void> expanding = expand(*impl_, context, std::move(reading.expansions), answer.json, std::move(ends));
      CO_CHECK(co_await expanding);
    }
    if (has_versions(*reading.schema, context.dialect)) answer.version = wire_version(row->integer(system_column::kUpdated));
    answer.count = 1;
    co_return answer;
  }
  answer.kind = Answer::Kind::rows;
  if (reading.empty) {
    answer.json = "[]";
    if (query.total) answer.total = 0;
    co_return answer;
  }
  std::string& out = answer.json;
  out.reserve(4096);
  out += '[';
  const std::size_t most = impl_->page_bytes;
  reading.plan.most_bytes = most;
  std::optional<store::Plan> counting;
  if (reading.total) counting = counted(reading);
  Task<void> bounding = bind_pull(context, reading);
  CO_CHECK(co_await bounding);
  const std::int64_t full = reading.page >= 0 ? reading.page : reading.plan.limit.value_or(-1);
  std::vector<std::size_t> ends;
  std::function<bool(const store::RowView&)> each = [&](const store::RowView& row) {
    if (answer.count == reading.page) {
      answer.more = true;
      return false;
    }
    const std::size_t before = out.size();
    if (answer.count) out += ',';
    append_row(out, *reading.projection, row);
    answer.cut = out.size() > most && answer.count > 0;
    if (answer.cut) {
      out.resize(before);
      return false;
    }
    ++answer.count;
    for (Expansion& expansion : reading.expansions) expansion.ids.push_back(row.value(expansion.source));
    if (!reading.expansions.empty()) ends.push_back(out.size() - 1);
    if (answer.count != full && out.size() < most / 4) return true;  // not the last row that a link could go on from
    note_keys(reading, row, answer.last);
    return true;
  };
  Task<store::Store::Listed> list = context.here.store->list(std::move(reading.plan), std::move(each));
  CO_TRY(store::Store::Listed listed, co_await list);
  out += ']';
  answer.cut = answer.cut || listed.cut;
  if (!ends.empty()) {
    Task<void> expanding = expand(*impl_, context, std::move(reading.expansions), out, std::move(ends));
    CO_CHECK(co_await expanding);
  }
  if (reading.bound && !answer.last.empty()) answer.last.emplace_back(*reading.bound);
  // V1 has no way to say that there is more: its clients take a short page for the last one.
  if (answer.cut && context.dialect == Dialect::v1) co_return too_much();
  if (counting) {
    Task<std::int64_t> count = impl_->totals.of(*context.here.store, std::move(*counting));
    CO_TRY(answer.total, co_await count);
  }
  co_return answer;
}

Task<Rows> Tables::read_rows(OperationContext context, odata::Query query) {
  impl_->reads.add();
  if (!query.expand.empty()) co_return Error(Code::bad_request, "'$expand' cannot be used here: '" + context.table->name + "' is read through a script.");
  Task<Catalogue::SchemaPtr> look = impl_->catalogue.get(context);
  CO_TRY(Catalogue::SchemaPtr schema, co_await look);
  CO_TRY(Reading reading, prepare(*impl_, context, query, std::move(schema)));
  Rows rows;
  if (reading.empty) {
    if (query.total) rows.total = 0;
    co_return rows;
  }
  reading.plan.most_bytes = kScriptPages * impl_->page_bytes;
  std::optional<store::Plan> counting;
  if (reading.total) counting = counted(reading);
  Task<void> bounding = bind_pull(context, reading);
  CO_CHECK(co_await bounding);
  const std::int64_t full = reading.page >= 0 ? reading.page : reading.plan.limit.value_or(-1);
  const bool tells_deleted = reading.one && is_datasync(context.dialect) && reading.schema->soft_delete && !context.include_deleted;
  const std::size_t mark = tells_deleted ? source_of(reading.projection, system_column::kDeleted) : 0;
  std::function<bool(const store::RowView&)> each = [&](const store::RowView& row) {
    if (static_cast<std::int64_t>(rows.items.size()) == reading.page) {
      rows.more = true;
      return false;
    }
    if (tells_deleted && row.integer(mark) != 0) {
      rows.deleted = true;
      return false;
    }
    rows.items.push_back(to_object(*reading.projection, row));
    if (static_cast<std::int64_t>(rows.items.size()) == full) note_keys(reading, row, rows.last);
    return true;
  };
  Task<store::Store::Listed> list = context.here.store->list(std::move(reading.plan), std::move(each));
  CO_TRY(store::Store::Listed listed, co_await list);
  if (listed.cut) co_return too_much();
  if (reading.bound && !rows.last.empty()) rows.last.emplace_back(*reading.bound);
  if (counting) {
    Task<std::int64_t> count = impl_->totals.of(*context.here.store, std::move(*counting));
    CO_TRY(rows.total, co_await count);
  }
  co_return rows;
}

Task<JsonObject> Tables::lookup(OperationContext context, std::string id) {
  impl_->reads.add();
  Task<Catalogue::SchemaPtr> look = impl_->catalogue.get(context);
  CO_TRY(Catalogue::SchemaPtr schema, co_await look);
  CO_TRY(store::Value key, id_of_url(*schema, id));
  CO_TRY(Reach reach, reach_of(*impl_, context, *schema, Operation::read));
  Task<store::Row> get = current_row(context, schema, std::move(key), std::move(id), std::move(reach), context.include_deleted);
  CO_TRY(store::Row row, co_await get);
  co_return to_object(whole_row(*schema, context.dialect, context.system), row);
}

}  // namespace mandate::tables
