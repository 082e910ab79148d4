// The five acts on a table, in no dialect's bytes. The direct path and the scripted path call the same functions.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/task.h"
#include "identity/principal.h"
#include "tables/odata/query.h"
#include "tables/preconditions.h"
#include "tenant/tenants.h"

namespace mandate::store {
class Permit;
}

namespace mandate::tables {

class Catalogue;

inline constexpr std::size_t kPageBytes = 8 << 20;

enum class Operation { read, insert, update, remove, undelete };
/// "read", "insert", "update", "delete", "undelete": the words of permissions and of the log.
std::string_view name(Operation operation);

/// Whose spelling the items carry: V1 writes `__version` on request, V2 `version` always; V3 (Datasync 5/6) and V4
/// (Community Datasync) as V2, but V4 without createdAt.
enum class Dialect { v1, v2, v3, v4 };
/// V3 and V4: deleted rows are 410, preconditions are RFC 9110's, what the table lacks is an error.
constexpr bool is_datasync(Dialect dialect) { return dialect == Dialect::v3 || dialect == Dialect::v4; }

/// Which system properties a V1 answer carries. V2 ignores it: there they are always present.
struct SystemProperties {
  bool created = false, updated = false, version = false, deleted = false;
  static SystemProperties all() { return {true, true, true, true}; }
  bool operator==(const SystemProperties&) const = default;
};

/// Who acts on which table, and how the answer should look. `service` and `table` live inside `here.config`.
struct OperationContext {
  tenant::Here here;
  const tenant::Service* service = nullptr;
  const tenant::Table* table = nullptr;
  identity::Principal principal;  ///< level admin: no ownership predicate
  Dialect dialect = Dialect::v2;
  SystemProperties system;
  bool include_deleted = false;   ///< reads see soft-deleted rows too
  bool unlimited = false;         ///< a script reads: no page of 50, no limit of 1000
  std::int64_t page = 50;         ///< rows of a list that asks for no number; V3, V4: of any list
  bool look_ahead = false;        ///< a list says in Answer::more whether rows follow it
  bool resumable = false;         ///< and in Answer::last where it ended, when its order is by system properties
  std::vector<store::Value> after;  ///< Answer::last of the page before: the list goes on behind that row, whatever changed since
  Deadline deadline = kNoDeadline;
  bool application_key = false;   ///< the caller showed it: asked where a read goes on to another table
  store::ExprPtr also;            ///< odata::Tree that a row must meet to exist for this act, beside what else must; null = none
};

/// One request as a dialect read it, or as a script changed it. What Script::run gets and Tables::perform does.
struct Act {
  Operation operation = Operation::read;
  OperationContext context;
  std::string id;                             ///< of the URL; empty for the collection
  JsonObject item;                            ///< insert, update
  odata::Query query;                         ///< read; query.id is set for a read of one row
  std::optional<std::string> expected_version;  ///< wire form (base64), from If-Match or the body; absent = no check
  Preconditions preconditions;                ///< V3, V4, beside or instead of it
  std::optional<Millis> made_of;              ///< V3: the row of that stamp is what `item` was made from: over another it is stale, whatever the table's policy
  bool replace = false;                       ///< update: own columns that the item lacks become null
  std::optional<JsonObject> conflict;         ///< the row that the act met instead: the table's conflict script decides
  std::vector<std::pair<std::string, std::string>> parameters;  ///< the client's own query parameters
  std::shared_ptr<const JsonObject> asked;    ///< the request in the words of custom APIs, without its body; for apps' own code
};

/// What an app's code wrote itself: fields, and as a whole answer its bytes.
struct Written {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

/// What came of an act. The dialect turns it into bytes.
struct Answer {
  enum class Kind {
    rows,       ///< a read of many: `json` is a JSON array of `count` rows, `total` when asked for
    row,        ///< a read of one (`json` is its object) or a write (`item`)
    nothing,    ///< a script completed without a body
    stale,      ///< the expected version is not the row's, or (V3, V4) the id of an insert is taken: `item` is the row as
                ///< it is now, all system properties in it
    responded,  ///< a script answered by itself: `status` and `body`
  };
  Kind kind = Kind::nothing;
  std::string json;
  std::int64_t count = 0;  ///< what a script left out of a page of V3 or V4 counts: the next one begins behind it
  std::optional<std::int64_t> total;
  bool cut = false;     ///< rows: the page ends before its number of rows because of its size
  bool more = false;    ///< rows, with look_ahead: rows follow these
  std::vector<store::Value> last;  ///< rows, with resumable: the keys of the order in the last row; empty when the order has others
  JsonObject item;
  std::string version;  ///< wire form of the row's version; empty where there is none
  bool deleted = false;  ///< as Rows::deleted
  int status = 0;
  std::optional<Json> body;
  std::shared_ptr<const Written> written;  ///< responded: instead of status and body; else fields that the answer gets, too
};

/// The hint of an insert's conflict, word for word what old suites compare (mobile-backend-wire 2.11).
inline constexpr std::string_view kItemExists = "Could not insert the item because an item with that id already exists.";

/// Rows as values, for scripts that look at them. Apps' pages are streamed instead.
struct Rows {
  JsonArray items;
  std::optional<std::int64_t> total;
  bool more = false;              ///< with look_ahead
  std::vector<store::Value> last;  ///< as Answer::last
  bool deleted = false;           ///< a read of one that V3 and V4 answer with 410: the row is there, but deleted; no item
};

/// Thread-safe; one for the house. Methods check neither permissions nor scripts: the door does, before it calls.
///
/// Errors of all: bad_request (names, types, query; hint for the caller), not_found (hint `An item with id 'X' does not
/// exist.`; a foreign or soft-deleted row is the same as an absent one), conflict (the id exists), unauthorized (a
/// per-user table without a user), payload_too_large (a list whose dialect, or script, cannot go on behind its first
/// part), gone (V3, V4: the row is soft-deleted), and those of the store.
class Tables {
 public:
  /// `page_bytes`: largest list of items in one answer; a single item above it is given all the same.
  Tables(const Clock& clock, Random& random, Log& log, Metrics& metrics, std::size_t page_bytes = kPageBytes);
  ~Tables();

