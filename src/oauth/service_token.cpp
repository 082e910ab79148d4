#include "oauth/service_token.h"

#include "base/url.h"
#include "identity/bearer.h"
#include "identity/credentials.h"
#include "identity/epochs.h"
#include "identity/provider_tokens.h"
#include "oauth/locked.h"
#include "oauth/may_issue.h"
#include "oauth/signing.h"

namespace mandate::oauth {
namespace {

constexpr std::string_view kZumoUrn = "urn:microsoft:windows-azure:zumo";
constexpr std::string_view kV1Header = R"({"alg":"HS256","typ":"JWT","kid":"0"})";
/// What fits into a header field beside everything else; a longer secret stays at /.auth/me.
constexpr std::size_t kMostCredentials = 3 << 10;

/// The five of the old service, by the name in its URLs.
constexpr std::pair<std::string_view, std::string_view> kOldProviders[] = {{"facebook", "Facebook"},
                                                                           {"google", "Google"},
                                                                           {"twitter", "Twitter"},
                                                                           {"microsoftaccount", "MicrosoftAccount"},
                                                                           {"aad", "Aad"}};

Issue issue_of(const ServiceGrant& grant, bool locked) {
  Issue issue;
  issue.tenant = &**grant.here;
  issue.client = (*grant.here)->login_client(tenant::service_client_id(grant.service->name));
  issue.grant = tenant::grant::kServiceLogin;
  issue.user = grant.user;
  issue.needs_user = true;
  issue.connection = grant.connection;
  issue.session = grant.session;
  issue.needs_session = grant.needs_session;
  issue.user_epoch = grant.user_epoch;
  issue.tenant_epoch = grant.tenant_epoch;
  issue.locked = locked;
  return issue;
}

/// What every form has beside its own: by what it ends early, and what a refresh goes on from.
void add_ours(JsonObject& claims, const ServiceGrant& grant) {
  claims[identity::kEpochClaim] = identity::to_text({(*grant.here)->epoch, grant.user->epoch});
  claims[identity::kConnectionClaim] = grant.connection;
  claims["auth_time"] = grant.auth_time;
  claims["jti"] = grant.jti;
  if (grant.session) claims["sid"] = grant.session->id;
}

/// The secrets that old scripts look for, as much as fits.
JsonObject credentials_of(const identity::ProviderTokens& tokens) {
  JsonObject out;
  const auto add = [&out](std::string_view name, const std::string& value) {
    if (!value.empty() && value.size() < kMostCredentials && to_json(out).size() + value.size() < kMostCredentials) out[name] = value;
  };
  add("accessToken", tokens.access_token);
  add("accessTokenSecret", tokens.access_token_secret);
  return out;
}

/// What the provider gave, for the claim of that name; empty when nothing is kept, or there is no master key to hide it with.
Task<std::string> credentials_claim(const Deps& deps, const ServiceGrant& grant, const identity::ServiceKeys& keys, std::string provider, std::string uid) {
  if (!grant.service->login.keep_provider_tokens || keys.master_key.empty()) co_return std::string();
  CO_TRY(const std::optional<identity::ProviderTokens> tokens,
         co_await identity::provider_tokens(*grant.here, deps.tenants.vault(), grant.user->user_id, grant.connection));
  JsonObject secrets = tokens ? credentials_of(*tokens) : JsonObject();
  if (secrets.empty()) co_return std::string();
  if (!provider.empty()) {  // the user id does not say whose they are
    secrets["userId"] = std::move(uid);
    secrets = JsonObject{{identity::identity_key(provider), std::move(secrets)}};
  }
  co_return identity::encrypt_credentials(keys.master_key.reveal(), to_json(secrets));
}

Task<std::string> sign_v1(const Deps& deps, const ServiceGrant& grant, const identity::ServiceKeys& keys, std::string uid, std::int64_t exp) {
  if (keys.v1.empty()) co_return Error(Code::server_error, "", "service " + grant.service->name + " has no master key");
  const std::size_t bar = uid.find_first_of(":|");
  JsonObject claims;
  claims["exp"] = exp;
  claims["iss"] = kZumoUrn;
  claims["ver"] = 2;
  claims["aud"] = bar == std::string::npos || uid.starts_with("sid:") ? std::string("Custom") : uid.substr(0, bar);
  claims["uid"] = uid;
  CO_TRY(std::string secrets, co_await credentials_claim(deps, grant, keys, {}, {}));
  if (!secrets.empty()) claims[identity::kCredentialsClaim] = std::move(secrets);
  claims["sub"] = grant.user->user_id;
  add_ours(claims, grant);
  co_return jose::sign_compact(keys.v1.front(), kV1Header, to_json(claims));
}

Task<std::string> sign_v2(const Deps& deps, const ServiceGrant& grant, const identity::ServiceKeys& keys, std::string origin, std::string uid,
                          std::string provider, std::int64_t now, std::int64_t exp) {
  if (keys.v2.empty()) co_return Error(Code::server_error, "", "service " + grant.service->name + " has no V2 signing key");
  JsonObject claims;
  CO_TRY(std::string secrets, co_await credentials_claim(deps, grant, keys, provider, uid));
  if (!secrets.empty()) claims[identity::kCredentialsClaim] = std::move(secrets);
  if (uid.starts_with("sid:")) claims["stable_sid"] = uid;
  claims["sub"] = std::move(uid);
  claims["idp"] = std::move(provider);
  claims["ver"] = "3";
  claims["iss"] = origin + "/";
  claims["aud"] = origin + "/";
  claims["exp"] = exp;
  claims["nbf"] = now;
  claims[identity::kSubjectClaim] = grant.user->user_id;
  add_ours(claims, grant);
  co_return jose::sign_jwt(keys.v2.front(), claims);
}

Task<std::string> sign_own(const Deps& deps, const ServiceGrant& grant, const identity::ServiceKeys& keys, std::string issuer, std::string uid,
                           std::string provider, std::int64_t now, std::int64_t exp, Deadline deadline) {
  const auto alg = jose::alg_of(grant.service->login.signing_alg);
  const tenant::SigningKey* key = alg ? (*grant.here)->signing_key(*alg) : nullptr;
  if (!key) co_return Error(Code::server_error, "", "no signing key for " + grant.service->login.signing_alg);
  JsonObject claims;
  CO_TRY(std::string secrets, co_await credentials_claim(deps, grant, keys, std::move(provider), uid));
  if (!secrets.empty()) claims[identity::kCredentialsClaim] = std::move(secrets);
  claims["iss"] = std::move(issuer);
  claims["sub"] = grant.user->user_id;
  claims["aud"] = tenant::service_client_id(grant.service->name);
  claims["iat"] = now;
  claims["exp"] = exp;
  claims["uid"] = std::move(uid);
  add_ours(claims, grant);
  std::string typ("JWT");
  Task<std::string> signing = sign(deps.pool, key->key, std::move(claims), std::move(typ), deadline);
  Result<std::string> token = co_await signing;
  co_return token;
}

}  // namespace

JsonObject ServiceToken::to_json() const {
  return {{"user", JsonObject{{"userId", user_id}}}, {"authenticationToken", token}};
}

std::string provider_name(const tenant::Service& service, std::string_view connection) {
  for (const auto& [name, wanted] : service.login.providers)
    if (wanted == connection) return name;
  return std::string(connection);
}

std::string service_login_user_id(const tenant::Service& service, std::string_view user_id, std::string_view provider) {
  std::string out = identity::service_user_id(service.login.user_id_format, user_id);
  if (service.login.user_id_format != "{provider}:{id}") return out;
  // The connection may have any name; the person's rows have that of the old provider.
  for (const auto& [name, spelling] : kOldProviders)
    if (name == provider)
      if (const std::size_t colon = out.find(':'); colon != std::string::npos) return std::string(spelling) + out.substr(colon);
  return out;
}

Task<void> may_issue_service_token(const Deps& deps, const ServiceGrant& grant) {
  CO_TRY(const bool locked, co_await is_locked(*grant.here, *grant.user, deps.users));
  co_return may_issue(issue_of(grant, locked));
}

Task<ServiceToken> make_service_token(const Deps& deps, const ServiceGrant& grant, const http::Request& request) {
  CO_CHECK(co_await may_issue_service_token(deps, grant));
  CO_TRY(const identity::ServiceKeys keys, identity::open_service_keys(**grant.here, *grant.service, deps.tenants.vault()));
  const std::int64_t now = deps.clock.now_seconds();
  std::string provider = grant.provider.empty() ? provider_name(*grant.service, grant.connection) : grant.provider;
  ServiceToken out;
  out.exp = now + grant.service->login.token_lifetime;
  out.user_id = service_login_user_id(*grant.service, grant.user->user_id, provider);
  std::string uid = out.user_id;
  if (grant.service->login.token == "v2") {
    std::string origin = request.root();
    CO_TRY(out.token, co_await sign_v2(deps, grant, keys, std::move(origin), std::move(uid), std::move(provider), now, out.exp));
  } else if (grant.service->login.token == "own") {
    std::string issuer = tenant::issuer_of(**grant.here, request);
    CO_TRY(out.token, co_await sign_own(deps, grant, keys, std::move(issuer), std::move(uid), std::move(provider), now, out.exp, request.deadline));
  } else {
    CO_TRY(out.token, co_await sign_v1(deps, grant, keys, std::move(uid), out.exp));
  }
  deps.metrics.counter("mandate_service_logins_total", "Tokens given by the logins of mobile services").add();
  co_return out;
}

}  // namespace mandate::oauth
