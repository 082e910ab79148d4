// A client that was offline while its service moved here sends the version that the old server gave. It names the row as it was
// imported: as long as nobody has changed that row, the write is no conflict.
#pragma once

#include <string>

#include "store/pieces.h"
#include "tables/operations.h"

namespace mandate::tables::importing {

/// Table imported_versions: a row of it for each imported row that keeps its time. The version it had there, the stamp it has here.
inline constexpr std::string_view kVersions = "imported_versions";

/// Remembers `version` of the row `id` for as long as its stamp is `stamp`; replaces what was known of the row.
store::Mutation remember(std::string physical, std::string id, std::string version, Millis stamp);
/// All of a table that goes.
store::Bunch forgetting(std::string physical);

/// Whether the act expects a version that cannot be one of ours: ours say a millisecond of this century. Only then is it worth
/// a look at what was imported.
bool expects_foreign(const Act& act);
/// The act with our versions in place of those that were imported; unknown ones stay, and so name no row.
Task<Act> with_our_versions(Act act);

}  // namespace mandate::tables::importing
