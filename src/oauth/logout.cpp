// The end of a session, for those who may ask for it (identity-wire 1.16, OA-3, SE-5).
#include <algorithm>

#include "base/base64.h"
#include "base/crypto.h"
#include "base/url.h"
#include "http/params.h"
#include "oauth/authorize/answer.h"
#include "oauth/doors.h"
#include "oauth/issuer.h"
#include "oauth/revocations.h"
#include "tenant/audit.h"

namespace mandate::oauth {
namespace {

/// A logout that was asked for, with where to go afterwards.
struct Wish {
  tenant::Here here;
  std::string return_to, state, client_id;
  bool vouched = false;  ///< by a good id_token of the session's person, or by a client on our own list
};

Error bad_return(std::string_view uri) {
  return Error(Code::invalid_request, "The address to return to is not registered: " + std::string(uri),
               "logout url mismatch");
}

/// Byte for byte in the client's list, or in the tenant's when no client is named.
Result<void> check_return(const Wish& wish, const tenant::Client* client) {
  if (wish.return_to.empty()) return ok();
  const bool clean =
      std::ranges::all_of(wish.return_to, [](char c) { return c > ' ' && c < 0x7f && c != '\\'; });
  // A path of this host leads nowhere else; two slashes would.
  const bool service = client && wish.here->client(client->client_id) != client;
  if (clean && service && wish.return_to.starts_with('/') && !wish.return_to.starts_with("//")) return ok();
  const auto& allowed = client ? client->allowed_logout_urls : wish.here->allowed_logout_urls;
  if (clean && std::ranges::find(allowed, wish.return_to) != allowed.end()) return ok();
  return bad_return(wish.return_to);
}

std::string_view session_cookie(const http::Request& request) {
  const std::string_view secure = http::cookie(request, identity::kSessionCookie);
  return secure.empty() ? http::cookie(request, identity::kPlainSessionCookie) : secure;
}

/// Only who holds the session's cookie can make it.
std::string confirmation(const http::Request& request) {
  return base64url(hmac_sha256(session_cookie(request), "logout confirmation"));
}

bool cross_site(const http::Request& request) {
  const std::string_view site = request.headers.get("sec-fetch-site");
  return !site.empty() && site != "same-origin" && site != "none";
}
/// An image, a script or a frame of another page is no person who clicked.
bool hidden_request(const http::Request& request) {
  const std::string_view mode = request.headers.get("sec-fetch-mode"),
                         dest = request.headers.get("sec-fetch-dest");
  return (!mode.empty() && mode != "navigate") || (!dest.empty() && dest != "document");
}

http::Response done_page() {
  http::Response response =
      http::Response::html(200,
                           "<!doctype html><html lang=\"en\"><head><meta "
                           "charset=\"utf-8\"><title>OK</title></head><body>OK</body></html>");
  response.no_store();
  return response;
}

http::Response go(const Wish& wish, int status, const std::string& cookie) {
  http::Response response = done_page();
  if (!wish.return_to.empty()) {
    std::string location = wish.return_to;
    if (!wish.state.empty()) append_query(location, "state", wish.state);
    response = http::Response::redirect(status, location);
    response.no_store();
  }
  if (!cookie.empty()) response.headers.add("Set-Cookie", cookie);
  return response;
}

http::Response confirm_page(const http::Request& request, const Wish& wish) {
  const auto hidden = [](std::string_view name, std::string_view value) {
    return "<input type=\"hidden\" name=\"" + std::string(name) + "\" value=\"" + html_escape(value) + "\">";
  };
  http::Response response =
      http::Response::html(200,
                           "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta "
                           "name=\"viewport\" content=\"width=device-width\">"
                           "<title>Sign out</title><style>:root{color-scheme:light dark}body{font:1rem/1.5 "
                           "system-ui,sans-serif;display:grid;"
                           "place-items:center;min-height:100vh;margin:0}button{font:inherit;padding:.6rem "
                           "1.2rem}</style></head><body><main>"
                           "<h1>Sign out?</h1><form method=\"post\" action=\"/logout/confirm\">" +
                               hidden("csrf", confirmation(request)) + hidden("client_id", wish.client_id) +
                               hidden("return_to", wish.return_to) + hidden("state", wish.state) +
                               "<button>Sign out</button></form></main></body></html>");
  response.no_store();
  return response;
}

/// The session and what was given under it end.
Task<http::Response> end(const Deps& deps, const http::Request& request, Wish wish, identity::Session session,
                         int status) {
  const Millis now = deps.clock.now_ms();
  CO_CHECK(co_await revoke_session(*wish.here.store, session.id, now));
  std::string cookie;
  CO_CHECK(co_await deps.sessions.end(wish.here, request, cookie));
  tenant::Event event;
  event.type = "logout";
  event.client_id = wish.client_id;
  event.user_id = session.user_id;
  event.connection = session.connection;
  CO_CHECK(co_await tenant::audit(wish.here, std::move(event), request, deps.clock));
  co_return go(wish, status, cookie);
}

/// Ends the session at once, asks first, or refuses, by who asks and how.
Task<http::Response> act(const Deps& deps, const http::Request& request, Wish wish, int status) {
  CO_TRY(const std::optional<identity::Session> session, co_await deps.sessions.current(wish.here, request));
  if (!session) co_return go(wish, status, {});
  if (cross_site(request) && hidden_request(request)) {
    const Error refused(Code::forbidden, "Another page cannot sign you out.", "cross-site");
    co_return error_page(refused, 403);
  }
  if (cross_site(request) && !wish.vouched) co_return confirm_page(request, wish);
  identity::Session ending = *session;
  Result<http::Response> ended = co_await end(deps, request, std::move(wish), std::move(ending), status);
  co_return ended;
}

struct Hint {
  std::string client_id, sub, sid;
};

/// Our own id_token, also one that has expired: it only says who asks (OIDC RP-Initiated Logout §2).
Result<Hint> read_hint(const Deps& deps, const Wish& wish, const std::string& issuer,
                       std::string_view token) {
  const Error bad(Code::invalid_request, "The id_token_hint is not valid.", "id_token_hint");
  const Result<jose::Parts> parts = jose::parse_compact(token);
  if (!parts.ok()) return bad;
  const Result<Json> payload = parse_json(parts->payload);
  if (!payload.ok() || !payload->is_object()) return bad;
  const JsonObject& claims = payload->get_object();
  const tenant::Client* client = wish.here->client(text_member(claims, "aud").value_or(""));
  if (!client) return bad;
  const std::int64_t within =
      std::min(deps.clock.now_seconds(), std::max<std::int64_t>(integer_member(claims, "exp").value_or(1), 1) - 1);
  const Result<jose::Claims> verified =
      verify_id_token(wish.here, *client, deps.tenants.vault(), issuer, token, within);
  if (!verified.ok()) return bad;
  return Hint{client->client_id, std::string(verified->sub()), std::string(verified->text("sid"))};
}

/// OIDC's wish: whose it is, by client_id or hint, and where to go.
Result<Hint> fill_oidc(const Deps& deps, const http::Request& request, const http::Params& params,
                       Wish& wish) {
  CHECK_OK(params.refuse_repeated({"id_token_hint", "post_logout_redirect_uri", "client_id", "state"}));
  wish.client_id = params.get("client_id");
  wish.return_to = params.get("post_logout_redirect_uri");
  wish.state = params.get("state");
  Hint hint;
  if (params.has("id_token_hint")) {
    TRY(hint, read_hint(deps, wish, tenant::issuer_of(*wish.here, request), params.get("id_token_hint")));
    if (wish.client_id.empty()) wish.client_id = hint.client_id;
    if (wish.client_id != hint.client_id)
      return Error(Code::invalid_request, "client_id and id_token_hint differ.", "client_id");
  }
  const tenant::Client* client = wish.here->client(wish.client_id);
  if (!wish.client_id.empty() && !client)
    return Error(Code::invalid_request, "Unknown client: " + wish.client_id, "client");
  if (!wish.return_to.empty() && !client) return bad_return(wish.return_to);
  CHECK_OK(check_return(wish, client));
  return hint;
}

}  // namespace

Task<http::Response> legacy_logout(const Deps& deps, http::Request& request) {
  Wish wish;
  CO_TRY(wish.here, deps.tenants.by_host(request.host));
  const http::Params params = http::Params::of_query(request.query);
  wish.client_id = params.get("client_id");
  wish.return_to = params.get("returnTo");
  const tenant::Client* client = wish.here->client(wish.client_id);
  Result<void> good = params.refuse_repeated({"client_id", "returnTo"});
  if (good.ok() && !wish.client_id.empty() && !client)
    good = Error(Code::invalid_request, "Unknown client: " + wish.client_id, "client");
  if (good.ok()) good = check_return(wish, client);
  if (!good.ok()) co_return error_page(good.error());
  wish.vouched = !wish.return_to.empty();  // the app's own address is where this ends: old SDKs know no more
  Result<http::Response> answered = co_await act(deps, request, std::move(wish), 302);
  co_return answered;
}

Task<http::Response> oidc_logout(const Deps& deps, http::Request& request) {
  Wish wish;
  CO_TRY(wish.here, deps.tenants.by_host(request.host));
  const Result<http::Params> params = http::Params::of(request);
  if (!params.ok()) co_return error_page(params.error(), http_status(params.error().code));
  const Result<Hint> hint = fill_oidc(deps, request, *params, wish);
  if (!hint.ok()) co_return error_page(hint.error());
  const int status = request.method == http::Method::post ? 303 : 302;
  CO_TRY(const std::optional<identity::Session> session, co_await deps.sessions.current(wish.here, request));
  if (session)
    wish.vouched = hint->sub == session->user_id && (hint->sid.empty() || hint->sid == session->id);
  if (session && !wish.vouched) co_return confirm_page(request, wish);
  Result<http::Response> answered = co_await act(deps, request, std::move(wish), status);
  co_return answered;
}

Task<http::Response> service_logout(const Deps& deps, const http::Request& request, tenant::Here here, std::string client_id,
                                    std::string return_to) {
  Wish wish;
  wish.here = std::move(here);
  wish.client_id = std::move(client_id);
  wish.return_to = std::move(return_to);
  const Result<void> good = check_return(wish, wish.here->login_client(wish.client_id));
  if (!good.ok()) co_return error_page(good.error());
  wish.vouched = !wish.return_to.empty();
  Result<http::Response> answered = co_await act(deps, request, std::move(wish), 302);
  co_return answered;
}

Task<http::Response> confirm_logout(const Deps& deps, http::Request& request) {
  Wish wish;
  CO_TRY(wish.here, deps.tenants.by_host(request.host));
  const Result<http::Params> params = http::Params::of(request);
  if (!params.ok()) co_return error_page(params.error(), http_status(params.error().code));
  const std::string_view origin = request.headers.get("origin");
  const bool ours = !cross_site(request) && (origin.empty() || origin == request.origin());
  if (!ours || session_cookie(request).empty() || !secret_equal(confirmation(request), params->get("csrf")))
    co_return error_page(Error(Code::forbidden, "This form did not come from our page.", "csrf"), 403);
  wish.client_id = params->get("client_id");
  wish.return_to = params->get("return_to");
  wish.state = params->get("state");
  const tenant::Client* client = wish.here->login_client(wish.client_id);
  const Result<void> good = check_return(wish, client);
  if (!good.ok()) co_return error_page(good.error());
  wish.vouched = true;
  Result<http::Response> answered = co_await act(deps, request, std::move(wish), 303);
  co_return answered;
}

}  // namespace mandate::oauth
