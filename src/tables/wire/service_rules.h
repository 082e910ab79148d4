// What a service's settings and a client's habits make of a request, for every door of a service.
#pragma once

#include "http/request.h"
#include "tenant/tenant.h"

namespace mandate::tables::wire {

/// Empty when the service does not set it.
std::string_view setting(const tenant::Service& service, std::string_view name);
/// "true" or "1".
bool switched_on(const tenant::Service& service, std::string_view name);
/// MS_MaxRequestBodySizeKB in bytes; 1 MB without it, 4 MB at most.
std::size_t body_limit(const tenant::Service& service);
/// POST may stand for another verb (mobile-backend-wire 0.4 #16); every check is made for the verb that is meant (DA-10).
http::Method effective_method(const http::Request& request);

}  // namespace mandate::tables::wire
