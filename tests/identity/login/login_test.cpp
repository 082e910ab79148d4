// The hosted login page over its routes: OA-4, SE-1, SE-2, SE-11, identity-wire 1.2, 1.5.
#include "tests/identity/identity_test_base.h"

namespace mandate::identity {
namespace {

struct LoginTest : IdentityTest {
  Browser ann{*this};

  void SetUp() override { ASSERT_TRUE(sign_up("ann@example.org").ok()); }
  http::Response submit(Browser& browser, const std::string& page_url, std::string password = std::string(kGoodPassword)) {
    const http::Response page = browser.get(page_url);
    return browser.post("/login", {{"state", hidden(page.body, "state")}, {"csrf", hidden(page.body, "csrf")},
                                   {"connection", std::string(kDirectory)}, {"username", "ann@example.org"}, {"password", password}});
  }
  JsonObject body_of(const http::Response& response) { return parse_json(response.body)->as_object(); }
};

TEST_F(LoginTest, NameAndPasswordLeadOnWithThreeOhThree) {
  const std::string url = ann.begin();
  EXPECT_TRUE(url.starts_with("/login?state="));
  const http::Response page = ann.get(url);
  EXPECT_EQ(page.status, 200);
  EXPECT_NE(page.body.find("Todo list"), std::string::npos);
  EXPECT_NE(page.body.find("Continue with GitHub"), std::string::npos);
  const http::Response done = submit(ann, url);
  EXPECT_EQ(done.status, 303);
  EXPECT_TRUE(std::string(done.headers.get("Location")).starts_with("/authorize/resume?state="));
  const http::Response resumed = ann.get(std::string(done.headers.get("Location")));
  const JsonObject login = body_of(resumed);
  EXPECT_EQ(text_member(login, "used_connection"), kDirectory);
  EXPECT_EQ(text_member(login, "state"), "xyz");
  EXPECT_EQ(text_member(login, "session_user"), text_member(login, "user_id"));
  EXPECT_EQ(integer_member(login, "authenticated_at"), clock.now_ms());
  EXPECT_NE(ann.get(std::string(done.headers.get("Location"))).status, 200) << "one use";
}

TEST_F(LoginTest, WrongPasswordAndUnknownNameShowTheSamePage) {
  const std::string url = ann.begin();
  const http::Response wrong = submit(ann, url, "wrong password");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_NE(wrong.body.find("Wrong email or password."), std::string::npos);
  const http::Response page = ann.get(url);
  const http::Response unknown = ann.post("/login", {{"state", hidden(page.body, "state")}, {"csrf", hidden(page.body, "csrf")},
                                                     {"connection", std::string(kDirectory)}, {"username", "eve@example.org"}, {"password", "wrong password"}});
  std::string other = unknown.body;
  for (std::size_t at; (at = other.find("eve@")) != std::string::npos;) other.replace(at, 3, "ann");
  EXPECT_EQ(other, wrong.body);
  EXPECT_EQ(unknown.status, wrong.status);
  EXPECT_EQ(submit(ann, url).status, 303) << "the login is still under way";
}

TEST_F(LoginTest, ALockedAccountIsFourTwentyNine) {
  const std::string url = ann.begin();
  for (int i = 0; i < 10; ++i) submit(ann, url, "wrong password");
  const http::Response locked = submit(ann, url);
  EXPECT_EQ(locked.status, 429);
  EXPECT_TRUE(locked.headers.has("Retry-After"));
}

TEST_F(LoginTest, ABlockedPersonSeesAPageAndGetsNoSession) {
  const auto user = *run(loop, users.find_by_login(here(), std::string(kDirectory), "ann@example.org"));
  ASSERT_TRUE(run(loop, users.set_blocked(here(), user->user_id, true)).ok());
  const http::Response refused = submit(ann, ann.begin());
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(count("sessions"), 0U);
}

// SE-1.
TEST_F(LoginTest, LoginChangesBothCookies) {
  ann.cookies["__Host-mandate"] = "planted-by-somebody";
  const std::string url = ann.begin();
  const auto before = ann.cookies;
  ASSERT_EQ(before.size(), 2U);
  ASSERT_EQ(submit(ann, url).status, 303);
  for (const auto& [name, value] : before) EXPECT_NE(ann.cookies[name], value) << name;
}

TEST_F(LoginTest, APlantedLoginCookieOfAnotherFormIsReplaced) {
  ann.cookies["__Host-mandate-login"] = "short";
  ann.begin();
  EXPECT_EQ(ann.cookies["__Host-mandate-login"].size(), 43U);
}

// SE-2: the login belongs to the browser that began it.
TEST_F(LoginTest, AnotherBrowserCannotGoOnWithALogin) {
  const std::string url = ann.begin();
  Browser eve{*this};
  EXPECT_EQ(eve.get(url).status, 400);
  eve.begin();
  EXPECT_EQ(eve.get(url).status, 400);
  const http::Response done = submit(ann, url);
  EXPECT_NE(eve.get(std::string(done.headers.get("Location"))).status, 200);
}

// SE-11.
TEST_F(LoginTest, AFormFromElsewhereIsRefused) {
  const std::string url = ann.begin();
  const http::Response page = ann.get(url);
  const std::string state = hidden(page.body, "state"), csrf = hidden(page.body, "csrf");
  ASSERT_FALSE(csrf.empty());
  const auto post = [&](std::string token) {
    return ann.post("/login", {{"state", state}, {"csrf", std::move(token)}, {"connection", std::string(kDirectory)},
                               {"username", "ann@example.org"}, {"password", std::string(kGoodPassword)}}).status;
  };
  EXPECT_EQ(post(""), 403);
  EXPECT_EQ(post("guess"), 403);
  Browser eve{*this};
  const http::Response hers = eve.get(eve.begin());
  EXPECT_EQ(post(hidden(hers.body, "csrf")), 403);
  ann.extra_headers["Sec-Fetch-Site"] = "cross-site";
  EXPECT_EQ(post(csrf), 403);
  ann.extra_headers = {{"Origin", "https://evil.example"}};
  EXPECT_EQ(post(csrf), 403);
  ann.extra_headers = {{"Origin", "https://login.example"}, {"Sec-Fetch-Site", "same-origin"}};
  EXPECT_EQ(post(csrf), 303);
}

TEST_F(LoginTest, JsonIsNoFormAndGetChangesNothing) {
  const std::string url = ann.begin();
  const http::Response page = ann.get(url);
  const std::string json = R"({"state":")" + hidden(page.body, "state") + R"(","csrf":")" + hidden(page.body, "csrf") +
                           R"(","connection":"Username-Password-Authentication","username":"ann@example.org","password":"correct horse battery staple"})";
  EXPECT_EQ(ann.send(http::Method::post, "/login", json, "application/json").status, 403);
  EXPECT_EQ(ann.send(http::Method::post, "/login", json, "text/plain").status, 415);
  EXPECT_EQ(count("sessions"), 0U);
}

