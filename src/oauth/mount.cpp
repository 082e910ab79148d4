#include "oauth/mount.h"

#include "oauth/authorize/authorize.h"
#include "oauth/doors.h"
#include "oauth/grant_memory.h"
#include "oauth/token/grants.h"
#include "oauth/token/token.h"
#include "oauth/wire/auth0_legacy.h"

namespace mandate::oauth {
namespace {

using Door = Task<http::Response> (*)(const Deps&, http::Request&);

/// No coroutine itself: the task holds references to `deps` and the request, which both outlive it.
http::Handler handler(std::shared_ptr<const Deps> deps, Door door) {
  return [deps = std::move(deps), door](http::Request& request) { return door(*deps, request); };
}

}  // namespace

void mount(http::Routes& routes, const Deps& given, std::vector<std::unique_ptr<Grant>> grants) {
  const auto filled = std::make_shared<Deps>(given);
  if (!filled->grants) filled->grants = std::make_shared<GrantMemory>(filled->metrics);
  const std::shared_ptr<const Deps> deps = filled;
  const auto get = [&](std::string_view path, Door door) { routes.get(path, handler(deps, door)); };
  const auto post = [&](std::string_view path, Door door) { routes.post(path, handler(deps, door)); };
  http::RouteOptions cors;
  cors.handles_options = cors.answers_refusals = true;

  get("/authorize", authorize);
  post("/authorize", authorize);
  get("/authorize/resume", resume);
  post("/authorize/consent", consent);

  grants.push_back(authorization_code_grant(*deps));
  grants.push_back(refresh_token_grant(*deps));
  grants.push_back(client_credentials_grant(*deps));
  grants.push_back(password_grant(*deps, false));
  grants.push_back(password_grant(*deps, true));
  const auto tokens = std::make_shared<const TokenEndpoint>(*deps, std::move(grants));
  routes.post("/oauth/token", [tokens](http::Request& request) { return tokens->answer(request); }, cors);
  routes.post("/oauth/revoke", handler(deps, revoke_endpoint), cors);
  http::RouteOptions back_channel;
  back_channel.answers_refusals = true;
  routes.post("/oauth/introspect", handler(deps, introspect), back_channel);
  routes.post("/oauth/ro", handler(deps, wire::oauth_ro), cors);
  routes.get("/tokeninfo", handler(deps, wire::tokeninfo), cors);
  routes.post("/tokeninfo", handler(deps, wire::tokeninfo), cors);
  routes.get("/userinfo", handler(deps, userinfo), cors);
  routes.post("/userinfo", handler(deps, userinfo), cors);

  const http::Handler document = [deps, tokens](http::Request& request) {
    return discovery(*deps, request, tokens->grant_types());
  };
  routes.get("/.well-known/openid-configuration", document);
  routes.get("/.well-known/oauth-authorization-server", document);
  get("/.well-known/jwks.json", keys);
  get("/pem", certificate_pem_download);
  get("/cer", certificate_der);
  get("/rawpem", certificate_pem_text);

  get("/v2/logout", legacy_logout);
  get("/logout", legacy_logout);
  get("/oidc/logout", oidc_logout);
  post("/oidc/logout", oidc_logout);
  post("/logout/confirm", confirm_logout);
}

}  // namespace mandate::oauth
