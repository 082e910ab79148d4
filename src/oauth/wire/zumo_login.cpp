#include "oauth/wire/zumo_login.h"

#include "base/url.h"
#include "oauth/authorize/decide.h"
#include "tenant/service_cors.h"

namespace mandate::oauth::wire {
namespace {

/// Parameters of the start that providers understand; others are the app's own or nobody's.
constexpr std::string_view kHandedOn[] = {"scope",       "display",  "access_type", "prompt", "domain_hint",
                                          "login_hint",  "resource", "ui_locales",  "hd"};

bool printable(std::string_view text) {
  return text.size() <= 512 && std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 0x7F; });
}

std::string upstream_of(const http::Params& params) {
  JsonObject out;
  for (const std::string_view name : kHandedOn)
    if (const std::string_view value = params.get(name); !value.empty() && printable(value)) out[name] = value;
  return out.empty() ? std::string() : to_json(out);
}

/// The listed address, byte for byte; a listed scheme stands for what the SDKs make of it.
bool external_allowed(const tenant::ServiceLogin& login, std::string_view url) {
  for (const std::string& listed : login.external_redirects) {
    if (listed.find(':') != std::string::npos ? url == listed : url == listed + "://easyauth.callback") return true;
  }
  return false;
}

Error refuse(std::string text) { return Error(Code::unauthorized, std::move(text)); }

struct Asked {
  Start start;
  std::string challenge;
};

Result<Asked> read(const Entrance& at, const http::Request& request, const http::Params& params, std::string provider, bool v2) {
  CHECK_OK(params.refuse_repeated({"completion_type", "completion_origin", "sso_end_uri", "post_login_redirect_url", "code_challenge",
                                   "code_challenge_method", "session_mode", "scope", "display", "access_type"}));
  Asked out;
  Start& start = out.start;
  start.v2 = v2;
  start.prefix = request.prefix;
  start.provider = std::move(provider);
  start.completion_type = params.get("completion_type");
  start.completion_origin = params.get("completion_origin");
  start.end = params.get("sso_end_uri");
  start.external = params.get("post_login_redirect_url");
  start.token_mode = params.get("session_mode") == "token";
  if (!start.completion_type.empty() || !start.completion_origin.empty()) {
    if (start.completion_type != "postMessage" && start.completion_type != "iframe") return refuse("The completion_type is not supported.");
    if (!completion_origin_good(*at.service, start.completion_origin)) return refuse("The completion_origin is not allowed.");
  }
  const std::string& sid = at.service->login.package_sid;
  if (!start.end.empty() && (sid.empty() || start.end != sid + "/")) return refuse("The sso_end_uri is not that of this service's app.");
  const std::string_view challenge = params.get("code_challenge");
  if (!challenge.empty()) {
    if (const std::string_view method = params.get("code_challenge_method"); method != "S256") return refuse("The code_challenge_method must be S256.");
    out.challenge = normal_challenge(challenge);
    if (out.challenge.empty()) return refuse("The code_challenge is not valid.");
    if (start.external.empty()) return refuse("A code_challenge needs a post_login_redirect_url.");
  }
  if (!start.external.empty()) {
    if (!external_allowed(at.service->login, start.external)) return refuse("The post_login_redirect_url is not allowed.");
    // A token in the URL of another app is for whoever has registered that scheme; a code is for who began.
    if (out.challenge.empty() && start.token_mode) return refuse("A token for another address needs a code_challenge.");
  }
  return out;
}

/// Where the provider sends the person back to: our own callback on the host where this browser's cookie is, or the
/// address of the old service, which is registered there since years.
std::string callback_of(const Entrance& at, const http::Request& request, const Start& start) {
  if (!at.service->login.legacy_callbacks) return request.origin() + "/login/callback";
  return "https://" + request.host + request.prefix + (start.v2 ? "/.auth/login/" + start.provider + "/callback" : "/login/" + start.provider);
}

/// The old runtime's cookies have no use here; what it left in a browser goes.
void drop_old_cookies(const http::Request& request, http::Response& response) {
  for (const std::string_view name : {"wams_state", "wams_singleSignOn", "wams_completionAction", "wams_nonce"}) {
    if (http::cookie(request, name).empty()) continue;
    http::SetCookie gone;
    gone.name = name;
    gone.max_age = 0;
    gone.secure = request.secure;
    response.headers.add("Set-Cookie", http::to_string(gone));
  }
}

bool is_callback(const http::Params& params) { return params.has("state") && (params.has("code") || params.has("error")); }

