// The steps of a login and what they share. Internal to the room: others mount it and know the stored AuthRequest.
#pragma once

#include "identity/login/choose.h"
#include "identity/mount.h"

namespace mandate::identity {

/// What every handler of the room works with. Lives as long as the routes.
struct Room {
  explicit Room(const Deps& deps);
  Deps deps;
  Counter &logins, &refusals, &upstream_failures;
};

// login.cpp
Task<http::Response> show_login(const Room& room, http::Request& request);        ///< GET /login
Task<http::Response> post_login(const Room& room, http::Request& request);        ///< POST /login
Task<http::Response> go_upstream(const Room& room, http::Request& request);       ///< GET /login/with
// sign_up.cpp
Task<http::Response> show_sign_up(const Room& room, http::Request& request);      ///< GET /login/signup
Task<http::Response> post_sign_up(const Room& room, http::Request& request);      ///< POST /login/signup
// callback.cpp
Task<http::Response> get_callback(const Room& room, http::Request& request);      ///< GET /login/callback
Task<http::Response> post_callback(const Room& room, http::Request& request);     ///< POST /login/callback

/// A login under way with what belongs to it, loaded and checked.
struct UnderWay {
  tenant::Here here;
  AuthRequest login;
  const tenant::Client* client = nullptr;  ///< of here.config
  Choice choice;
};
/// The login that `handle` names for this browser. invalid_request: ended, foreign, its client or connection gone.
Task<UnderWay> under_way(const Room& room, const http::Request& request, std::string handle);

/// A form posted from a page of ours: each of `once` at most once, csrf right. forbidden when it came from elsewhere (SE-11).
Result<http::Params> posted_form(const http::Request& request, std::initializer_list<std::string_view> once);
/// 429 with the page's own words is `page`; this adds the limit's headers.
http::Response limited(http::Response page, const tenant::RateLimiter::Answer& rate);

/// The person is known: a new session with a new cookie, a new login cookie (SE-1), the login updated, and the browser
/// sent on to /authorize/resume. `status`: 302, or 303 after posted credentials (OA-4).
Task<http::Response> complete(const Room& room, const http::Request& request, UnderWay way, User user, std::string connection,
                              std::string method, int status);

/// The login failed for good: the app is told, by way of /authorize/resume.
Task<http::Response> fail(const Room& room, const http::Request& request, UnderWay way, std::string error, std::string description,
                          int status);

/// Sends the browser to the provider of `connection`.
Task<http::Response> start_upstream(const Room& room, const http::Request& request, UnderWay way, const tenant::Connection* connection,
                                    int status);

/// An error that people see: 400, 403, 404, 429, 503 as the code says; the detail goes to the log only.
http::Response problem(const Room& room, const http::Request& request, const Error& error);

}  // namespace mandate::identity
