#include "identity/connections/oauth2.h"

#include "base/base64.h"
#include "base/crypto.h"
#include "base/url.h"
#include "store/single_use.h"

namespace mandate::identity {
namespace {

constexpr std::string_view kAgent = "mandate";

Error not_to_trust(std::string detail) {
  return Error(Code::invalid_token, "The answer of the identity provider cannot be trusted.", std::move(detail));
}
Error not_working(std::string detail) {
  return Error(Code::upstream_error, "The identity provider does not answer as expected.", std::move(detail));
}

// A provider's own words are shown to people and logged: printable ASCII, one line, not long.
std::string tamed(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 200)) out += c >= ' ' && c < 0x7F ? c : ' ';
  return out;
}

std::string text_of(const JsonObject& object, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names)
    if (const auto value = text_member(object, name); value && !value->empty()) return std::string(*value);
  return {};
}

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
  if (iss.empty()) return true;
  if (!settings.issuer.empty()) return iss == settings.issuer;
  const std::optional<Url> said = parse_url(iss), ours = parse_url(settings.authorization_url);
  return said && ours && said->origin() == ours->origin();
}

struct TokenAnswer {
  std::string access_token, token_type, error, error_description;
};

// JSON, or the form encoding that some providers still answer with whatever was asked for.
TokenAnswer token_answer(const http::Fetched& fetched) {
  TokenAnswer answer;
  if (Result<Json> json = parse_json(fetched.body); json.ok() && json->is_object()) {
    const JsonObject& object = json->as_object();
    answer.access_token = text_of(object, {"access_token"});
    answer.token_type = text_of(object, {"token_type"});
    answer.error = text_of(object, {"error"});
    answer.error_description = text_of(object, {"error_description"});
    return answer;
  }
  for (auto& [name, value] : parse_form(fetched.body)) {
    if (name == "access_token") answer.access_token = std::move(value);
    else if (name == "token_type") answer.token_type = std::move(value);
    else if (name == "error") answer.error = std::move(value);
    else if (name == "error_description") answer.error_description = std::move(value);
  }
  return answer;
}

}  // namespace

Result<std::string> upstream_id(const Json* value, bool number_allowed) {
  if (!value || value->is_null()) return not_to_trust("profile without id");
  if (value->is_int64() && number_allowed && value->as_int64() > 0) return std::to_string(value->as_int64());
  if (value->is_uint64() && number_allowed && value->as_uint64() > 0) return std::to_string(value->as_uint64());
  if (!value->is_string()) return not_to_trust("profile id of a wrong type");
  const std::string_view text = view(value->as_string());
  const bool printable = std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
  if (text.empty() || text.size() > 255 || !printable) return not_to_trust("profile id empty, too long or not printable");
  return std::string(text);
}

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
  settings.basic = text_of(options, {"token_auth"}) == "client_secret_basic";
  if (const Json* params = options.if_contains("upstream_params"); params && params->is_object())
    for (const auto& [name, value] : params->as_object())
      if (value.is_string()) settings.upstream_params[std::string(name)] = std::string(view(value.as_string()));
  const std::string sealed = text_of(options, {"client_secret"});
  if (!sealed.empty()) {
    TRY(settings.client_secret, vault_.unseal(sealed, tenant::sealed::connection(connection.name, "client_secret")));
  }
  if (settings.authorization_url.empty() || settings.token_url.empty() || settings.profile_url.empty() || settings.client_id.empty())
    return Error(Code::server_error, "", "connection " + connection.name + ": client_id or a URL is not set");
  return settings;
}

Result<OAuth2Settings> OAuth2::settings(const tenant::Connection& connection) const { return read_options(connection, {}); }

Task<std::string> OAuth2::start(tenant::Here here, const tenant::Connection& connection, const AuthRequest& login,
                                const http::Request& request) const {
  CO_TRY(OAuth2Settings with, settings(connection));
  store::SingleUse state;
  state.handle = random_.token(32);
  state.expires_at = login.expires_at;
  state.payload["login"] = login.handle;
  state.payload["connection"] = connection.name;
  const std::string redirect_uri = callback_url(*here, request);
  std::string url = with.authorization_url;
  append_query(url, "response_type", "code");
  append_query(url, "client_id", with.client_id);
  append_query(url, "redirect_uri", redirect_uri);
  if (!with.scope.empty()) append_query(url, "scope", with.scope);
  append_query(url, "state", state.handle);
  if (with.pkce) {
    const std::string verifier = random_.token(32);
    state.payload["verifier"] = verifier;
    append_query(url, "code_challenge", base64url(sha256(verifier)));
    append_query(url, "code_challenge_method", "S256");
  }
  if (!login.login_hint.empty()) append_query(url, "login_hint", login.login_hint);
  for (const auto& [name, value] : with.upstream_params) append_query(url, name, value);
  CO_CHECK(co_await store::put(*here.store, kUpstreamStateKind, std::move(state), login.browser));
  co_return url;
}

Task<Profile> OAuth2::finish(tenant::Here here, const tenant::Connection& connection, const JsonObject& state,
                             const http::Params& answer, const http::Request& request) const {
  const std::string connection_name = connection.name, strategy = connection.strategy;
  CO_TRY(OAuth2Settings with, settings(connection));
  CO_CHECK(answer.refuse_repeated({"code", "state", "error", "error_description", "iss"}));
  if (!issuer_good(with, answer.get("iss"))) co_return not_to_trust("callback with a foreign iss");
  if (answer.has("error")) {
    const std::string said = tamed(answer.get("error_description"));
    if (answer.get("error") == "access_denied") co_return Error(Code::access_denied, said.empty() ? "The sign-in was cancelled." : said);
    co_return not_working("provider error " + tamed(answer.get("error")) + ": " + said);
  }
  const std::string code(answer.get("code"));
  if (code.empty() || code.size() > 4096) co_return not_to_trust("callback without a code");
  const std::string verifier(text_member(state, "verifier").value_or(""));
  const std::string redirect_uri = callback_url(*here, request);
  CO_TRY(std::string access_token, co_await exchange(with, code, verifier, redirect_uri, request.deadline));
  CO_TRY(Profile profile, co_await fetch_profile(with, access_token, request.deadline));
  profile.connection = connection_name;
  profile.strategy = strategy;
  co_return profile;
}

