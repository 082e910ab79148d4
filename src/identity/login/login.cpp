// The hosted login page: shows the ways in, takes user name and password, or sends on to a provider (identity-wire 1.5).
#include "base/url.h"
#include "identity/connections/database.h"
#include "identity/login/pages.h"
#include "identity/login/steps.h"

namespace mandate::identity {
namespace {

constexpr int kPerMinute = 60;  // posted forms of one address, before the lock-outs

std::string with_state(std::string_view path, const AuthRequest& login) {
  std::string url(path);
  append_query(url, "state", login.handle);
  return url;
}

LoginPage page_of(const UnderWay& way, const http::Request& request) {
  LoginPage page;
  page.app = way.client->name.empty() ? way.client->client_id : way.client->name;
  page.handle = way.login.handle;
  page.csrf = csrf_token(request, way.login.handle);
  page.username = way.login.login_hint;
  for (const tenant::Connection* connection : way.choice.offered) {
    if (is_database(*connection)) {
      page.directories.push_back({connection->name, connection->display_name.empty() ? connection->name : connection->display_name});
      if (!database_options(*connection).disable_signup) page.other_page = with_state("/login/signup", way.login);
      continue;
    }
    std::string href = with_state("/login/with", way.login);
    append_query(href, "connection", connection->name);
    page.ways.push_back({provider_label(connection->display_name, connection->strategy, connection->name), std::move(href)});
  }
  return page;
}

// UWP, WP and XAM open /login?client=… without /authorize: the same request, spelt for the door that checks it.
std::string authorize_url(const http::Params& params) {
  std::string url = "/authorize";
  for (const auto& [name, values] : params.everything())
    for (const std::string& value : values) append_query(url, name == "client" ? "client_id" : name, value);
  return url;
}

const tenant::Connection* offered(const Choice& choice, std::string_view name) {
  for (const tenant::Connection* connection : choice.offered)
    if (connection->name == name) return connection;
  return choice.straight && choice.straight->name == name ? choice.straight : nullptr;
}

}  // namespace

Task<http::Response> show_login(const Room& room, http::Request& request) {
  const http::Params params = http::Params::of_query(request.query);
  const std::string handle(params.get("state"));
  Result<UnderWay> way = co_await under_way(room, request, handle);
  if (!way.ok()) {
    // Ours carry no response_type: then `state` is the app's own, and the login has not begun.
    const bool direct = params.has("client") || params.has("client_id");
    const bool begun = params.has("state") && !params.has("response_type");
    if (way.error().code == Code::invalid_request && direct && !begun) {
      http::Response response = http::Response::redirect(302, authorize_url(params));
      response.no_store();
      co_return response;
    }
    co_return problem(room, request, way.error());
  }
  if (way->choice.straight) {
    const tenant::Connection* straight = way->choice.straight;
    co_return co_await start_upstream(room, request, std::move(*way), straight, 302);
  }
  co_return login_page(200, page_of(*way, request));
}

Task<http::Response> go_upstream(const Room& room, http::Request& request) {
  const http::Params params = http::Params::of_query(request.query);
  const std::string handle(params.get("state"));
  Result<UnderWay> way = co_await under_way(room, request, handle);
  if (!way.ok()) co_return problem(room, request, way.error());
  const tenant::Connection* connection = offered(way->choice, params.get("connection"));
  if (!connection || is_database(*connection)) {
    const Error unknown(Code::invalid_request, "the connection was not found");
    co_return problem(room, request, unknown);
  }
  co_return co_await start_upstream(room, request, std::move(*way), connection, 302);
}

Task<http::Response> post_login(const Room& room, http::Request& request) {
  const Result<http::Params> form = posted_form(request, {"state", "csrf", "connection", "username", "password"});
  if (!form.ok()) co_return problem(room, request, form.error());
  const std::string handle(form->get("state"));
  Result<UnderWay> way = co_await under_way(room, request, handle);
  if (!way.ok()) co_return problem(room, request, way.error());
  const tenant::Connection* connection = offered(way->choice, form->get("connection"));
  if (!connection || !is_database(*connection)) {
    const Error unknown(Code::invalid_request, "the connection was not found");
    co_return problem(room, request, unknown);
  }
  LoginPage page = page_of(*way, request);
  page.username = form->get("username");
  page.directory = connection->name;
  const tenant::RateLimiter::Answer rate = room.deps.limiter.take("login", request.peer, kPerMinute);
  if (!rate.allowed) {
    page.error = "Too many attempts. Please wait a minute and try again.";
    co_return limited(login_page(429, page), rate);
  }
  if (page.username.empty() || !form->has("password")) {
    page.error = "Please give both your name and your password.";
    co_return login_page(400, page);
  }
  Secret password{std::string(form->get("password"))};
  Result<User> user = co_await room.deps.passwords.login(way->here, *connection, page.username, password, request);
  if (user.ok()) {
    const std::string used = connection->name;
    Result<http::Response> done = co_await complete(room, request, std::move(*way), std::move(*user), used, "pwd", 303);
    if (!done.ok()) co_return problem(room, request, done.error());
    co_return done;
  }
  switch (user.error().code) {
    case Code::invalid_user_password:
      page.error = user.error().hint;
      co_return login_page(400, page);
    case Code::too_many_attempts:
      page.error = "Too many wrong passwords. Please try again later.";
      co_return login_page(429, page);
    case Code::unauthorized: {
      const Error blocked(Code::forbidden, "This account is blocked. Please ask whoever runs the app.");
      co_return problem(room, request, blocked);
    }
    case Code::overloaded:
    case Code::timeout:
      page.error = "The server is busy. Please try again in a moment.";
      co_return login_page(503, page);
    default:
      co_return problem(room, request, user.error());
  }
}

}  // namespace mandate::identity
