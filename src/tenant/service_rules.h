// What a service's settings say of a request before anything else is looked at: one answer for every door of a service.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/request.h"
#include "http/response.h"
#include "tenant/tenants.h"

namespace mandate::tenant {

/// Empty when the service does not set it.
std::string_view setting(const Service& service, std::string_view name);
/// "true" or "1".
bool switched_on(const Service& service, std::string_view name);
/// MS_MaxRequestBodySizeKB in bytes; 1 MB without it, 4 MB at most.
std::size_t body_limit(const Service& service);

/// zumo-api-version of the query (decoded), else of the header, in any letter case of the name. Empty when there is none.
std::string api_version(const http::Request& request, const std::vector<std::pair<std::string, std::string>>& query);
/// "2.0" where that is `major_minor`, or "2.0.x".
bool is_version(std::string_view text, std::string_view major_minor);

/// The two questions of every door (mobile-backend-wire 2.3): is https asked for (MS_RequireHttps: 403, text), and do we know the
/// client's version (2.0.x, 3.0.x or none; else 400 as in 2.10, unless MS_SkipVersionCheck). nullopt: come in.
std::optional<http::Response> refused_at_door(const Service& service, const http::Request& request, std::string_view version);
std::optional<http::Response> refused_at_door(const Service& service, const http::Request& request);

}  // namespace mandate::tenant