TEST_F(LoginTest, FieldsGivenTwiceAreRefused) {
  const http::Response page = ann.get(ann.begin());
  EXPECT_EQ(ann.post("/login", {{"state", hidden(page.body, "state")}, {"csrf", hidden(page.body, "csrf")}, {"username", "a"}, {"username", "b"}}).status, 400);
}

TEST_F(LoginTest, ALoginEndsAfterFifteenMinutes) {
  const std::string url = ann.begin();
  clock.advance(std::chrono::minutes(14));
  EXPECT_EQ(ann.get(url).status, 200);
  clock.advance(std::chrono::minutes(2));
  EXPECT_EQ(ann.get(url).status, 400);
}

TEST_F(LoginTest, OldSdksComeHereDirectlyAndAreSentToTheDoorThatChecks) {
  const http::Response sent = ann.get("/login/?client=todo&scope=openid&redirect_uri=https%3A%2F%2Flogin.example%2Fmobile&response_type=token&state=abc");
  EXPECT_EQ(sent.status, 302);
  const std::string url(sent.headers.get("Location"));
  EXPECT_TRUE(url.starts_with("/authorize?")) << "never to the redirect_uri itself (OA-3)";
  const auto params = http::Params::of_query(std::string_view(url).substr(url.find('?') + 1));
  EXPECT_EQ(params.get("client_id"), "todo");
  EXPECT_EQ(params.get("redirect_uri"), "https://login.example/mobile");
  EXPECT_EQ(params.get("state"), "abc");
  const http::Response page = ann.get(std::string(ann.get(url).headers.get("Location")));
  EXPECT_EQ(page.status, 200);
}

