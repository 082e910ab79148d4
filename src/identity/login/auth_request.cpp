#include "identity/login/auth_request.h"

#include "base/crypto.h"
#include "base/url.h"
#include "store/single_use.h"

namespace mandate::identity {
namespace {

struct TextMember {
  std::string_view name;
  std::string AuthRequest::*member;
};
constexpr TextMember kTexts[] = {
    {"browser", &AuthRequest::browser},
    {"client_id", &AuthRequest::client_id},
    {"redirect_uri", &AuthRequest::redirect_uri},
    {"response_type", &AuthRequest::response_type},
    {"response_mode", &AuthRequest::response_mode},
    {"scope", &AuthRequest::scope},
    {"state", &AuthRequest::state},
    {"nonce", &AuthRequest::nonce},
    {"audience", &AuthRequest::audience},
    {"connection", &AuthRequest::connection},
    {"prompt", &AuthRequest::prompt},
    {"login_hint", &AuthRequest::login_hint},
    {"code_challenge", &AuthRequest::code_challenge},
    {"device", &AuthRequest::device},
    {"acr_values", &AuthRequest::acr_values},
    {"service", &AuthRequest::service},
    {"dialect", &AuthRequest::dialect},
    {"upstream", &AuthRequest::upstream},
    {"callback", &AuthRequest::callback},
    {"hinted_user", &AuthRequest::hinted_user},
    {"protocol", &AuthRequest::protocol},
    {"user_id", &AuthRequest::user_id},
    {"used_connection", &AuthRequest::used_connection},
    {"error", &AuthRequest::error},
    {"error_description", &AuthRequest::error_description},
};

std::string_view cookie_name(const http::Request& request) { return request.secure ? kLoginCookie : kPlainLoginCookie; }

// What we made: 32 bytes as base64url. Anything else in the cookie is somebody's trick and counts as no cookie.
bool well_formed(std::string_view value) {
  return value.size() == 43 && std::all_of(value.begin(), value.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
         });
}

std::string_view login_cookie(const http::Request& request) {
  const std::string_view value = http::cookie(request, cookie_name(request));
  return well_formed(value) ? value : std::string_view();
}

Error gone() { return Error(Code::invalid_request, "This sign-in has ended. Please go back to the app and start again."); }

}  // namespace

JsonObject AuthRequest::to_json() const {
  JsonObject out;
  for (const auto& [name, member] : kTexts)
    if (!(this->*member).empty()) out[name] = this->*member;
  if (max_age >= 0) out["max_age"] = max_age;
  if (!redirect_uri_given) out["redirect_uri_given"] = false;
  out["expires_at"] = expires_at;
  if (authenticated_at) out["authenticated_at"] = authenticated_at;
  if (!amr.empty()) {
    JsonArray methods;
    for (const std::string& method : amr) methods.push_back(boost::json::string(method));
    out["amr"] = std::move(methods);
  }
  return out;
}

AuthRequest AuthRequest::from_json(const JsonObject& object, std::string handle) {
  AuthRequest login;
  login.handle = std::move(handle);
  login.protocol.clear();
  for (const auto& [name, member] : kTexts)
    if (const auto value = text_member(object, name)) login.*member = *value;
  login.max_age = integer_member(object, "max_age").value_or(-1);
  login.redirect_uri_given = bool_member(object, "redirect_uri_given").value_or(true);
  login.expires_at = integer_member(object, "expires_at").value_or(0);
  login.authenticated_at = integer_member(object, "authenticated_at").value_or(0);
  if (const Json* methods = object.if_contains("amr"); methods && methods->is_array())
    for (const Json& method : methods->as_array())
      if (method.is_string()) login.amr.emplace_back(view(method.as_string()));
  return login;
}

