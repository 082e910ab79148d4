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
  Counter& settled;
  Counter& columns_added;
  Counter& denied;
  Counter& sql;
  Counter& sql_refused;
  Counter& imported;

  /// Threads for the SQL of scripts where it takes long; made when they are first asked for.
  CpuPool& workers();

 private:
  std::once_flag workers_once_;
  std::unique_ptr<CpuPool> workers_;
};

/// Which rows exist for the caller, which of them the operation may touch, and what it may leave behind. Owner and `visible` are
/// in every plan and mutation that the caller causes.
struct Reach {
  std::optional<store::Owner> owner;
  store::ExprPtr visible, touch, after;  ///< null = no condition
};

/// unauthorized as owner_of(). `item`: the cells an update sends; without them `touch` is not there yet. A rule that cannot be
/// answered says no, and the log why.
Result<Reach> reach_of(Tables::Impl& impl, const OperationContext& context, const Schema& schema, Operation operation,
                       const std::vector<store::Cell>* item = nullptr);

/// forbidden: a row that the caller sees may not become, or be treated, so.
Error against_the_rules();

/// Why a batch was undone, told from what else can happen to one.
namespace otherwise {
inline constexpr Code kUntouched = Code::not_found, kAgainstRules = Code::forbidden, kNoTarget = Code::invalid_target, kReferred = Code::request_not_supported;
}

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
Task<store::Row> current_row(const OperationContext& context, Catalogue::SchemaPtr schema, store::Value id, std::string id_text, Reach reach,
                             bool with_deleted);

/// Kind::row of a row that a mutation gave back. V1 shows the `sent` members, or the whole row when `sent` is null.
Answer row_answer(const Schema& schema, const OperationContext& context, const store::Row& row, const std::vector<std::string>* sent);
/// Kind::stale: the whole row with all system properties.
Answer stale_answer(const Schema& schema, Dialect dialect, const store::Row& row);

/// forbidden when the rules do not let the caller change the row so; asked before a table gets columns for it.
Task<void> check_touch(Tables::Impl& impl, OperationContext context, Catalogue::SchemaPtr schema, store::Value key, std::vector<store::Cell> cells);

/// not_found or forbidden when the caller may not delete the row: asked before anything is said of the rows that refer to it.
Task<void> check_removable(OperationContext context, Catalogue::SchemaPtr schema, store::Value key, std::string id, Reach reach);

/// One mutation, its outcome.
Task<store::Touched> mutate_one(const OperationContext& context, store::Mutation mutation);
/// One mutation of one row and, in the same transaction, what comes with it: demands_of() or consequences_of(). Nothing touched
/// when its own condition does not hold. Also forbidden, bad_request (no such row to refer to), conflict (others refer to it).
Task<store::Touched> mutate_row(const OperationContext& context, store::Mutation mutation, std::vector<store::Mutation> then);

/// The refusal of a batch with demands in the caller's words; any other error as it is.
Error demand_refused(Error error);

/// Whether demands_of() would have any.
inline bool is_demanding(const Schema& schema, const Reach& reach) { return reach.after || !schema.relations.empty(); }
/// What must be true once the row `key` is written with `cells`: the rules of what is left, the rows that it refers to. Where it
/// refers to the same as `before`, which lives until the task ends, nothing is asked: that row may have gone since.
Task<std::vector<store::Mutation>> demands_of(Tables::Impl& impl, OperationContext context, Catalogue::SchemaPtr schema, store::Value key, Reach reach,
                                              std::vector<store::Cell> cells, const store::Row* before = nullptr);
/// Whether a write was refused for a row that it refers to.
bool is_no_target(const Error& error);
/// What the removal of rows does to those that refer to them. conflict: more than one delete should take with it.
Task<std::vector<store::Mutation>> consequences_of(Tables::Impl& impl, OperationContext context, Catalogue::SchemaPtr schema, std::vector<store::Value> ids);

/// The other end of a relation as the caller may read it.
struct Related {
  const tenant::Table* table = nullptr;
  Catalogue::SchemaPtr schema;
  Reach reach;
};
Task<Related> related(Tables::Impl& impl, OperationContext context, const Relation& relation);

/// The text of the conflict of a write that a unique column, or several together, did not take.
Task<std::string> value_taken(const OperationContext& context, Catalogue::SchemaPtr schema, std::vector<store::Cell> cells, std::optional<store::Owner> owner);
/// conflict, in the same words, when a row has what must be unique; asked where no row is written that the store could refuse.
Task<void> check_values_free(const OperationContext& context, Catalogue::SchemaPtr schema, std::vector<store::Cell> cells, std::optional<store::Owner> owner);

}  // namespace mandate::tables
