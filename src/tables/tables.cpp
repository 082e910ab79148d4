#include "base/url.h"
#include "tables/conflicts.h"
#include "tables/core.h"
#include "tables/ids.h"
#include "tables/importing/versions.h"

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
    : clock(c), random(r), log(l), page_bytes(bytes), catalogue(c, l), totals(c, metrics),
      reads(metrics.counter("mandate_tables_operations_total", "Operations on apps' tables that reached the store.", {{"kind", "read"}})),
      writes(metrics.counter("mandate_tables_operations_total", "Operations on apps' tables that reached the store.", {{"kind", "write"}})),
      stale(metrics.counter("mandate_tables_conflicts_total", "Writes that met a row which had changed.")),
      settled(metrics.counter("mandate_tables_conflicts_settled_total", "Conflicts that a table's policy settled.")),
      columns_added(metrics.counter("mandate_tables_columns_added_total", "Columns that a write added to a table.")),
      denied(metrics.counter("mandate_tables_rules_denied_total", "Rules that could not be answered for a caller, and so said no.")),
      sql(metrics.counter("mandate_tables_sql_total", "SQL texts of scripts that were run.")),
      sql_refused(metrics.counter("mandate_tables_sql_refused_total", "SQL texts of scripts that ended in an error.")),
      imported(metrics.counter("mandate_tables_imported_total", "Rows that an import wrote.")) {}

CpuPool& Tables::Impl::workers() {
  std::call_once(workers_once_, [this] { workers_ = std::make_unique<CpuPool>(2, 64); });
  return *workers_;
}

Tables::Tables(const Clock& clock, Random& random, Log& log, Metrics& metrics, std::size_t page_bytes)
    : impl_(std::make_unique<Impl>(clock, random, log, metrics, page_bytes)) {}
Tables::~Tables() = default;

namespace {

/// Writes of one row that met another's each time.
constexpr int kMostConflicts = 8;

Task<Answer> carry_out(Tables& tables, Act act);

/// carry_out(), and what the table's policy makes of a conflict. A policy that is a script is the door's to ask.
Task<Answer> carry_out_by_policy(Tables& tables, Counter& settled, Act act) {
  for (int tries = 0; tries < kMostConflicts; ++tries) {
    const Act asked = act;
    Task<Answer> task = carry_out(tables, std::move(act));
    CO_TRY(Answer answer, co_await task);
    if (answer.kind != Answer::Kind::stale) co_return answer;
    // What was made from another row than this does not compete with it: whoever made it makes it anew.
    if (!settles(asked, answer)) co_return answer;
    settled.add();
    if (winner_of(asked, answer.item) == Winner::server) co_return kept_answer(std::move(answer));
    // Newest must be newer than whatever is there when it is written.
    act = asked.context.table->sync.conflicts == "client" ? unconditional(asked) : over(asked, answer.version);
  }
  co_return Error(Code::overloaded, "The item is changing. Try again.");
}

Task<Answer> carry_out(Tables& tables, Act act) {
  switch (act.operation) {
    case Operation::read: {
      Task<Answer> task = tables.read(std::move(act.context), std::move(act.query));
      CO_TRY(Answer answer, co_await task);
      co_return answer;
    }
    case Operation::insert: {
      Task<Answer> task = tables.insert(std::move(act.context), std::move(act.item));
      CO_TRY(Answer answer, co_await task);
      co_return answer;
    }
    case Operation::update: {
      if (is_datasync(act.context.dialect) || act.replace) {
        Task<Answer> changing = tables.change(std::move(act));
        CO_TRY(Answer answer, co_await changing);
        co_return answer;
      }
      Task<Answer> task = tables.update(std::move(act.context), std::move(act.id), std::move(act.item), std::move(act.expected_version));
      CO_TRY(Answer answer, co_await task);
      co_return answer;
    }
    case Operation::remove: {
      if (act.id.empty()) {
        Task<Answer> many = tables.remove_matching(std::move(act.context), std::move(act.query));
        CO_TRY(Answer answer, co_await many);
        co_return answer;
      }
      if (is_datasync(act.context.dialect)) {
        Task<Answer> changing = tables.change(std::move(act));
        CO_TRY(Answer answer, co_await changing);
        co_return answer;
      }
      Task<Answer> task = tables.remove(std::move(act.context), std::move(act.id), std::move(act.expected_version));
      CO_TRY(Answer answer, co_await task);
      co_return answer;
    }
    case Operation::undelete: {
      Task<Answer> task = tables.undelete(std::move(act.context), std::move(act.id), std::move(act.expected_version));
      CO_TRY(Answer answer, co_await task);
      co_return answer;
    }
  }
  co_return Error(Code::server_error, "", "no such operation");
}

}  // namespace

