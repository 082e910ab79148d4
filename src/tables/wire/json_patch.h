// JSON Patch (RFC 6902) on an entity, as V3 takes it.
#pragma once

#include "tables/operations.h"

namespace mandate::tables::wire {

/// Carries the operations out on `document`, all or the error. A member of the document itself is found without case, and one
/// that is not there counts as null: it may be replaced, removed and tested. bad_request: not a patch, a path that leads
/// nowhere, too much; conflict: a test that does not hold.
Result<void> apply_patch(JsonObject& document, const JsonArray& patch);

/// Reads the row of `act`, patches it, and updates what changed, by `script` where it is not null. What was patched is what is
/// updated: when someone else was faster the patch is carried out anew, unless the client's preconditions forbid it. Where the
/// table decides about a newer row than the client's, what competes is that row, patched. `conflict`: whom to ask then; null =
/// the table has no script for it. bad_request also when the patch changes id, version or a date of ours.
Task<Answer> perform_patch(Tables& tables, Script* script, Script* conflict, Act act, JsonArray patch);

}  // namespace mandate::tables::wire
