// grant_type=password and password-realm. Off for every client that was not given it (OA-15).
#include "oauth/locked.h"
#include "oauth/may_issue.h"
#include "oauth/person_tokens.h"
#include "oauth/scopes.h"
#include "oauth/token/grants.h"
#include "tenant/audit.h"

namespace mandate::oauth {
namespace {

/// The token endpoint has one word for a person who may not in (AC-6).
Error as_token_error(Error error) {
  if (error.code == Code::invalid_user_password || error.code == Code::unauthorized)
    error.code = Code::invalid_grant;
  return error;
}

class PasswordGrant final : public Grant {
 public:
  PasswordGrant(const Deps& deps, bool with_realm) : deps_(deps), with_realm_(with_realm) {}
  std::string_view type() const override {
    return with_realm_ ? tenant::grant::kPasswordRealm : tenant::grant::kPassword;
  }

  Task<Json> grant(const TokenRequest& request) override {
    std::string username(request.params.get("username"));
    Secret password{std::string(request.params.get("password"))};
    if (username.empty())
      co_return Error(Code::invalid_request, "Missing required parameter: username", "username");
    if (password.empty())
      co_return Error(Code::invalid_request, "Missing required parameter: password", "password");
    CO_TRY(const tenant::Connection* connection, find_connection(request));
    CO_TRY(const tenant::Api* api, find_api(request));
    const std::vector<std::string> scopes =
        grantable_scopes(scopes_of(request.params.get("scope")), *request.client.client, api);
    // Before the password is looked at: a client without the grant must not become a password oracle.
    CO_CHECK(may_issue(issue_for(request, *connection, api, scopes, nullptr)));
    Result<identity::User> user = co_await deps_.passwords.login(
        request.here, *connection, std::move(username), std::move(password), request.request);
    if (!user.ok()) co_return as_token_error(std::move(user).error());
    CO_CHECK(may_issue(issue_for(request, *connection, api, scopes, &*user)));

    PersonGrant wanted;
    wanted.here = &request.here;
    wanted.issuer = tenant::issuer_of(*request.here, request.request);
    wanted.client = request.client.client;
    wanted.user = &*user;
    wanted.api = api;
    wanted.scopes = scopes;
    wanted.grant_id = new_grant_id(deps_.random);
    wanted.connection = connection->name;
    wanted.device = request.params.get("device");
    wanted.gty = "password";
    wanted.id_token = has_scope(scopes, "openid");
    wanted.refresh_token = has_scope(scopes, "offline_access");
    store::Batch batch;
    batch.deadline = request.request.deadline;
    CO_TRY(const PersonTokens tokens,
           co_await make_person_tokens(deps_, wanted, batch, request.request.deadline));
    batch.add(
        tenant::audit_row(event(request, *user, *connection, api), request.request, deps_.clock.now_ms()));
    CO_TRY([[maybe_unused]] const store::Outcome filed,
           co_await request.here.store->mutate(std::move(batch)));
    co_return Json(token_answer(tokens, scopes));
  }

 private:
  Result<const tenant::Connection*> find_connection(const TokenRequest& request) const {
    std::string_view name =
        with_realm_ ? request.params.get("realm") : std::string_view(request.here->default_directory);
    if (with_realm_ && name.empty())
      return Error(Code::invalid_request, "Missing required parameter: realm", "realm");
    const tenant::Connection* only = nullptr;
    int databases = 0;
    for (const tenant::Connection* c : request.here->connections_of(*request.client.client)) {
      if (c->strategy != "auth0" || !c->enabled) continue;
      if (c->name == name) return c;
      only = c;
      ++databases;
    }
    if (name.empty() && databases == 1) return only;
    if (name.empty())
      return Error(Code::invalid_request, "Authorization server not configured with default connection.",
                   "default_directory");
    return Error(Code::invalid_request, "Unknown realm", "realm");
  }

  static Result<const tenant::Api*> find_api(const TokenRequest& request) {
    std::string_view audience =
        request.params.has("audience") ? request.params.get("audience") : request.params.get("resource");
    if (audience.empty()) audience = request.here->default_audience;
    if (audience.empty() || audience == tenant::issuer_of(*request.here, request.request) + "userinfo")
      return nullptr;
    const tenant::Api* api = request.here->api(audience);
    if (!api) return Error(Code::invalid_target, "Service not found: " + std::string(audience), "audience");
    return api;
  }

  Issue issue_for(const TokenRequest& request, const tenant::Connection& connection, const tenant::Api* api,
                  const std::vector<std::string>& scopes, const identity::User* user) const {
    Issue issue;
    issue.tenant = &*request.here;
    issue.client = request.client.client;
    issue.grant = type();
    issue.user = user;
    issue.needs_user = user != nullptr;
    issue.connection = connection.name;
    issue.target_api = user ? api : nullptr;
    issue.scopes = scopes;
    return issue;
  }

  tenant::Event event(const TokenRequest& request, const identity::User& user,
                      const tenant::Connection& connection, const tenant::Api* api) const {
    tenant::Event out;
    out.type = "grant.ok";
    out.client_id = request.client.client->client_id;
    out.user_id = user.user_id;
    out.target = api ? api->identifier : std::string();
    out.connection = connection.name;
    out.details["grant_type"] = type();
    return out;
  }

  Deps deps_;
  bool with_realm_;
};

}  // namespace

std::unique_ptr<Grant> password_grant(const Deps& deps, bool with_realm) {
  return std::make_unique<PasswordGrant>(deps, with_realm);
}

}  // namespace mandate::oauth
