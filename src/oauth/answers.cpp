#include "oauth/answers.h"

#include "base/url.h"
#include "identity/error_body.h"
#include "oauth/client_auth.h"
#include "tenant/cors.h"

namespace mandate::oauth {
namespace {

int token_status(const tenant::Tenant& tenant, Code code) {
  switch (code) {
    case Code::invalid_grant:
      return tenant.token_error_status == "auth0" ? 403 : 400;
    case Code::invalid_token:
      return 400;
    default:
      return http_status(code);
  }
}

/// Text inside a quoted-string of a challenge.
std::string quotable(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (c >= ' ' && c < 0x7f && c != '"' && c != '\\') out += c;
  return out;
}

}  // namespace

http::Response token_error(const tenant::Tenant& tenant, const http::Request& request, const Error& error) {
  http::Response response = identity::oauth_error(error, token_status(tenant, error.code));
  const std::string_view authorization = request.headers.get("authorization");
  if (error.code == Code::invalid_client && authorization.size() >= 6 &&
      iequals(authorization.substr(0, 6), "basic "))
    response.headers.set("WWW-Authenticate",
                         "Basic realm=\"" + quotable(request.host) + "\", charset=\"UTF-8\"");
  return response;
}

http::Response too_many(const tenant::RateLimiter::Answer& rate) {
  constexpr std::string_view kText =
      "Too many requests. Check the X-RateLimit-Limit, X-RateLimit-Remaining and X-RateLimit-Reset headers.";
  const JsonObject body{{"error", "too_many_requests"}, {"error_description", kText}, {"message", kText}};
  http::Response response = http::Response::json(429, Json(body));
  tenant::add_rate_headers(response, rate);
  response.no_store();
  return response;
}

http::Response bearer_error(const Error& error) {
  http::Response response = identity::oauth_error(error);
  if (response.status == 401 || response.status == 403)
    response.headers.set("WWW-Authenticate", "Bearer error=\"" + std::string(name(error.code)) +
                                                 "\", error_description=\"" + quotable(error.hint) + "\"");
  return response;
}

const tenant::Client* named_client(const tenant::Tenant& tenant, const http::Request& request,
                                   const http::Params* params) {
  if (params && params->has("client_id")) return tenant.client(params->get("client_id"));
  for (const auto& [name, value] : parse_form(request.query))
    if (name == "client_id") return tenant.client(value);
  const std::string basic = basic_client_id(request);
  return basic.empty() ? nullptr : tenant.client(basic);
}

std::string rate_key(const http::Request& request, const tenant::Client* client) {
  return (client ? client->client_id : std::string()) + "\n" + request.peer;
}

Result<ProfileDoor> open_profile_door(const Deps& deps, const http::Request& request) {
  ProfileDoor door;
  TRY(door.here, deps.tenants.by_host(request.host));
  const tenant::Tenant& tenant = *door.here;
  if (request.method == http::Method::options) {
    door.answered = tenant::preflight(request, tenant);
    return door;
  }
  door.rate = deps.limiter.take("oauth.userinfo", request.peer, deps.rates.userinfo);
  if (!door.rate.allowed) {
    door.answered = finish(too_many(door.rate), request, tenant, nullptr, &door.rate);
    return door;
  }
  Result<http::Params> params = http::Params::of(request);
  if (!params.ok())
    door.answered = finish(identity::oauth_error(params.error()), request, tenant, nullptr, &door.rate);
  else
    door.params = std::move(*params);
  return door;
}

http::Response finish(http::Response response, const http::Request& request, const tenant::Tenant& tenant,
                      const tenant::Client* client, const tenant::RateLimiter::Answer* rate) {
  if (rate && !response.headers.has("X-RateLimit-Limit")) tenant::add_rate_headers(response, *rate);
  tenant::add_cors(response, request, tenant, client);
  response.no_store();
  return response;
}

}  // namespace mandate::oauth
