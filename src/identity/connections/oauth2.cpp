#include "identity/connections/oauth2.h"

#include "base/base64.h"
#include "base/crypto.h"
#include "base/url.h"
#include "identity/connections/upstream.h"
#include "store/single_use.h"

namespace mandate::identity {
namespace {

// "a b" or ["a","b"].
std::string scope_of(const JsonObject& options, std::string otherwise) {
  const Json* value = options.if_contains("scope");
  if (!value) return otherwise;
  if (value->is_string()) return std::string(view(value->as_string()));
  if (!value->is_array()) return otherwise;
  std::string out;
  for (const Json& item : value->as_array())
    if (item.is_string()) out += (out.empty() ? "" : " ") + std::string(view(item.as_string()));
  return out;
}

// RFC 9207: an answer that names another issuer was meant for a login at somebody else's (OA-5).
bool issuer_good(const OAuth2Settings& settings, std::string_view iss) {
  if (iss.empty()) return !settings.issuer_needed;
  if (!settings.issuer.empty()) return iss == settings.issuer;
  const std::optional<Url> said = parse_url(iss), ours = parse_url(settings.authorization_url);
  return said && ours && said->origin() == ours->origin();
}

/// The app's own wishes go beside the connection's, never over them or over what the protocol says.
void hand_on(std::string& url, const OAuth2Settings& settings, const AuthRequest& login) {
  std::map<std::string, std::string, std::less<>> extra = settings.upstream_params;
  if (const Result<Json> json = parse_json(login.upstream.empty() ? "{}" : login.upstream); json.ok() && json->is_object())
    for (const auto& [name, value] : json->as_object())
      if (value.is_string()) extra.emplace(std::string(name), std::string(view(value.as_string())));
  for (const auto& [name, value] : extra)
    if (name != "scope") append_query(url, name, value);
}

/// The connection's scopes, then those the app asks for beside them.
std::string scopes_with(const OAuth2Settings& settings, const AuthRequest& login) {
  std::vector<std::string> scopes = split(settings.scope, ' ');
  if (const Result<Json> json = parse_json(login.upstream.empty() ? "{}" : login.upstream); json.ok() && json->is_object())
    for (std::string& more : split(text_member(json->as_object(), "scope").value_or(""), ' '))
      if (std::find(scopes.begin(), scopes.end(), more) == scopes.end()) scopes.push_back(std::move(more));
  std::string out;
  for (const std::string& scope : scopes) out += (out.empty() ? "" : " ") + scope;
  return out;
}

bool fits_header(std::string_view token) {
  return std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

}  // namespace

std::string callback_url(const tenant::Tenant& tenant, const http::Request& request) {
  return tenant::issuer_of(tenant, request) + "login/callback";
}

Result<OAuth2Settings> OAuth2::read_options(const tenant::Connection& connection, OAuth2Settings settings) const {
  const JsonObject& options = connection.options;
  const auto take = [&](std::string& field, std::initializer_list<std::string_view> names) {
    if (std::string value = text_of(options, names); !value.empty()) field = std::move(value);
  };
  take(settings.authorization_url, {"authorization_url", "authorizationURL"});
  take(settings.token_url, {"token_url", "tokenURL"});
  take(settings.profile_url, {"profile_url", "userInfoURL"});
  take(settings.client_id, {"client_id"});
  take(settings.issuer, {"issuer"});
  take(settings.id_member, {"id_member"});
  settings.scope = scope_of(options, settings.scope);
  settings.pkce = bool_member(options, "pkce").value_or(settings.pkce);
  settings.client_flow = bool_member(options, "client_flow").value_or(false);
  if (const std::string way = text_of(options, {"token_auth"}); !way.empty()) settings.basic = way == "client_secret_basic";
  if (const Json* params = options.if_contains("upstream_params"); params && params->is_object())
    for (const auto& [name, value] : params->as_object())
      if (value.is_string()) settings.upstream_params[std::string(name)] = std::string(view(value.as_string()));
  const std::string sealed = text_of(options, {"client_secret"});
  if (!sealed.empty()) {
    TRY(settings.client_secret, vault_.unseal(sealed, tenant::sealed::connection(connection.name, "client_secret")));
  }
  return settings;
}

Result<OAuth2Settings> OAuth2::settings(const tenant::Connection& connection) const {
  TRY(OAuth2Settings read, read_options(connection, {}));
  if (read.authorization_url.empty() || read.token_url.empty() || read.profile_url.empty() || read.client_id.empty())
    return Error(Code::server_error, "", "connection " + connection.name + ": client_id or a URL is not set");
  return read;
}

Task<std::string> OAuth2::begin(tenant::Here here, std::string connection_name, OAuth2Settings with, AuthRequest login,
                                std::string redirect_uri, std::string nonce) const {
  store::SingleUse state;
  state.handle = random_.token(32);
  state.expires_at = login.expires_at;
  state.payload["login"] = login.handle;
  state.payload["connection"] = connection_name;
  state.payload["redirect_uri"] = redirect_uri;
  std::string url = with.authorization_url;
  append_query(url, "response_type", "code");
  append_query(url, "client_id", with.client_id);
  append_query(url, "redirect_uri", redirect_uri);
  if (const std::string scope = scopes_with(with, login); !scope.empty()) append_query(url, "scope", scope);
  append_query(url, "state", state.handle);
  if (!nonce.empty()) {
    state.payload["nonce"] = nonce;
    append_query(url, "nonce", nonce);
  }
  if (with.pkce) {
    const std::string verifier = random_.token(32);
    state.payload["verifier"] = verifier;
    append_query(url, "code_challenge", base64url(sha256(verifier)));
    append_query(url, "code_challenge_method", "S256");
  }
  if (!login.login_hint.empty()) append_query(url, "login_hint", login.login_hint);
  hand_on(url, with, login);
  CO_CHECK(co_await store::put(*here.store, kUpstreamStateKind, std::move(state), login.browser));
  co_return url;
}

Task<std::string> OAuth2::start(tenant::Here here, const tenant::Connection& connection, const AuthRequest& login,
                                const http::Request& request) const {
  CO_TRY(OAuth2Settings with, settings(connection));
  std::string back = login.callback;
  if (back.empty()) back = callback_url(*here, request);
  std::string no_nonce;
  Task<std::string> beginning = begin(here, connection.name, std::move(with), login, std::move(back), std::move(no_nonce));
  Result<std::string> url = co_await beginning;
  co_return url;
}

Task<ProviderTokens> OAuth2::take_code(OAuth2Settings with, const JsonObject& state, const http::Params& answer, Deadline deadline) const {
  CO_CHECK(answer.refuse_repeated({"code", "state", "error", "error_description", "iss"}));
  if (!issuer_good(with, answer.get("iss"))) co_return not_to_trust("callback with a foreign iss");
  if (answer.has("error")) {
    const std::string said = tamed(answer.get("error_description"));
    if (answer.get("error") == "access_denied") co_return Error(Code::access_denied, said.empty() ? "The sign-in was cancelled." : said);
    co_return not_working("provider error " + tamed(answer.get("error")) + ": " + said);
  }
  const std::string code(answer.get("code"));
  if (code.empty() || code.size() > 4096) co_return not_to_trust("callback without a code");
  std::vector<std::pair<std::string, std::string>> fields;
  fields.emplace_back("grant_type", "authorization_code");
  fields.emplace_back("code", code);
  fields.emplace_back("redirect_uri", std::string(text_member(state, "redirect_uri").value_or("")));
  if (const auto verifier = text_member(state, "verifier")) fields.emplace_back("code_verifier", std::string(*verifier));
  Task<ProviderTokens> asking = ask_tokens(std::move(with), std::move(fields), deadline);
  Result<ProviderTokens> tokens = co_await asking;
  co_return tokens;
}

Task<Profile> OAuth2::finish(tenant::Here here, const tenant::Connection& connection, const JsonObject& state,
                             const http::Params& answer, const http::Request& request) const {
  const std::string connection_name = connection.name, strategy = connection.strategy;
  CO_TRY(OAuth2Settings with, settings(connection));
  JsonObject filed = state;
  // A node of the release before filed none: there was one place to come back to.
  if (!filed.contains("redirect_uri")) filed["redirect_uri"] = callback_url(*here, request);
  CO_TRY(ProviderTokens tokens, co_await take_code(with, filed, answer, request.deadline));
  std::string access_token = tokens.access_token;
  CO_TRY(Profile profile, co_await fetch_profile(with, access_token, request.deadline));
  profile.connection = connection_name;
  profile.strategy = strategy;
  profile.tokens = std::move(tokens);
  co_return profile;
}

Task<void> OAuth2::check_audience(OAuth2Settings with, std::string, Deadline) const {
  if (with.client_flow) co_return ok();
  co_return Error(Code::access_denied, "This provider's tokens are not taken.", "client_flow is off: nobody says for whom the token was made");
}

Task<Profile> OAuth2::verify(tenant::Here, const tenant::Connection& connection, JsonObject given, Deadline deadline) const {
  const std::string connection_name = connection.name, strategy = connection.strategy;
  CO_TRY(OAuth2Settings with, settings(connection));
  Profile profile;
  std::string token = text_of(given, {"access_token"});
  if (const std::string live = text_of(given, {"authenticationToken"}); token.empty() && !live.empty()) {
    CO_TRY(profile, live_profile(live, with.client_secret, clock_.now_seconds()));
  } else {
    if (token.empty() || token.size() > 8192 || !fits_header(token)) co_return not_to_trust("no access_token in the body");
    CO_CHECK(co_await check_audience(with, token, deadline));
    CO_TRY(profile, co_await fetch_profile(with, token, deadline));
    profile.tokens.access_token = std::move(token);
  }
  profile.connection = connection_name;
  profile.strategy = strategy;
  co_return profile;
}

Task<ProviderTokens> OAuth2::refresh(tenant::Here, const tenant::Connection& connection, std::string refresh_token, Deadline deadline) const {
  CO_TRY(OAuth2Settings with, settings(connection));
  Task<ProviderTokens> asking = ask_refresh(std::move(with), std::move(refresh_token), deadline);
  Result<ProviderTokens> tokens = co_await asking;
  co_return tokens;
}

Task<ProviderTokens> OAuth2::ask_refresh(OAuth2Settings with, std::string refresh_token, Deadline deadline) const {
  std::vector<std::pair<std::string, std::string>> fields;
  fields.emplace_back("grant_type", "refresh_token");
  fields.emplace_back("refresh_token", std::move(refresh_token));
  Task<ProviderTokens> asking = ask_tokens(std::move(with), std::move(fields), deadline);
  Result<ProviderTokens> tokens = co_await asking;
  if (!tokens.ok() && tokens.error().code == Code::invalid_token)
    co_return Error(Code::invalid_grant, "The provider takes the refresh token no longer.", tokens.error().detail);
  co_return tokens;
}

Task<ProviderTokens> OAuth2::ask_tokens(OAuth2Settings with, std::vector<std::pair<std::string, std::string>> fields, Deadline deadline) const {
  http::FetchRequest call;
  call.method = http::Method::post;
  call.url = with.token_url;
  call.deadline = deadline;
  call.headers.set("Content-Type", "application/x-www-form-urlencoded");
  call.headers.set("Accept", "application/json");
  call.headers.set("User-Agent", kAgent);
  const std::string_view secret = with.client_secret.reveal();
  if (with.basic) {
    // RFC 6749 §2.3.1: both parts are form-encoded before they are joined.
    call.headers.set("Authorization", "Basic " + base64(percent_encode(with.client_id) + ":" + percent_encode(secret)));
  } else {
    fields.emplace_back("client_id", with.client_id);
    if (!secret.empty()) fields.emplace_back("client_secret", std::string(secret));
  }
  for (const auto& [name, value] : fields) {
    if (!call.body.empty()) call.body += '&';
    call.body += name;
    call.body += '=';
    append_percent_encoded(call.body, value);
  }
  Result<http::Fetched> fetched = co_await fetch_.send(std::move(call));
  if (!fetched.ok()) {
    if (fetched.error().code == Code::timeout) co_return std::move(fetched).error();
    co_return not_working("token endpoint: " + fetched.error().hint + " " + fetched.error().detail);
  }
  co_return tokens_of(*fetched, clock_.now_ms());
}

Task<Json> OAuth2::get_json(std::string url, std::string access_token, std::string accept, Deadline deadline) const {
  http::FetchRequest call;
  call.url = url;
  call.deadline = deadline;
  if (!fits_header(access_token)) co_return not_working("access_token with characters that no header takes");
  if (!access_token.empty()) call.headers.set("Authorization", "Bearer " + access_token);
  call.headers.set("Accept", accept);
  call.headers.set("User-Agent", kAgent);
  Result<http::Fetched> fetched = co_await fetch_.send(std::move(call));
  if (!fetched.ok()) {
    if (fetched.error().code == Code::timeout) co_return std::move(fetched).error();
    co_return not_working("provider: " + fetched.error().hint + " " + fetched.error().detail);
  }
  if (fetched->status == 401 || fetched->status == 403 || fetched->status == 404)
    co_return not_to_trust("provider answered " + std::to_string(fetched->status));
  if (fetched->status != 200) co_return not_working("provider answered " + std::to_string(fetched->status));
  Result<Json> json = parse_json(fetched->body);
  if (!json.ok()) co_return not_working("the provider's answer is no JSON");
  co_return json;
}

Task<Profile> OAuth2::fetch_profile(OAuth2Settings with, std::string access_token, Deadline deadline) const {
  std::string accept = "application/json";
  CO_TRY(Json json, co_await get_json(with.profile_url, access_token, accept, deadline));
  if (!json.is_object()) co_return not_to_trust("profile is no object");
  co_return profile_of(json.as_object(), with.id_member);
}

}  // namespace mandate::identity
