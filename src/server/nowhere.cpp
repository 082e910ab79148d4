#include "server/nowhere.h"

#include "tenant/service_cors.h"

namespace mandate::server {
namespace {

constexpr std::string_view kNowhere = "/.nowhere";

Task<http::Response> nothing_there(const tenant::Tenants& tenants, http::Request& request) {
  http::Response response = http::Response::json(404, std::string(R"({"error":"not_found"})"));
  const Result<tenant::Here> here = tenants.by_host(request.host);
  const tenant::Service* service = here.ok() ? (*here)->service_of(request) : nullptr;
  if (!service) co_return response;
  if (request.method == http::Method::options) co_return tenant::preflight(request, *service);
  tenant::add_cors(response, request, *service);
  co_return response;
}

}  // namespace

bool lead_nowhere(const tenant::Tenant& tenant, http::Request& request) {
  const tenant::Service* service = tenant.service_of(request);
  if (!service || !tenant::origin_allowed(*service, request.headers.get("Origin"))) return false;
  request.path.insert(0, kNowhere);
  return true;
}

void mount_nowhere(http::Routes& routes, const tenant::Tenants& tenants) {
  using http::Method;
  const http::RouteOptions options{.handles_options = true, .late = {}, .metric = "nowhere"};
  for (const Method method : {Method::get, Method::post, Method::put, Method::patch, Method::delete_, Method::options})
    routes.add(method, std::string(kNowhere) + "/{path...}", [&tenants](http::Request& request) { return nothing_there(tenants, request); }, options);
}

}  // namespace mandate::server
