// OA-6, OA-7, OA-8 and what a code gives.
#include "tests/oauth/oauth_world.h"

namespace mandate::oauth {
namespace {

struct AuthorizationCode : OAuthTest {
  Browser browser{*this};
  identity::Session session = browser.log_in(ana);
};

TEST_F(AuthorizationCode, BecomesAccessIdAndRefreshToken) {
  const auto answer =
      token(code_form(browser.code("spa", "openid email offline_access", {{"nonce", "n-1"}})));
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.headers.get("Cache-Control"), "no-store");
  EXPECT_EQ(answer.headers.get("Pragma"), "no-cache");
  EXPECT_TRUE(answer.headers.has("X-RateLimit-Limit"));
  const JsonObject tokens = body(answer);
  EXPECT_EQ(text(tokens, "token_type"), "Bearer");
  EXPECT_EQ(text(tokens, "scope"), "openid email offline_access");
  EXPECT_TRUE(tokens.at("expires_in").is_int64());
  EXPECT_EQ(text(tokens, "refresh_token").size(), 45U);
  const JsonObject id = claims(text(tokens, "id_token"));
  EXPECT_EQ(text(id, "iss"), kIssuer);
  EXPECT_EQ(text(id, "sub"), ana.user_id);
  EXPECT_EQ(text(id, "aud"), "spa");
  EXPECT_EQ(text(id, "nonce"), "n-1");
  EXPECT_EQ(text(id, "email"), "ana@example.com");
  EXPECT_EQ(text(id, "sid"), session.id);
  EXPECT_EQ(integer_member(id, "exp"), *integer_member(id, "iat") + 36'000);
  EXPECT_EQ(text(id, "at_hash").size(), 22U);
}

TEST_F(AuthorizationCode, ForAnApiGivesAJwtOfItsKind) {
  const auto answer =
      token(code_form(browser.code("spa", "openid read admin", {{"audience", "https://api"}})));
  ASSERT_EQ(answer.status, 200) << answer.body;
  const std::string jwt = text(body(answer), "access_token");
  const auto parsed = jose::parse_compact(jwt);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(text(parsed->header, "typ"), "at+jwt");
  EXPECT_EQ(text(parsed->header, "alg"), "ES256");
  const JsonObject access = claims(jwt);
  EXPECT_EQ(text(access, "scope"), "openid read");
  EXPECT_EQ(text(access, "azp"), "spa");
  EXPECT_EQ(access.at("aud").get_array().size(), 2U);
}

TEST_F(AuthorizationCode, IsGoodOnceAmongFiftyAtTheSameMomentAndTheOthersRevokeWhatItGave) {
  const std::string code = browser.code();
  int good = 0;
  JsonObject tokens;
  for (const auto& answer : at_once(50, "/oauth/token", code_form(code))) {
    if (answer.status == 200) {
      ++good;
      tokens = body(answer);
    } else {
      EXPECT_EQ(answer.status, 400);
      EXPECT_EQ(text(body(answer), "error"), "invalid_grant");
    }
  }
  EXPECT_EQ(good, 1);
  EXPECT_EQ(get("/userinfo", {{"Authorization", "Bearer " + text(tokens, "access_token")}}).status, 401);
  EXPECT_EQ(token({{"grant_type", "refresh_token"},
                   {"client_id", "spa"},
                   {"refresh_token", text(tokens, "refresh_token")}})
                .status,
            400);
}

TEST_F(AuthorizationCode, UsedASecondTimeLaterRevokesJwtsToo) {
  const std::string code = browser.code("spa", "openid offline_access read", {{"audience", "https://api"}});
  const JsonObject tokens = body(token(code_form(code)));
  const std::string bearer = "Bearer " + text(tokens, "access_token");
  EXPECT_EQ(get("/userinfo", {{"Authorization", bearer}}).status, 200);
  clock.advance(std::chrono::minutes(10));
  EXPECT_EQ(text(body(token(code_form(code))), "error"), "invalid_grant");
  EXPECT_EQ(get("/userinfo", {{"Authorization", bearer}}).status, 401);
}

TEST_F(AuthorizationCode, OfAnotherClientOrRedirectUriIsRefusedAndStaysGood) {
  const std::string code = browser.code();
  Form other = code_form(code, "other", "https://spa.example/cb");
  other.emplace_back("client_secret", "other-secret");
  EXPECT_EQ(text(body(token(other)), "error"), "invalid_grant");
  EXPECT_EQ(text(body(token(code_form(code, "spa", "https://spa.example/cb/"))), "error"), "invalid_grant");
  Form without = code_form(code);
  without.erase(without.begin() + 3);
  EXPECT_EQ(text(body(token(without)), "error"), "invalid_grant");
  EXPECT_EQ(token(code_form(code)).status, 200);
}

TEST_F(AuthorizationCode, DiesAfterSixtySeconds) {
  const std::string code = browser.code();
  clock.advance(std::chrono::seconds(61));
  EXPECT_EQ(text(body(token(code_form(code))), "error"), "invalid_grant");
}

TEST_F(AuthorizationCode, DiesWithTheSessionAndWithThePerson) {
  const std::string before_logout = browser.code();
  browser.get("/v2/logout");
  EXPECT_EQ(text(body(token(code_form(before_logout))), "error"), "invalid_grant");
  browser.log_in(ana);
  const std::string before_block = browser.code();
  ASSERT_TRUE(run(loop, users.set_blocked(here(), ana.user_id, true)).ok());
  const auto answer = token(code_form(before_block));
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(text(body(answer), "error"), "invalid_grant");
}

TEST_F(AuthorizationCode, AndVerifierBelongTogether) {
  struct Row {
    bool challenge;
    std::string verifier;
    int status;
  };
  const std::string right(kVerifier), wrong(43, 'a'), short_one = right.substr(0, 42), long_one(129, 'a'),
                                                      bad = right.substr(0, 42) + "!";
  for (const Row& row : {Row{true, right, 200},
                         {true, "", 400},
                         {false, "", 200},
                         {false, right, 400},
                         {true, wrong, 400},
                         {true, short_one, 400},
                         {true, long_one, 400},
                         {true, bad, 400},
                         {true, std::string(kChallenge), 400}}) {
    Form fields = {{"client_id", "web"},
                   {"response_type", "code"},
                   {"redirect_uri", "https://web.example/cb"},
                   {"state", "s"}};
    if (row.challenge) {
      fields.emplace_back("code_challenge", kChallenge);
      fields.emplace_back("code_challenge_method", "S256");
    }
    const std::string code = landed(browser.authorize(fields))["code"];
    Form redeem = {{"grant_type", "authorization_code"},
                   {"client_id", "web"},
                   {"client_secret", "web-secret"},
                   {"code", code},
                   {"redirect_uri", "https://web.example/cb"},
                   {"code_verifier", row.verifier}};
    const auto answer = token(redeem);
    EXPECT_EQ(answer.status, row.status) << row.challenge << " " << row.verifier << " " << answer.body;
    if (row.status == 400) EXPECT_EQ(text(body(answer), "error"), "invalid_grant");
  }
}

TEST_F(AuthorizationCode, IsNothingElseWithAHandle) {
  const auto at_login = Browser(*this).authorize({{"client_id", "spa"},
                                                  {"response_type", "code"},
                                                  {"code_challenge", std::string(kChallenge)},
                                                  {"code_challenge_method", "S256"}});
  const JsonObject tokens = body(token(code_form(browser.code())));
  for (const std::string& thing : {landed(at_login)["state"], text(tokens, "refresh_token"),
                                   text(tokens, "access_token"), text(tokens, "id_token"), session.id})
    EXPECT_EQ(text(body(token(code_form(thing))), "error"), "invalid_grant") << thing;
}

TEST_F(AuthorizationCode, IsAnsweredAsTheTenantWantsItsStatus) {
  EXPECT_EQ(token(code_form("nonsense")).status, 400);
  config().token_error_status = "auth0";
  EXPECT_EQ(token(code_form("nonsense")).status, 403);
}

TEST_F(AuthorizationCode, IsTakenAsJsonToo) {
  const JsonObject json{{"grant_type", "authorization_code"},
                        {"client_id", "spa"},
                        {"code", browser.code()},
                        {"redirect_uri", "https://spa.example/cb"},
                        {"code_verifier", kVerifier}};
  EXPECT_EQ(
      send(*prepare(http::Method::post, "/oauth/token", to_json(Json(json)), "application/json")).status,
      200);
}

}  // namespace
}  // namespace mandate::oauth
