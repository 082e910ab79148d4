#include "oauth/token/refresh_checks.h"

#include <algorithm>

#include "base/base64.h"
#include "base/crypto.h"
#include "oauth/may_issue.h"
#include "oauth/scopes.h"

namespace mandate::oauth {

std::string refresh_fingerprint(const TokenRequest& request) {
  std::string all = request.request.peer + "\n" + std::string(request.request.headers.get("user-agent")) +
                    "\n" + std::string(request.request.headers.get("dpop")) + "\n";
  for (const auto& [name, values] : request.params.everything())
    for (const std::string& value : values)
      all += name + "=" + std::to_string(value.size()) + ":" + value + "\n";
  return base64url(sha256(all));
}

Result<std::vector<std::string>> narrowed_scopes(const RefreshToken& token, std::string_view asked) {
  if (asked.empty()) return token.scopes;
  std::vector<std::string> out = scopes_of(asked);
  const bool within =
      std::ranges::all_of(out, [&](const std::string& scope) { return has_scope(token.scopes, scope); });
  if (!within) return Error(Code::invalid_scope, "The scope goes beyond that of the refresh token.", "scope");
  return out;
}

Result<void> check_refresh_audience(const TokenRequest& request, const RefreshToken& token) {
  const std::string_view asked =
      request.params.has("audience") ? request.params.get("audience") : request.params.get("resource");
  if (!asked.empty() && asked != token.audience)
    return Error(Code::invalid_target, "The refresh token was not given for this audience.", "audience");
  if (!token.audience.empty() && !request.here->api(token.audience))
    return Error(Code::invalid_grant, "Unknown or invalid refresh token.", "the API is gone");
  return ok();
}

Result<void> may_refresh(const TokenRequest& request, const RefreshToken& token, const identity::User* user,
                         const std::vector<std::string>& scopes, bool locked) {
  Issue issue;
  issue.tenant = &*request.here;
  issue.client = request.client.client;
  issue.grant = tenant::grant::kRefreshToken;
  issue.user = user;
  issue.needs_user = true;
  issue.connection = token.connection;
  issue.user_epoch = token.user_epoch;
  issue.tenant_epoch = token.tenant_epoch;
  issue.target_api = token.audience.empty() ? nullptr : request.here->api(token.audience);
  issue.scopes = scopes;
  issue.device = token.device;
  issue.locked = locked;
  return may_issue(issue);
}

PersonGrant refreshed_tokens(const TokenRequest& request, const RefreshToken& token, const identity::User& user,
                             const identity::Session* session, const std::vector<std::string>& scopes) {
  PersonGrant out;
  out.here = &request.here;
  out.issuer = tenant::issuer_of(*request.here, request.request);
  out.client = request.client.client;
  out.user = &user;
  out.session = session;
  out.api = token.audience.empty() ? nullptr : request.here->api(token.audience);
  out.scopes = scopes;
  out.sid = token.sid;
  out.grant_id = token.family;
  out.connection = token.connection;
  out.device = token.device;
  out.id_token = has_scope(scopes, "openid");
  return out;
}

tenant::Event refresh_event(const RefreshToken& token) {
  tenant::Event out;
  out.type = "grant.ok";
  out.client_id = token.client_id;
  out.user_id = token.user_id;
  out.target = token.audience;
  out.connection = token.connection;
  out.details["grant_type"] = tenant::grant::kRefreshToken;
  return out;
}

}  // namespace mandate::oauth
