// What the steps share: finding the login under way, and its two ends.
#include "identity/login/pages.h"
#include "identity/login/steps.h"

namespace mandate::identity {
namespace {
constexpr int kUpstreamPerMinute = 300;  // people of one address sent on to providers
}  // namespace

Room::Room(const Deps& d)
    : deps(d), logins(d.metrics.counter("mandate_identity_logins_total", "People logged in at the hosted page")),
      refusals(d.metrics.counter("mandate_identity_login_refusals_total", "Logins refused: wrong state, foreign browser, blocked, distrusted provider answer")),
      upstream_failures(d.metrics.counter("mandate_identity_upstream_failures_total", "Identity providers that did not answer as expected")) {}

Task<UnderWay> under_way(const Room& room, const http::Request& request, std::string handle) {
  UnderWay way;
  CO_TRY(way.here, room.deps.tenants.by_host(request.host));
  CO_TRY(std::optional<AuthRequest> login, co_await find_login(way.here, request, handle, room.deps.clock.now_ms()));
  const Error ended(Code::invalid_request, "This sign-in has ended. Please go back to the app and start again.");
  if (!login) co_return ended;
  way.login = std::move(*login);
  way.client = way.here->login_client(way.login.client_id);
  if (!way.client || !way.client->enabled) co_return ended;
  CO_TRY(way.choice, choose(*way.here, *way.client, way.login.connection));
  co_return way;
}

Result<http::Params> posted_form(const http::Request& request, std::initializer_list<std::string_view> once) {
  TRY(http::Params form, http::Params::of(request));
  CHECK_OK(form.refuse_repeated(once));
  if (form.json() || !csrf_good(request, form.get("state"), form.get("csrf")))
    return Error(Code::forbidden,
                 "The form came from somewhere else, or its page was open for too long. Please go back to the app and start again.");
  return form;
}

http::Response limited(http::Response page, const tenant::RateLimiter::Answer& rate) {
  tenant::add_rate_headers(page, rate);
  return page;
}

Task<http::Response> complete(const Room& room, const http::Request& request, UnderWay way, User user, std::string connection,
                              std::string method, int status) {
  const Millis now = room.deps.clock.now_ms();
  std::vector<std::string> methods{method};
  std::string session_cookie;
  CO_TRY(Session session, co_await room.deps.sessions.begin(way.here, request, user, connection, methods, session_cookie));
  const LoginCookie fresh = new_login_cookie(request, room.deps.random);
  AuthRequest login = way.login;
  login.user_id = user.user_id;
  login.used_connection = connection;
  login.authenticated_at = session.auth_time;
  login.amr = std::move(methods);
  login.error.clear();
  login.error_description.clear();
  Result<AuthRequest> updated = co_await update_login(way.here, std::move(login), fresh.browser, now);
  if (!updated.ok()) co_return std::move(updated).error();
  CO_CHECK(co_await room.deps.users.note_login(way.here, user.user_id));
  room.logins.add();
  http::Response response = http::Response::redirect(status, resume_url(*updated));
  response.headers.add("Set-Cookie", session_cookie);
  response.headers.add("Set-Cookie", fresh.set_cookie);
  response.no_store();
  co_return response;
}

Task<http::Response> fail(const Room& room, const http::Request& request, UnderWay way, std::string error, std::string description,
                          int status) {
  room.refusals.add();
  AuthRequest login = way.login;
  login.error = std::move(error);
  login.error_description = std::move(description);
  Result<AuthRequest> updated = co_await update_login(way.here, std::move(login), "", room.deps.clock.now_ms());
  if (!updated.ok()) co_return problem(room, request, updated.error());
  http::Response response = http::Response::redirect(status, resume_url(*updated));
  response.no_store();
  co_return response;
}

Task<http::Response> start_upstream(const Room& room, const http::Request& request, UnderWay way, const tenant::Connection* connection,
                                    int status) {
  // Each way out files a state, which is a row of the store until the person is back.
  const tenant::RateLimiter::Answer rate = room.deps.limiter.take("login.upstream", request.peer, kUpstreamPerMinute);
  if (!rate.allowed) {
    http::Response refused = problem(room, request, Error(Code::too_many_requests, "Please wait a minute and try again."));
    tenant::add_rate_headers(refused, rate);
    co_return refused;
  }
  const Strategy* strategy = room.deps.strategies.find(connection->strategy);
  if (!strategy) {
    room.deps.log.error("connection.unusable", {{"connection", connection->name}, {"strategy", connection->strategy}, {"request", request.id}});
    co_return co_await fail(room, request, std::move(way), "server_error", "The connection cannot be used.", status);
  }
  Result<std::string> url = co_await strategy->start(way.here, *connection, way.login, request);
  if (!url.ok()) {
    room.deps.log.error("connection.unusable", {{"connection", connection->name}, {"detail", url.error().detail}, {"request", request.id}});
    if (http_status(url.error().code) == 503) co_return problem(room, request, url.error());
    co_return co_await fail(room, request, std::move(way), "server_error", "The connection cannot be used.", status);
  }
  http::Response response = http::Response::redirect(status, *url);
  response.no_store();
  co_return response;
}

http::Response problem(const Room& room, const http::Request& request, const Error& error) {
  int status = http_status(error.code);
  if (status == 401) status = 403;  // a page has no WWW-Authenticate to offer
  if (status >= 500) room.deps.log.error("login.failure", {{"code", name(error.code)}, {"detail", error.detail}, {"request", request.id}});
  else room.refusals.add();
  std::string_view title = "That did not work";
  std::string text = error.hint;
  if (status == 503) title = "Please try again in a moment", text = "The server is busy.";
  else if (status >= 500) title = "Something went wrong", text = "The server could not go on. Please try again later.";
  else if (status == 429) title = "Too many attempts";
  if (text.empty()) text = "Please go back to the app and start again.";
  return problem_page(status, title, text, request.id);
}

}  // namespace mandate::identity
