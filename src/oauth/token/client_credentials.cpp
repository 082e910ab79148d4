// grant_type=client_credentials. RFC 6749 §4.4, identity-wire 4.4. The JWT path files no token, and its audit
// is a tally: it is asked for in floods.
#include "oauth/access_tokens.h"
#include "oauth/may_issue.h"
#include "oauth/scopes.h"
#include "oauth/shown.h"
#include "oauth/signing.h"
#include "oauth/token/grant_tally.h"
#include "oauth/token/grants.h"
#include "tenant/audit.h"

namespace mandate::oauth {
namespace {

class ClientCredentialsGrant final : public Grant {
 public:
  explicit ClientCredentialsGrant(const Deps& deps) : deps_(deps) {}
  std::string_view type() const override { return tenant::grant::kClientCredentials; }

  Task<Json> grant(const TokenRequest& request) override {
    const tenant::Client& client = *request.client.client;
    if (!request.client.proved)
      co_return Error(Code::invalid_client, "The client must authenticate.", "not proved");
    CO_TRY(const tenant::Api* api, find_api(request));
    std::vector<std::string> scopes = wanted_scopes(request, *api);
    Issue issue;
    issue.tenant = &*request.here;
    issue.client = &client;
    issue.grant = tenant::grant::kClientCredentials;
    issue.target_api = api;
    issue.scopes = scopes;
    CO_CHECK(may_issue(issue));

    NewAccessToken wanted;
    wanted.client = &client;
    wanted.api = api;
    wanted.scopes = scopes;
    wanted.gty = "client-credentials";
    const std::string issuer = tenant::issuer_of(*request.here, request.request);
    CO_TRY(MadeAccessToken made, make_access_token(*request.here, deps_.tenants.vault(), issuer, wanted,
                                                   deps_.random, deps_.clock.now_ms()));
    if (made.key) {
      std::string typ(kAccessTokenType);
      CO_TRY(made.token, co_await sign(deps_.pool, *made.key, std::move(made.claims), std::move(typ),
                                       request.request.deadline));
      CO_CHECK(co_await audit(request, client, *api));
    } else {
      store::Batch batch;
      batch.deadline = request.request.deadline;
      batch.add(std::move(*made.row));
      for (const tenant::Event& event :
           tally_.count(request.here->name, client.client_id, api->identifier, type(), deps_.clock.now_ms()))
        batch.add(tenant::audit_row(event, request.request, deps_.clock.now_ms()));
      CO_TRY([[maybe_unused]] const store::Outcome filed,
             co_await request.here.store->mutate(std::move(batch)));
    }
    JsonObject out;
    out["access_token"] = made.token;
    out["token_type"] = "Bearer";
    out["expires_in"] = made.expires_in;
    out["scope"] = join(scopes);
    co_return Json(std::move(out));
  }

 private:
  static Result<const tenant::Api*> find_api(const TokenRequest& request) {
    std::string_view audience =
        request.params.has("audience") ? request.params.get("audience") : request.params.get("resource");
    if (audience.empty()) audience = request.here->default_audience;
    if (audience.empty())
      return Error(Code::invalid_request, "Missing required parameter: audience", "audience");
    const tenant::Api* api = request.here->api(audience);
    if (!api)
      return Error(Code::access_denied, "Service not enabled within domain: " + shown(audience),
                   "audience");
    return api;
  }

  /// Absent scope means all that the client grant gives.
  static std::vector<std::string> wanted_scopes(const TokenRequest& request, const tenant::Api& api) {
    if (request.params.has("scope")) return scopes_of(request.params.get("scope"));
    for (const tenant::ClientGrant& g : request.here->client_grants)
      if (g.client_id == request.client.client->client_id && g.audience == api.identifier) return g.scope;
    return {};
  }

  Task<void> audit(const TokenRequest& request, const tenant::Client& client, const tenant::Api& api) {
    const Millis now = deps_.clock.now_ms();
    const std::vector<tenant::Event> events =
        tally_.count(request.here->name, client.client_id, api.identifier, type(), now);
    if (events.empty()) co_return ok();
    store::Batch batch;
    batch.deadline = request.request.deadline;
    for (const tenant::Event& event : events) batch.add(tenant::audit_row(event, request.request, now));
    CO_TRY([[maybe_unused]] const store::Outcome filed,
           co_await request.here.store->mutate(std::move(batch)));
    co_return ok();
  }

  Deps deps_;
  GrantTally tally_;
};

}  // namespace

std::unique_ptr<Grant> client_credentials_grant(const Deps& deps) {
  return std::make_unique<ClientCredentialsGrant>(deps);
}

}  // namespace mandate::oauth
