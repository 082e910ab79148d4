// The hosted sign-up page: a new person of a database connection, logged in at once.
#include "base/url.h"
#include "identity/connections/database.h"
#include "identity/login/pages.h"
#include "identity/login/steps.h"

namespace mandate::identity {
namespace {

constexpr int kPerMinute = 20;  // posted forms of one address

LoginPage page_of(const UnderWay& way, const http::Request& request) {
  LoginPage page;
  page.app = way.client->name.empty() ? way.client->client_id : way.client->name;
  page.handle = way.login.handle;
  page.csrf = csrf_token(request, way.login.handle);
  page.email = way.login.login_hint;
  page.other_page = "/login";
  append_query(page.other_page, "state", way.login.handle);
  for (const tenant::Connection* connection : way.choice.offered) {
    if (!is_database(*connection)) continue;
    const DatabaseOptions options = database_options(*connection);
    if (options.disable_signup) continue;
    page.directories.push_back({connection->name, connection->display_name.empty() ? connection->name : connection->display_name});
    page.asks_username = page.asks_username || options.requires_username;
  }
  return page;
}

const tenant::Connection* open_database(const UnderWay& way, std::string_view name) {
  for (const tenant::Connection* connection : way.choice.offered)
    if (connection->name == name && is_database(*connection) && !database_options(*connection).disable_signup) return connection;
  return nullptr;
}

}  // namespace

Task<http::Response> show_sign_up(const Room& room, http::Request& request) {
  const http::Params params = http::Params::of_query(request.query);
  const std::string handle(params.get("state"));
  Result<UnderWay> way = co_await under_way(room, request, handle);
  if (!way.ok()) co_return problem(room, request, way.error());
  const LoginPage page = page_of(*way, request);
  if (page.directories.empty()) {
    const Error closed(Code::public_signup_disabled, "New accounts cannot be made here.");
    co_return problem(room, request, closed);
  }
  co_return sign_up_page(200, page);
}

Task<http::Response> post_sign_up(const Room& room, http::Request& request) {
  const Result<http::Params> form = posted_form(request, {"state", "csrf", "connection", "email", "username", "password"});
  if (!form.ok()) co_return problem(room, request, form.error());
  const std::string handle(form->get("state"));
  Result<UnderWay> way = co_await under_way(room, request, handle);
  if (!way.ok()) co_return problem(room, request, way.error());
  const tenant::Connection* connection = open_database(*way, form->get("connection"));
  if (!connection) {
    const Error unknown(Code::invalid_request, "the connection was not found");
    co_return problem(room, request, unknown);
  }
  LoginPage page = page_of(*way, request);
  page.email = form->get("email");
  page.username = form->get("username");
  page.directory = connection->name;
  const tenant::RateLimiter::Answer rate = room.deps.limiter.take("signup", request.peer, kPerMinute);
  if (!rate.allowed) {
    page.error = "Too many attempts. Please wait a minute and try again.";
    co_return limited(sign_up_page(429, page), rate);
  }
  Passwords::SignUp fields;
  fields.email = page.email;
  fields.username = page.username;
  fields.password = Secret(std::string(form->get("password")));
  Result<User> user = co_await room.deps.passwords.sign_up(way->here, *connection, std::move(fields), request);
  if (user.ok()) {
    const std::string used = connection->name;
    Result<http::Response> done = co_await complete(room, request, std::move(*way), std::move(*user), used, "pwd", 303);
    if (!done.ok()) co_return problem(room, request, done.error());
    co_return done;
  }
  switch (user.error().code) {
    case Code::invalid_signup:
      page.error = "This account could not be created. If you already have one, please sign in.";
      co_return sign_up_page(400, page);
    case Code::user_exists:
      page.error = "There is already an account with this name. Please sign in.";
      co_return sign_up_page(400, page);
    case Code::invalid_password:
      page.error = user.error().hint;
      co_return sign_up_page(400, page);
    case Code::invalid_request:
      page.error = user.error().hint == "email is not valid" ? "This is not an e-mail address." : user.error().hint;
      co_return sign_up_page(400, page);
    case Code::overloaded:
    case Code::timeout:
      page.error = "The server is busy. Please try again in a moment.";
      co_return sign_up_page(503, page);
    default:
      co_return problem(room, request, user.error());
  }
}

}  // namespace mandate::identity
