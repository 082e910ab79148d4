// Addresses that are no door, asked for by a page of another origin (mobile-backend-wire 2.9: every preflight is 204).
#pragma once

#include "http/router.h"
#include "tenant/tenants.h"

namespace mandate::server {

/// Of a path that nobody mounted: when a page asks whose origin the service lists, the path is made one of mount_nowhere's, so that
/// the page may read the 404; what it was stands behind. Thread: any.
bool lead_nowhere(const tenant::Tenant& tenant, http::Request& request);

/// Answers what lead_nowhere() sends here, and whoever comes by himself: 404 as for any unknown path, preflights 204.
void mount_nowhere(http::Routes& routes, const tenant::Tenants& tenants);

}  // namespace mandate::server
