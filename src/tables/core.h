// What the five acts share. Inside the room only.
#pragma once

#include "base/cpu_pool.h"
#include "tables/catalogue.h"
#include "tables/fit.h"
#include "tables/projection.h"
#include "tables/totals.h"

namespace mandate::tables {

/// Serves read.cpp, insert.cpp, update.cpp and remove.cpp.
struct Tables::Impl {
  Impl(const Clock& clock, Random& random, Log& log, Metrics& metrics, std::size_t page_bytes);

  const Clock& clock;
  Random& random;
  Log& log;
  const std::size_t page_bytes;
  Catalogue catalogue;
  Totals totals;
  Counter& reads;
  Counter& writes;
  Counter& stale;
  Counter& columns_added;

  /// Threads for the SQL of scripts where it takes long; made when they are first asked for.
  CpuPool& workers();

 private:
  std::once_flag workers_once_;
  std::unique_ptr<CpuPool> workers_;
};

/// The predicate of a per-user table: nullopt where there is none or the caller is an administrator; unauthorized when the
/// table is per user and there is none.
Result<std::optional<store::Owner>> owner_of(const OperationContext& context);

/// Takes the owner's column out of a write: the stamped value stays. bad_request when it is given and different (DA-3).
Result<void> settle_owner(const OperationContext& context, const std::optional<store::Owner>& owner, Fitted& fitted);

/// fit(), with columns added where the table may grow; a race between two writers is settled by fitting again.
Task<Fitted> fit_and_grow(Tables::Impl& impl, const OperationContext& context, Catalogue::SchemaPtr& schema, const JsonObject& item);

/// id = value, and not soft-deleted unless `with_deleted`.
store::ExprPtr row_condition(const Schema& schema, const store::Value& id, bool with_deleted);

/// bad_request when an item's own "id" is another than that of its address.
Result<void> check_id_member(const Schema& schema, const Json* member, const store::Value& id);

/// The mutation that deletes: a mark with a new stamp where the table says soft.
store::Mutation removal(const Schema& schema, store::ExprPtr condition);

/// Whether an If-Match means anything here: integer-id tables of V1 have no versions.
bool has_versions(const Schema& schema, Dialect dialect);

/// The row as it is, for 412 and for look-ups; not_found when it does not exist for this caller.
Task<store::Row> current_row(const OperationContext& context, Catalogue::SchemaPtr schema, store::Value id, std::string id_text,
                             std::optional<store::Owner> owner, bool with_deleted);

/// Kind::row of a row that a mutation gave back. V1 shows the `sent` members, or the whole row when `sent` is null.
Answer row_answer(const Schema& schema, const OperationContext& context, const store::Row& row, const std::vector<std::string>* sent);
/// Kind::stale: the whole row with all system properties.
Answer stale_answer(const Schema& schema, Dialect dialect, const store::Row& row);

/// One mutation, its outcome.
Task<store::Touched> mutate_one(const OperationContext& context, store::Mutation mutation);

}  // namespace mandate::tables
