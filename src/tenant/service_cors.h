// Which web pages may read a service's answers (mobile-backend-wire 2.9).
#pragma once

#include "http/request.h"
#include "http/response.h"
#include "tenant/tenant.h"

namespace mandate::tenant {

/// `*` stands for any part of a host; "null" may be listed; http, https and ms-appx-web only. An entry with "://" is
/// compared with the whole origin. Takes time linear in both.
bool origin_allowed(const Service& service, std::string_view origin);

/// Echoes an allowed origin and exposes the headers that paging and conflicts need; nothing for other origins.
void add_cors(http::Response& response, const http::Request& request, const Service& service);

/// 204 for every preflight.
http::Response preflight(const http::Request& request, const Service& service);

}  // namespace mandate::tenant
