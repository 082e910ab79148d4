// The engine's own tables, functions and collations in the shared schema.
#pragma once

#include "store/postgres/session.h"

namespace mandate::store::postgres {

/// Makes what is missing; several nodes may do so at once.
Result<void> bootstrap(PGconn* connection, const std::string& schema);

/// Takes the row that lets one node at a time change the schema; held until the transaction ends. No advisory locks:
/// not every engine of PostgreSQL's dialect has them.
Result<void> lock_schema(PGconn* connection);

}  // namespace mandate::store::postgres