Task<http::Response> start_checked(const Deps& deps, const http::Request& request, Entrance at, const http::Params& params, bool v2) {
  const std::string provider = provider_word(request.params.at(0));
  const tenant::Connection* connection = connection_of(at, provider);
  if (!connection) co_return refuse("Logging in with '" + provider.substr(0, 64) + "' is not enabled.");
  CO_TRY(Asked asked, read(at, request, params, provider, v2));
  identity::AuthRequest login;
  login.protocol = kServiceProtocol;
  login.client_id = at.client->client_id;
  login.service = at.service->name;
  login.connection = connection->name;
  login.code_challenge = asked.challenge;
  login.dialect = asked.start.to_text();
  login.upstream = upstream_of(params);
  login.callback = callback_of(at, request, asked.start);
  std::string cookie;
  CO_TRY(const identity::AuthRequest filed,
         co_await identity::begin_login(at.here, request, std::move(login), deps.clock, deps.random, cookie));
  // Somebody who is signed in here needs no page; the end looks again.
  CO_TRY(const Present present, co_await who_is_there(deps, request, at.here));
  const bool there = present.session && present.session->connection == connection->name;
  // Always on to another address first: a start page that just appears means "not enabled" to Android's web view.
  http::Response response = http::Response::redirect(302, there ? identity::resume_url(filed) : identity::login_url(filed));
  if (!cookie.empty()) response.headers.add("Set-Cookie", cookie);
  drop_old_cookies(request, response);
  response.no_store();
  co_return response;
}

}  // namespace

std::string Start::to_text() const {
  JsonObject out{{"v2", v2}, {"provider", provider}};
  const auto put = [&out](std::string_view name, const std::string& value) {
    if (!value.empty()) out[name] = value;
  };
  put("prefix", prefix);
  put("type", completion_type);
  put("origin", completion_origin);
  put("end", end);
  put("external", external);
  return mandate::to_json(out);
}

Start Start::from_text(std::string_view text) {
  Start out;
  const Result<Json> json = parse_json(text);
  if (!json.ok() || !json->is_object()) return out;
  const auto text_at = [&](std::string_view name) { return std::string(text_member(json->as_object(), name).value_or("")); };
  out.v2 = bool_member(json->as_object(), "v2").value_or(false);
  out.provider = text_at("provider");
  out.prefix = text_at("prefix");
  out.completion_type = text_at("type");
  out.completion_origin = text_at("origin");
  out.end = text_at("end");
  out.external = text_at("external");
  return out;
}

Result<Entrance> entrance(const Deps& deps, const http::Request& request) {
  Entrance at;
  TRY(at.here, deps.tenants.by_host(request.host));
  at.service = at.here->service_of(request);
  if (!at.service) return Error(Code::not_found, "There is no service here.");
  at.client = at.here->login_client(tenant::service_client_id(at.service->name));
  if (!at.client) return refuse("Logging in is not enabled for this service.");
  return at;
}

std::string provider_word(std::string_view in_url) {
  std::string word = ascii_lower(in_url);
  return word == "windowsazureactivedirectory" ? "aad" : word;
}

const tenant::Connection* connection_of(const Entrance& at, std::string_view provider) {
  const auto named = at.service->login.providers.find(provider);
  const tenant::Connection* by_strategy = nullptr;
  std::size_t same = 0;
  for (const tenant::Connection* connection : at.here->connections_of(*at.client)) {
    if (named != at.service->login.providers.end() ? connection->name == named->second : iequals(connection->name, provider)) return connection;
    if (connection->strategy == provider) by_strategy = connection, ++same;
  }
  return named == at.service->login.providers.end() && same == 1 ? by_strategy : nullptr;
}

http::Response login_error(int status, std::string_view text) {
  http::Response response = http::Response::json(status, Json(JsonObject{{"code", status}, {"error", "Error: " + std::string(text)}}));
  response.no_store();
  return response;
}

http::Response login_error(const Error& error) {
  const int status = http_status(error.code);
  if (status == 500 || status == 502) return login_error(status == 502 ? 503 : 500, "Internal Server Error");
  if (status >= 500) return login_error(503, "The server is busy.");
  if (status == 404 || status == 413 || status == 415 || status == 421 || status == 429) return login_error(status, error.hint);
  return login_error(401, error.hint.empty() ? std::string_view("Unauthorized") : std::string_view(error.hint));
}

http::Response finish_login_answer(http::Response response, const http::Request& request, const tenant::Service* service) {
  if (service) tenant::add_cors(response, request, *service);
  response.no_store();
  return response;
}

Task<http::Response> start_login(const Deps& deps, http::Request& request, bool v2) {
  const http::Params params = http::Params::of_query(request.query);
  Result<Entrance> at = entrance(deps, request);
  if (!at.ok()) co_return login_error(at.error());
  if (at->service->login.legacy_callbacks && is_callback(params)) {
    // The provider's answer, at the address it has known for years.
    http::Response back = http::Response::redirect(302, "/login/callback?" + std::string(request.query));
    back.no_store();
    co_return back;
  }
  const tenant::RateLimiter::Answer rate = deps.limiter.take("oauth.authorize", request.peer, deps.rates.authorize);
  if (!rate.allowed) {
    http::Response refused = login_error(429, "Too many logins were begun from your address.");
    tenant::add_rate_headers(refused, rate);
    co_return refused;
  }
  const std::string service = at->service->name;
  Result<http::Response> started = co_await start_checked(deps, request, std::move(*at), params, v2);
  if (started.ok()) co_return started;
  deps.log.warn("service.login.refused",
                {{"service", service}, {"code", name(started.error().code)}, {"reason", started.error().hint}, {"detail", started.error().detail}, {"request", request.id}});
  co_return login_error(started.error());
}

Task<http::Response> login_done(const Deps&, http::Request&) {
  http::Response response = http::Response::html(200, "");
  response.no_store();
  co_return response;
}

}  // namespace mandate::oauth::wire
