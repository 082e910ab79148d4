// grant_type=refresh_token. RFC 6749 §6, OAuth 2.1 §4.3, TK-12.
#include <algorithm>

#include "base/base64.h"
#include "base/crypto.h"
#include "oauth/locked.h"
#include "oauth/may_issue.h"
#include "oauth/person_tokens.h"
#include "oauth/scopes.h"
#include "oauth/token/grants.h"
#include "tenant/audit.h"

namespace mandate::oauth {
namespace {

/// Names a request by what is in it and where it comes from: only the same one may have its answer again.
std::string fingerprint(const TokenRequest& request) {
  std::string all = request.request.peer + "\n" + std::string(request.request.headers.get("user-agent")) +
                    "\n" + std::string(request.request.headers.get("dpop")) + "\n";
  for (const auto& [name, values] : request.params.everything())
    for (const std::string& value : values)
      all += name + "=" + std::to_string(value.size()) + ":" + value + "\n";
  return base64url(sha256(all));
}

/// The scopes asked for, which may only be fewer than those of the token (OA-13).
Result<std::vector<std::string>> narrowed(const RefreshToken& token, std::string_view asked) {
  if (asked.empty()) return token.scopes;
  std::vector<std::string> out = scopes_of(asked);
  const bool within =
      std::ranges::all_of(out, [&](const std::string& scope) { return has_scope(token.scopes, scope); });
  if (!within) return Error(Code::invalid_scope, "The scope goes beyond that of the refresh token.", "scope");
  return out;
}

class RefreshTokenGrant final : public Grant {
 public:
  explicit RefreshTokenGrant(const Deps& deps) : deps_(deps) {}
  std::string_view type() const override { return tenant::grant::kRefreshToken; }

  Task<Json> grant(const TokenRequest& request) override {
    const tenant::Client& client = *request.client.client;
    const Millis now = deps_.clock.now_ms();
    std::string text(request.params.get("refresh_token"));
    if (text.empty())
      co_return Error(Code::invalid_request, "Missing required parameter: refresh_token", "refresh_token");
    std::string print = fingerprint(request);
    CO_TRY(const Presented presented, co_await present_refresh_token(request.here, client, text, print, now));
    const RefreshToken& token = presented.token;
    CO_TRY(const std::vector<std::string> scopes, narrowed(token, request.params.get("scope")));
    CO_CHECK(check_audience(request, token));
    std::string user_id = token.user_id;
    CO_TRY(const std::optional<identity::User> user,
           co_await deps_.users.find(request.here, std::move(user_id)));
    bool locked = false;
    if (user) {
      CO_TRY(locked, co_await is_locked(request.here, *user, deps_.users));
    }
    CO_CHECK(gate(request, token, user ? &*user : nullptr, scopes, locked));
    std::string sid = token.sid;
    CO_TRY(const std::optional<identity::Session> session, co_await session_of(request.here, std::move(sid)));

    const PersonGrant wanted = wanted_tokens(request, token, *user, session ? &*session : nullptr, scopes);
    store::Batch batch;
    batch.deadline = request.request.deadline;
    CO_TRY(PersonTokens tokens, co_await make_person_tokens(deps_, wanted, batch, request.request.deadline));
    use_up(batch, client, presented, text, print, tokens, now);
    batch.add(tenant::audit_row(event(token), request.request, now));
    const Result<store::Outcome> filed = co_await request.here.store->mutate(std::move(batch));
    if (!filed.ok() && filed.error().code == Code::invalid_grant)
      co_return Error(Code::invalid_grant, "Unknown or invalid refresh token.", "used at the same moment");
    CO_CHECK(filed);
    co_return Json(token_answer(tokens, scopes));
  }

 private:
  /// Puts the change of the refresh token first, so that the batch stands or falls with it.
  void use_up(store::Batch& batch, const tenant::Client& client, const Presented& presented,
              std::string_view text, std::string_view print, PersonTokens& tokens, Millis now) const {
    store::Batch ordered;
    ordered.deadline = batch.deadline;
    if (!presented.successor.empty()) {
      tokens.refresh_token = presented.successor;
      touch_refresh_token(ordered, client, presented.token, now);
    } else if (client.refresh_rotating && !client.refresh_infinite) {
      tokens.refresh_token = new_refresh_token(deps_.random);
      rotate_refresh_token(ordered, client, presented.token, text, tokens.refresh_token, print, deps_.random,
                           now);
    } else {
      touch_refresh_token(ordered, client, presented.token, now);
    }
    for (store::Mutation& mutation : batch.mutations) ordered.add(std::move(mutation));
    batch = std::move(ordered);
  }

  Task<std::optional<identity::Session>> session_of(const tenant::Here& here, std::string sid) const {
    std::optional<identity::Session> none;
    if (sid.empty()) co_return none;
    Result<std::optional<identity::Session>> found = co_await deps_.sessions.find(here, std::move(sid));
    co_return found;
  }

  static Result<void> check_audience(const TokenRequest& request, const RefreshToken& token) {
    const std::string_view asked =
        request.params.has("audience") ? request.params.get("audience") : request.params.get("resource");
    if (!asked.empty() && asked != token.audience)
      return Error(Code::invalid_target, "The refresh token was not given for this audience.", "audience");
    if (!token.audience.empty() && !request.here->api(token.audience))
      return Error(Code::invalid_grant, "Unknown or invalid refresh token.", "the API is gone");
    return ok();
  }

  static Result<void> gate(const TokenRequest& request, const RefreshToken& token, const identity::User* user,
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

  static PersonGrant wanted_tokens(const TokenRequest& request, const RefreshToken& token,
                                   const identity::User& user, const identity::Session* session,
                                   const std::vector<std::string>& scopes) {
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

  static tenant::Event event(const RefreshToken& token) {
    tenant::Event out;
    out.type = "grant.ok";
    out.client_id = token.client_id;
    out.user_id = token.user_id;
    out.target = token.audience;
    out.connection = token.connection;
    out.details["grant_type"] = tenant::grant::kRefreshToken;
    return out;
  }

  Deps deps_;
};

}  // namespace

std::unique_ptr<Grant> refresh_token_grant(const Deps& deps) {
  return std::make_unique<RefreshTokenGrant>(deps);
}

}  // namespace mandate::oauth
