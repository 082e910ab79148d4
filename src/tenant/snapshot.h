// From stored objects to the immutable value that requests hold.
#pragma once

#include "tenant/codec/reader.h"
#include "tenant/objects.h"
#include "tenant/tenants.h"

namespace mandate::tenant {

/// Code::corrupt when a secret cannot be unsealed. What a reader finds wrong in a stored object is reported to `problems` and
/// keeps its safe default: a misspelt permission is admin (DA-11). Previous signing keys whose last token has ended are left
/// out.
Result<std::shared_ptr<const Tenant>> build_snapshot(const std::string& name, const Objects& objects, const Vault& vault,
                                                     Millis now, Problems& problems);

}  // namespace mandate::tenant
