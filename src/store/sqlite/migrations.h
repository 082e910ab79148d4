// The steps of the rooms, run once each on the writer's connection.
#pragma once

#include <span>

#include "base/clock.h"
#include "store/migrate.h"
#include "store/sqlite/handle.h"

namespace mandate::store::sqlite {

/// Refuses with Code::conflict when a recorded step is unknown to a room of `migrations` and not additive (RL-14).
Result<void> check_known(sqlite3* db, std::span<const Migration> migrations);
/// Within a transaction: runs the step and records it; nothing when it is recorded already.
Result<void> apply(sqlite3* db, const Migration& migration, Millis now);

}  // namespace mandate::store::sqlite
