#include "tables/mount.h"

#include "tables/wire/about.h"
#include "tables/wire/api_door.h"
#include "tables/wire/batch.h"
#include "tables/wire/door.h"

namespace mandate::tables {
namespace {

using http::Method;

/// /tables for every dialect, and a prefix for each, where no guess is needed.
void mount_tables(http::Routes& routes, const std::shared_ptr<wire::Door>& door, std::optional<Dialect> forced) {
  http::RouteOptions options;
  options.body_limit = 4 << 20;  // the service's own limit is below and answers in the dialect
  options.handles_options = options.answers_refusals = true;
  options.target_limit = 16 << 10;  // old SDKs write long filters (docs/adr/0009)
  options.late = [door, forced](const http::Request& request) { return door->late(request, forced); };
  const http::Handler tables = [door, forced](http::Request& request) { return door->tables(request, forced); };
  const std::string root = wire::root_of(forced);
  for (const std::string& pattern : {root + "{table}", root + "{table}/{id}"}) {
    options.metric = pattern;
    for (Method method : {Method::get, Method::post, Method::put, Method::patch, Method::delete_, Method::options})
      routes.add(method, pattern, tables, options);
  }
}

/// Beside the tables of each dialect: several requests in one.
void mount_batch(http::Routes& routes, const Deps& deps, const std::shared_ptr<wire::Door>& tables, std::optional<Dialect> forced) {
  const auto door = std::make_shared<wire::BatchDoor>(deps, tables);
  const std::string pattern = wire::root_of(forced) + "$batch";
  http::RouteOptions options;
  options.body_limit = wire::kBatchBytes;
  options.handles_options = options.answers_refusals = true;
  options.metric = pattern;
  const http::Handler handle = [door, forced](http::Request& request) { return door->handle(request, forced); };
  for (Method method : {Method::get, Method::post, Method::put, Method::patch, Method::delete_, Method::options}) routes.add(method, pattern, handle, options);
}

void mount_apis(http::Routes& routes, const Deps& deps) {
  const auto door = std::make_shared<wire::ApiDoor>(deps);
  http::RouteOptions options;
  options.body_limit = 4 << 20;  // the service's own limit is below and answers in the dialect
  options.handles_options = options.answers_refusals = true;
  options.late = [door](const http::Request& request) { return door->late(request); };
  const http::Handler handle = [door](http::Request& request) { return door->handle(request); };
  for (const std::string_view pattern : {"/api/{name}", "/api/{name}/{rest...}"}) {
    options.metric = pattern;
    for (Method method : {Method::get, Method::post, Method::put, Method::patch, Method::delete_, Method::options}) routes.add(method, pattern, handle, options);
  }
}

}  // namespace

void mount(http::Routes& routes, const Deps& deps) {
  const auto door = std::make_shared<wire::Door>(deps);
  mount_tables(routes, door, std::nullopt);
  for (const Dialect dialect : {Dialect::v1, Dialect::v2, Dialect::v3, Dialect::v4}) mount_tables(routes, door, dialect);
  mount_batch(routes, deps, door, std::nullopt);
  for (const Dialect dialect : {Dialect::v1, Dialect::v2, Dialect::v3, Dialect::v4}) mount_batch(routes, deps, door, dialect);
  mount_apis(routes, deps);
  // The target of OPTIONS *: browsers ask before they look at anything at all.
  routes.add(Method::options, "/*", [door](http::Request& request) { return door->preflight_only(request); });

  const auto about = std::make_shared<wire::About>(deps);
  routes.get("/status", [about](http::Request& request) { return about->status(request); });
  routes.get("/diagnostics", [about](http::Request& request) { return about->diagnostics(request); });
  routes.get("/swagger", [about](http::Request& request) { return about->swagger(request); });
}

}  // namespace mandate::tables
