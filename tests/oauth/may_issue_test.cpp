// The gate: every grant × every reason against (security 0.3 #1, AC-6, DG-4).
#include "oauth/may_issue.h"

#include <gtest/gtest.h>

namespace mandate::oauth {
namespace {

using namespace tenant::grant;

constexpr std::string_view kGrants[] = {kAuthorizationCode,
                                        kImplicit,
                                        kRefreshToken,
                                        kClientCredentials,
                                        kPassword,
                                        kPasswordRealm,
                                        kTokenExchange,
                                        kLegacyRo,
                                        kLegacyDelegationIdToken,
                                        kLegacyDelegationRefreshToken};

/// A world in which everything is allowed, and the request that is.
struct World {
  tenant::Tenant tenant;
  tenant::Client client, target;
  tenant::Api api;
  identity::User user;
  identity::Session session;
  Issue issue;

  explicit World(std::string_view grant) {
    client.client_id = "app";
    for (std::string_view g : kGrants) client.grant_types.emplace(g);
    target.client_id = "backend";
    api.identifier = "https://api";
    api.scopes = {"read", "write"};
    tenant.flags = {"allow_legacy_ro_grant_types", "allow_legacy_delegation_grant_types"};
    tenant.connections["users"] = {"users", "auth0", "Users", true, {}};
    tenant.client_grants = {{"app", "https://api", {"read"}}};
    user.user_id = session.user_id = "auth0|1";
    user.epoch = session.user_epoch = 3;
    tenant.epoch = 2;
    issue.tenant = &tenant;
    issue.client = &client;
    issue.grant = grant;
    issue.target_api = &api;
    issue.scopes = {"read"};
    if (grant == kClientCredentials) return;
    issue.user = &user;
    issue.needs_user = issue.needs_session = true;
    issue.connection = "users";
    issue.session = &session;
    issue.user_epoch = 3;
    issue.tenant_epoch = 2;
    issue.target_client = &target;
  }
};

struct Reason {
  std::string_view check;  ///< what the detail must name
  Code code;
  bool about_user;  ///< plays no part for client_credentials
  std::function<void(World&)> spoil;
};

const std::vector<Reason>& reasons() {
  static const std::vector<Reason> kReasons = {
      {"tenant", Code::access_denied, false, [](World& w) { w.tenant.enabled = false; }},
      {"tenant", Code::access_denied, false, [](World& w) { w.issue.tenant = nullptr; }},
      {"client", Code::unauthorized_client, false, [](World& w) { w.client.enabled = false; }},
      {"client", Code::unauthorized_client, false, [](World& w) { w.issue.client = nullptr; }},
      {"grant", Code::unauthorized_client, false, [](World& w) { w.client.grant_types.clear(); }},
      {"grant", Code::unauthorized_client, false, [](World& w) { w.issue.grant = ""; }},
      {"connection", Code::access_denied, true,
       [](World& w) {
         for (auto& [name, c] : w.tenant.connections) c.enabled = false;
       }},
      {"connection", Code::access_denied, true, [](World& w) { w.client.connections = {"another"}; }},
      {"connection", Code::access_denied, true, [](World& w) { w.tenant.connections.clear(); }},
      {"user", Code::invalid_grant, true, [](World& w) { w.issue.user = nullptr; }},
      {"blocked", Code::unauthorized, true, [](World& w) { w.user.blocked = true; }},
      {"locked", Code::unauthorized, true, [](World& w) { w.issue.locked = true; }},
      {"user_epoch", Code::invalid_grant, true, [](World& w) { w.issue.user_epoch = 2; }},
      {"tenant_epoch", Code::invalid_grant, true, [](World& w) { w.issue.tenant_epoch = 1; }},
      {"session", Code::invalid_grant, true, [](World& w) { w.issue.session = nullptr; }},
      {"session", Code::invalid_grant, true, [](World& w) { w.session.user_id = "auth0|2"; }},
      {"session", Code::invalid_grant, true, [](World& w) { w.session.user_epoch = 2; }},
      {"target", Code::access_denied, true, [](World& w) { w.target.enabled = false; }},
      {"scope", Code::invalid_scope, false, [](World& w) { w.issue.scopes = {"read", "admin"}; }},
  };
  return kReasons;
}

TEST(MayIssue, LetsEveryGrantPassWhenNothingSpeaksAgainstIt) {
  for (std::string_view grant : kGrants) {
    const World world(grant);
    const Result<void> verdict = may_issue(world.issue);
    EXPECT_TRUE(verdict.ok()) << grant << ": " << (verdict.ok() ? "" : verdict.error().detail);
  }
}

TEST(MayIssue, RefusesEveryGrantForEveryReason) {
  int cells = 0;
  for (std::string_view grant : kGrants)
    for (const Reason& reason : reasons()) {
      if (reason.about_user && grant == kClientCredentials) continue;
      World world(grant);
      reason.spoil(world);
      const Result<void> verdict = may_issue(world.issue);
      ASSERT_FALSE(verdict.ok()) << grant << " × " << reason.check;
      EXPECT_EQ(verdict.error().detail, reason.check) << grant;
      EXPECT_EQ(verdict.error().code, reason.code) << grant << " × " << reason.check;
      ++cells;
    }
  EXPECT_GE(cells, 170);
}

TEST(MayIssue, NamesTheFirstReasonInItsOrder) {
  World world(kAuthorizationCode);
  const auto& all = reasons();
  for (auto reason = all.rbegin(); reason != all.rend(); ++reason) {
    if (reason->check == "user" || reason->check == "tenant" || reason->check == "client" ||
        reason->check == "session")
      continue;
    reason->spoil(world);
    EXPECT_EQ(may_issue(world.issue).error().detail, reason->check);
  }
}

TEST(MayIssue, WantsTheTenantsHalfOfALegacySwitchToo) {
  for (std::string_view grant : {kLegacyRo, kLegacyDelegationIdToken, kLegacyDelegationRefreshToken}) {
    World world(grant);
    world.tenant.flags.clear();
    EXPECT_EQ(may_issue(world.issue).error().code, Code::unauthorized_client) << grant;
  }
}

TEST(MayIssue, AsksAClientForItsClientGrantWhenItActsForItself) {
  World world(kClientCredentials);
  world.tenant.client_grants.clear();
  const Result<void> verdict = may_issue(world.issue);
  EXPECT_EQ(verdict.error().code, Code::access_denied);
  EXPECT_NE(verdict.error().hint.find("https://api"), std::string::npos);
  EXPECT_NE(verdict.error().hint.find("client-grant"), std::string::npos);
}

TEST(MayIssue, GivesAClientNoScopeOfTheApiThatItsClientGrantLacks) {
  World world(kClientCredentials);
  world.issue.scopes = {"write"};
  EXPECT_EQ(may_issue(world.issue).error().code, Code::invalid_scope);
}

TEST(MayIssue, HoldsSomebodyElsesClientToItsClientGrantForPeopleToo) {
  World world(kAuthorizationCode);
  world.issue.scopes = {"write"};
  EXPECT_TRUE(may_issue(world.issue).ok());
  world.client.is_first_party = false;
  EXPECT_EQ(may_issue(world.issue).error().code, Code::invalid_scope);
}

TEST(MayIssue, KeepsIdentityScopesBesideThoseOfAnApi) {
  World world(kAuthorizationCode);
  world.issue.scopes = {"openid", "profile", "offline_access", "read"};
  EXPECT_TRUE(may_issue(world.issue).ok());
}

}  // namespace
}  // namespace mandate::oauth
