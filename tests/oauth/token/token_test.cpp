// The token endpoint itself: its error table, client authentication, headers (identity-wire 1.17, OA-12,
// OA-15).
#include "tests/oauth/oauth_world.h"

namespace mandate::oauth {
namespace {

std::string basic(std::string_view id, std::string_view secret) {
  return "Basic " + base64(std::string(id) + ":" + std::string(secret));
}

struct Token : OAuthTest {
  void add_ps256() {
    tenants.add_api("https://pss", "PS256");
    config().client_grants.push_back({"m2m", "https://pss", {"read"}});
    config().signing_keys.push_back({*jose::Key::generate(jose::Alg::PS256), "", "current"});
  }
};

TEST_F(Token, TakesAReplacedSecretUntilItsTimeAndNoLonger) {  // OA-12
  const std::vector<tenant::ClientSecret> old = client("m2m").secrets;
  client("m2m").secrets = {{token_hash("new-secret"), "", 0}, old.front()};
  client("m2m").secrets[1].expires_at = clock.now_ms() + 60'000;
  const auto with = [&](std::string_view secret) {
    return token({{"grant_type", "client_credentials"}, {"audience", "https://api"}}, {{"Authorization", basic("m2m", secret)}}).status;
  };
  EXPECT_EQ(with("m2m-secret"), 200);
  EXPECT_EQ(with("new-secret"), 200);
  clock.advance(std::chrono::milliseconds(59'999));
  EXPECT_EQ(with("m2m-secret"), 200);
  clock.advance(std::chrono::milliseconds(1));
  EXPECT_EQ(with("m2m-secret"), 401);
  EXPECT_EQ(with("new-secret"), 200);
}

TEST_F(Token, LimitsAClientThatShowsBasicByItself) {
  tenant::RateLimiter& spent = limiter;
  for (int i = 0; i < Rates{}.token; ++i) spent.take("oauth.token", "m2m\n192.0.2.7", Rates{}.token);
  const Form fields = {{"grant_type", "client_credentials"}, {"audience", "https://api"}};
  EXPECT_EQ(token(fields, {{"Authorization", basic("m2m", "m2m-secret")}}).status, 429);
  EXPECT_NE(token(fields, {{"Authorization", basic("web", "web-secret")}}).status, 429);
}

TEST_F(Token, SignsAccessTokensOfAnApiWithPs256) {
  add_ps256();
  const auto answer = token({{"grant_type", "client_credentials"}, {"client_id", "m2m"}, {"client_secret", "m2m-secret"},
                             {"audience", "https://pss"}});
  ASSERT_EQ(answer.status, 200) << answer.body;
  const std::string jwt = text(body(answer), "access_token");
  const JsonObject set = body(get("/.well-known/jwks.json"));
  const std::vector<jose::Key> keys = *jose::keys_of_jwks(set);
  const auto parts = jose::parse_compact(jwt);
  ASSERT_TRUE(parts.ok());
  EXPECT_EQ(parts->alg, jose::Alg::PS256);
  const auto key = std::ranges::find_if(keys, [&](const jose::Key& k) { return k.kid() == parts->kid; });
  ASSERT_NE(key, keys.end());
  EXPECT_EQ(key->alg(), jose::Alg::PS256);
  EXPECT_TRUE(jose::verify(*parts, *key));
  EXPECT_NE(get("/.well-known/openid-configuration").body.find("PS256"), std::string::npos);
  EXPECT_EQ(body(post("/oauth/introspect", {{"client_id", "m2m"}, {"client_secret", "m2m-secret"}, {"token", jwt}})).at("active"),
            true);
}

TEST_F(Token, AnswersEveryRefusalWithItsStatusAndWord) {
  struct Row {
    std::string name;
    Form fields, headers;
    int status;
    std::string error;
  };
  const std::string cc = "client_credentials";
  const std::vector<Row> rows = {
      {"no grant type", {{"client_id", "spa"}}, {}, 400, "invalid_request"},
      {"empty grant type", {{"grant_type", ""}, {"client_id", "spa"}}, {}, 400, "invalid_request"},
      {"unknown grant type",
       {{"grant_type", "magic"}, {"client_id", "spa"}},
       {},
       400,
       "unsupported_grant_type"},
      {"grant type twice",
       {{"grant_type", cc}, {"grant_type", cc}, {"client_id", "m2m"}},
       {},
       400,
       "invalid_request"},
      {"no client", {{"grant_type", cc}}, {}, 400, "invalid_request"},
      {"unknown client", {{"grant_type", cc}, {"client_id", "nobody"}}, {}, 401, "invalid_client"},
      {"secret missing", {{"grant_type", cc}, {"client_id", "m2m"}}, {}, 401, "invalid_client"},
      {"secret wrong",
       {{"grant_type", cc}, {"client_id", "m2m"}, {"client_secret", "x"}},
       {},
       401,
       "invalid_client"},
      {"secret of another",
       {{"grant_type", cc}, {"client_id", "m2m"}, {"client_secret", "web-secret"}},
       {},
       401,
       "invalid_client"},
      {"secret twice",
       {{"grant_type", cc},
        {"client_id", "m2m"},
        {"client_secret", "m2m-secret"},
        {"client_secret", "m2m-secret"}},
       {},
       400,
       "invalid_request"},
      {"two methods",
       {{"grant_type", cc}, {"client_id", "m2m"}, {"client_secret", "m2m-secret"}},
       {{"Authorization", basic("m2m", "m2m-secret")}},
       400,
       "invalid_request"},
      {"basic wrong", {{"grant_type", cc}}, {{"Authorization", basic("m2m", "x")}}, 401, "invalid_client"},
      {"basic stray bytes",
       {{"grant_type", cc}},
       {{"Authorization", basic("m2m", "m2m-secret") + "!"}},
       401,
       "invalid_client"},
      {"basic without colon",
       {{"grant_type", cc}},
       {{"Authorization", "Basic " + base64("m2m")}},
       401,
       "invalid_client"},
      {"basic of another",
       {{"grant_type", cc}, {"client_id", "web"}},
       {{"Authorization", basic("m2m", "m2m-secret")}},
       400,
       "invalid_request"},
      {"assertion",
       {{"grant_type", cc}, {"client_id", "m2m"}, {"client_assertion", "x"}, {"client_assertion_type", "y"}},
       {},
       401,
       "invalid_client"},
      {"no audience",
       {{"grant_type", cc}, {"client_id", "m2m"}, {"client_secret", "m2m-secret"}},
       {},
       400,
       "invalid_request"},
      {"unknown audience",
       {{"grant_type", cc}, {"client_id", "m2m"}, {"client_secret", "m2m-secret"}, {"audience", "https://x"}},
       {},
       403,
       "access_denied"},
      {"no code", {{"grant_type", "authorization_code"}, {"client_id", "spa"}}, {}, 400, "invalid_request"},
      {"bad code",
       {{"grant_type", "authorization_code"}, {"client_id", "spa"}, {"code", "x"}},
       {},
       400,
       "invalid_grant"},
      {"no refresh token",
       {{"grant_type", "refresh_token"}, {"client_id", "spa"}},
       {},
       400,
       "invalid_request"},
      {"bad refresh token",
       {{"grant_type", "refresh_token"}, {"client_id", "spa"}, {"refresh_token", "x"}},
       {},
       400,
       "invalid_grant"},
      {"no username",
       {{"grant_type", "password"}, {"client_id", "spa"}, {"password", "x"}},
       {},
       400,
       "invalid_request"},
      {"no password",
       {{"grant_type", "password"}, {"client_id", "spa"}, {"username", "x"}},
       {},
       400,
       "invalid_request"},
      {"wrong password",
       {{"grant_type", "password"}, {"client_id", "spa"}, {"username", "ana@example.com"}, {"password", "x"}},
       {},
       400,
       "invalid_grant"},
      {"unknown realm",
       {{"grant_type", "http://auth0.com/oauth/grant-type/password-realm"},
        {"client_id", "spa"},
        {"username", "a"},
        {"password", "x"},
        {"realm", "x"}},
       {},
       400,
       "invalid_request"},
  };
  for (const Row& row : rows) {
    const auto answer = token(row.fields, row.headers);
    EXPECT_EQ(answer.status, row.status) << row.name << " " << answer.body;
    EXPECT_EQ(text(body(answer), "error"), row.error) << row.name;
    EXPECT_TRUE(body(answer).contains("error_description")) << row.name;
    EXPECT_EQ(answer.headers.get("Cache-Control"), "no-store") << row.name;
    const bool challenge = row.status == 401 && !row.headers.empty();
    EXPECT_EQ(answer.headers.has("WWW-Authenticate"), challenge) << row.name;
  }
}

TEST_F(Token, RefusesEveryGrantTheClientWasNotGiven) {
  client("web").grant_types.clear();
  const Form who = {{"client_id", "web"}, {"client_secret", "web-secret"}};
  for (Form extra : {Form{{"grant_type", "password"},
                          {"username", "ana@example.com"},
                          {"password", std::string(kPassword)}},
                     Form{{"grant_type", "http://auth0.com/oauth/grant-type/password-realm"},
                          {"realm", std::string(kDirectory)},
                          {"username", "ana@example.com"},
                          {"password", std::string(kPassword)}},
                     Form{{"grant_type", "client_credentials"}, {"audience", "https://api"}}}) {
    extra.insert(extra.end(), who.begin(), who.end());
    const auto answer = token(extra);
    EXPECT_EQ(answer.status, 403) << answer.body;
    EXPECT_EQ(text(body(answer), "error"), "unauthorized_client");
    EXPECT_NE(text(body(answer), "error_description").find("not allowed for the client"), std::string::npos);
  }
}

TEST_F(Token, TakesEitherWayOfSendingASecret) {
  const Form fields = {{"grant_type", "client_credentials"}, {"audience", "https://api"}};
  EXPECT_EQ(token(fields, {{"Authorization", basic("m2m", "m2m-secret")}}).status, 200);
  EXPECT_EQ(token(fields, {{"Authorization", basic("m2m", "m2m%2Dsecret")}}).status, 200);
}

TEST_F(Token, TakesAnOldSecretOnlyUntilItsRotationEnds) {
  client("m2m").secrets.push_back({token_hash("old"), "", clock.now_ms() + 1000});
  const Form fields = {{"grant_type", "client_credentials"},
                       {"client_id", "m2m"},
                       {"client_secret", "old"},
                       {"audience", "https://api"}};
  EXPECT_EQ(token(fields).status, 200);
  clock.advance(std::chrono::seconds(1));
  EXPECT_EQ(token(fields).status, 401);
}

TEST_F(Token, RefusesADisabledClient) {
  client("m2m").enabled = false;
  EXPECT_EQ(token({{"grant_type", "client_credentials"},
                   {"client_id", "m2m"},
                   {"client_secret", "m2m-secret"},
                   {"audience", "https://api"}})
                .status,
            403);
}

TEST_F(Token, GivesAPersonsTokensForAPassword) {
  const auto answer = token({{"grant_type", "password"},
                             {"client_id", "spa"},
                             {"username", "ana@example.com"},
                             {"password", std::string(kPassword)},
                             {"scope", "openid offline_access"}});
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(text(claims(text(body(answer), "id_token")), "sub"), ana.user_id);
  EXPECT_FALSE(text(body(answer), "refresh_token").empty());
}

TEST_F(Token, RefusesALockedAccountInEveryGrant) {
  const auto tokens = body(token({{"grant_type", "password"},
                                  {"client_id", "spa"},
                                  {"username", "ana@example.com"},
                                  {"password", std::string(kPassword)},
                                  {"scope", "openid offline_access"}}));
  int limited = 0;
  for (int i = 0; i < 12; ++i)
    limited += token({{"grant_type", "password"},
                      {"client_id", "spa"},
                      {"username", "ana@example.com"},
                      {"password", "wrong"}})
                   .status == 429;
  EXPECT_GE(limited, 1);
  const auto refreshed = token({{"grant_type", "refresh_token"},
                                {"client_id", "spa"},
                                {"refresh_token", text(tokens, "refresh_token")}});
  EXPECT_EQ(refreshed.status, 400);
  EXPECT_EQ(text(body(refreshed), "error"), "invalid_grant");
}

TEST_F(Token, WritesRefusalsIntoTheAudit) {
  token({{"grant_type", "client_credentials"}, {"client_id", "m2m"}, {"client_secret", "x"}});
  store::Plan plan;
  plan.table = "audit";
  const auto rows = run(loop, store::rows(temp.store(), plan));
  bool found = false;
  for (const auto& row : *rows) found |= row.text("type") == "grant.refused";
  EXPECT_TRUE(found);
}

TEST_F(Token, HasCorsForOriginsOfTheClientOnly) {
  const Form fields = {{"grant_type", "refresh_token"}, {"client_id", "spa"}, {"refresh_token", "x"}};
  EXPECT_EQ(token(fields, {{"Origin", "https://spa.example"}}).headers.get("Access-Control-Allow-Origin"),
            "https://spa.example");
  EXPECT_FALSE(
      token(fields, {{"Origin", "https://evil.example"}}).headers.has("Access-Control-Allow-Origin"));
  auto preflight = prepare(http::Method::options, "/oauth/token", "", "",
                           {{"Origin", "https://spa.example"}, {"Access-Control-Request-Method", "POST"}});
  EXPECT_EQ(send(*preflight).headers.get("Access-Control-Allow-Origin"), "https://spa.example");
}

TEST_F(Token, RefusesSecretsInTheQueryAndOtherBodies) {
  EXPECT_EQ(post("/oauth/token?client_secret=m2m-secret",
                 {{"grant_type", "client_credentials"}, {"client_id", "m2m"}})
                .status,
            400);
  EXPECT_EQ(send(*prepare(http::Method::post, "/oauth/token", "grant_type=client_credentials", "text/plain"))
                .status,
            415);
}

}  // namespace
}  // namespace mandate::oauth