TEST_F(LoginTest, NonsenseGetsAPageWithoutLocation) {
  for (const std::string url : {"/login", "/login?state=guess", "/login?state=guess&client=todo", "/login?returnTo=https://evil.example/", "/login/with?state=x&connection=github",
                                "/login/signup?state=x"}) {
    const http::Response page = ann.get(url);
    EXPECT_EQ(page.status, 400) << url;
    EXPECT_FALSE(page.headers.has("Location")) << url;
    EXPECT_NE(std::string(page.headers.get("Content-Security-Policy")).find("frame-ancestors 'none'"), std::string::npos);
  }
}

TEST_F(LoginTest, TheHintFillsInTheName) {
  AuthRequest login;
  login.client_id = "todo";
  login.login_hint = "ann@example.org\"><script>";
  std::string cookie;
  http::Request request = request_from();
  const auto begun = run(loop, begin_login(here(), request, login, clock, random, cookie));
  ann.cookies["__Host-mandate-login"] = cookie.substr(cookie.find('=') + 1, 43);
  const http::Response page = ann.get(login_url(*begun));
  EXPECT_NE(page.body.find("value=\"ann@example.org&quot;"), std::string::npos);
  EXPECT_EQ(page.body.find("<script"), std::string::npos);
}

TEST_F(LoginTest, SignUpMakesAPersonAndLogsInAtOnce) {
  const std::string url = ann.begin();
  const http::Response page = ann.get("/login/signup?state=" + state_of(url));
  ASSERT_EQ(page.status, 200);
  const auto post = [&](std::string email, std::string password) {
    return ann.post("/login/signup", {{"state", hidden(page.body, "state")}, {"csrf", hidden(page.body, "csrf")},
                                      {"connection", std::string(kDirectory)}, {"email", std::move(email)}, {"password", std::move(password)}});
  };
  EXPECT_EQ(post("bob@example.org", "password").status, 400);
  EXPECT_EQ(post("bob", std::string(kGoodPassword)).status, 400);
  EXPECT_NE(post("ann@example.org", std::string(kGoodPassword)).body.find("could not be created"), std::string::npos);
  const http::Response done = post("bob@example.org", std::string(kGoodPassword));
  EXPECT_EQ(done.status, 303);
  const JsonObject login = body_of(ann.get(std::string(done.headers.get("Location"))));
  EXPECT_EQ(text_member(login, "session_user"), text_member(login, "user_id"));
}

TEST_F(LoginTest, WhereSignUpIsOffThereIsNoDoorToIt) {
  tenants.config.connections[std::string(kDirectory)].options["disable_signup"] = true;
  const std::string url = ann.begin();
  EXPECT_EQ(ann.get(url).body.find("Create one"), std::string::npos);
  EXPECT_EQ(ann.get("/login/signup?state=" + state_of(url)).status, 400);
}

TEST_F(LoginTest, EmbeddedBrowsersEndOnAnEmptyPage) {
  for (const std::string url : {"/mobile", "/win8"}) {
    const http::Response page = ann.get(url);
    EXPECT_EQ(page.status, 200);
    EXPECT_NE(page.body.find("<body></body>"), std::string::npos);
  }
}

}  // namespace
}  // namespace mandate::identity