Task<std::string> OAuth2::exchange(OAuth2Settings settings, std::string code, std::string verifier, std::string redirect_uri,
                                   Deadline deadline) const {
  http::FetchRequest call;
  call.method = http::Method::post;
  call.url = settings.token_url;
  call.deadline = deadline;
  call.headers.set("Content-Type", "application/x-www-form-urlencoded");
  call.headers.set("Accept", "application/json");
  call.headers.set("User-Agent", kAgent);
  const auto field = [&](std::string_view name, std::string_view value) {
    if (!call.body.empty()) call.body += '&';
    call.body += name;
    call.body += '=';
    append_percent_encoded(call.body, value);
  };
  field("grant_type", "authorization_code");
  field("code", code);
  field("redirect_uri", redirect_uri);
  if (!verifier.empty()) field("code_verifier", verifier);
  const std::string_view secret = settings.client_secret.reveal();
  if (settings.basic) {
    // RFC 6749 §2.3.1: both parts are form-encoded before they are joined.
    call.headers.set("Authorization", "Basic " + base64(percent_encode(settings.client_id) + ":" + percent_encode(secret)));
  } else {
    field("client_id", settings.client_id);
    if (!secret.empty()) field("client_secret", secret);
  }
  Result<http::Fetched> fetched = co_await fetch_.send(std::move(call));
  if (!fetched.ok()) {
    if (fetched.error().code == Code::timeout) co_return std::move(fetched).error();
    co_return not_working("token endpoint: " + fetched.error().hint + " " + fetched.error().detail);
  }
  const TokenAnswer answer = token_answer(*fetched);
  // Refusals come as 400 by the RFC, and as 200 from GitHub.
  if (answer.error == "bad_verification_code" || answer.error == "invalid_grant")
    co_return not_to_trust("token endpoint: " + tamed(answer.error) + ": " + tamed(answer.error_description));
  if (!answer.error.empty()) co_return not_working("token endpoint: " + tamed(answer.error) + ": " + tamed(answer.error_description));
  if (fetched->status != 200) co_return not_working("token endpoint answered " + std::to_string(fetched->status));
  if (answer.access_token.empty() || answer.access_token.size() > 8192) co_return not_working("token endpoint gave no access_token");
  if (!answer.token_type.empty() && !iequals(answer.token_type, "bearer")) co_return not_working("token_type " + tamed(answer.token_type));
  co_return answer.access_token;
}

Task<Json> OAuth2::get_json(std::string url, std::string access_token, std::string accept, Deadline deadline) const {
  http::FetchRequest call;
  call.url = url;
  call.deadline = deadline;
  const bool sendable = std::all_of(access_token.begin(), access_token.end(), [](char c) { return c > ' ' && c < 0x7F; });
  if (!sendable) co_return not_working("access_token with characters that no header takes");
  call.headers.set("Authorization", "Bearer " + access_token);
  call.headers.set("Accept", accept);
  call.headers.set("User-Agent", kAgent);
  Result<http::Fetched> fetched = co_await fetch_.send(std::move(call));
  if (!fetched.ok()) {
    if (fetched.error().code == Code::timeout) co_return std::move(fetched).error();
    co_return not_working("profile: " + fetched.error().hint + " " + fetched.error().detail);
  }
  if (fetched->status == 401 || fetched->status == 403 || fetched->status == 404)
    co_return not_to_trust("profile answered " + std::to_string(fetched->status));
  if (fetched->status != 200) co_return not_working("profile answered " + std::to_string(fetched->status));
  Result<Json> json = parse_json(fetched->body);
  if (!json.ok()) co_return not_working("profile is no JSON");
  co_return json;
}

Task<Profile> OAuth2::fetch_profile(OAuth2Settings settings, std::string access_token, Deadline deadline) const {
  std::string accept = "application/json";
  CO_TRY(Json json, co_await get_json(settings.profile_url, access_token, accept, deadline));
  if (!json.is_object()) co_return not_to_trust("profile is no object");
  const JsonObject& said = json.as_object();
  Profile profile;
  const Json* id = said.if_contains(settings.id_member);
  // OpenID Connect Core §5.3.2: sub is a text; other providers' ids may be numbers.
  CO_TRY(profile.upstream_id, upstream_id(id, settings.id_member != "sub"));
  profile.upstream_id_value = *id;
  profile.email = text_of(said, {"email"});
  profile.email_verified = bool_member(said, "email_verified").value_or(false);
  profile.name = text_of(said, {"name"});
  profile.nickname = text_of(said, {"nickname", "preferred_username", "login"});
  profile.picture = text_of(said, {"picture", "avatar_url"});
  profile.given_name = text_of(said, {"given_name"});
  profile.family_name = text_of(said, {"family_name"});
  profile.locale = text_of(said, {"locale"});
  for (const std::string_view name : {"profile", "website", "gender", "birthdate", "zoneinfo"})
    if (std::string value = text_of(said, {name}); !value.empty()) profile.extra[name] = std::move(value);
  co_return profile;
}

}  // namespace mandate::identity
