// Runs the SQL of a script over the tables of its service.
#pragma once

#include "tables/operations.h"
#include "tables/tsql/session.h"

namespace mandate::tables::tsql {

/// What one SELECT gave. A date is an array of one number, its milliseconds; nothing else is an array.
struct ResultSet {
  std::vector<std::string> names;
  std::vector<Type> types;
  JsonArray rows;  ///< arrays
};

struct Results {
  std::vector<ResultSet> sets;   ///< one for each SELECT
  std::int64_t touched = 0;      ///< rows that the last statement read or changed
};

inline constexpr std::size_t kMostChanges = 5000;

/// The statements one after another, with administrator's rights; the first that fails ends it, and what those before it wrote
/// stays unless `session` is in a transaction. A transaction's writes are kept in the session and done at COMMIT, together and
/// only if nobody changed the rows meanwhile; until then this session alone sees them.
///
/// Errors: bad_request (what parse(), resolve() and the machine say; values that columns cannot hold), conflict (an id or a unique
/// value exists; the rows of a transaction were changed by others), payload_too_large, timeout, overloaded and those of the store.
Task<Results> run(Tables& tables, OperationContext context, std::string text, std::vector<Value> values, std::shared_ptr<Session> session);

/// Writes what the transaction did, or forgets it. bad_request when there is none.
Task<void> commit(Tables& tables, OperationContext context, std::shared_ptr<Session> session);
Result<void> rollback(Session& session);
Result<void> begin(Session& session);

}  // namespace mandate::tables::tsql
