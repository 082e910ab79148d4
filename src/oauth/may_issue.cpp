#include "oauth/may_issue.h"

#include <algorithm>

#include "oauth/scopes.h"

namespace mandate::oauth {
namespace {

using tenant::grant::kClientCredentials;
using tenant::grant::kLegacyDelegationIdToken;
using tenant::grant::kLegacyDelegationRefreshToken;
using tenant::grant::kLegacyRo;

Result<void> tenant_lives(const Issue& i) {
  if (!i.tenant || !i.tenant->enabled)
    return Error(Code::access_denied, "The tenant is not available.", "tenant");
  return ok();
}

Result<void> client_lives(const Issue& i) {
  if (!i.client || !i.client->enabled) return Error(Code::unauthorized_client, "invalid client", "client");
  return ok();
}

/// The tenant's half of a legacy switch (identity-wire 0.8); the client's half is its grant_types.
std::string_view tenant_flag(std::string_view grant) {
  if (grant == kLegacyRo) return "allow_legacy_ro_grant_types";
  if (grant == kLegacyDelegationIdToken || grant == kLegacyDelegationRefreshToken)
    return "allow_legacy_delegation_grant_types";
  return {};
}

Result<void> grant_allowed(const Issue& i) {
  const std::string_view flag = tenant_flag(i.grant);
  if (i.grant.empty() || !i.client->allows(i.grant) || (!flag.empty() && !i.tenant->flag(flag)))
    return Error(Code::unauthorized_client,
                 "Grant type '" + std::string(i.grant) + "' not allowed for the client.", "grant");
  return ok();
}

Result<void> connection_allowed(const Issue& i) {
  if (i.connection.empty()) return ok();
  for (const tenant::Connection* c : i.tenant->connections_of(*i.client))
    if (c->name == i.connection && c->enabled) return ok();
  return Error(Code::access_denied, "The connection is not enabled for the client.", "connection");
}

Result<void> user_lives(const Issue& i) {
  if (!i.user)
    return i.needs_user ? Result<void>(Error(Code::invalid_grant, "The user does not exist.", "user")) : ok();
  if (i.user->blocked) return Error(Code::unauthorized, "user is blocked.", "blocked");
  if (i.locked) return Error(Code::unauthorized, "user is blocked.", "locked");
  return ok();
}

Result<void> epochs_hold(const Issue& i) {
  if (i.user && i.user_epoch && *i.user_epoch < i.user->epoch)
    return Error(Code::invalid_grant, "The grant was revoked.", "user_epoch");
  if (i.tenant_epoch && *i.tenant_epoch < i.tenant->epoch)
    return Error(Code::invalid_grant, "The grant was revoked.", "tenant_epoch");
  return ok();
}

Result<void> session_lives(const Issue& i) {
  if (!i.session)
    return i.needs_session ? Result<void>(Error(Code::invalid_grant, "The session has ended.", "session"))
                           : ok();
  const bool same_person = i.user && i.session->user_id == i.user->user_id;
  if (!same_person || i.session->user_epoch < i.user->epoch)
    return Error(Code::invalid_grant, "The session has ended.", "session");
  return ok();
}

const tenant::ClientGrant* client_grant(const Issue& i) {
  for (const auto& g : i.tenant->client_grants)
    if (g.client_id == i.client->client_id && g.audience == i.target_api->identifier) return &g;
  return nullptr;
}

/// A client acting for itself, and somebody else's client acting for a person, need a client grant for the
/// API.
bool needs_client_grant(const Issue& i) {
  return i.target_api && (i.grant == kClientCredentials || !i.client->is_first_party);
}

Result<void> target_allowed(const Issue& i) {
  if (i.target_client && !i.target_client->enabled)
    return Error(Code::access_denied, "The client is not allowed to act at the target.", "target");
  if (needs_client_grant(i) && !client_grant(i))
    return Error(Code::access_denied,
                 "Client is not authorized to access \"" + i.target_api->identifier +
                     "\". You need to create a \"client-grant\" associated to this API.",
                 "target");
  return ok();
}

Result<void> scopes_allowed(const Issue& i) {
  if (!i.target_api) return ok();
  const std::vector<std::string>* allowed = &i.target_api->scopes;
  if (needs_client_grant(i)) allowed = &client_grant(i)->scope;
  for (const std::string& scope : i.scopes) {
    if (std::ranges::find(*allowed, scope) != allowed->end()) continue;
    if (i.user && is_identity_scope(scope)) continue;
    return Error(Code::invalid_scope, "The scope goes beyond what is granted.", "scope");
  }
  return ok();
}

}  // namespace

Result<void> may_issue(const Issue& issue) {
  CHECK_OK(tenant_lives(issue));
  CHECK_OK(client_lives(issue));
  CHECK_OK(grant_allowed(issue));
  CHECK_OK(connection_allowed(issue));
  CHECK_OK(user_lives(issue));
  CHECK_OK(epochs_hold(issue));
  CHECK_OK(session_lives(issue));
  CHECK_OK(target_allowed(issue));
  CHECK_OK(scopes_allowed(issue));
  return ok();
}

}  // namespace mandate::oauth
