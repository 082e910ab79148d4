// A service that was deleted and made again is another one, though it has the name of the first.
#pragma once

#include "tenant/tenants.h"

namespace mandate::tenant {

/// Whether both are one making of a service, at two moments: they have a key in common, one that was replaced counts too. Sealing is
/// with fresh chance, so keys of two makings are never the same text, even where the file gave both the same keys.
bool same_making(const Service& a, const Service& b);

/// Whether the tenant still has this making of `service`. `then`: its snapshot of any age, that `service` is in.
bool still_there(const Tenants& tenants, const Tenant& then, const Service& service);

}  // namespace mandate::tenant
