// Reads: rows go from the engine's row straight into the text of the answer.
#include "tables/core.h"
#include "tables/ids.h"
#include "tables/odata/to_plan.h"

namespace mandate::tables {
namespace {

constexpr std::int64_t kPage = 50;
/// A script reads without pages, so it gets the bytes of several.
constexpr std::size_t kScriptPages = 4;

/// A query made ready for the store.
struct Reading {
  Catalogue::SchemaPtr schema;
  store::Plan plan;
  std::shared_ptr<const Projection> projection;
  bool empty = false, one = false;
};

Result<Reading> prepare(const OperationContext& context, const odata::Query& query, Catalogue::SchemaPtr schema) {
  Reading out;
  out.schema = std::move(schema);
  const std::optional<std::int64_t> page = context.unlimited ? std::nullopt : std::optional<std::int64_t>(kPage);
  TRY(odata::Planned planned, odata::to_plan(query, *out.schema, context.dialect, context.table->dynamic_schema, page));
  out.plan = std::move(planned.plan);
  out.empty = planned.empty;
  if (query.id) {
    TRY(store::Value id, id_of_url(*out.schema, *query.id));
    out.plan.where = store::both(store::equals(std::string(system_column::kId), std::move(id)), out.plan.where);
    out.plan.order.clear();
    out.plan.limit.reset();
    out.one = true;
  }
  if (out.schema->soft_delete && !context.include_deleted)
    out.plan.where = store::both(out.plan.where, store::equals(std::string(system_column::kDeleted), false));
  TRY(out.plan.owner, owner_of(context));
  out.plan.deadline = context.deadline;
  if (query.select.empty()) {
    out.projection = whole_row_of(*out.schema, context.dialect, context.system);
  } else {
    auto shown = std::make_shared<Projection>(selected(*out.schema, context.dialect, context.system, query.select));
    shown->source_of(system_column::kUpdated);  // the tag needs it, whatever is shown
    out.projection = std::move(shown);
  }
  out.plan.select = out.projection->select;
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
  CO_TRY(Reading reading, prepare(context, query, std::move(schema)));
  Answer answer;
  if (reading.one) {
    answer.kind = Answer::Kind::row;
    if (reading.empty) co_return no_such_item(*query.id);
    Task<std::optional<store::Row>> get = context.here.store->get(std::move(reading.plan));
    CO_TRY(std::optional<store::Row> row, co_await get);
    if (!row) co_return no_such_item(*query.id);
    append_row(answer.json, *reading.projection, *row);
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
  std::function<bool(const store::RowView&)> each = [&](const store::RowView& row) {
    const std::size_t before = out.size();
    if (answer.count) out += ',';
    append_row(out, *reading.projection, row);
    answer.cut = out.size() > most && answer.count > 0;
    if (answer.cut) out.resize(before);
    else ++answer.count;
    return !answer.cut;
  };
  Task<store::Store::Listed> list = context.here.store->list(std::move(reading.plan), std::move(each));
  CO_TRY(store::Store::Listed listed, co_await list);
  out += ']';
  answer.cut = answer.cut || listed.cut;
  // V1 has no way to say that there is more: its clients take a short page for the last one.
  if (answer.cut && context.dialect == Dialect::v1) co_return too_much();
  answer.total = listed.total;
  co_return answer;
}

Task<Rows> Tables::read_rows(OperationContext context, odata::Query query) {
  impl_->reads.add();
  Task<Catalogue::SchemaPtr> look = impl_->catalogue.get(context);
  CO_TRY(Catalogue::SchemaPtr schema, co_await look);
  CO_TRY(Reading reading, prepare(context, query, std::move(schema)));
  Rows rows;
  if (reading.empty) {
    if (query.total) rows.total = 0;
    co_return rows;
  }
  reading.plan.most_bytes = kScriptPages * impl_->page_bytes;
  std::function<bool(const store::RowView&)> each = [&](const store::RowView& row) {
    rows.items.push_back(to_object(*reading.projection, row));
    return true;
  };
  Task<store::Store::Listed> list = context.here.store->list(std::move(reading.plan), std::move(each));
  CO_TRY(store::Store::Listed listed, co_await list);
  if (listed.cut) co_return too_much();
  rows.total = listed.total;
  co_return rows;
}

Task<JsonObject> Tables::lookup(OperationContext context, std::string id) {
  impl_->reads.add();
  Task<Catalogue::SchemaPtr> look = impl_->catalogue.get(context);
  CO_TRY(Catalogue::SchemaPtr schema, co_await look);
  CO_TRY(store::Value key, id_of_url(*schema, id));
  CO_TRY(std::optional<store::Owner> owner, owner_of(context));
  Task<store::Row> get = current_row(context, schema, std::move(key), std::move(id), std::move(owner), context.include_deleted);
  CO_TRY(store::Row row, co_await get);
  co_return to_object(whole_row(*schema, context.dialect, context.system), row);
}

}  // namespace mandate::tables
