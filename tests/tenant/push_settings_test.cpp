// The member "push" of a service in a tenant's file.
#include <gtest/gtest.h>

#include "base/base64.h"
#include "tenant/desired.h"
#include "tenant/snapshot.h"

namespace mandate::tenant {
namespace {

constexpr std::string_view kFile = R"(
tenant: demo
services:
  default:
    push:
      permission: user
      registration_days: 30
      apns: {key_id: K, team_id: T, topic: com.example, production: false, key: planted-apns-key}
      fcm: {service_account: "planted-account"}
      wns: {package_sid: "ms-app://s", client_secret: planted-wns, channel_hosts: ["localhost:1"]}
      webpush: {subject: "mailto:a@example.org"}
)";

struct PushSettings : ::testing::Test {
  SeededRandom random;
  Vault vault{std::string(32, 'k'), random};
  std::string refused(std::string_view text) {
    const auto desired = parse_desired_text(text);
    if (!desired.ok()) return desired.error().hint;
    const auto plan = plan_desired(*desired, {}, vault, random);
    return plan.ok() ? "" : plan.error().hint;
  }
};

TEST_F(PushSettings, BecomeTheServicesAndTheirKeysAreSealed) {
  const auto desired = parse_desired_text(kFile);
  ASSERT_TRUE(desired.ok()) << desired.error().hint;
  const auto plan = plan_desired(*desired, {}, vault, random);
  ASSERT_TRUE(plan.ok()) << plan.error().hint;
  const auto after = plan->after.find({std::string(kind::kService), "default"});
  ASSERT_NE(after, plan->after.end());
  EXPECT_EQ(to_json(after->second.body).find("planted"), std::string::npos);
  Problems problems;
  const auto tenant = build_snapshot("demo", plan->after, vault, 0, problems);
  ASSERT_TRUE(tenant.ok());
  const Push& push = (*tenant)->services.at("default").push;
  EXPECT_EQ(push.permission, "authenticated");
  EXPECT_EQ(push.registration_days, 30);
  EXPECT_TRUE(push.apns.configured && !push.apns.production && push.fcm.configured && push.wns.configured && push.webpush.configured);
  EXPECT_EQ(vault.unseal(push.apns.key_sealed, sealed::service("default", "push.apns.key"))->reveal(), "planted-apns-key");
  EXPECT_EQ(vault.unseal(push.fcm.service_account_sealed, sealed::service("default", "push.fcm.service_account"))->reveal(), "planted-account");
  EXPECT_EQ(vault.unseal(push.wns.client_secret_sealed, sealed::service("default", "push.wns.client_secret"))->reveal(), "planted-wns");
  const auto made = vault.unseal(push.webpush.private_key_sealed, sealed::service("default", kWebPushKey));
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(base64url_decode(made->reveal())->size(), 32U) << "a key for browsers is made when none is given";
}

TEST_F(PushSettings, MistakesAreToldWithTheirPlace) {
  const auto with = [&](std::string_view push) { return refused("tenant: demo\nservices: {default: {push: " + std::string(push) + "}}\n"); };
  EXPECT_NE(with("{apns: {key_id: K}}").find("push.apns.team_id"), std::string::npos);
  EXPECT_NE(with("{permission: everybody}").find("push.permission"), std::string::npos);
  EXPECT_NE(with("{wns: {package_sid: s, endpoint: 'http://example.com/'}}").find("push.wns.endpoint"), std::string::npos);
  EXPECT_NE(with("{webpush: {subject: me}}").find("push.webpush.subject"), std::string::npos);
  EXPECT_NE(with("{registration_days: -1}").find("push.registration_days"), std::string::npos);
  EXPECT_NE(with("{pigeon: {}}").find("push.pigeon"), std::string::npos);
}

}  // namespace
}  // namespace mandate::tenant
