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

/// Whether a server that does not know a step of this name may work on the data all the same: it ends in "_additive". Such a
/// step brings tables, indexes, and columns that may be null or have a default, and lets everything else be, so that nothing
/// an older server reads or writes has changed. Releases that bring only such steps run beside the one before and can be
/// taken back (RL-14).
bool additive(std::string_view name);

/// Of a recorded step: conflict with a clear hint when its room has steps in `migrations`, it is not among them, and is not
/// additive.
Result<void> check_step(std::span<const Migration> migrations, std::string_view room, std::string_view name);

class Migratable {
 public:
  virtual ~Migratable() = default;
  /// Runs what has not run yet, each step in its own transaction, recorded in the same transaction (RL-14).
  /// What check_step() says when the data was written by a newer version (a recorded step we do not know).
  virtual Result<void> migrate(std::span<const Migration> migrations) = 0;
};

/// The store's own: the single-use objects. They come first in a server's list.
extern const std::span<const Migration> kMigrations;

}  // namespace mandate::store
