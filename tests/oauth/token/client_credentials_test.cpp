// identity-wire 4.4, OA-13.
#include "tests/oauth/oauth_world.h"

namespace mandate::oauth {
namespace {

struct ClientCredentials : OAuthTest {
  static Form ask(std::string audience, std::string scope = "") {
    return {{"grant_type", "client_credentials"},
            {"client_id", "m2m"},
            {"client_secret", "m2m-secret"},
            {"audience", std::move(audience)},
            {"scope", std::move(scope)}};
  }
  std::int64_t rows() {
    store::Plan plan;
    plan.table = "oauth_access_tokens";
    return static_cast<std::int64_t>(run(loop, store::rows(temp.store(), plan))->size());
  }
};

TEST_F(ClientCredentials, GiveAJwtAndWriteNothing) {
  const auto answer = token(ask("https://api"));
  ASSERT_EQ(answer.status, 200) << answer.body;
  const JsonObject tokens = body(answer);
  EXPECT_EQ(text(tokens, "token_type"), "Bearer");
  EXPECT_EQ(integer_member(tokens, "expires_in"), 86'400);
  EXPECT_EQ(text(tokens, "scope"), "read");
  EXPECT_FALSE(tokens.contains("id_token"));
  EXPECT_FALSE(tokens.contains("refresh_token"));
  const JsonObject access = claims(text(tokens, "access_token"));
  EXPECT_EQ(text(access, "sub"), "m2m@clients");
  EXPECT_EQ(text(access, "gty"), "client-credentials");
  EXPECT_EQ(text(access, "aud"), "https://api");
  EXPECT_EQ(text(access, "iss"), kIssuer);
  EXPECT_EQ(rows(), 0);
}

TEST_F(ClientCredentials, AreSignedAsTheApiWants) {
  const auto alg = [this](std::string audience) {
    return text(jose::parse_compact(text(body(token(ask(std::move(audience)))), "access_token"))->header,
                "alg");
  };
  EXPECT_EQ(alg("https://api"), "ES256");
  EXPECT_EQ(alg("https://rsa"), "RS256");
}

TEST_F(ClientCredentials, AreOpaqueForAnApiThatWantsThat) {
  const JsonObject tokens = body(token(ask("https://opaque")));
  EXPECT_EQ(text(tokens, "access_token").find('.'), std::string::npos);
  EXPECT_GE(text(tokens, "access_token").size(), 22U);
  EXPECT_EQ(rows(), 1);
}

TEST_F(ClientCredentials, GoNoFurtherThanTheClientGrant) {
  EXPECT_EQ(text(body(token(ask("https://api", "write"))), "error"), "invalid_scope");
  config().client_grants.clear();
  const auto answer = token(ask("https://api"));
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(text(body(answer), "error"), "access_denied");
  EXPECT_NE(text(body(answer), "error_description").find("https://api"), std::string::npos);
}

TEST_F(ClientCredentials, AreAllInTheAuditAlsoWhenTheyComeInAFlood) {
  at_once(20, "/oauth/token", ask("https://api"));
  clock.advance(std::chrono::seconds(1));
  token(ask("https://api"));
  store::Plan plan;
  plan.table = "audit";
  const auto rows = run(loop, store::rows(temp.store(), plan));
  std::int64_t counted = 0;
  int lines = 0;
  for (const auto& row : *rows) {
    if (row.text("type") != "grant.ok" || row.text("client_id") != "m2m") continue;
    counted += integer_member(parse_json(row.text("details"))->get_object(), "count").value_or(0);
    ++lines;
  }
  EXPECT_EQ(counted, 21);
  EXPECT_EQ(lines, 2);
}

TEST_F(ClientCredentials, NeedASecret) {
  Form without = ask("https://api");
  without.erase(without.begin() + 2);
  EXPECT_EQ(token(without).status, 401);
  EXPECT_EQ(
      token({{"grant_type", "client_credentials"}, {"client_id", "spa"}, {"audience", "https://api"}}).status,
      401);
}

}  // namespace
}  // namespace mandate::oauth
