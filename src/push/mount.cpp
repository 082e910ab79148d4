#include "push/mount.h"

#include "push/wire/door.h"

namespace mandate::push {

void mount(http::Routes& routes, const Deps& deps) {
  const auto door = std::make_shared<wire::Door>(deps);
  http::RouteOptions options;
  options.body_limit = 256 << 10;
  options.handles_options = options.answers_refusals = true;
  const auto add = [&](http::Method method, std::string_view pattern, wire::Dialect dialect, wire::Act act) {
    // The door lives as long as any of its routes.
    routes.add(method, pattern, [door, handler = door->handler(dialect, act)](http::Request& request) { return handler(request); }, options);
  };
  using http::Method;
  using wire::Dialect;
  add(Method::post, "/push/registrationids", Dialect::v1, wire::post_registration_id);
  add(Method::options, "/push/registrationids", Dialect::v1, wire::post_registration_id);
  add(Method::get, "/push/registrations", Dialect::v1, wire::list_registrations);
  add(Method::options, "/push/registrations", Dialect::v1, wire::list_registrations);
  for (const Method method : {Method::put, Method::options}) add(method, "/push/registrations/{id}", Dialect::v1, wire::put_registration);
  add(Method::delete_, "/push/registrations/{id}", Dialect::v1, wire::delete_registration);
  for (const Method method : {Method::put, Method::options}) add(method, "/push/installations/{id}", Dialect::v2, wire::put_installation);
  add(Method::delete_, "/push/installations/{id}", Dialect::v2, wire::delete_installation);
  for (const Method method : {Method::get, Method::options}) add(method, "/push/webpush/key", Dialect::v2, wire::get_webpush_key);
}

}  // namespace mandate::push
