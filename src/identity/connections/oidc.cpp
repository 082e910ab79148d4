#include "identity/connections/oidc.h"

#include "base/url.h"
#include "identity/connections/upstream.h"
#include "store/single_use.h"

namespace mandate::identity {
namespace {

std::vector<std::string> texts(const JsonObject& options, std::string_view name) {
  std::vector<std::string> out;
  if (const Json* list = options.if_contains(name); list && list->is_array())
    for (const Json& each : list->as_array())
      if (each.is_string()) out.emplace_back(view(each.as_string()));
  return out;
}

bool is_hs256(std::string_view token) {
  const Result<jose::Parts> parts = jose::parse_compact(token, jose::KidForm::text_or_number);
  return parts.ok() && parts->alg == jose::Alg::HS256;
}

}  // namespace

Task<OAuth2Settings> Oidc::discovered(const tenant::Connection& connection, Deadline deadline) const {
  const std::string name = connection.name;
  const bool says_auth = connection.options.contains("token_auth");
  OAuth2Settings defaults;
  defaults.scope = "openid profile email";
  CO_TRY(OAuth2Settings with, read_options(connection, std::move(defaults)));
  if (with.issuer.empty() || with.client_id.empty()) co_return Error(Code::server_error, "", "connection " + name + ": issuer or client_id is not set");
  std::string issuer = with.issuer;
  CO_TRY(const OidcMetadata metadata, co_await providers_.metadata(std::move(issuer), deadline));
  with.authorization_url = metadata.authorization_endpoint;
  with.token_url = metadata.token_endpoint;
  with.profile_url = metadata.userinfo_endpoint;
  with.issuer_needed = metadata.sends_issuer;
  with.id_member = "sub";
  if (!says_auth) with.basic = metadata.basic && !with.client_secret.empty();
  const std::vector<std::string> scopes = split(with.scope, ' ');
  if (std::find(scopes.begin(), scopes.end(), "openid") == scopes.end()) with.scope = with.scope.empty() ? "openid" : "openid " + with.scope;
  co_return with;
}

Task<std::string> Oidc::start(tenant::Here here, const tenant::Connection& connection, const AuthRequest& login,
                              const http::Request& request) const {
  CO_TRY(OAuth2Settings with, co_await discovered(connection, request.deadline));
  std::string back = login.callback;
  if (back.empty()) back = callback_url(*here, request);
  std::string nonce = random_.token(16);
  Task<std::string> beginning = begin(here, connection.name, std::move(with), login, std::move(back), std::move(nonce));
  Result<std::string> url = co_await beginning;
  co_return url;
}

Task<Profile> Oidc::person(const tenant::Connection& connection, OAuth2Settings with, JsonObject claims, std::string access_token,
                           Deadline deadline) const {
  const std::string name = connection.name, strategy = connection.strategy;
  const bool asks = bool_member(connection.options, "userinfo").value_or(false) && !access_token.empty() && !with.profile_url.empty();
  if (asks) {
    std::string accept = "application/json";
    CO_TRY(Json said, co_await get_json(with.profile_url, access_token, accept, deadline));
    if (!said.is_object()) co_return not_to_trust("userinfo is no object");
    // OIDC Core §5.3.4: an answer about somebody else is not to be used.
    if (text_member(said.as_object(), "sub") != text_member(claims, "sub")) co_return not_to_trust("userinfo has another sub");
    for (auto& [member, value] : said.as_object()) claims[member] = std::move(value);
  }
  CO_TRY(Profile profile, profile_of(claims, "sub"));
  profile.connection = name;
  profile.strategy = strategy;
  co_return profile;
}

Task<Profile> Oidc::finish(tenant::Here, const tenant::Connection& connection, const JsonObject& state, const http::Params& answer,
                           const http::Request& request) const {
  const std::string nonce(text_member(state, "nonce").value_or(""));
  if (nonce.empty()) co_return not_to_trust("state without a nonce");
  CO_TRY(OAuth2Settings with, co_await discovered(connection, request.deadline));
  CO_TRY(ProviderTokens tokens, co_await take_code(with, state, answer, request.deadline));
  if (tokens.id_token.empty()) co_return not_to_trust("token endpoint gave no id_token");
  OidcExpectation expected;
  expected.issuer = with.issuer;
  expected.audiences = {with.client_id};
  expected.nonce = nonce;
  expected.access_token = tokens.access_token;
  std::string issuer = with.issuer, id_token = tokens.id_token, access_token = tokens.access_token;
  CO_TRY(OidcMetadata metadata, co_await providers_.metadata(std::move(issuer), request.deadline));
  CO_TRY(JsonObject claims, co_await providers_.claims(std::move(metadata), std::move(id_token), std::move(expected), request.deadline));
  CO_TRY(Profile profile, co_await person(connection, with, std::move(claims), std::move(access_token), request.deadline));
  profile.tokens = std::move(tokens);
  co_return profile;
}

Task<Profile> Oidc::verify(tenant::Here here, const tenant::Connection& connection, JsonObject given, Deadline deadline) const {
  const tenant::Connection* of = &connection;
  CO_TRY(OAuth2Settings with, co_await discovered(*of, deadline));
  std::string id_token = text_of(given, {"id_token", "authenticationToken"});
  std::string access_token = text_of(given, {"access_token"});
  if (id_token.empty() || (!given.contains("id_token") && is_hs256(id_token))) {
    Profile profile;
    if (!id_token.empty()) {
      CO_TRY(profile, live_profile(id_token, with.client_secret, clock_.now_seconds()));
    } else {
      if (access_token.empty() || access_token.size() > 8192) co_return not_to_trust("neither id_token nor access_token in the body");
      if (with.profile_url.empty()) co_return not_to_trust("an access_token, and no userinfo_endpoint");
      CO_CHECK(co_await check_audience(with, access_token, deadline));
      CO_TRY(profile, co_await fetch_profile(with, access_token, deadline));
      profile.tokens.access_token = access_token;
    }
    profile.connection = of->name;
    profile.strategy = of->strategy;
    co_return profile;
  }
  OidcExpectation expected;
  expected.issuer = with.issuer;
  expected.audiences = texts(of->options, "client_ids");
  expected.audiences.insert(expected.audiences.begin(), with.client_id);
  expected.nonce = text_of(given, {"nonce"});
  expected.access_token = access_token;
  std::string issuer = with.issuer, kept = id_token;
  CO_TRY(OidcMetadata metadata, co_await providers_.metadata(std::move(issuer), deadline));
  CO_TRY(JsonObject claims, co_await providers_.claims(std::move(metadata), std::move(id_token), std::move(expected), deadline));
  // Without a hash in the id_token nothing ties an access token to it: it is not kept.
  if (!claims.contains("at_hash")) access_token.clear();
  std::string asked_with = access_token;
  CO_TRY(Profile profile, co_await person(*of, with, std::move(claims), std::move(asked_with), deadline));
  profile.tokens.id_token = std::move(kept);
  profile.tokens.access_token = std::move(access_token);
  co_return profile;
}

Task<ProviderTokens> Oidc::refresh(tenant::Here, const tenant::Connection& connection, std::string refresh_token, Deadline deadline) const {
  CO_TRY(OAuth2Settings with, co_await discovered(connection, deadline));
  Task<ProviderTokens> asking = ask_refresh(std::move(with), std::move(refresh_token), deadline);
  Result<ProviderTokens> tokens = co_await asking;
  co_return tokens;
}

}  // namespace mandate::identity
