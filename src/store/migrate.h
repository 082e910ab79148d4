// Runs the rooms' migrations. Each room owns its tables and its SQL; this only runs them, once, in order.
#pragma once

#include <span>
#include <string_view>

#include "base/task.h"

namespace mandate::store {

/// One step of one room: portable SQL (TEXT, BIGINT, DOUBLE PRECISION, BOOLEAN; no engine's own words), `;`-separated.
/// It may change rows or copy them from table to table, but brings no new ones: where tenants share tables, none of them
/// is there yet. The types are written in capitals.
struct Migration {
  std::string_view room;
  std::string_view name;  ///< "0001_users"; the number orders steps within a room
  std::string_view sql;
};

class Migratable {
 public:
  virtual ~Migratable() = default;
  /// Runs what has not run yet, each step in its own transaction, recorded in the same transaction (RL-14).
  /// Code::conflict with a clear hint when the data was written by a newer version (a recorded step we do not know).
  virtual Result<void> migrate(std::span<const Migration> migrations) = 0;
};

/// The store's own: the single-use objects. They come first in a server's list.
extern const std::span<const Migration> kMigrations;

}  // namespace mandate::store