Task<AuthRequest> begin_login(tenant::Here here, const http::Request& request, AuthRequest login, const Clock& clock,
                              Random& random, std::string& set_cookie) {
  set_cookie.clear();
  login.browser = browser_of(request);
  if (login.browser.empty()) {
    LoginCookie fresh = new_login_cookie(request, random);
    set_cookie = std::move(fresh.set_cookie);
    login.browser = std::move(fresh.browser);
  }
  login.handle = random.token(32);
  login.expires_at = clock.now_ms() + kAuthRequestLifetime;
  store::SingleUse object;
  object.handle = login.handle;
  object.payload = login.to_json();
  object.expires_at = login.expires_at;
  CO_CHECK(co_await store::put(*here.store, kAuthRequestKind, std::move(object), login.browser));
  co_return login;
}

Task<std::optional<AuthRequest>> find_login(tenant::Here here, const http::Request& request, std::string handle, Millis now) {
  const std::string browser = browser_of(request);
  if (handle.empty() || browser.empty()) co_return std::optional<AuthRequest>();
  CO_TRY(std::optional<JsonObject> payload, co_await store::peek(*here.store, kAuthRequestKind, handle, browser, now));
  if (!payload) co_return std::optional<AuthRequest>();
  co_return std::optional<AuthRequest>(AuthRequest::from_json(*payload, handle));
}

Task<AuthRequest> take_login(tenant::Here here, const http::Request& request, std::string handle, Millis now) {
  const std::string browser = browser_of(request);
  if (handle.empty() || browser.empty()) co_return gone();
  Result<JsonObject> payload = co_await store::take(*here.store, kAuthRequestKind, handle, browser, now, Code::invalid_request);
  if (!payload.ok()) co_return payload.error().code == Code::invalid_request ? gone() : std::move(payload).error();
  co_return AuthRequest::from_json(*payload, handle);
}

Task<AuthRequest> update_login(tenant::Here here, AuthRequest login, std::string new_browser, Millis now) {
  const std::string old_browser = login.browser;
  if (!new_browser.empty()) login.browser = std::move(new_browser);
  store::SingleUse object;
  object.handle = login.handle;
  object.payload = login.to_json();
  object.expires_at = login.expires_at;
  store::Batch batch;
  batch.add(store::take_single_use(kAuthRequestKind, login.handle, old_browser, now, Code::invalid_request));
  batch.add(store::file_single_use(kAuthRequestKind, object, login.browser));
  Result<store::Outcome> done = co_await here.store->mutate(std::move(batch));
  if (!done.ok() && done.error().code == Code::invalid_request) co_return gone();
  CO_CHECK(std::move(done));
  co_return login;
}

std::string login_url(const AuthRequest& login) {
  std::string url = "/login";
  append_query(url, "state", login.handle);
  append_query(url, "client", login.client_id);
  append_query(url, "protocol", login.protocol);
  return url;
}

std::string resume_url(const AuthRequest& login) {
  std::string url = "/authorize/resume";
  append_query(url, "state", login.handle);
  return url;
}

std::string browser_of(const http::Request& request) {
  const std::string_view cookie = login_cookie(request);
  return cookie.empty() ? std::string() : token_hash(cookie);
}

LoginCookie new_login_cookie(const http::Request& request, Random& random) {
  http::SetCookie cookie;
  cookie.name = cookie_name(request);
  cookie.value = random.token(32);
  cookie.secure = request.secure;
  return {http::to_string(cookie), token_hash(cookie.value)};
}

std::string csrf_token(const http::Request& request, std::string_view handle) {
  const std::string_view cookie = login_cookie(request);
  if (cookie.empty()) return {};
  // Keyed by the cookie, which no page can read; the handle is in the URL and may be known.
  return token_hash(hmac_sha256(cookie, "form " + std::string(handle)));
}

bool csrf_good(const http::Request& request, std::string_view handle, std::string_view given) {
  const std::string_view site = request.headers.get("sec-fetch-site");
  if (!site.empty() && site != "same-origin" && site != "none") return false;
  const std::string_view origin = request.headers.get("origin");
  // "null" comes from a page with Referrer-Policy: no-referrer, which is every page of ours (HT-14).
  if (!origin.empty() && origin != "null" && ascii_lower(origin) != request.origin()) return false;
  const std::string expected = csrf_token(request, handle);
  return !expected.empty() && secret_equal(expected, given);
}

}  // namespace mandate::identity
