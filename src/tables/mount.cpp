#include "tables/mount.h"

#include "tables/wire/zumo.h"

namespace mandate::tables {

void mount(http::Routes& routes, const Deps& deps) {
  const auto zumo = std::make_shared<wire::Zumo>(deps);
  http::RouteOptions options;
  options.body_limit = 4 << 20;  // the service's own limit is below and answers in the dialect
  options.handles_options = true;
  const http::Handler tables = [zumo](http::Request& request) { return zumo->tables(request); };
  using http::Method;
  for (std::string_view pattern : {"/tables/{table}", "/tables/{table}/{id}"}) {
    options.metric = pattern;
    for (Method method : {Method::get, Method::post, Method::put, Method::patch, Method::delete_, Method::options})
      routes.add(method, pattern, tables, options);
  }
  routes.get("/status", [zumo](http::Request& request) { return zumo->status(request); });
}

}  // namespace mandate::tables