namespace {

/// perform() of an act whose version the row may have had before it was imported.
Task<Answer> carry_out_as_imported(Tables& tables, Act act) {
  Task<Act> look = importing::with_our_versions(std::move(act));
  CO_TRY(Act known, co_await look);
  const bool by_policy = has_policy(known) && known.context.table->sync.conflicts != "script";
  Task<Answer> task = by_policy ? carry_out_by_policy(tables, tables.impl().settled, std::move(known)) : carry_out(tables, std::move(known));
  CO_TRY(Answer answer, co_await task);
  co_return answer;
}

}  // namespace

Task<Answer> Tables::perform(Act act) {
  if (importing::expects_foreign(act)) return carry_out_as_imported(*this, std::move(act));
  const bool by_policy = has_policy(act) && act.context.table->sync.conflicts != "script";
  return by_policy ? carry_out_by_policy(*this, impl_->settled, std::move(act)) : carry_out(*this, std::move(act));
}

Task<std::vector<std::pair<std::string, store::Type>>> Tables::columns(OperationContext context) {
  Task<Catalogue::SchemaPtr> task = impl_->catalogue.get(context);
  CO_TRY(const Catalogue::SchemaPtr schema, co_await task);
  std::vector<std::pair<std::string, store::Type>> out;
  const auto whole = whole_row_of(*schema, context.dialect, context.system);
  for (const Shown& each : whole->shown) {
    // What is kept as a number and written by its meaning is a text to whoever reads it.
    const bool written = each.role == Role::version || (each.meaning && each.type != store::Type::json);
    out.emplace_back(each.name, written ? store::Type::text : each.type);
  }
  co_return out;
}

Task<void> Tables::ensure(OperationContext context) {
  Task<Catalogue::SchemaPtr> task = impl_->catalogue.get(context);
  CO_TRY(Catalogue::SchemaPtr schema, co_await task);
  co_return ok();
}

Task<void> Tables::prepare_table(tenant::Here here, const tenant::Service& service, const tenant::Table& table) {
  Task<void> task = impl_->catalogue.prepare(*here.store, service, table);
  CO_CHECK(co_await task);
  co_return ok();
}

Task<void> Tables::settle_table(tenant::Here here, const tenant::Service& service, const tenant::Table& table) {
  Task<void> task = impl_->catalogue.settle(*here.store, service, table);
  CO_CHECK(co_await task);
  co_return ok();
}

namespace {

/// Physical names of all tables that a service ever had, and of `declared`.
Task<std::set<std::string>> all_of(Catalogue& catalogue, store::Store& store, std::string service, std::vector<std::string> declared) {
  Task<std::vector<std::string>> listing = catalogue.known(store, physical_name(service, ""));
  CO_TRY(const std::vector<std::string> known, co_await listing);
  std::set<std::string> out(known.begin(), known.end());
  for (const std::string& table : declared) out.insert(physical_name(service, table));
  co_return out;
}

}  // namespace

Task<std::vector<std::string>> Tables::with_rows(tenant::Here here, std::string service, std::vector<std::string> declared) {
  const std::string prefix = physical_name(service, "");
  Task<std::set<std::string>> listing = all_of(impl_->catalogue, *here.store, service, std::move(declared));
  CO_TRY(const std::set<std::string> every, co_await listing);
  std::vector<std::string> out;
  for (const std::string& physical : every) {
    Task<std::vector<store::ColumnSpec>> look = here.store->describe(physical);
    CO_TRY(const std::vector<store::ColumnSpec> columns, co_await look);
    if (columns.empty()) continue;
    store::Plan plan;
    plan.table = physical;
    plan.select = {std::string(system_column::kId)};
    plan.limit = 1;
    Task<std::optional<store::Row>> reading = here.store->get(std::move(plan));
    CO_TRY(const std::optional<store::Row> row, co_await reading);
    if (row) out.push_back(physical.substr(prefix.size()));
  }
  co_return out;
}

Task<std::size_t> Tables::drop_service(tenant::Here here, std::string service, std::vector<std::string> tables, store::Permit* permit) {
  Task<std::set<std::string>> listing = all_of(impl_->catalogue, *here.store, service, std::move(tables));
  CO_TRY(const std::set<std::string> every, co_await listing);
  for (const std::string& physical : every) {
    Task<void> dropping = impl_->catalogue.drop(*here.store, physical, permit);
    CO_CHECK(co_await dropping);
  }
  co_return every.size();
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

}  // namespace mandate::tables
