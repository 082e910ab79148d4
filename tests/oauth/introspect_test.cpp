// RFC 7662 and RFC 7009 (TK-8).
#include "tests/oauth/oauth_world.h"

namespace mandate::oauth {
namespace {

struct Introspect : OAuthTest {
  Browser browser{*this};

  JsonObject tokens(std::string audience = "") {
    browser.log_in(ana);
    Form more;
    if (!audience.empty()) more.emplace_back("audience", std::move(audience));
    return body(token(with_secret(
        code_form(browser.code("web", "openid read offline_access", more), "web", "https://web.example/cb"),
        "web")));
  }
  static Form with_secret(Form form, const std::string& id) {
    form.emplace_back("client_secret", id + "-secret");
    return form;
  }
  http::Response ask(const std::string& text, const std::string& id = "web") {
    return post("/oauth/introspect", {{"client_id", id}, {"client_secret", id + "-secret"}, {"token", text}});
  }
  void expect_inactive(const std::string& text, const std::string& id = "web") {
    const auto answer = ask(text, id);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, R"({"active":false})") << text;
  }
};

TEST_F(Introspect, TellsTheHolderAboutEachKindOfToken) {
  for (const std::string audience : {"", "https://api", "https://opaque"}) {
    const JsonObject given = tokens(audience);
    const JsonObject access = body(ask(text(given, "access_token")));
    EXPECT_TRUE(access.at("active").as_bool());
    EXPECT_EQ(text(access, "client_id"), "web");
    EXPECT_EQ(text(access, "sub"), ana.user_id);
    EXPECT_TRUE(access.contains("exp"));
    const JsonObject refresh = body(ask(text(given, "refresh_token")));
    EXPECT_TRUE(refresh.at("active").as_bool());
  }
}

TEST_F(Introspect, TellsTheApiAboutTokensForIt) {
  const JsonObject given = tokens("https://api");
  expect_inactive(text(given, "access_token"), "other");
  client("other").extra["resource_server_identifier"] = "https://api";
  EXPECT_TRUE(body(ask(text(given, "access_token"), "other")).at("active").as_bool());
  expect_inactive(text(given, "refresh_token"), "other");
  expect_inactive(text(tokens("https://rsa"), "access_token"), "other");
}

TEST_F(Introspect, SaysNothingAboutWhatIsDeadForeignOrNoAccessToken) {
  const JsonObject given = tokens("https://api");
  expect_inactive("nonsense");
  expect_inactive("a.b.c");
  expect_inactive(text(given, "id_token"));
  expect_inactive(browser.code("web"));
  expect_inactive(text(given, "access_token") + "x");
  clock.advance(std::chrono::hours(25));
  expect_inactive(text(given, "access_token"));
  const JsonObject revoked = tokens("https://opaque");
  EXPECT_EQ(post("/oauth/revoke",
                 with_secret({{"client_id", "web"}, {"token", text(revoked, "refresh_token")}}, "web"))
                .status,
            200);
  expect_inactive(text(revoked, "refresh_token"));
  expect_inactive(text(revoked, "access_token"));
  const JsonObject blocked = tokens();
  ASSERT_TRUE(run(loop, users.set_blocked(here(), ana.user_id, true)).ok());
  expect_inactive(text(blocked, "access_token"));
  expect_inactive(text(blocked, "refresh_token"));
}

TEST_F(Introspect, IsForClientsThatProveThemselves) {
  EXPECT_EQ(post("/oauth/introspect", {{"client_id", "spa"}, {"token", "x"}}).status, 401);
  EXPECT_EQ(post("/oauth/introspect", {{"client_id", "web"}, {"client_secret", "x"}, {"token", "x"}}).status,
            401);
  EXPECT_EQ(post("/oauth/introspect", with_secret({{"client_id", "web"}}, "web")).status, 400);
}

TEST_F(Introspect, RevocationAnswersTheSameForWhatItCannotRevoke) {
  const JsonObject given = tokens();
  const auto unknown =
      post("/oauth/revoke", with_secret({{"client_id", "web"}, {"token", "nonsense"}}, "web"));
  const auto foreign =
      post("/oauth/revoke",
           with_secret({{"client_id", "other"}, {"token", text(given, "refresh_token")}}, "other"));
  EXPECT_EQ(unknown.status, 200);
  EXPECT_EQ(foreign.status, 200);
  EXPECT_EQ(unknown.body, foreign.body);
  EXPECT_TRUE(body(ask(text(given, "refresh_token"))).at("active").as_bool());
  EXPECT_EQ(post("/oauth/revoke", {{"client_id", "web"}, {"token", "x"}}).status, 401);
}

}  // namespace
}  // namespace mandate::oauth
