// How people log in to a mobile service: /login/{provider} of V1 and /.auth/* of V2 (mobile-backend-wire 4.5, 4.6).
//
// A dialect. It turns what the old SDKs send into a stored AuthRequest (identity/login), and what the login came to into
// what they read; the token is made by oauth/service_token, behind the one gate.
#pragma once

#include "http/params.h"
#include "identity/bearer.h"
#include "identity/connections/connection.h"
#include "identity/login/auth_request.h"
#include "oauth/deps.h"
#include "oauth/service_token.h"

namespace mandate::oauth::wire {

/// Everything must outlive the routes.
struct LoginDeps {
  const Deps& oauth;
  identity::Bearers& bearers;
  const identity::Strategies& strategies;
};

/// AuthRequest::protocol of these logins. /authorize/resume hands them to finish_service_login.
inline constexpr std::string_view kServiceProtocol = "zumo";

/// What a start asked for, kept in AuthRequest::dialect until the end.
struct Start {
  bool v2 = false;
  std::string prefix;             ///< Request::prefix of the start: the end has the same
  std::string provider;           ///< as the URL spelt it, lower case
  std::string completion_type;    ///< postMessage, iframe; empty = no page at the end
  std::string completion_origin;
  std::string end;                ///< a store app's sso_end_uri
  std::string external;           ///< post_login_redirect_url
  bool token_mode = false;        ///< session_mode=token

  std::string to_text() const;
  static Start from_text(std::string_view text);
};

/// Where a request came in, once that is known to be a service with a login of its own.
struct Entrance {
  tenant::Here here;
  const tenant::Service* service = nullptr;  ///< of here.config
  const tenant::Client* client = nullptr;    ///< stands for the service
};
/// misdirected_request; not_found without a service; unauthorized when its login is off.
Result<Entrance> entrance(const Deps& deps, const http::Request& request);

/// The connection that `provider` (lower case) means at this service; null when unknown, or not enabled for it.
const tenant::Connection* connection_of(const Entrance& at, std::string_view provider);
/// The URL's word for a provider in lower case; the longest of the old names in its short form.
std::string provider_word(std::string_view in_url);

/// {"code":status,"error":"Error: …"}; a 5xx says nothing but that.
http::Response login_error(int status, std::string_view text);
/// The same for an error of a lower room: 401 for everything that is a refusal of the person or the token.
http::Response login_error(const Error& error);

// zumo_login.cpp
/// GET /login/{provider}, GET /.auth/login/{provider}.
Task<http::Response> start_login(const Deps& deps, http::Request& request, bool v2);
/// GET /login/done, /.auth/login/done: the page where native apps stop reading.
Task<http::Response> login_done(const Deps& deps, http::Request& request);

// zumo_finish.cpp
/// The end of a login under way, from /authorize/resume: a token for the app, or back to the login page when the person is
/// not there yet.
Task<http::Response> finish_service_login(const Deps& deps, const http::Request& request, tenant::Here here,
                                          identity::AuthRequest login);

// zumo_pkce.cpp
/// A code for a token, once, within a minute: the payload and the way back.
Task<std::string> file_service_code(const Deps& deps, const ServiceGrant& grant, std::string challenge, const http::Request& request);
/// GET /.auth/login/{provider}/token.
Task<http::Response> redeem_code(const LoginDeps& deps, http::Request& request);
/// A PKCE challenge as the SDKs spell it, both alphabets, with or without padding: 32 bytes as base64url; empty when it is none.
std::string normal_challenge(std::string_view given);

// zumo_client_flow.cpp
/// POST /login/{provider}, /.auth/login/{provider}, and without a provider, where Windows Live's token says it.
Task<http::Response> client_flow(const LoginDeps& deps, http::Request& request);

// zumo_account.cpp
Task<http::Response> auth_me(const LoginDeps& deps, http::Request& request);       ///< GET /.auth/me
Task<http::Response> auth_refresh(const LoginDeps& deps, http::Request& request);  ///< GET /.auth/refresh
Task<http::Response> auth_logout(const LoginDeps& deps, http::Request& request);   ///< GET /.auth/logout

// zumo_pages.cpp
/// The page that gives the result to the window that opened it. The origin must have been checked a moment ago.
http::Response completion_page(const Start& start, const JsonObject* oauth, std::string_view error);
/// GET /crossdomain/loginreceiver, /.auth/login/iframereceiver, GET /crossdomain/bridge.
Task<http::Response> login_receiver(const Deps& deps, http::Request& request);
Task<http::Response> crossdomain_bridge(const Deps& deps, http::Request& request);
/// True for http(s)://host[:port] in its one spelling, on the service's CORS list. Never "null" (SE-8).
bool completion_origin_good(const tenant::Service& service, std::string_view origin);

/// CORS and no-store: every answer that scripts of other origins read leaves through here.
http::Response finish_login_answer(http::Response response, const http::Request& request, const tenant::Service* service);

}  // namespace mandate::oauth::wire
