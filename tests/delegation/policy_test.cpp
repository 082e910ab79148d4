#include "delegation/policy.h"

#include <gtest/gtest.h>

namespace mandate::delegation {
namespace {

struct House {
  tenant::Tenant tenant;
  House() {
    for (const char* id : {"a", "b", "backend", "third"}) tenant.clients[id].client_id = id;
    tenant.clients["backend"].addons["wams"] = JsonObject();
    tenant.clients["third"].is_first_party = false;
  }
  tenant::Client& operator[](const std::string& id) { return tenant.clients.at(id); }
  Result<Target> resolve(std::string_view target, std::string_view api_type) { return resolve_target(tenant, (*this)["a"], target, api_type); }
  Verdict may(const std::string& caller, const std::string& target, std::string_view kind = "id_token", std::string_view api_type = "") {
    return may_delegate(tenant, (*this)[caller], resolve_target(tenant, (*this)[caller], target, api_type).value(), kind);
  }
  std::string shown(std::string_view target, std::string_view api_type) {
    const auto t = resolve(target, api_type);
    return t.ok() ? t->id + "/" + std::string(t->type) : std::string(name(t.error().code));
  }
};

TEST(Policy, TargetAndTypeAreReadAsTheSdksMeanThem) {
  House h;
  EXPECT_EQ(h.shown("", "backend"), "backend/wams") << "2.2 #1: a client id in api_type";
  EXPECT_EQ(h.shown("", "no-such-client"), "no-such-client/app") << "as a target that does not exist (DG-2)";
  EXPECT_EQ(h.shown("", ""), "a/app") << "#2: oneself";
  EXPECT_EQ(h.shown("backend", ""), "backend/wams") << "#3: the active add-on";
  EXPECT_EQ(h.shown("b", ""), "b/app") << "#3: none active";
  EXPECT_EQ(h.shown("backend", "app"), "backend/app");
  EXPECT_EQ(h.shown("backend", "auth0"), "backend/app") << "#4";
  EXPECT_EQ(h.shown("backend", "samlp"), "invalid_request") << "#5";
  EXPECT_EQ(h.shown("", "samlp"), "invalid_request") << "#5: an add-on one logs in with";
  EXPECT_EQ(h.shown("backend", "nonsense"), "invalid_request") << "#5";
  EXPECT_EQ(h.shown("b", "backend"), "invalid_request") << "a client id counts as target only when none is given";
  EXPECT_EQ(h.shown("", "wams"), "a/wams") << "#7: the caller's own add-on";
  EXPECT_EQ(h.shown("nowhere", ""), "nowhere/app");
  EXPECT_EQ(h.resolve("nowhere", "")->client, nullptr);
}

TEST(Policy, TheTargetSaysWhoMayCome) {
  House h;
  EXPECT_FALSE(h.may("a", "b").allowed) << "nobody by default";
  h["b"].allowed_clients_mode = "listed";
  EXPECT_FALSE(h.may("a", "b").allowed);
  h["b"].allowed_clients = {"a"};
  EXPECT_TRUE(h.may("a", "b").allowed);
  EXPECT_FALSE(h.may("backend", "b").allowed);
  EXPECT_FALSE(h.may("b", "a").allowed) << "permission has a direction";
  h["b"].allowed_clients_mode = "all";
  EXPECT_TRUE(h.may("backend", "b").allowed);
  h["b"].enabled = false;
  EXPECT_FALSE(h.may("a", "b").allowed);
  EXPECT_FALSE(h.may("a", "nowhere").allowed);
}

TEST(Policy, AClientMayRenewForItselfButAThirdPartyMustBeNamed) {
  House h;
  EXPECT_TRUE(h.may("a", "a").allowed);
  EXPECT_FALSE(h.may("third", "third").allowed);
  h["b"].allowed_clients_mode = "all";
  EXPECT_FALSE(h.may("third", "b").allowed);
  h["b"].allowed_clients_mode = "listed";
  h["b"].allowed_clients = {"third"};
  EXPECT_TRUE(h.may("third", "b").allowed);
}

TEST(Policy, ALineOfDelegationGrantsLimitsTypesKindsScopesAndLife) {
  House h;
  h.tenant.delegation_grants.push_back({.source = "a", .target = "backend", .api_types = {"wams"}, .scopes = {"openid"}, .subject_kinds = {"refresh_token"}, .max_lifetime = 600, .lifetime_rule = "min"});
  EXPECT_FALSE(h.may("a", "backend").allowed);
  const Verdict v = h.may("a", "backend", "refresh_token");
  EXPECT_TRUE(v.allowed);
  EXPECT_TRUE(v.own_line);
  EXPECT_EQ(v.scopes, std::vector<std::string>{"openid"});
  EXPECT_EQ(v.max_lifetime, 600);
  EXPECT_FALSE(v.outlives_subject);
  EXPECT_FALSE(h.may("a", "backend", "refresh_token", "app").allowed);
  h.tenant.delegation_grants = {{.source = "*", .target = "b", .api_types = {"auth0"}, .scopes = {}, .subject_kinds = {}}};
  EXPECT_TRUE(h.may("a", "b").allowed);
  EXPECT_FALSE(h.may("third", "b").allowed) << "'*' does not mean strangers";
}

TEST(Policy, TheShortestLifeWinsUnlessALineSaysOtherwise) {
  Verdict plain;
  EXPECT_EQ(lifetime(36'000, plain, 0, false), 36'000);
  EXPECT_EQ(lifetime(36'000, plain, 30, false), 30);
  EXPECT_EQ(lifetime(36'000, plain, 35'998, false), 36'000) << "traded seconds after the login";
  EXPECT_EQ(lifetime(36'000, plain, 35'998, true), 35'998);
  EXPECT_EQ(lifetime(36'000, plain, 35'939, false), 35'939);
  EXPECT_EQ(lifetime(600, plain, 590, false), 590);
  plain.max_lifetime = 10;
  EXPECT_EQ(lifetime(36'000, plain, 30, false), 10);
  EXPECT_EQ(lifetime(36'000, plain, 5, true), 5);
  Verdict line;
  line.outlives_subject = true;
  EXPECT_EQ(lifetime(36'000, line, 30, false), 36'000);
  EXPECT_EQ(lifetime(36'000, line, 30, true), 30);
}

}  // namespace
}  // namespace mandate::delegation
