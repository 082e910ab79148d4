#include "identity/mount.h"

#include "base/url.h"
#include "identity/dbconnections.h"
#include "identity/login/pages.h"
#include "identity/login/steps.h"

namespace mandate::identity {
namespace {

constexpr std::size_t kFormBytes = 64 << 10;

using Step = Task<http::Response> (*)(const Room&, http::Request&);

}  // namespace

void mount(http::Routes& routes, const Deps& deps, http::Handler post_json_login) {
  const auto room = std::make_shared<const Room>(deps);
  // The room lives as long as the handler that holds it, which outlives every request.
  const auto step = [room](Step run) -> http::Handler { return [room, run](http::Request& request) { return run(*room, request); }; };
  const auto door = [room](Task<http::Response> (*run)(const Deps&, http::Request&)) -> http::Handler {
    return [room, run](http::Request& request) { return run(room->deps, request); };
  };
  const http::RouteOptions form{.body_limit = kFormBytes, .handles_options = false, .answers_refusals = true, .metric = {}};

  routes.get("/login", step(show_login));
  // One path, two doors of the last ten years: our form, and a token that an old mobile client posts as JSON.
  routes.post("/login", [room, post_json_login](http::Request& request) {
    const bool json = ascii_lower(request.headers.get("Content-Type")).starts_with("application/json");
    return json && post_json_login ? post_json_login(request) : post_login(*room, request);
  }, form);
  routes.get("/login/signup", step(show_sign_up));
  routes.post("/login/signup", step(post_sign_up), form);
  routes.get("/login/with", step(go_upstream));
  routes.get("/login/callback", step(get_callback));
  routes.post("/login/callback", step(post_callback), form);
  for (const std::string_view end : {"/mobile", "/win8"})
    routes.get(end, [](http::Request&) -> Task<http::Response> { return ready(blank_page()); });
  routes.post("/dbconnections/signup", door(post_signup),
              {.body_limit = kFormBytes, .handles_options = true, .answers_refusals = true, .metric = {}});
  routes.get("/user/ssodata", door(get_ssodata), {.body_limit = kFormBytes, .handles_options = false, .answers_refusals = false, .metric = {}});
}

}  // namespace mandate::identity
