#include "oauth/wire/auth0_legacy.h"

#include "http/params.h"
#include "identity/epochs.h"
#include "identity/error_body.h"
#include "oauth/answers.h"
#include "oauth/client_auth.h"
#include "oauth/locked.h"
#include "oauth/may_issue.h"
#include "oauth/person_tokens.h"
#include "oauth/scopes.h"
#include "oauth/shown.h"
#include "tenant/audit.h"
#include "tenant/cors.h"

namespace mandate::oauth::wire {
namespace {

Error missing(std::string_view name) {
  return Error(Code::invalid_request, "missing " + std::string(name) + " parameter", std::string(name));
}

/// What /oauth/ro asks for, checked in the order of 1.18.
struct Asked {
  const tenant::Client* client = nullptr;
  const tenant::Connection* connection = nullptr;
  std::vector<std::string> scopes;
  std::string username, device;
  Secret password;
};

Result<const tenant::Connection*> find_connection(const tenant::Tenant& tenant, std::string_view name) {
  if (name.empty()) return missing("connection");
  const tenant::Connection* connection = tenant.connection(name);
  if (!connection) return Error(Code::invalid_request, "connection not found", "connection");
  if (!connection->enabled) return Error(Code::invalid_request, "connection is disabled", "connection");
  if (connection->strategy != "auth0")
    return Error(Code::invalid_request, "specified strategy does not support requested operation",
                 "strategy");
  return connection;
}

Result<Asked> read(const tenant::Tenant& tenant, const http::Request& request, const http::Params& params,
                   Millis now) {
  CHECK_OK(params.refuse_repeated(
      {"client_id", "client_secret", "connection", "username", "password", "grant_type", "scope", "device"}));
  // As at /oauth/token: what is in a URL ends up in the logs of whoever is in between.
  const http::Params query = http::Params::of_query(request.query);
  for (std::string_view name : {"password", "client_secret"})
    if (query.has(name))
      return Error(Code::invalid_request, std::string(name) + " must not be in the query.", "secret in query");
  if (!params.has("client_id")) return missing("client_id");
  Asked out;
  // Public by nature: a secret is looked at only when there is one (W8 sends it).
  if (params.has("client_secret")) {
    const Result<ClientAuth> auth = authenticate_client(tenant, request, params, now);
    if (!auth.ok()) return Error(Code::unauthorized_client, "invalid client", auth.error().detail);
    out.client = auth->client;
  } else {
    out.client = tenant.client(params.get("client_id"));
  }
  if (!out.client || !out.client->enabled)
    return Error(Code::unauthorized_client, "invalid client", "client");
  if (out.client->oidc_conformant)
    return Error(Code::invalid_request, "OIDC conformant clients cannot use /oauth/ro", "conformant");
  const std::string_view grant = params.get("grant_type");
  if (!grant.empty() && grant != "password")
    return Error(Code::unsupported_grant_type, "Unsupported grant type: " + shown(grant), "grant_type");
  TRY(out.connection, find_connection(tenant, params.get("connection")));
  if (!params.has("username")) return missing("username");
  if (!params.has("password")) return missing("password");
  out.username = params.get("username");
  out.password = Secret{std::string(params.get("password"))};
  out.device = params.get("device");
  out.scopes = grantable_scopes(scopes_of(params.get("scope")), *out.client, nullptr);
  if (has_scope(out.scopes, "offline_access") && out.device.empty()) return missing("device");
  return out;
}

Issue issue_for(const tenant::Here& here, const Asked& asked, const identity::User* user) {
  Issue issue;
  issue.tenant = &*here;
  issue.client = asked.client;
  issue.grant = tenant::grant::kLegacyRo;
  issue.user = user;
  issue.needs_user = user != nullptr;
  issue.connection = asked.connection->name;
  issue.scopes = asked.scopes;
  issue.device = asked.device;
  return issue;
}

tenant::Event event(const http::Params& params) {
  tenant::Event out;
  out.type = "grant.ok";
  out.client_id = params.get("client_id");
  out.connection = params.get("connection");
  out.details["grant_type"] = tenant::grant::kLegacyRo;
  return out;
}

Task<JsonObject> grant(const Deps& deps, const tenant::Here& here, const http::Request& request,
                       const http::Params& params) {
  CO_TRY(Asked asked, read(*here, request, params, deps.clock.now_ms()));
  CO_CHECK(may_issue(issue_for(here, asked, nullptr)));
  std::string username = asked.username;
  CO_TRY(const identity::User user,
         co_await deps.passwords.login(here, *asked.connection, std::move(username),
                                       std::move(asked.password), request));
  CO_CHECK(may_issue(issue_for(here, asked, &user)));

  PersonGrant wanted;
  wanted.here = &here;
  wanted.issuer = tenant::issuer_of(*here, request);
  wanted.client = asked.client;
  wanted.user = &user;
  wanted.scopes = asked.scopes;
  wanted.grant_id = new_grant_id(deps.random);
  wanted.connection = asked.connection->name;
  wanted.device = asked.device;
  wanted.gty = "password";
  wanted.id_token = has_scope(asked.scopes, "openid");
  wanted.refresh_token = has_scope(asked.scopes, "offline_access");
  store::Batch batch;
  batch.deadline = request.deadline;
  CO_TRY(const PersonTokens tokens, co_await make_person_tokens(deps, wanted, batch, request.deadline));
  tenant::Event done = event(params);
  done.user_id = user.user_id;
  batch.add(tenant::audit_row(done, request, deps.clock.now_ms()));
  CO_TRY([[maybe_unused]] const store::Outcome filed, co_await here.store->mutate(std::move(batch)));
  JsonObject out;
  if (!tokens.id_token.empty()) out["id_token"] = tokens.id_token;
  out["access_token"] = tokens.access_token;
  out["token_type"] = "bearer";
  if (!tokens.refresh_token.empty()) out["refresh_token"] = tokens.refresh_token;
  co_return out;
}

/// Which client an id_token says it is for, before anything is believed.
const tenant::Client* audience_of(const tenant::Tenant& tenant, std::string_view token) {
  const Result<jose::Parts> parts = jose::parse_compact(token);
  if (!parts.ok()) return nullptr;
  const Result<Json> payload = parse_json(parts->payload);
  if (!payload.ok() || !payload->is_object()) return nullptr;
  return tenant.client(text_member(payload->get_object(), "aud").value_or(""));
}

/// A password change, a block that was lifted again, or a restore voids what was given before (TK-10).
bool outdated(const tenant::Tenant& tenant, const identity::User& user, const jose::Claims& claims) {
  const identity::Epochs epochs = identity::epochs_of(claims.all).value_or(identity::Epochs{});
  return epochs.user < user.epoch || epochs.tenant < tenant.epoch;
}

/// Old clients ask here for what did not fit into their id_token. Who got a token with less on purpose, by
/// scope or by a line of delegation_grants, learns no more here than the token told (DG-6).
void cut_to_token(JsonObject& profile, const tenant::Client& client, const jose::Claims& claims) {
  const std::string_view azp = claims.text("azp");
  if (!client.oidc_conformant && (azp.empty() || azp == client.client_id)) return;
  JsonObject kept;
  for (const auto& [name, value] : profile)
    if (name == "user_id" || claims.all.contains(name)) kept.emplace(name, value);
  profile = std::move(kept);
}

Task<JsonObject> profile(const Deps& deps, const tenant::Here& here, const http::Request& request,
                         std::string token, const tenant::Client*& client) {
  const Error bad(Code::unauthorized, "invalid token", "id_token");
  if (token.empty()) co_return missing("id_token");
  if (!here->flag("allow_legacy_tokeninfo_endpoint"))
    co_return Error(Code::access_denied, "The tokeninfo endpoint is not enabled.", "flag");
  client = audience_of(*here, token);
  if (!client || !client->enabled) co_return bad;
  const std::string issuer = tenant::issuer_of(*here, request);
  const Result<jose::Claims> claims =
      verify_id_token(here, *client, deps.tenants.vault(), issuer, token, deps.clock.now_seconds());
  if (!claims.ok()) co_return bad;
  std::string user_id(claims->sub());
  CO_TRY(const std::optional<identity::User> user, co_await deps.users.find(here, std::move(user_id)));
  if (!user) co_return bad;
  if (user->blocked) co_return Error(Code::unauthorized, "user is blocked.", "blocked");
  const identity::User& person = *user;
  CO_TRY(const bool locked, co_await is_locked(here, person, deps.users));
  if (locked || outdated(*here, person, *claims)) co_return bad;
  JsonObject out = identity::legacy_profile(person);
  cut_to_token(out, *client, *claims);
  out["clientID"] = client->client_id;
  out["global_client_id"] = here->global_id();
  co_return out;
}

}  // namespace

Task<http::Response> oauth_ro(const Deps& deps, http::Request& request) {
  CO_TRY(const tenant::Here here, deps.tenants.by_host(request.host));
  if (request.method == http::Method::options) co_return tenant::preflight(request, *here);
  const Result<http::Params> params = http::Params::of(request);
  if (!params.ok()) {
    const tenant::RateLimiter::Answer rate = deps.limiter.take("oauth.ro", rate_key(request, nullptr), deps.rates.ro);
    co_return finish(rate.allowed ? identity::oauth_error(params.error()) : too_many(rate), request, *here,
                     nullptr, &rate);
  }
  const tenant::Client* client = named_client(*here, request, &*params);
  const std::string key = rate_key(request, client);
  const tenant::RateLimiter::Answer rate = deps.limiter.take("oauth.ro", key, deps.rates.ro);
  if (!rate.allowed) co_return finish(too_many(rate), request, *here, client, &rate);
  if (client && tenant::foreign_origin(request, *client)) {
    const Error foreign(Code::access_denied, "Origin not allowed.", "origin");
    co_return finish(identity::oauth_error(foreign), request, *here, client, &rate);
  }
  Result<JsonObject> granted = co_await grant(deps, here, request, *params);
  if (granted.ok())
    co_return finish(http::Response::json(200, Json(*granted)), request, *here, client, &rate);
  if (http_status(granted.error().code) >= 500) {
    deps.log.error("oauth.ro.failed", {{"detail", granted.error().detail}, {"request", request.id}});
  } else {
    tenant::Event refused = event(*params);
    refused.type = "grant.refused";
    refused.reason = std::string(name(granted.error().code)) + ": " + granted.error().detail;
    [[maybe_unused]] const Result<void> filed =
        co_await tenant::audit(here, std::move(refused), request, deps.clock);
  }
  co_return finish(identity::oauth_error(granted.error()), request, *here, client, &rate);
}

Task<http::Response> tokeninfo(const Deps& deps, http::Request& request) {
  CO_TRY(const ProfileDoor door, open_profile_door(deps, request));
  if (door.answered) co_return *door.answered;
  const tenant::Here& here = door.here;
  const tenant::Client* client = nullptr;
  Result<JsonObject> about = Error(Code::invalid_request);
  const Result<void> once = door.params.refuse_repeated({"id_token"});
  if (once.ok()) {
    std::string token(door.params.get("id_token"));
    about = co_await profile(deps, here, request, std::move(token), client);
  } else {
    about = once.error();
  }
  if (!about.ok()) co_return finish(identity::oauth_error(about.error()), request, *here, client, &door.rate);
  co_return finish(http::Response::json(200, Json(*about)), request, *here, client, &door.rate);
}

}  // namespace mandate::oauth::wire
