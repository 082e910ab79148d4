#include "oauth/grant_memory.h"

#include <gtest/gtest.h>

namespace mandate::oauth {
namespace {

struct Remembering : testing::Test {
  Metrics metrics;
  GrantMemory memory{metrics, 64 << 10};

  static RememberedGrant grant(std::string family) {
    RememberedGrant out;
    out.token.family = std::move(family);
    out.token.client_id = "spa";
    out.token.user_id = "auth0|1";
    out.token.scopes = {"openid", "offline_access"};
    return out;
  }
};

TEST_F(Remembering, KnowsWhatWasKeptInItsOwnTenant) {
  memory.keep("demo", "token", grant("family"));
  ASSERT_TRUE(memory.find("demo", "token"));
  EXPECT_EQ(memory.find("demo", "token")->grant.token.family, "family");
  EXPECT_FALSE(memory.find("another", "token"));
  EXPECT_FALSE(memory.find("demo", "other"));
}

TEST_F(Remembering, StaysWithinItsBytesAndLetsTheLongestUnusedGo) {
  memory.keep("demo", "in use", grant("family"));
  for (int i = 0; i < 1000; ++i) {
    memory.keep("demo", std::to_string(i), grant("family"));
    ASSERT_TRUE(memory.find("demo", "in use"));
    ASSERT_LE(memory.bytes(), 64U << 10);
  }
  EXPECT_FALSE(memory.find("demo", "0"));
  EXPECT_TRUE(memory.find("demo", "999"));
  EXPECT_GT(memory.bytes(), 32U << 10);
}

TEST_F(Remembering, TellsWhoHoldsAnEntryThatItsTokenWasUsedUp) {
  memory.keep("demo", "token", grant("family"));
  const auto held = memory.find("demo", "token");
  memory.spend("demo", "token");
  EXPECT_TRUE(held->spent);
  EXPECT_FALSE(memory.find("demo", "token"));
  EXPECT_EQ(memory.bytes(), 0U);
}

TEST_F(Remembering, ForgetsOnlyTheEntryThatFailed) {
  memory.keep("demo", "token", grant("old"));
  const auto old = memory.find("demo", "token");
  memory.keep("demo", "token", grant("new"));
  memory.forget("demo", "token", old);
  ASSERT_TRUE(memory.find("demo", "token"));
  memory.forget("demo", "token", memory.find("demo", "token"));
  EXPECT_FALSE(memory.find("demo", "token"));
}

TEST_F(Remembering, ReadsWhatARowCarriesAsItWasWritten) {
  RememberedGrant written = grant("family");
  written.token.sid = "s";
  written.token.device = "Ana's phone";
  written.token.offline_consent = true;
  written.token.user_epoch = 3;
  written.token.tenant_epoch = 4;
  written.token.created_at = 5;
  written.session_lives = true;
  written.auth_time = 6;
  written.amr = {"pwd", "otp"};
  const auto read = remembered_grant("family", to_text(written));
  ASSERT_TRUE(read);
  EXPECT_EQ(to_text(*read), to_text(written));
  EXPECT_EQ(read->token.family, "family");
  EXPECT_EQ(read->token.scopes, written.token.scopes);
  EXPECT_EQ(read->amr, written.amr);
  for (const char* bad : {"", "{}", "[]", "{\"client_id\":1}", "null"}) EXPECT_FALSE(remembered_grant("family", bad));
}

}  // namespace
}  // namespace mandate::oauth
