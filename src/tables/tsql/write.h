// Changes become mutations. Inside the room only.
#pragma once

#include "tables/core.h"
#include "tables/tsql/session.h"

namespace mandate::tables::tsql {

/// Writes them together or not at all, with what relations ask for and bring with them. The arguments must outlive it.
///
/// Errors: precondition_failed (a row is not as it was read), conflict (an id or unique value is taken, others refer to a row that
/// goes), bad_request (a row refers to none), those of the store.
Task<void> write(Tables::Impl& impl, const OperationContext& context, const AllChanges& changes);

}  // namespace mandate::tables::tsql
