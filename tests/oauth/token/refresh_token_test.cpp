// TK-12, OA-13.
#include "tests/oauth/oauth_world.h"

namespace mandate::oauth {
namespace {

struct RefreshToken : OAuthTest {
  Browser browser{*this};

  JsonObject log_in(std::string client_id = "spa", std::string scope = "openid offline_access") {
    browser.log_in(ana);
    return body(token(code_form(browser.code(client_id, std::move(scope)), client_id,
                                client(client_id).callbacks.front())));
  }
  static Form refresh(const std::string& text, std::string client_id = "spa") {
    return {{"grant_type", "refresh_token"}, {"client_id", std::move(client_id)}, {"refresh_token", text}};
  }
};

TEST_F(RefreshToken, IsRotated) {
  const std::string first = text(log_in(), "refresh_token");
  const auto answer = token(refresh(first));
  ASSERT_EQ(answer.status, 200) << answer.body;
  const JsonObject tokens = body(answer);
  EXPECT_NE(text(tokens, "refresh_token"), first);
  EXPECT_EQ(text(tokens, "scope"), "openid offline_access");
  EXPECT_FALSE(text(tokens, "id_token").empty());
  EXPECT_EQ(token(refresh(text(tokens, "refresh_token"))).status, 200);
}

TEST_F(RefreshToken, UsedAHundredTimesAtOnceSucceedsOnce) {
  const std::string first = text(log_in(), "refresh_token");
  int good = 0;
  std::string successor;
  for (const auto& answer : at_once(100, "/oauth/token", refresh(first))) {
    if (answer.status == 200) {
      ++good;
      successor = text(body(answer), "refresh_token");
    } else {
      EXPECT_EQ(text(body(answer), "error"), "invalid_grant");
    }
  }
  EXPECT_EQ(good, 1);
  EXPECT_EQ(token(refresh(successor)).status, 200);
}

TEST_F(RefreshToken, RetriedWithinTenSecondsGivesTheSameSuccessor) {
  const std::string first = text(log_in(), "refresh_token");
  const std::string successor = text(body(token(refresh(first))), "refresh_token");
  temp.reopen();  // also over a restart
  clock.advance(std::chrono::seconds(9));
  const auto again = token(refresh(first));
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(text(body(again), "refresh_token"), successor);
}

TEST_F(RefreshToken, ReusedLaterIsRefusedAndTheFamilyDies) {
  const JsonObject tokens = log_in();
  const std::string first = text(tokens, "refresh_token");
  const JsonObject second = body(token(refresh(first)));
  clock.advance(std::chrono::seconds(11));
  EXPECT_EQ(text(body(token(refresh(first))), "error"), "invalid_grant");
  EXPECT_EQ(text(body(token(refresh(text(second, "refresh_token")))), "error"), "invalid_grant");
  EXPECT_EQ(get("/userinfo", {{"Authorization", "Bearer " + text(second, "access_token")}}).status, 401);
}

TEST_F(RefreshToken, ReusedAtOnceByAnotherRequestIsReuse) {
  const std::string first = text(log_in(), "refresh_token");
  const std::string successor = text(body(token(refresh(first))), "refresh_token");
  EXPECT_EQ(token(refresh(first), {{"User-Agent", "somebody else"}}).status, 400);
  EXPECT_EQ(token(refresh(successor)).status, 400);
}

TEST_F(RefreshToken, OfAnotherClientIsUnknown) {
  const std::string first = text(log_in(), "refresh_token");
  Form other = refresh(first, "other");
  other.emplace_back("client_secret", "other-secret");
  const auto answer = token(other);
  EXPECT_EQ(text(body(answer), "error"), "invalid_grant");
  EXPECT_NE(text(body(answer), "error_description").find("invalid refresh token"), std::string::npos);
  EXPECT_EQ(token(refresh(first)).status, 200);
}

TEST_F(RefreshToken, MayGiveFewerScopesButNeverMore) {
  const std::string first = text(log_in("spa", "openid email offline_access"), "refresh_token");
  Form more = refresh(first);
  more.emplace_back("scope", "openid profile");
  EXPECT_EQ(text(body(token(more)), "error"), "invalid_scope");
  Form fewer = refresh(first);
  fewer.emplace_back("scope", "openid");
  const auto answer = token(fewer);
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(text(body(answer), "scope"), "openid");
  Form elsewhere = refresh(text(body(answer), "refresh_token"));
  elsewhere.emplace_back("audience", "https://api");
  EXPECT_EQ(text(body(token(elsewhere)), "error"), "invalid_target");
}

TEST_F(RefreshToken, OutlivesTheEndOfItsSession) {
  config().session_lifetime_seconds = config().idle_session_lifetime_seconds = 86'400;
  const std::string given = text(log_in(), "refresh_token");
  clock.advance(std::chrono::hours(48));
  const auto alive = token(refresh(given));
  EXPECT_EQ(alive.status, 200) << alive.body;
}

TEST_F(RefreshToken, RotatedOutAndThenRevokedEndsTheFamily) {  // RFC 7009 §2.1
  const std::string first = text(log_in(), "refresh_token");
  const JsonObject second = body(token(refresh(first)));
  EXPECT_EQ(post("/oauth/revoke", {{"client_id", "other"}, {"client_secret", "other-secret"}, {"token", first}}).status, 200);
  const std::string access = "Bearer " + text(second, "access_token");
  EXPECT_EQ(get("/userinfo", {{"Authorization", access}}).status, 200) << "another client ends nothing";
  EXPECT_EQ(post("/oauth/revoke", {{"client_id", "spa"}, {"token", first}}).status, 200);
  EXPECT_EQ(token(refresh(text(second, "refresh_token"))).status, 400);
  EXPECT_EQ(get("/userinfo", {{"Authorization", access}}).status, 401);
}

TEST_F(RefreshToken, EndsIdleAndAbsolutely) {
  client("spa").refresh_idle_seconds = 100;
  client("spa").refresh_absolute_seconds = 250;
  std::string current = text(log_in(), "refresh_token");
  for (int i = 0; i < 2; ++i) {
    clock.advance(std::chrono::seconds(90));
    current = text(body(token(refresh(current))), "refresh_token");
    ASSERT_FALSE(current.empty());
  }
  clock.advance(std::chrono::seconds(90));  // 270 s: idle would allow it
  EXPECT_EQ(token(refresh(current)).status, 400);
  current = text(log_in(), "refresh_token");
  clock.advance(std::chrono::seconds(101));
  EXPECT_EQ(token(refresh(current)).status, 400);
}

TEST_F(RefreshToken, OfALegacyClientNeitherEndsNorRotates) {
  const JsonObject tokens = log_in("todo", "openid offline_access");
  const std::string first = text(tokens, "refresh_token");
  clock.advance(std::chrono::hours(24 * 400));
  const auto answer = token(refresh(first, "todo"));
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_FALSE(body(answer).contains("refresh_token"));
  EXPECT_EQ(token(refresh(first, "todo")).status, 200);
}

TEST_F(RefreshToken, DiesWithLogoutBlockAndTenantEpoch) {
  const std::string a = text(log_in(), "refresh_token");
  browser.get("/v2/logout");
  EXPECT_EQ(token(refresh(a)).status, 400);
  const std::string b = text(log_in(), "refresh_token");
  ++config().epoch;
  EXPECT_EQ(token(refresh(b)).status, 400);
  const std::string c = text(log_in(), "refresh_token");
  ASSERT_TRUE(run(loop, users.set_blocked(here(), ana.user_id, true)).ok());
  const auto answer = token(refresh(c));
  EXPECT_EQ(text(body(answer), "error"), "invalid_grant");
  EXPECT_EQ(text(body(answer), "error_description"), "user is blocked.");
}

TEST_F(RefreshToken, IsOnlyGivenWhenAskedForAndAllowed) {
  EXPECT_FALSE(log_in("spa", "openid").contains("refresh_token"));
  client("spa").grant_types.erase(client("spa").grant_types.find(tenant::grant::kRefreshToken));
  EXPECT_FALSE(log_in("spa", "openid offline_access").contains("refresh_token"));
}

}  // namespace
}  // namespace mandate::oauth
