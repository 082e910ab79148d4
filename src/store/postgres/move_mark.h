// The row that says a database is not to be used: its data has moved away, or is not yet all there.
#pragma once

#include "store/move.h"
#include "store/postgres/session.h"

namespace mandate::store::postgres {

/// An empty mark when there is none. The connection's search_path names the schema, which need not be there.
Result<MoveMark> read_mark(PGconn* connection);
/// Part of the transaction under way, if there is one.
Result<void> write_mark(PGconn* connection, const MoveMark& mark, Millis now);
/// conflict, the hint saying where the data is, when a server must not start here.
Result<void> check_mark(PGconn* connection);

}  // namespace mandate::store::postgres
