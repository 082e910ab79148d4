// grant_type=authorization_code. RFC 6749 §4.1.3, RFC 7636 §4.6.
#include "oauth/locked.h"
#include "oauth/may_issue.h"
#include "oauth/person_tokens.h"
#include "oauth/revocations.h"
#include "oauth/scopes.h"
#include "oauth/token/code.h"
#include "oauth/token/grants.h"
#include "oauth/token/pkce.h"
#include "tenant/audit.h"

namespace mandate::oauth {
namespace {

Error bad_code(std::string detail) {
  return Error(Code::invalid_grant, "Invalid authorization code", std::move(detail));
}

/// The code and what it points to, loaded.
struct Redeemed {
  AuthorizationCode code;
  std::optional<identity::User> user;
  std::optional<identity::Session> session;
  bool locked = false;
};

class AuthorizationCodeGrant final : public Grant {
 public:
  explicit AuthorizationCodeGrant(const Deps& deps) : deps_(deps) {}
  std::string_view type() const override { return tenant::grant::kAuthorizationCode; }

  Task<Json> grant(const TokenRequest& request) override {
    std::string handle(request.params.get("code"));
    if (handle.empty()) co_return Error(Code::invalid_request, "Missing required parameter: code", "code");
    const tenant::Client& client = *request.client.client;
    CO_TRY(const Redeemed redeemed, co_await load(request, handle));
    CO_CHECK(check_binding(request, redeemed.code));
    CO_CHECK(gate(request, redeemed));

    store::Batch batch;
    batch.deadline = request.request.deadline;
    const Millis now = deps_.clock.now_ms();
    store::Mutation taken = store::take_single_use(kCodeKind, handle, client.client_id, now, Code::invalid_grant);
    taken.returning.clear();  // it was read before; a commit whose rows are lost with a connection is then an answer all the same
    batch.add(std::move(taken));
    batch.add(spent(handle, redeemed.code, client, now));
    const PersonGrant wanted = wanted_tokens(request, redeemed);
    CO_TRY(const PersonTokens tokens,
           co_await make_person_tokens(deps_, wanted, batch, request.request.deadline));
    batch.add(tenant::audit_row(event(redeemed, client), request.request, now));
    const Result<store::Outcome> filed = co_await request.here.store->mutate(std::move(batch));
    if (!filed.ok() && filed.error().code == Code::invalid_grant) {
      CO_CHECK(co_await revoke_spent(request, handle));
      co_return bad_code("used at the same moment");
    }
    CO_CHECK(filed);
    co_return Json(token_answer(tokens, redeemed.code.scopes));
  }

 private:
  Task<Redeemed> load(const TokenRequest& request, std::string handle) const {
    std::string client_id = request.client.client->client_id;
    CO_TRY(const std::optional<JsonObject> payload,
           co_await store::peek(*request.here.store, kCodeKind, handle, std::move(client_id),
                                deps_.clock.now_ms()));
    if (!payload) {
      CO_CHECK(co_await revoke_spent(request, handle));
      co_return bad_code("unknown, used, expired or another client's");
    }
    Redeemed out;
    out.code = AuthorizationCode::from_json(*payload);
    std::string user_id = out.code.user_id;
    CO_TRY(out.user, co_await deps_.users.find(request.here, std::move(user_id)));
    std::string sid = out.code.sid;
    CO_TRY(out.session, co_await deps_.sessions.find(request.here, std::move(sid)));
    if (out.user) {
      CO_TRY(out.locked, co_await is_locked(request.here, *out.user, deps_.users));
    }
    co_return out;
  }

  /// A code that comes a second time was stolen, the first time or now: what it gave is void (OA-7).
  Task<void> revoke_spent(const TokenRequest& request, std::string handle) const {
    std::string client_id = request.client.client->client_id;
    const Millis now = deps_.clock.now_ms();
    CO_TRY(const std::optional<JsonObject> payload,
           co_await store::peek(*request.here.store, kSpentCodeKind, std::move(handle), std::move(client_id),
                                now));
    if (!payload) co_return ok();
    store::Batch batch;
    revoke_grant(batch, text_member(*payload, "grant_id").value_or(""), now);
    CO_TRY([[maybe_unused]] const store::Outcome done, co_await request.here.store->mutate(std::move(batch)));
    co_return ok();
  }

  static Result<void> check_binding(const TokenRequest& request, const AuthorizationCode& code) {
    const std::string_view redirect_uri = request.params.get("redirect_uri");
    if (redirect_uri.empty() ? code.redirect_uri_given : redirect_uri != code.redirect_uri)
      return Error(Code::invalid_grant,
                   "The redirect_uri does not match the one of the authorization request.", "redirect_uri");
    CHECK_OK(check_verifier(code.code_challenge, request.params.get("code_verifier")));
    if (code.code_challenge.empty() && !request.client.client->confidential())
      return Error(Code::invalid_grant, "Failed to verify code verifier", "public client without pkce");
    return ok();
  }

  static Result<void> gate(const TokenRequest& request, const Redeemed& r) {
    const tenant::Api* api = r.code.audience.empty() ? nullptr : request.here->api(r.code.audience);
    if (!r.code.audience.empty() && !api) return bad_code("the API is gone");
    Issue issue;
    issue.tenant = &*request.here;
    issue.client = request.client.client;
    issue.grant = tenant::grant::kAuthorizationCode;
    issue.user = r.user ? &*r.user : nullptr;
    issue.session = r.session ? &*r.session : nullptr;
    issue.needs_user = issue.needs_session = true;
    issue.connection = r.code.connection;
    issue.user_epoch = r.code.user_epoch;
    issue.tenant_epoch = r.code.tenant_epoch;
    issue.target_api = api;
    issue.scopes = r.code.scopes;
    issue.device = r.code.device;
    issue.locked = r.locked;
    return may_issue(issue);
  }

  static PersonGrant wanted_tokens(const TokenRequest& request, const Redeemed& r) {
    PersonGrant out;
    out.here = &request.here;
    out.issuer = tenant::issuer_of(*request.here, request.request);
    out.client = request.client.client;
    out.user = &*r.user;
    out.session = &*r.session;
    out.api = r.code.audience.empty() ? nullptr : request.here->api(r.code.audience);
    out.scopes = r.code.scopes;
    out.sid = r.code.sid;
    out.grant_id = r.code.grant_id;
    out.connection = r.code.connection;
    out.device = r.code.device;
    out.nonce = r.code.nonce;
    out.offline_consent = r.code.offline_consent;
    out.id_token = has_scope(r.code.scopes, "openid");
    out.refresh_token = has_scope(r.code.scopes, "offline_access");
    return out;
  }

  static store::Mutation spent(const std::string& handle, const AuthorizationCode& code,
                               const tenant::Client& client, Millis now) {
    store::SingleUse mark;
    mark.handle = handle;
    mark.payload["grant_id"] = code.grant_id;
    mark.expires_at = now + kSpentCodeLifetime;
    return store::file_single_use(kSpentCodeKind, mark, client.client_id);
  }

  static tenant::Event event(const Redeemed& r, const tenant::Client& client) {
    tenant::Event out;
    out.type = "grant.ok";
    out.client_id = client.client_id;
    out.user_id = r.code.user_id;
    out.target = r.code.audience;
    out.connection = r.code.connection;
    out.details["grant_type"] = tenant::grant::kAuthorizationCode;
    return out;
  }

  Deps deps_;
};

}  // namespace

std::unique_ptr<Grant> authorization_code_grant(const Deps& deps) {
  return std::make_unique<AuthorizationCodeGrant>(deps);
}

}  // namespace mandate::oauth
