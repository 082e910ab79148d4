// /userinfo (identity-wire 1.14) and which tokens open it (TK-4, TK-10, TK-11).
#include "tests/oauth/oauth_world.h"

namespace mandate::oauth {
namespace {

struct Userinfo : OAuthTest {
  Browser browser{*this};
  identity::Session session = browser.log_in(ana);

  JsonObject tokens(std::string client_id = "spa", std::string scope = "openid email offline_access",
                    Form more = {}) {
    const std::string code = browser.code(client_id, std::move(scope), std::move(more));
    return body(token(code_form(code, client_id, client(client_id).callbacks.front())));
  }
  http::Response with(const std::string& bearer) {
    return get("/userinfo", {{"Authorization", "Bearer " + bearer}});
  }
};

TEST_F(Userinfo, TellsAConformantClientWhatItsScopesAllow) {
  const auto answer = with(text(tokens(), "access_token"));
  ASSERT_EQ(answer.status, 200) << answer.body;
  const JsonObject about = body(answer);
  EXPECT_EQ(text(about, "sub"), ana.user_id);
  EXPECT_EQ(text(about, "email"), "ana@example.com");
  EXPECT_FALSE(about.contains("user_id"));
  EXPECT_FALSE(about.contains("name"));
  EXPECT_EQ(answer.headers.get("Cache-Control"), "no-store");
  EXPECT_TRUE(answer.headers.has("X-RateLimit-Remaining"));
}

TEST_F(Userinfo, TellsALegacyClientEverything) {
  const auto answer = with(text(tokens("todo", "openid"), "access_token"));
  const JsonObject about = body(answer);
  for (std::string_view name :
       {"user_id", "sub", "clientID", "global_client_id", "name", "nickname", "picture", "identities", "created_at", "email"})
    EXPECT_TRUE(about.contains(name)) << name;
  EXPECT_EQ(text(about, "user_id"), ana.user_id);
  for (std::string_view name : {"blocked", "password_hash", "last_ip"})
    EXPECT_FALSE(about.contains(name)) << name;
}

TEST_F(Userinfo, TellsALegacyClientOnlyWhatItsScopesSayWithoutTheTenantsFlag) {  // identity-wire 0.8
  config().flags.erase("enable_legacy_profile");
  const JsonObject got = tokens("todo", "openid email");
  const JsonObject about = body(with(text(got, "access_token")));
  EXPECT_EQ(text(about, "sub"), ana.user_id);
  EXPECT_EQ(text(about, "email"), "ana@example.com");
  const JsonObject told = claims(text(got, "id_token"));
  EXPECT_EQ(text(told, "email"), "ana@example.com");
  for (std::string_view name : {"user_id", "identities", "created_at", "user_metadata", "app_metadata", "global_client_id"}) {
    EXPECT_FALSE(about.contains(name)) << name;
    EXPECT_FALSE(told.contains(name)) << name;
  }
}

TEST_F(Userinfo, TakesATokenFromTheQueryOnlyOfClientsThatMay) {
  EXPECT_EQ(get("/userinfo?access_token=" + text(tokens("todo", "openid"), "access_token")).status, 200);
  EXPECT_EQ(get("/userinfo?access_token=" + text(tokens(), "access_token")).status, 401);
  EXPECT_EQ(post("/userinfo", {{"access_token", text(tokens(), "access_token")}}).status, 200);
}

TEST_F(Userinfo, RefusesWithAChallenge) {
  const auto none = get("/userinfo");
  EXPECT_EQ(none.status, 401);
  EXPECT_TRUE(none.headers.get("WWW-Authenticate").starts_with("Bearer error=\"invalid_token\""));
  EXPECT_EQ(text(body(none), "error"), "invalid_token");
  const std::string good = text(tokens(), "access_token");
  EXPECT_EQ(get("/userinfo?access_token=" + good, {{"Authorization", "Bearer " + good}}).status, 400);
}

TEST_F(Userinfo, OpensToNoOtherKindOfToken) {
  const JsonObject mine = tokens();
  const JsonObject api_only = tokens("spa", "read", {{"audience", "https://api"}});
  const JsonObject machine = body(token({{"grant_type", "client_credentials"},
                                         {"client_id", "m2m"},
                                         {"client_secret", "m2m-secret"},
                                         {"audience", "https://api"}}));
  const JsonObject opaque_machine = body(token({{"grant_type", "client_credentials"},
                                                {"client_id", "m2m"},
                                                {"client_secret", "m2m-secret"},
                                                {"audience", "https://opaque"}}));
  const std::string code = browser.code();
  for (const std::string& other :
       {text(mine, "id_token"), text(mine, "refresh_token"), code, session.id,
        browser.cookies.begin()->second, text(api_only, "access_token"), text(machine, "access_token"),
        text(opaque_machine, "access_token"), std::string("x")})
    EXPECT_EQ(with(other).status, 401) << other;
}

TEST_F(Userinfo, RefusesEveryMutilatedToken) {
  const std::string good = text(tokens(), "access_token");
  for (std::size_t length = 0; length < good.size(); ++length)
    EXPECT_EQ(with(good.substr(0, length)).status, 401);
  EXPECT_EQ(with(good + "a").status, 401);
  std::string swapped = good;
  for (char& c : swapped)
    c = static_cast<char>(std::isupper(static_cast<unsigned char>(c)) ? std::tolower(c) : std::toupper(c));
  EXPECT_EQ(with(swapped).status, 401);
}

TEST_F(Userinfo, ClosesWithTheNextRequestAfterAnyEnd) {
  const auto fresh = [this] {
    browser.log_in(ana);
    return std::pair(text(tokens(), "access_token"),
                     text(tokens("spa", "openid read", {{"audience", "https://api"}}), "access_token"));
  };
  const auto open = [this](const auto& pair, int status) {
    EXPECT_EQ(with(pair.first).status, status);
    EXPECT_EQ(with(pair.second).status, status);
  };
  auto pair = fresh();
  open(pair, 200);
  for (const std::string& t : {pair.first, pair.second})
    EXPECT_EQ(post("/oauth/revoke", {{"client_id", "spa"}, {"token", t}}).status, 200);
  open(pair, 401);
  pair = fresh();
  browser.get("/v2/logout");
  open(pair, 401);
  pair = fresh();
  client("spa").enabled = false;
  open(pair, 401);
  client("spa").enabled = true;
  open(pair, 200);
  ASSERT_TRUE(run(loop, users.raise_epoch(here(), ana.user_id)).ok());
  open(pair, 401);
  ana = **run(loop, users.find(here(), ana.user_id));
  pair = fresh();
  open(pair, 200);
  ++config().epoch;
  open(pair, 401);
  pair = fresh();
  ASSERT_TRUE(run(loop, users.set_blocked(here(), ana.user_id, true)).ok());
  open(pair, 401);
}

TEST_F(Userinfo, EndsWithTheTokensTime) {
  const std::string good = text(tokens(), "access_token");
  clock.advance(std::chrono::hours(1));
  EXPECT_EQ(with(good).status, 401);
}

}  // namespace
}  // namespace mandate::oauth
