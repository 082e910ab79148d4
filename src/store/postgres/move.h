// The two ends of a move whose data lies in PostgreSQL.
#pragma once

#include <memory>
#include <span>

#include "store/migrate.h"
#include "store/move.h"
#include "store/postgres/postgres.h"

namespace mandate::store {

/// Makes and fills the schema of `options`, with COPY. `migrations`, `log` and `metrics` outlive it. Connects on first use.
std::unique_ptr<MoveTarget> postgres_target(PostgresOptions options, std::span<const Migration> migrations, Log& log, Metrics& metrics);

/// A database that nodes go on serving: held, it answers reads, and writers wait, each for as long as its statement may.
/// The hold ends with the connection, however that ends. It does not follow: a copy needs the hold.
std::unique_ptr<MoveSource> postgres_source(PostgresOptions options, Log& log, Metrics& metrics);

}  // namespace mandate::store
