// Rows marked as deleted, removed for good on the owner's word.
#include "management/desk.h"
#include "tables/retention.h"
#include "tables/schema.h"

namespace mandate::management {

namespace {
constexpr int kPiecesAtOnce = 20;
constexpr std::int64_t kMostDays = 36'500;
}

/// What `days` says, else the table's own time. Some pieces at once; "more": ask again.
Task<http::Response> post_purge(Deps& deps, http::Request& request) {
  CO_TRY(const Json body, parse_json(request.body));
  if (!body.is_object()) co_return Error(Code::invalid_request, "The body must be a JSON object.");
  const JsonObject& given = body.get_object();
  CO_TRY(const tenant::Here here, tenant_of(deps, text_member(given, "tenant").value_or("")));
  const std::string_view name = text_member(given, "service").value_or(tenant::kDefaultService);
  const auto service = here->services.find(name);
  if (service == here->services.end()) co_return Error(Code::not_found, "There is no service '" + std::string(name.substr(0, 80)) + "'.");
  const tenant::Table* table = service->second.table(text_member(given, "table").value_or(""));
  if (!table) co_return Error(Code::not_found, "There is no such table.");
  if (!table->soft_delete) co_return Error(Code::invalid_request, "The table keeps no deleted rows (soft_delete).");
  std::int64_t days = tables::kept_days(service->second, *table);
  if (given.contains("days")) days = integer_member(given, "days").value_or(-1);
  else if (days == 0) co_return Error(Code::invalid_request, "The table keeps deleted rows for ever: say how old they must be (days).");
  if (days < 0 || days > kMostDays) co_return Error(Code::invalid_request, "days must be 0 to " + std::to_string(kMostDays));

  const Millis before = deps.clock.now_ms() - days * 86'400'000;
  tables::Purged piece{.more = true};
  std::int64_t rows = 0;
  for (int i = 0; piece.more && i < kPiecesAtOnce; ++i) {
    Task<tables::Purged> purging = tables::purge_piece(*here.store, tables::physical_name(service->first, table->name), piece.until, before);
    CO_TRY(piece, co_await purging);
    rows += piece.rows;
  }
  deps.log.info("management.purged", {{"tenant", here->name}, {"service", service->first}, {"table", table->name}, {"rows", rows}, {"days", days}});
  co_return http::Response::json(200, JsonObject{{"rows", rows}, {"more", piece.more}});
}

}  // namespace mandate::management
