// identity-wire 1.16, OA-3, SE-5.
#include "tests/oauth/oauth_world.h"

namespace mandate::oauth {
namespace {

struct Logout : OAuthTest {
  Browser browser{*this};
  identity::Session session = browser.log_in(ana);

  bool alive() { return run(loop, sessions.find(here(), session.id))->has_value(); }
  std::string id_token() { return text(body(token(code_form(browser.code()))), "id_token"); }
};

TEST_F(Logout, EndsTheSessionAndGoesWhereItMay) {
  const auto answer =
      browser.get("/v2/logout?client_id=spa&returnTo=" + percent_encode("https://spa.example/bye"));
  EXPECT_EQ(answer.status, 302);
  EXPECT_EQ(answer.headers.get("Location"), "https://spa.example/bye");
  EXPECT_FALSE(alive());
  EXPECT_TRUE(browser.cookies.empty());
}

TEST_F(Logout, SaysOkWithoutAnAddress) {
  const auto answer = browser.get("/logout");
  EXPECT_EQ(answer.status, 200);
  EXPECT_NE(answer.body.find("OK"), std::string::npos);
  EXPECT_FALSE(alive());
  EXPECT_EQ(get("/logout").status, 200);
}

TEST_F(Logout, NeverRedirectsToAnAddressThatIsNotListed) {
  for (const std::string& uri :
       {"https://evil.example/", "https://spa.example/bye/", "https://spa.example/bye?x",
        "https://SPA.example/bye", "https://spa.example/bye#x", "https://spa.example@evil.example/bye",
        "//evil.example", "javascript:alert(1)", "https://spa.example/bye\r\nX: y",
        "https://tenant.example/bye", "https://web.example/bye"}) {
    const auto legacy = browser.get("/v2/logout?client_id=spa&returnTo=" + percent_encode(uri));
    EXPECT_EQ(legacy.status, 400) << uri;
    EXPECT_FALSE(legacy.headers.has("Location"));
    const auto oidc =
        browser.get("/oidc/logout?client_id=spa&post_logout_redirect_uri=" + percent_encode(uri));
    EXPECT_EQ(oidc.status, 400) << uri;
    EXPECT_FALSE(oidc.headers.has("Location"));
  }
  EXPECT_EQ(browser.get("/v2/logout?client_id=nobody").status, 400);
  EXPECT_EQ(browser.get("/v2/logout?returnTo=" + percent_encode("https://spa.example/bye")).status, 400);
  EXPECT_EQ(
      browser.get("/oidc/logout?post_logout_redirect_uri=" + percent_encode("https://tenant.example/bye"))
          .status,
      400);
  EXPECT_TRUE(alive());
  EXPECT_EQ(browser.get("/v2/logout?returnTo=" + percent_encode("https://tenant.example/bye"))
                .headers.get("Location"),
            "https://tenant.example/bye");
}

TEST_F(Logout, IsNotDoneForAForeignPage) {
  browser.headers = {
      {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Mode", "no-cors"}, {"Sec-Fetch-Dest", "image"}};
  EXPECT_EQ(
      browser.get("/v2/logout?client_id=spa&returnTo=" + percent_encode("https://spa.example/bye")).status,
      403);
  EXPECT_TRUE(alive());
  browser.headers = {
      {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Mode", "navigate"}, {"Sec-Fetch-Dest", "document"}};
  const auto asks = browser.get("/v2/logout");
  EXPECT_EQ(asks.status, 200);
  EXPECT_NE(asks.body.find("Sign out?"), std::string::npos);
  EXPECT_TRUE(alive());
  EXPECT_EQ(browser.post("/logout/confirm", {{"csrf", "x"}}).status, 403);
  EXPECT_TRUE(alive());
  const std::string mark = "name=\"csrf\" value=\"";
  const auto at = asks.body.find(mark) + mark.size();
  const std::string csrf = asks.body.substr(at, asks.body.find('"', at) - at);
  EXPECT_EQ(browser.post("/logout/confirm", {{"csrf", csrf}}).status, 403);
  browser.headers = {{"Sec-Fetch-Site", "same-origin"}, {"Origin", "https://login.example"}};
  EXPECT_EQ(browser.post("/logout/confirm", {{"csrf", csrf}}).status, 200);
  EXPECT_FALSE(alive());
}

TEST_F(Logout, ByOidcIsStraightWithAHintAlsoAnExpiredOne) {
  const std::string hint = id_token();
  clock.advance(std::chrono::hours(11));
  const auto answer = browser.get("/oidc/logout?state=s%201&id_token_hint=" + hint +
                                  "&post_logout_redirect_uri=" + percent_encode("https://spa.example/bye"));
  EXPECT_EQ(answer.status, 302) << answer.body;
  EXPECT_EQ(answer.headers.get("Location"), "https://spa.example/bye?state=s%201");
  EXPECT_FALSE(alive());
}

TEST_F(Logout, ByOidcAsksWithoutAHintOrWithSomebodyElses) {
  const std::string hint = id_token();
  EXPECT_EQ(browser
                .get("/oidc/logout?client_id=spa&post_logout_redirect_uri=" +
                     percent_encode("https://spa.example/bye"))
                .status,
            200);
  EXPECT_TRUE(alive());
  const auto ben = sign_up("ben@example.com");
  session = browser.log_in(ben);
  EXPECT_EQ(browser.get("/oidc/logout?id_token_hint=" + hint).status, 200);
  EXPECT_TRUE(alive());
  EXPECT_EQ(browser.get("/oidc/logout?id_token_hint=nonsense").status, 400);
}

TEST_F(Logout, AHintWithANonsensicalEndIsOnlyRefused) {
  for (std::string_view end : {"-9223372036854775808", "9223372036854775807", "0", "\"x\""}) {
    const std::string jwt = base64url(R"({"alg":"ES256","typ":"JWT"})") + "." +
                            base64url(R"({"aud":"spa","exp":)" + std::string(end) + "}") + "." +
                            base64url(std::string(64, 'x'));
    EXPECT_EQ(browser.get("/oidc/logout?id_token_hint=" + jwt).status, 400) << end;
    EXPECT_FALSE(landed(browser.authorize({{"client_id", "spa"},
                                           {"response_type", "code"},
                                           {"redirect_uri", "https://spa.example/cb"},
                                           {"code_challenge", std::string(kChallenge)},
                                           {"code_challenge_method", "S256"},
                                           {"prompt", "none"},
                                           {"id_token_hint", jwt}}))["code"]
                     .empty())
        << "says nothing: " << end;
  }
  EXPECT_TRUE(alive());
}

}  // namespace
}  // namespace mandate::oauth
