// A login under way: everything /authorize learnt, stored, so that no step has to call the next one (architecture.md, Floors).
#pragma once

#include "base/clock.h"
#include "base/json.h"
#include "http/params.h"
#include "tenant/tenants.h"

namespace mandate::identity {

/// Written by oauth/authorize (or /login), added to by the login steps, read by /authorize/resume. 15 minutes, single use.
struct AuthRequest {
  std::string handle;        ///< unguessable; the `state` between us and ourselves
  std::string browser;       ///< binds it to the browser that began: a hash of its login cookie (SE-2)
  std::string client_id, redirect_uri, response_type, response_mode, scope, state, nonce, audience, connection, prompt,
      login_hint, code_challenge, device, acr_values, protocol = "oauth2";
  std::string service;    ///< a mobile service's own login: its name; then `dialect` is that door's, kept for its end
  std::string dialect;
  std::string upstream;   ///< JSON object of parameters to hand on to the provider
  std::string callback;   ///< where the provider sends the person back to; empty = {iss}login/callback
  std::string hinted_user;   ///< whom the id_token_hint names, when it is one of ours: nobody else will do
  std::int64_t max_age = -1;
  bool redirect_uri_given = true;
  Millis expires_at = 0;     ///< set by begin_login
  // What the steps learnt:
  std::string user_id, used_connection, error, error_description;
  std::vector<std::string> amr;
  Millis authenticated_at = 0;

  JsonObject to_json() const;
  static AuthRequest from_json(const JsonObject& object, std::string handle);
};

inline constexpr std::string_view kAuthRequestKind = "login";
inline constexpr Millis kAuthRequestLifetime = 15 * 60 * 1000;

/// The cookie that tells browsers apart while they log in; says nothing about who the person is.
inline constexpr std::string_view kLoginCookie = "__Host-mandate-login";
inline constexpr std::string_view kPlainLoginCookie = "mandate-login";  ///< on plain HTTP, where __Host- is impossible

/// Files `login` under a new handle, bound to the browser that asks, and gives it back with handle, browser and
/// expires_at filled in. `set_cookie` gets a Set-Cookie value for a browser that has no login cookie yet, else stays empty.
Task<AuthRequest> begin_login(tenant::Here here, const http::Request& request, AuthRequest login, const Clock& clock,
                              Random& random, std::string& set_cookie);

/// The login of that handle, when it lives and belongs to this browser. Does not use it up.
Task<std::optional<AuthRequest>> find_login(tenant::Here here, const http::Request& request, std::string handle, Millis now);

/// The same, used up: /authorize/resume's last act. invalid_request when gone, foreign or used.
Task<AuthRequest> take_login(tenant::Here here, const http::Request& request, std::string handle, Millis now);

/// Writes what a step learnt. `new_browser` rebinds it (SE-1: a fresh cookie at login); empty = keeps its browser.
/// invalid_request when somebody else used it up meanwhile.
Task<AuthRequest> update_login(tenant::Here here, AuthRequest login, std::string new_browser, Millis now);

/// Where /authorize sends a browser whose person must log in: "/login?state=…&client=…&protocol=oauth2".
std::string login_url(const AuthRequest& login);
/// Where a step sends the browser when it has written what it learnt: "/authorize/resume?state=…".
std::string resume_url(const AuthRequest& login);

/// This browser's binding; empty when it has no login cookie.
std::string browser_of(const http::Request& request);
/// A new login cookie: its Set-Cookie value and the binding it stands for.
struct LoginCookie {
  std::string set_cookie, browser;
};
LoginCookie new_login_cookie(const http::Request& request, Random& random);

/// Value for the hidden field of a form shown for this login; only the browser that holds the cookie gets it (SE-11).
/// Empty when the browser has no login cookie.
std::string csrf_token(const http::Request& request, std::string_view handle);
/// True when `given` is that value and neither Origin nor Sec-Fetch-Site says that another site sent the form.
bool csrf_good(const http::Request& request, std::string_view handle, std::string_view given);

}  // namespace mandate::identity
