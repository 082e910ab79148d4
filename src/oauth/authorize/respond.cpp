#include "oauth/authorize/respond.h"

#include "oauth/authorize/answer.h"
#include "oauth/authorize/consents.h"
#include "oauth/locked.h"
#include "oauth/may_issue.h"
#include "oauth/person_tokens.h"
#include "oauth/redirect_uri.h"
#include "oauth/scopes.h"
#include "oauth/token/code.h"
#include "tenant/audit.h"

namespace mandate::oauth {
namespace {

/// Where old embedded browsers cut a URL (identity-wire 0.3 #6).
constexpr std::size_t kLongestMobileUrl = 2083;

Result<void> gate(const Asked& asked, const identity::User& user, const identity::Session& session,
                  bool locked) {
  Issue issue;
  issue.locked = locked;
  issue.tenant = &*asked.here;
  issue.client = asked.client;
  issue.user = &user;
  issue.session = &session;
  issue.needs_user = issue.needs_session = true;
  issue.connection = session.connection;
  issue.user_epoch = session.user_epoch;
  issue.tenant_epoch = session.tenant_epoch;
  issue.target_api = asked.api;
  issue.scopes = asked.scopes;
  issue.device = asked.request.device;
  if (asked.code) {
    issue.grant = tenant::grant::kAuthorizationCode;
    CHECK_OK(may_issue(issue));
  }
  if (asked.front_channel_tokens()) {
    issue.grant = tenant::grant::kImplicit;
    CHECK_OK(may_issue(issue));
  }
  return ok();
}

AuthorizationCode code_of(const Asked& asked, const identity::User& user, const identity::Session& session,
                          std::string grant_id, bool offline_consent) {
  AuthorizationCode code;
  code.client_id = asked.client->client_id;
  code.redirect_uri = asked.request.redirect_uri;
  code.redirect_uri_given = asked.request.redirect_uri_given;
  code.user_id = user.user_id;
  code.sid = session.id;
  code.connection = session.connection;
  code.audience = asked.api ? asked.api->identifier : std::string();
  code.nonce = asked.request.nonce;
  code.code_challenge = asked.request.code_challenge;
  code.device = asked.request.device;
  code.grant_id = std::move(grant_id);
  code.scopes = asked.scopes;
  code.offline_consent = offline_consent;
  code.auth_time = session.auth_time;
  code.user_epoch = user.epoch;
  code.tenant_epoch = asked.here->epoch;
  return code;
}

/// What the answer matrix of identity-wire 1.1 gives from the front channel.
PersonGrant front_channel(const Asked& asked, const identity::User& user, const identity::Session& session) {
  PersonGrant grant;
  grant.here = &asked.here;
  grant.issuer = asked.issuer;
  grant.client = asked.client;
  grant.user = &user;
  grant.session = &session;
  grant.api = asked.api;
  grant.scopes = asked.scopes;
  grant.sid = session.id;
  grant.connection = session.connection;
  grant.device = asked.request.device;
  grant.nonce = asked.request.nonce;
  grant.browser = true;
  grant.access_token = asked.token;
  const bool old_token = asked.legacy() && asked.token;
  grant.id_token = asked.id_token || (old_token && has_scope(asked.scopes, "openid"));
  grant.refresh_token =
      old_token && has_scope(asked.scopes, "offline_access") && !asked.request.device.empty();
  return grant;
}

Fields fields_of(const Asked& asked, const PersonTokens& tokens, std::string code) {
  Fields out;
  if (!code.empty()) out.emplace_back("code", std::move(code));
  if (!tokens.access_token.empty()) {
    out.emplace_back("access_token", tokens.access_token);
    const std::int64_t expires_in = asked.legacy() ? asked.client->lifetime_in_seconds : tokens.expires_in;
    out.emplace_back("expires_in", std::to_string(expires_in));
    out.emplace_back("token_type", "Bearer");
    if (!asked.legacy()) out.emplace_back("scope", join(asked.scopes));
  }
  if (!tokens.id_token.empty()) out.emplace_back("id_token", tokens.id_token);
  if (!tokens.refresh_token.empty()) out.emplace_back("refresh_token", tokens.refresh_token);
  out.emplace_back("state", asked.request.state);
  add_issuer(asked, out);
  return out;
}

tenant::Event event(const Asked& asked, const identity::User& user, const identity::Session& session) {
  tenant::Event out;
  out.type = "grant.ok";
  out.client_id = asked.client->client_id;
  out.user_id = user.user_id;
  out.target = asked.api ? asked.api->identifier : std::string();
  out.connection = session.connection;
  out.details["response_type"] = asked.request.response_type;
  return out;
}

/// Tokens, code and rows; the fields are what the client gets once the rows are in.
Task<Fields> issue(const Deps& deps, const Asked& asked, const identity::User& user,
                   const identity::Session& session, store::Batch& batch, Deadline deadline) {
  const std::string user_id = user.user_id;
  CO_TRY(const std::optional<std::vector<std::string>> consent, co_await consented(asked, user_id));
  const bool offline_consent = consent && has_scope(*consent, "offline_access");
  PersonGrant grant = front_channel(asked, user, session);
  grant.offline_consent = offline_consent;
  grant.grant_id = new_grant_id(deps.random);
  if (asked.code) {
    grant.code = deps.random.token();
    store::SingleUse code;
    code.handle = grant.code;
    code.payload = code_of(asked, user, session, grant.grant_id, offline_consent).to_json();
    code.expires_at = deps.clock.now_ms() + kCodeLifetime;
    batch.add(store::file_single_use(kCodeKind, code, asked.client->client_id));
  }
  CO_TRY(PersonTokens tokens, co_await make_person_tokens(deps, grant, batch, deadline));
  Fields fields = fields_of(asked, tokens, grant.code);
  const bool too_long = is_mobile_callback(asked.issuer, asked.request.redirect_uri) && grant.id_token &&
                        location_of(asked, fields, false).size() >= kLongestMobileUrl;
  if (too_long) {
    // The embedded browser would cut the URL: a profile that does not fit is left to /userinfo, which these
    // clients always ask.
    PersonGrant shorter = grant;
    shorter.scopes = {"openid"};
    shorter.access_token = shorter.refresh_token = false;
    store::Batch nothing;
    CO_TRY(PersonTokens short_tokens, co_await make_person_tokens(deps, shorter, nothing, deadline));
    tokens.id_token = std::move(short_tokens.id_token);
    fields = fields_of(asked, tokens, grant.code);
  }
  co_return fields;
}

}  // namespace

Task<http::Response> respond(const Deps& deps, const http::Request& request, const Asked& asked,
                             const identity::User& user, const identity::Session& session, int status) {
  CO_TRY(const bool locked, co_await is_locked(asked.here, user, deps.users));
  const Result<void> verdict = gate(asked, user, session, locked);
  if (!verdict.ok()) {
    tenant::Event refused = event(asked, user, session);
    refused.type = "grant.refused";
    refused.reason = verdict.error().detail;
    CO_CHECK(co_await tenant::audit(asked.here, std::move(refused), request, deps.clock));
    co_return error_answer(asked, verdict.error(), status);
  }
  store::Batch batch;
  batch.deadline = request.deadline;
  const Result<Fields> fields = co_await issue(deps, asked, user, session, batch, request.deadline);
  if (!fields.ok()) {
    deps.log.error("oauth.authorize.failed",
                   {{"client_id", asked.client->client_id}, {"detail", fields.error().detail}});
    co_return error_answer(asked, fields.error(), status);
  }
  batch.add(tenant::audit_row(event(asked, user, session), request, deps.clock.now_ms()));
  const Result<store::Outcome> filed = co_await asked.here.store->mutate(std::move(batch));
  if (!filed.ok()) co_return error_answer(asked, filed.error(), status);
  std::string client_id = asked.client->client_id;
  [[maybe_unused]] const Result<void> noted =
      co_await deps.sessions.note_client(asked.here, session, std::move(client_id));
  co_return answer(asked, *fields, status);
}

}  // namespace mandate::oauth
