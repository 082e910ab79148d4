#include "oauth/mount.h"
#include "oauth/wire/zumo_login.h"
#include "tenant/service_cors.h"
#include "tenant/service_rules.h"

namespace mandate::oauth {
namespace {

/// A body is a provider's tokens: two or three of them, and none is long.
constexpr std::size_t kBodyBytes = 64 << 10;

/// Our own pages beside the providers' names; other origins have no business there (OA-14).
bool own_page(std::string_view word) { return word == "callback" || word == "signup" || word == "with" || word == "done"; }

Task<http::Response> preflight(const Deps& deps, http::Request& request) {
  if (request.path.starts_with("/login/") && own_page(request.params.front())) co_return http::Response(204);
  const Result<wire::Entrance> at = wire::entrance(deps, request);
  if (!at.ok()) co_return wire::login_error(at.error());
  co_return tenant::preflight(request, *at->service);
}

/// What every door of a service asks first; preflights have no version and bring nothing.
http::Handler behind_rules(const tenant::Tenants& tenants, http::Handler inner) {
  return [&tenants, inner = std::move(inner)](http::Request& request) -> Task<http::Response> {
    const Result<tenant::Here> here = tenants.by_host(request.host);
    const tenant::Service* service = here.ok() ? (*here)->service_of(request) : nullptr;
    if (!service || request.method == http::Method::options) return inner(request);
    std::optional<http::Response> refused = tenant::refused_at_door(*service, request);
    return refused ? ready(wire::finish_login_answer(*std::move(refused), request, service)) : inner(request);
  };
}

}  // namespace

void mount_service_login(http::Routes& routes, const Deps& given, identity::Bearers& bearers, const identity::Strategies& strategies) {
  const auto deps = std::make_shared<const Deps>(given);
  const auto all = std::make_shared<const wire::LoginDeps>(wire::LoginDeps{*deps, bearers, strategies});
  // Each handler holds both: `all` refers to `deps`.
  const auto door = [deps, all](Task<http::Response> (*run)(const wire::LoginDeps&, http::Request&)) -> http::Handler {
    return behind_rules(deps->tenants, [deps, all, run](http::Request& request) {
      return request.method == http::Method::options ? preflight(*deps, request) : run(*all, request);
    });
  };
  const auto page = [deps](Task<http::Response> (*run)(const Deps&, http::Request&)) -> http::Handler {
    return behind_rules(deps->tenants, [deps, run](http::Request& request) { return run(*deps, request); });
  };
  const auto start = [deps](bool v2) -> http::Handler {
    return behind_rules(deps->tenants, [deps, v2](http::Request& request) { return wire::start_login(*deps, request, v2); });
  };
  http::RouteOptions cors{.body_limit = kBodyBytes, .handles_options = true, .answers_refusals = true, .late = {}, .metric = {}};

  routes.get("/login/{provider}", start(false));
  routes.get("/.auth/login/{provider}", start(true));
  routes.get("/.auth/login/{provider}/callback", start(true));
  routes.get("/login/done", page(wire::login_done));
  routes.get("/.auth/login/done", page(wire::login_done));
  routes.get("/.auth/login/iframereceiver", page(wire::login_receiver));
  routes.get("/crossdomain/loginreceiver", page(wire::login_receiver));
  routes.get("/crossdomain/bridge", page(wire::crossdomain_bridge));
  for (const std::string_view path : {"/login/{provider}", "/.auth/login/{provider}", "/.auth/login"})
    routes.post(path, door(wire::client_flow), cors);
  routes.get("/.auth/login/{provider}/token", door(wire::redeem_code), cors);
  routes.get("/.auth/me", door(wire::auth_me), cors);
  routes.get("/.auth/refresh", door(wire::auth_refresh), cors);
  routes.get("/.auth/logout", door(wire::auth_logout), cors);
}

http::Handler post_json_login(const Deps& given, identity::Bearers& bearers, const identity::Strategies& strategies) {
  const auto deps = std::make_shared<const Deps>(given);
  const auto all = std::make_shared<const wire::LoginDeps>(wire::LoginDeps{*deps, bearers, strategies});
  return behind_rules(deps->tenants, [deps, all](http::Request& request) { return wire::client_flow(*all, request); });
}

}  // namespace mandate::oauth
