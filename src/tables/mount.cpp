#include "tables/mount.h"

#include "tables/wire/zumo.h"

namespace mandate::tables {

void mount(http::Routes& routes, const Deps& deps) {
  const auto zumo = std::make_shared<wire::Zumo>(deps);
  http::RouteOptions options;
  options.body_limit = 4 << 20;  // the service's own limit is below and answers in the dialect
  options.handles_options = options.answers_refusals = true;
  options.target_limit = 16 << 10;  // old SDKs write long filters (docs/adr/0009)
  options.late = [zumo](const http::Request& request) { return zumo->late(request); };
  const http::Handler tables = [zumo](http::Request& request) { return zumo->tables(request); };
  using http::Method;
  for (std::string_view pattern : {"/tables/{table}", "/tables/{table}/{id}"}) {
    options.metric = pattern;
    for (Method method : {Method::get, Method::post, Method::put, Method::patch, Method::delete_, Method::options})
      routes.add(method, pattern, tables, options);
  }
  // Browsers ask before they call an API or look at anything at all; "*" is the target of OPTIONS *.
  const http::Handler preflight = [zumo](http::Request& request) { return zumo->preflight_only(request); };
  for (std::string_view pattern : {"/api/{rest...}", "/*"}) routes.add(Method::options, pattern, preflight);
  routes.get("/status", [zumo](http::Request& request) { return zumo->status(request); });
}

}  // namespace mandate::tables