  /// The act's own function below. Owns its argument, so it may outlive the caller's expression.
  Task<Answer> perform(Act act);

  /// Rows of the query as one JSON text in the context's dialect: Kind::rows, or Kind::row with `query.id`.
  Task<Answer> read(OperationContext context, odata::Query query);
  /// The same rows as values.
  Task<Rows> read_rows(OperationContext context, odata::Query query);
  /// One row as a value; not_found.
  Task<JsonObject> lookup(OperationContext context, std::string id);

  /// V1: the sent members, `id`, and the system properties asked for. V2: the whole row.
  Task<Answer> insert(OperationContext context, JsonObject item);
  /// `item` may carry `id` when it equals `id`. Kind::stale when `expected_version` is not the row's.
  Task<Answer> update(OperationContext context, std::string id, JsonObject item, std::optional<std::string> expected_version);
  /// Soft where the table says so; the answer is the row as it was left.
  Task<Answer> remove(OperationContext context, std::string id, std::optional<std::string> expected_version);
  /// Every row of the condition, hard or soft; Answer::count says how many. Not all at once: see remove.cpp.
  Task<Answer> remove_matching(OperationContext context, odata::Query query);
  Task<Answer> undelete(OperationContext context, std::string id, std::optional<std::string> expected_version);

  /// Update or removal of one row that is read and judged first: preconditions, replacement, what V3 and V4 say of
  /// soft-deleted rows. An update of theirs brings a deleted row back when it may: a replacement that sees deleted rows, or
  /// an item with `deleted: false`.
  Task<Answer> change(Act act);

  /// The members of an item as an answer shows them, with their types.
  Task<std::vector<std::pair<std::string, store::Type>>> columns(OperationContext context);

  /// Creates or extends the physical table from its configuration; for management, before first use.
  Task<void> ensure(OperationContext context);
  /// Whether an existing table can be what `table` declares, before that is its configuration; from then on rows that are not
  /// unique are refused. No column is added. invalid_request: columns that are there with another type, rows that are not unique;
  /// the hint says which. settle_table() has to follow, whatever becomes of the configuration.
  Task<void> prepare_table(tenant::Here here, const tenant::Service& service, const tenant::Table& table);
  /// Brings an existing table to what its configuration declares: columns it lacks, its indexes and no others.
  Task<void> settle_table(tenant::Here here, const tenant::Service& service, const tenant::Table& table);
  /// Why the caller may, or may not: {"permission","owner","rules":[{"rule","text","tree","condition"}],"row","verdict"}; the row
  /// only with an id, as it is at this moment.
  Task<JsonObject> explain(OperationContext context, Operation operation, std::string id);
  /// Which tables of a service have rows, in lower case: of all that it ever had, and of `declared` whether they are known or not.
  Task<std::vector<std::string>> with_rows(tenant::Here here, std::string service, std::vector<std::string> declared);
  /// Drops every table that a service ever had, with their rows, and `tables` of it whether they are known or not; gives how many.
  /// Idempotent. `permit`, which may be null, is asked before each step; its error is the end of it.
  Task<std::size_t> drop_service(tenant::Here here, std::string service, std::vector<std::string> tables, store::Permit* permit = nullptr);

  struct Impl;  ///< shared by the files of the room
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

/// Runs the script of an act, when the table has one. Implemented in tables/scripted.cpp; calls back into Tables.
class Script {
 public:
  virtual ~Script() = default;
  /// True when `act.context.table` has a script for the operation (undelete runs the update script).
  virtual bool has(const Act& act) const = 0;
  virtual Task<Answer> run(Act act) = 0;
};

/// The wire form of a row's version: base64 of the stamp's 8 bytes, highest first.
std::string wire_version(Millis stamp);
/// nullopt for text that no version of ours has.
std::optional<Millis> stamp_of(std::string_view version);

}  // namespace mandate::tables
