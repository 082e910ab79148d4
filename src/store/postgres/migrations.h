// The rooms' migrations in a database that all tenants share.
#pragma once

#include "base/clock.h"
#include "store/migrate.h"
#include "store/postgres/session.h"

namespace mandate::store::postgres {

/// A room's portable SQL with the tenant in front of every key: each table gets the column, each primary key, unique
/// constraint and index begins with it; text is compared by bytes.
std::string shared_sql(std::string_view portable);

/// Runs what has not run yet, under the schema's lock; each step in a transaction of its own (RL-14).
Result<void> migrate(PGconn* connection, std::span<const Migration> migrations, Millis now);

}  // namespace mandate::store::postgres
