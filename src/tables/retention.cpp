#include "tables/retention.h"

#include <optional>

#include "tables/schema.h"

namespace mandate::tables {
namespace {

constexpr std::int64_t kDay = 86'400'000, kUsualDays = 30;

store::ExprPtr stamp() { return store::column(std::string(system_column::kUpdated), store::Type::date); }
store::ExprPtr marked() { return store::equals(std::string(system_column::kDeleted), true); }

store::Plan piece_of(const std::string& physical, Millis after, Millis before) {
  store::ExprPtr above = store::make(store::Op::gt, {stamp(), store::literal(after, store::Type::date)});
  store::ExprPtr below = store::make(store::Op::le, {stamp(), store::literal(before, store::Type::date)});
  store::Plan plan;
  plan.table = physical;
  plan.select = {std::string(system_column::kId), std::string(system_column::kUpdated)};
  plan.where = store::both(store::both(std::move(above), std::move(below)), marked());
  plan.order.push_back({stamp(), false});
  plan.limit = kPurgePiece;
  return plan;
}

}  // namespace

std::int64_t kept_days(const tenant::Service& service, const tenant::Table& table) {
  if (table.sync.keep_deleted_days >= 0) return table.sync.keep_deleted_days;
  const std::int64_t tokens = service.login.enabled ? (service.login.token_lifetime + 86'399) / 86'400 : 0;
  return std::max(kUsualDays, tokens);
}

Task<Purged> purge_piece(store::Store& store, std::string physical, Millis after, Millis before) {
  Purged out{0, before, false};
  Task<std::vector<store::ColumnSpec>> look = store.describe(physical);
  CO_TRY(const std::vector<store::ColumnSpec> columns, co_await look);
  if (columns.empty()) co_return out;
  Task<std::vector<store::Row>> reading = store::rows(store, piece_of(physical, after, before));
  CO_TRY(const std::vector<store::Row> rows, co_await reading);
  if (rows.empty()) co_return out;
  store::Batch batch;
  for (const store::Row& row : rows) {
    store::ExprPtr same = store::both(store::equals(std::string(system_column::kId), row[system_column::kId]),
                                      store::equals(std::string(system_column::kUpdated), row[system_column::kUpdated]));
    batch.add(store::remove(physical, store::both(std::move(same), marked())));
  }
  Task<store::Outcome> removing = store.mutate(std::move(batch));
  CO_TRY(const store::Outcome outcome, co_await removing);
  for (const store::Touched& each : outcome) out.rows += each.count;
  if (static_cast<std::int64_t>(rows.size()) < kPurgePiece) co_return out;
  // Rows of one transaction may have the same stamp: the last of these may have brothers behind it.
  out.until = rows.back().integer(system_column::kUpdated) - 1;
  out.more = true;
  co_return out;
}

Retention::Retention(const Clock& clock, Log& log, Metrics& metrics)
    : clock_(clock), log_(log), removed_(metrics.counter("mandate_tables_purged_total", "Rows marked as deleted that were removed for good.")) {}

Task<void> Retention::visit(tenant::Here here) {
  const Millis now = clock_.now_ms();
  int pieces = 0;
  for (const auto& [service_name, service] : here->services)
    for (const auto& [lower, table] : service.tables) {
      const std::int64_t days = table.soft_delete ? kept_days(service, table) : 0;
      if (days == 0) continue;
      std::string physical = physical_name(service_name, table.name);
      const std::pair<store::Store*, std::string> key(here.store, physical);
      Place place = places_[key];
      if (!place.more && now < place.looked_at + kEvery) continue;
      if (now >= place.anew_at) place = {.until = 0, .looked_at = 0, .anew_at = now + kAnew, .more = false, .step = place.step};
      std::int64_t rows = 0;
      const Millis before = now - days * kDay;
      place.more = place.until < before;
      std::optional<Error> failed;
      while (place.more && pieces++ < kPiecesAtOnce) {
        const Millis until = std::min(before, place.until + place.step);
        Task<Purged> purging = purge_piece(*here.store, physical, place.until, until);
        const Result<Purged> piece = co_await purging;
        if (!piece.ok()) {
          failed = piece.error();
          if (failed->code != Code::timeout || place.step <= kLeastStep) break;
          place.step = std::max(kLeastStep, std::min(place.step, before - place.until) / 2);
          continue;
        }
        failed.reset();
        place.until = piece->until;
        place.more = piece->more || until < before;
        place.step = std::min(kMostStep, place.step * 2);
        rows += piece->rows;
      }
      if (failed) {
        place.more = false;
        log_.warn("tables.purge_failed", {{"tenant", here->name}, {"table", physical}, {"code", name(failed->code)}, {"detail", failed->detail}});
      }
      place.looked_at = now;
      places_[key] = place;
      if (rows == 0) continue;
      removed_.add(static_cast<double>(rows));
      log_.info("tables.purged", {{"tenant", here->name}, {"table", physical}, {"rows", rows}});
    }
  co_return ok();
}

}  // namespace mandate::tables
