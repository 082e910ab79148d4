#include "base/url.h"
#include "tables/core.h"
#include "tables/ids.h"

namespace mandate::tables {

std::string_view name(Operation operation) {
  switch (operation) {
    case Operation::read: return "read";
    case Operation::insert: return "insert";
    case Operation::update: return "update";
    case Operation::remove: return "delete";
    case Operation::undelete: return "undelete";
  }
  return "";
}

Tables::Impl::Impl(const Clock& c, Random& r, Log& l, Metrics& metrics, std::size_t bytes)
    : clock(c), random(r), log(l), page_bytes(bytes), catalogue(c), totals(c, metrics),
      reads(metrics.counter("mandate_tables_operations_total", "Operations on apps' tables that reached the store.", {{"kind", "read"}})),
      writes(metrics.counter("mandate_tables_operations_total", "Operations on apps' tables that reached the store.", {{"kind", "write"}})),
      stale(metrics.counter("mandate_tables_conflicts_total", "Writes refused because the row had changed.")),
      columns_added(metrics.counter("mandate_tables_columns_added_total", "Columns that a write added to a table.")) {}

CpuPool& Tables::Impl::workers() {
  std::call_once(workers_once_, [this] { workers_ = std::make_unique<CpuPool>(2, 64); });
  return *workers_;
}

Tables::Tables(const Clock& clock, Random& random, Log& log, Metrics& metrics, std::size_t page_bytes)
    : impl_(std::make_unique<Impl>(clock, random, log, metrics, page_bytes)) {}
Tables::~Tables() = default;

Task<Answer> Tables::perform(Act act) {
  switch (act.operation) {
    case Operation::read: {
      Task<Answer> task = read(std::move(act.context), std::move(act.query));
      CO_TRY(Answer answer, co_await task);
      co_return answer;
    }
    case Operation::insert: {
      Task<Answer> task = insert(std::move(act.context), std::move(act.item));
      CO_TRY(Answer answer, co_await task);
      co_return answer;
    }
    case Operation::update: {
      if (is_datasync(act.context.dialect) || act.replace) {
        Task<Answer> changing = change(std::move(act));
        CO_TRY(Answer answer, co_await changing);
        co_return answer;
      }
      Task<Answer> task = update(std::move(act.context), std::move(act.id), std::move(act.item), std::move(act.expected_version));
      CO_TRY(Answer answer, co_await task);
      co_return answer;
    }
    case Operation::remove: {
      if (act.id.empty()) {
        Task<Answer> many = remove_matching(std::move(act.context), std::move(act.query));
        CO_TRY(Answer answer, co_await many);
        co_return answer;
      }
      if (is_datasync(act.context.dialect)) {
        Task<Answer> changing = change(std::move(act));
        CO_TRY(Answer answer, co_await changing);
        co_return answer;
      }
      Task<Answer> task = remove(std::move(act.context), std::move(act.id), std::move(act.expected_version));
      CO_TRY(Answer answer, co_await task);
      co_return answer;
    }
    case Operation::undelete: {
      Task<Answer> task = undelete(std::move(act.context), std::move(act.id), std::move(act.expected_version));
      CO_TRY(Answer answer, co_await task);
      co_return answer;
    }
  }
  co_return Error(Code::server_error, "", "no such operation");
}

Task<std::vector<std::pair<std::string, store::Type>>> Tables::columns(OperationContext context) {
  Task<Catalogue::SchemaPtr> task = impl_->catalogue.get(context);
  CO_TRY(const Catalogue::SchemaPtr schema, co_await task);
  std::vector<std::pair<std::string, store::Type>> out;
  const auto whole = whole_row_of(*schema, context.dialect, context.system);
  for (const Shown& each : whole->shown) out.emplace_back(each.name, each.role == Role::version ? store::Type::text : each.type);
  co_return out;
}

Task<void> Tables::ensure(OperationContext context) {
  Task<Catalogue::SchemaPtr> task = impl_->catalogue.get(context);
  CO_TRY(Catalogue::SchemaPtr schema, co_await task);
  co_return ok();
}

Task<void> Tables::drop(tenant::Here here, std::string service, std::string table) {
  std::string physical = physical_name(service, table);
  Task<void> task = impl_->catalogue.drop(*here.store, std::move(physical));
  CO_CHECK(co_await task);
  co_return ok();
}

Result<std::optional<store::Owner>> owner_of(const OperationContext& context) {
  const std::string& column = context.table->user_id_column;
  if (column.empty() || context.principal.level == identity::Level::admin) return std::optional<store::Owner>();
  if (context.principal.user_id.empty()) return Error(Code::unauthorized, "Unauthorized");
  return std::optional<store::Owner>(store::Owner{column, context.principal.user_id});
}

Result<void> settle_owner(const OperationContext& context, const std::optional<store::Owner>& owner, Fitted& fitted) {
  if (!owner) return {};
  for (std::size_t i = 0; i < fitted.cells.size(); ++i) {
    if (!iequals(fitted.cells[i].column, owner->column)) continue;
    if (fitted.cells[i].value != owner->value)
      return Error(Code::bad_request, "The property '" + context.table->user_id_column + "' is set by the service.");
    fitted.cells.erase(fitted.cells.begin() + static_cast<std::ptrdiff_t>(i));
    return {};
  }
  return {};
}

Task<Fitted> fit_and_grow(Tables::Impl& impl, const OperationContext& context, Catalogue::SchemaPtr& schema, const JsonObject& item) {
  for (int attempt = 0;; ++attempt) {
    CO_TRY(Fitted fitted, fit(*schema, context.dialect, item));
    if (fitted.missing.empty()) co_return fitted;
    if (!context.table->dynamic_schema)
      co_return Error(Code::bad_request, "Invalid column name '" + fitted.missing.front().name + "'.");
    if (attempt > 1) co_return Error(Code::overloaded, "The table is changing. Try again.", "columns vanished while they were added");
    if (schema->columns.size() + fitted.missing.size() > 1000) co_return Error(Code::bad_request, "The table has too many columns.");
    impl.columns_added.add(static_cast<double>(fitted.missing.size()));
    impl.log.info("tables.columns_added", {{"table", schema->physical}, {"count", fitted.missing.size()}});
    Task<Catalogue::SchemaPtr> grow = impl.catalogue.extend(context, std::move(fitted.missing));
    CO_TRY(schema, co_await grow);
  }
}

store::ExprPtr row_condition(const Schema& schema, const store::Value& id, bool with_deleted) {
  store::ExprPtr same = store::equals(std::string(system_column::kId), id);
  if (with_deleted || !schema.soft_delete) return same;
  return store::both(std::move(same), store::equals(std::string(system_column::kDeleted), false));
}

bool has_versions(const Schema& schema, Dialect dialect) { return dialect != Dialect::v1 || !schema.integer_id; }

Task<store::Row> current_row(const OperationContext& context, Catalogue::SchemaPtr schema, store::Value id, std::string id_text,
                             std::optional<store::Owner> owner, bool with_deleted) {
  store::Plan plan;
  plan.table = schema->physical;
  plan.where = row_condition(*schema, id, with_deleted);
  plan.owner = std::move(owner);
  plan.deadline = context.deadline;
  Task<std::optional<store::Row>> task = context.here.store->get(std::move(plan));
  CO_TRY(std::optional<store::Row> row, co_await task);
  if (!row) co_return no_such_item(id_text);
  co_return std::move(*row);
}

Answer row_answer(const Schema& schema, const OperationContext& context, const store::Row& row, const std::vector<std::string>* sent) {
  Answer out;
  out.kind = Answer::Kind::row;
  const Projection projection = context.dialect == Dialect::v1 && sent ? sent_members(schema, context.system, *sent)
                                                                       : whole_row(schema, context.dialect, context.system);
  out.item = to_object(projection, row);
  if (has_versions(schema, context.dialect)) out.version = wire_version(row.integer(system_column::kUpdated));
  return out;
}

Answer stale_answer(const Schema& schema, Dialect dialect, const store::Row& row) {
  Answer out;
  out.kind = Answer::Kind::stale;
  out.item = to_object(whole_row(schema, dialect, SystemProperties::all()), row);
  out.version = wire_version(row.integer(system_column::kUpdated));
  return out;
}

Task<store::Touched> mutate_one(const OperationContext& context, store::Mutation mutation) {
  store::Batch batch;
  batch.add(std::move(mutation));
  batch.deadline = context.deadline;
  Task<store::Outcome> task = context.here.store->mutate(std::move(batch));
  CO_TRY(store::Outcome outcome, co_await task);
  if (outcome.empty()) co_return Error(Code::server_error, "", "the store gave no outcome");
  co_return std::move(outcome.front());
}

}  // namespace mandate::tables
