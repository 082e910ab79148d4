// The end of a service's login: what the steps learnt becomes a token, and the token goes the way the app asked for.
#include "base/url.h"
#include "oauth/authorize/answer.h"
#include "oauth/authorize/decide.h"
#include "oauth/wire/zumo_login.h"
#include "tenant/audit.h"

namespace mandate::oauth::wire {
namespace {

Error over() { return Error(Code::invalid_request, "This sign-in has ended. Please go back to the app and start again."); }

/// Where a native app stops reading. The host is the one it began at.
std::string done_url(const http::Request& request, const Start& start) {
  if (!start.end.empty()) return start.end;
  if (!start.external.empty()) return start.external;
  return request.root() + (start.v2 ? "/.auth/login/done" : "/login/done");
}

http::Response go(std::string url, std::string_view name, std::string_view value) {
  if (!name.empty()) {
    url += '#';
    url += name;
    url += '=';
    append_percent_encoded(url, value);
  }
  http::Response response = http::Response::redirect(302, url);
  response.no_store();
  return response;
}

http::Response tell(const http::Request& request, const tenant::Service& service, const Start& start, const JsonObject* oauth,
                    std::string_view error) {
  const std::string text = "Error: " + std::string(error);
  if (start.completion_type.empty()) {
    const std::string url = done_url(request, start);
    return oauth ? go(url, "token", to_json(*oauth)) : go(url, "error", text);
  }
  // Once more, since the list may have changed while the person was away (SE-8).
  if (!completion_origin_good(service, start.completion_origin)) return login_error(401, "The completion_origin is not allowed.");
  return completion_page(start, oauth, oauth ? std::string_view() : std::string_view(text));
}

tenant::Event event_of(const ServiceGrant& grant) {
  tenant::Event out;
  out.type = "grant.ok";
  out.client_id = tenant::service_client_id(grant.service->name);
  out.user_id = grant.user->user_id;
  out.connection = grant.connection;
  out.target = grant.service->name;
  out.details["grant_type"] = tenant::grant::kServiceLogin;
  return out;
}

/// The token, or what stands for it: a code, or the browser's session alone.
Task<http::Response> give(const Deps& deps, const http::Request& request, const ServiceGrant& grant, const identity::AuthRequest& login,
                          const Start& start) {
  if (!login.code_challenge.empty()) {
    std::string challenge = login.code_challenge;
    CO_CHECK(co_await may_issue_service_token(deps, grant));
    CO_TRY(const std::string code, co_await file_service_code(deps, grant, std::move(challenge), request));
    co_return go(start.external, "authorization_code", code);
  }
  if (!start.external.empty()) {
    CO_CHECK(co_await may_issue_service_token(deps, grant));
    co_return go(start.external, "", "");
  }
  CO_TRY(const ServiceToken token, co_await make_service_token(deps, grant, request));
  CO_CHECK(co_await tenant::audit(*grant.here, event_of(grant), request, deps.clock));
  const JsonObject oauth = token.to_json();
  co_return tell(request, *grant.service, start, &oauth, "");
}

}  // namespace

Task<http::Response> finish_service_login(const Deps& deps, const http::Request& resumed, tenant::Here here, identity::AuthRequest login) {
  const Start start = Start::from_text(login.dialect);
  // Resuming is the tenant's own address; the app began at its service's.
  http::Request request = resumed;
  request.prefix = start.prefix;
  const auto found = here->services.find(login.service);
  const tenant::Service* service = found == here->services.end() ? nullptr : &found->second;
  if (!service || !service->login.enabled || here->service_of(request) != service) co_return error_page(over());
  const Result<Present> present = co_await who_is_there(deps, request, here);
  if (!present.ok()) co_return error_page(present.error(), http_status(present.error().code));
  const bool there = present->session && present->user && present->session->connection == login.connection;
  if (login.error.empty() && !there) {
    http::Response response = http::Response::redirect(302, identity::login_url(login));
    response.no_store();
    co_return response;
  }
  std::string handle = login.handle;
  const auto taken = co_await identity::take_login(here, request, std::move(handle), deps.clock.now_ms());
  if (!taken.ok()) co_return error_page(taken.error());
  if (!login.error.empty()) {
    const std::string said = login.error_description.empty() ? login.error : login.error_description;
    co_return tell(request, *service, start, nullptr, said);
  }
  ServiceGrant grant;
  grant.here = &here;
  grant.service = service;
  grant.user = &*present->user;
  grant.connection = login.connection;
  grant.provider = start.provider;
  grant.session = &*present->session;
  grant.needs_session = true;
  grant.auth_time = present->session->auth_time / 1000;
  grant.user_epoch = present->session->user_epoch;
  grant.tenant_epoch = present->session->tenant_epoch;
  grant.jti = deps.random.token(16);
  Result<http::Response> given = co_await give(deps, request, grant, login, start);
  if (given.ok()) co_return given;
  const Error& error = given.error();
  const bool ours = http_status(error.code) >= 500;
  if (ours) deps.log.error("service.login.failed", {{"service", service->name}, {"code", name(error.code)}, {"detail", error.detail}, {"request", request.id}});
  tenant::Event refused = event_of(grant);
  refused.type = "grant.refused";
  refused.reason = std::string(name(error.code)) + ": " + error.detail;
  CO_CHECK(co_await tenant::audit(here, std::move(refused), request, deps.clock));
  co_return tell(request, *service, start, nullptr, ours ? std::string_view("Internal Server Error") : std::string_view(error.hint));
}

}  // namespace mandate::oauth::wire
