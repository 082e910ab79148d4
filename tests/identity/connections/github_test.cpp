// Login through a provider, against a stand-in that answers as GitHub does: SE-2, SE-6, OA-5, identity-wire 1.7.
#include "tests/identity/identity_test_base.h"

namespace mandate::identity {
namespace {

struct GitHubTest : IdentityTest {
  Browser ann{*this};

  /// /authorize?connection=github → GitHub's page; gives its URL.
  std::string to_github(Browser& browser) {
    const http::Response sent = browser.get(browser.begin("&connection=github"));
    EXPECT_EQ(sent.status, 302);
    return std::string(sent.headers.get("Location"));
  }
  std::string and_back(Browser& browser) { return browser.through_provider(to_github(browser)); }
  JsonObject resumed(Browser& browser, const http::Response& response) {
    EXPECT_TRUE(std::string(response.headers.get("Location")).starts_with("/authorize/resume?state=")) << response.status << response.body;
    return parse_json(browser.get(std::string(response.headers.get("Location"))).body)->as_object();
  }
  User person(const JsonObject& login) { return **run(loop, users.find(here(), std::string(*text_member(login, "user_id")))); }
};

TEST_F(GitHubTest, OneNamedGoesStraightToGitHubAndBackAsAPerson) {
  const std::string url = to_github(ann);
  EXPECT_TRUE(url.starts_with("https://github.com/login/oauth/authorize?"));
  const auto params = http::Params::of_query(std::string_view(url).substr(url.find('?') + 1));
  EXPECT_EQ(params.get("redirect_uri"), "https://login.example/login/callback");
  EXPECT_EQ(params.get("code_challenge_method"), "S256");
  EXPECT_EQ(params.get("code_challenge").size(), 43U);
  EXPECT_EQ(params.get("scope"), "read:user user:email");
  EXPECT_EQ(url.find("secret"), std::string::npos);

  const http::Response done = ann.get(ann.through_provider(url));
  EXPECT_EQ(done.status, 302);
  const JsonObject login = resumed(ann, done);
  EXPECT_EQ(text_member(login, "user_id"), "github|583231");
  EXPECT_EQ(text_member(login, "session_user"), "github|583231");
  EXPECT_EQ(text_member(login, "used_connection"), "github");
  const User user = person(login);
  EXPECT_EQ(user.email, "ann@example.org");
  EXPECT_TRUE(user.email_verified);
  EXPECT_EQ(user.nickname, "octo-ann");
  EXPECT_EQ(user.name, "Ann Example");
  EXPECT_EQ(to_json(user.identities), R"([{"user_id":583231,"provider":"github","connection":"github","isSocial":true}])");
  EXPECT_EQ(text_member(legacy_profile(user), "html_url"), "https://github.example/octo-ann");
  EXPECT_EQ(audit_types(), std::vector<std::string>{"login.ok"});
  EXPECT_EQ(user.logins_count, 1);
}

TEST_F(GitHubTest, TheChoosersButtonLeadsThereToo) {
  const std::string url = ann.begin();
  const http::Response sent = ann.get("/login/with?state=" + state_of(url) + "&connection=github");
  EXPECT_EQ(sent.status, 302);
  EXPECT_TRUE(std::string(sent.headers.get("Location")).starts_with("https://github.com/"));
  EXPECT_EQ(ann.get("/login/with?state=" + state_of(url) + "&connection=nowhere").status, 400);
  EXPECT_EQ(ann.get("/login/with?state=" + state_of(url) + "&connection=Username-Password-Authentication").status, 400);
}

TEST_F(GitHubTest, OnlyAnAddressThatGitHubVerifiedCountsAsVerified) {
  const auto comes = [&](std::int64_t id, std::string emails) {
    github.person.id = id;
    github.person.emails = std::move(emails);
    Browser browser{*this};
    const http::Response done = browser.get(and_back(browser));
    const User user = person(resumed(browser, done));
    return user.email + (user.email_verified ? " verified" : " unverified");
  };
  EXPECT_EQ(comes(1, R"([{"email":"b@x.example","primary":false,"verified":true},{"email":"a@x.example","primary":true,"verified":true}])"), "a@x.example verified");
  EXPECT_EQ(comes(2, R"([{"email":"a@x.example","primary":true,"verified":false},{"email":"b@x.example","primary":false,"verified":true}])"), "b@x.example verified");
  EXPECT_EQ(comes(3, R"([{"email":"a@x.example","primary":true,"verified":false}])"), "a@x.example unverified");
  EXPECT_EQ(comes(4, R"([{"email":"a@x.example","primary":true,"verified":"true"}])"), "a@x.example unverified");
  EXPECT_EQ(comes(5, R"([])"), " unverified");
  github.grants_email_scope = false;
  EXPECT_EQ(comes(6, R"([{"email":"a@x.example","primary":true,"verified":true}])"), " unverified");
}

TEST_F(GitHubTest, APersonWithoutANameIsCalledByTheirLogin) {
  github.person.name.clear();
  const User user = person(resumed(ann, ann.get(and_back(ann))));
  EXPECT_EQ(text_member(legacy_profile(user), "nickname"), "octo-ann");
  EXPECT_EQ(text_member(legacy_profile(user), "name"), "ann@example.org");
}

// SE-2.
TEST_F(GitHubTest, AStateIsForOneUseInOneBrowser) {
  const std::string callback = and_back(ann);
  Browser eve{*this};
  eve.begin();
  EXPECT_EQ(eve.get(callback).status, 400);
  EXPECT_EQ(count("sessions"), 0U);
  EXPECT_EQ(ann.get(callback).status, 302);
  EXPECT_EQ(ann.get(callback).status, 400) << "replayed";
  EXPECT_EQ(github.exchanges, 1);
  for (const std::string url : {"/login/callback", "/login/callback?code=x", "/login/callback?code=x&state=guess", "/login/callback?state=a&state=b&code=x"})
    EXPECT_EQ(ann.get(url).status, 400) << url;
  EXPECT_EQ(github.exchanges, 1) << "no code was sent anywhere";
}

TEST_F(GitHubTest, AnAttackersCallbackDoesNotLogTheVictimIn) {
  Browser eve{*this};
  const std::string callback = and_back(eve);
  EXPECT_EQ(ann.get(callback).status, 400);
  ann.begin();
  EXPECT_EQ(ann.get(callback).status, 400);
  EXPECT_FALSE(ann.cookies.contains("__Host-mandate"));
}

TEST_F(GitHubTest, AStateOfOneConnectionIsNotTakenToAnother) {
  tenant::Connection corp = tenants.config.connections.at("github");
  corp.name = "github-corp";
  corp.options["client_id"] = "Iv1.corp";
  corp.options["client_secret"] = tenants.vault().seal("corp secret", tenant::sealed::connection("github-corp", "client_secret"));
  tenants.config.connections["github-corp"] = corp;
  // A code of github.com's app, brought with the state of a login that began at the other.
  const std::string good = and_back(ann);
  const std::string code(http::Params::of_query(std::string_view(good).substr(good.find('?') + 1)).get("code"));
  const http::Response corp_page = ann.get(ann.begin("&connection=github-corp"));
  const std::string corp_state = state_of(std::string(corp_page.headers.get("Location")));
  ann.get("/login/callback?code=" + code + "&state=" + corp_state);
  EXPECT_EQ(count("sessions"), 0U);
  EXPECT_EQ(count("users"), 0U);
  ASSERT_FALSE(fetch.sent.empty());
  EXPECT_EQ(fetch.sent.back().body.find("6f1c2d3e"), std::string::npos) << "each connection's secret goes with its own codes";
}

// OA-5.
TEST_F(GitHubTest, AForeignIssuerIsAPageAndNoAccount) {
  github.iss = "https://evil.example";
  const http::Response page = ann.get(and_back(ann));
  EXPECT_EQ(page.status, 400);
  EXPECT_FALSE(page.headers.has("Location"));
  EXPECT_EQ(github.exchanges, 0);
  EXPECT_EQ(count("users"), 0U);
  EXPECT_EQ(audit_types(), std::vector<std::string>{"login.failed"});
  github.iss = "https://github.com";
  EXPECT_EQ(ann.get(and_back(ann)).status, 302);
  tenants.config.connections["github"].options["issuer"] = "https://github.com/login/oauth";
  EXPECT_EQ(ann.get(and_back(ann)).status, 400);
}

// SE-6.
TEST_F(GitHubTest, AProfileWithoutAProperIdMakesNoAccount) {
  for (const std::string user : {R"({})", R"({"id":null,"login":"x"})", R"({"id":"583231"})", R"({"id":-1})", R"({"id":1.5})", R"({"id":true})", R"([])", R"("x")"}) {
    github.person.raw_user = user;
    Browser browser{*this};
    EXPECT_EQ(browser.get(and_back(browser)).status, 400) << user;
  }
  EXPECT_EQ(count("users"), 0U);
  EXPECT_EQ(count("sessions"), 0U);
}

TEST_F(GitHubTest, WhoCancelsAtGitHubIsToldToTheApp) {
  github.person_denies = true;
  const JsonObject login = resumed(ann, ann.get(and_back(ann)));
  EXPECT_EQ(text_member(login, "error"), "access_denied");
  EXPECT_EQ(text_member(login, "error_description"), "The user has denied your application access.");
  EXPECT_EQ(text_member(login, "session_user"), "");
}

TEST_F(GitHubTest, AWrongCodeIsAPage) {
  const std::string url = to_github(ann);
  EXPECT_EQ(ann.get("/login/callback?code=0123456789abcdef0123&state=" + state_of(url)).status, 400);
  EXPECT_EQ(count("users"), 0U);
}

TEST_F(GitHubTest, OurOwnMisconfigurationAndAFailingGitHubAreToldToTheApp) {
  github.client_secret = "rotated at github";
  EXPECT_EQ(text_member(resumed(ann, ann.get(and_back(ann))), "error"), "temporarily_unavailable");
  github.client_secret = "6f1c2d3e4b5a69788796a5b4c3d2e1f00f1e2d3c";
  const std::string callback = and_back(ann);
  fetch.failure = Error(Code::timeout, "", "connect");
  EXPECT_EQ(text_member(resumed(ann, ann.get(callback)), "error"), "temporarily_unavailable");
  fetch.failure.reset();
  tenants.config.connections["github"].options["client_secret"] = "not sealed";
  const http::Response unusable = ann.get(ann.begin("&connection=github"));
  EXPECT_NE(unusable.status, 200);
  EXPECT_EQ(unusable.body.find("not sealed"), std::string::npos);
  EXPECT_EQ(count("users"), 0U);
}

TEST_F(GitHubTest, ABlockedPersonIsRefusedAndTheAppIsToldInItsWords) {
  ASSERT_EQ(ann.get(and_back(ann)).status, 302);
  ASSERT_TRUE(run(loop, users.set_blocked(here(), "github|583231", true)).ok());
  Browser again{*this};
  const JsonObject login = resumed(again, again.get(and_back(again)));
  EXPECT_EQ(text_member(login, "error"), "unauthorized");
  EXPECT_EQ(text_member(login, "error_description"), "user is blocked");
  EXPECT_EQ(text_member(login, "session_user"), "");
}

TEST_F(GitHubTest, AConnectionTakenAwayMeanwhileIsRefused) {
  const std::string callback = and_back(ann);
  tenants.config.connections["github"].enabled = false;
  EXPECT_EQ(ann.get(callback).status, 400);
  EXPECT_EQ(github.exchanges, 0);
}

TEST_F(GitHubTest, AProvidersPostComesBackAsAGet) {
  const std::string callback = and_back(ann);
  const auto params = http::Params::of_query(std::string_view(callback).substr(callback.find('?') + 1));
  const http::Response again = ann.post("/login/callback", {{"code", std::string(params.get("code"))}, {"state", std::string(params.get("state"))}});
  EXPECT_EQ(again.status, 303);
  EXPECT_EQ(ann.get(std::string(again.headers.get("Location"))).status, 302);
}

TEST_F(GitHubTest, TheUrlsOfAnEnterpriseServerAreSettings) {
  auto& options = tenants.config.connections["github"].options;
  options["authorization_url"] = "https://ghes.example/login/oauth/authorize";
  options["token_url"] = "https://ghes.example/login/oauth/access_token";
  options["profile_url"] = "https://ghes.example/user";
  auto outside = std::make_shared<http::Router>();
  github.mount(*outside);
  fetch.serve("https://ghes.example", outside);
  EXPECT_EQ(ann.get(and_back(ann)).status, 302);
  for (const auto& sent : fetch.sent) EXPECT_TRUE(sent.url.starts_with("https://ghes.example/")) << sent.url;
}

TEST_F(GitHubTest, AGenericProviderIsAskedByItsOwnSettings) {
  tenant::Connection acme;
  acme.name = "acme";
  acme.strategy = "oauth2";
  acme.options["authorizationURL"] = "https://github.com/login/oauth/authorize";
  acme.options["tokenURL"] = "https://github.com/login/oauth/access_token";
  acme.options["profile_url"] = "https://api.github.com/user";
  acme.options["client_id"] = github.client_id;
  acme.options["client_secret"] = tenants.vault().seal(github.client_secret, tenant::sealed::connection("acme", "client_secret"));
  acme.options["scope"] = JsonArray{"one", "two"};
  acme.options["upstream_params"] = JsonObject{{"prompt", "select_account"}};
  tenants.config.connections["acme"] = acme;
  const auto comes = [&](std::string user) {
    github.person.raw_user = std::move(user);
    Browser browser{*this};
    const http::Response sent = browser.get(browser.begin("&connection=acme"));
    const std::string url(sent.headers.get("Location"));
    EXPECT_NE(url.find("scope=one%20two"), std::string::npos);
    EXPECT_NE(url.find("prompt=select_account"), std::string::npos);
    const http::Response done = browser.get(browser.through_provider(url));
    if (done.status != 302) return std::string("page ") + std::to_string(done.status);
    const User user_now = person(resumed(browser, done));
    return user_now.user_id + " " + user_now.email + (user_now.email_verified ? " verified" : " unverified") + " " + user_now.picture;
  };
  EXPECT_EQ(comes(R"({"sub":"abc","email":"a@x.example","email_verified":true})"), "oauth2|acme|abc a@x.example verified ");
  EXPECT_EQ(comes(R"({"sub":"abd","email":"a@x.example","email_verified":"true","picture":"javascript:alert"})"), "oauth2|acme|abd a@x.example unverified ");
  EXPECT_EQ(comes(R"({"sub":123,"email":"a@x.example"})"), "page 400") << "sub is a text (SE-6)";
  EXPECT_EQ(comes(R"({"sub":""})"), "page 400");
  EXPECT_EQ(comes(R"({"email":"a@x.example"})"), "page 400");
}

}  // namespace
}  // namespace mandate::identity
