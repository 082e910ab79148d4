// /authorize: pages and redirects for refusals, the answer matrix, prompts, consent (identity-wire 1.1,
// OA-*).
#include "tests/oauth/oauth_world.h"

namespace mandate::oauth {
namespace {

struct Authorize : OAuthTest {
  Browser browser{*this};
  static Form code(Form more = {}) {
    Form out = {{"client_id", "spa"},
                {"response_type", "code"},
                {"redirect_uri", "https://spa.example/cb"},
                {"state", "s t&a=te%"},
                {"code_challenge", std::string(kChallenge)},
                {"code_challenge_method", "S256"}};
    return with(std::move(out), std::move(more));
  }
  static Form legacy(Form more = {}) {
    return with({{"client_id", "todo"},
                 {"response_type", "token"},
                 {"redirect_uri", "https://login.example/mobile"},
                 {"scope", "openid"},
                 {"state", "abcdefghijklmnop"}},
                std::move(more));
  }
  static Form with(Form fields, Form more) {
    for (auto& [name, value] : more) {
      std::erase_if(fields, [&](const auto& field) { return field.first == name; });
      fields.emplace_back(name, value);
    }
    return fields;
  }
};

TEST_F(Authorize, ShowsAPageAndNeverRedirectsWhenClientOrCallbackAreWrong) {
  for (const Form& fields :
       {code({{"client_id", "nobody"}}), code({{"client_id", ""}}),
        code({{"redirect_uri", "https://evil.example/"}}),
        code({{"redirect_uri", "https://spa.example/cb/"}}), code({{"connection", "unknown"}})}) {
    const auto answer = browser.authorize(fields);
    EXPECT_EQ(answer.status, 400) << answer.body;
    EXPECT_FALSE(answer.headers.has("Location"));
    EXPECT_EQ(answer.headers.get("Content-Type"), "text/html; charset=utf-8");
  }
  EXPECT_EQ(get("/authorize?client_id=spa&client_id=web").status, 400);
  const auto markup = browser.authorize(code({{"redirect_uri", "https://evil.example/<script>"}}));
  EXPECT_EQ(markup.body.find("<script>"), std::string::npos);
  EXPECT_NE(markup.body.find("spa"), std::string::npos);
}

TEST_F(Authorize, SendsAPersonWithoutASessionToLogInAndResumesWithACode) {
  const auto away = browser.authorize(code({{"scope", "openid email"}}));
  EXPECT_EQ(away.status, 302);
  EXPECT_EQ(landed(away).base, "/login");
  const auto back = browser.pass_login(away, ana);
  ASSERT_EQ(back.status, 302) << back.body;
  EXPECT_EQ(landed(back).base, "https://spa.example/cb");
  EXPECT_EQ(landed(back)["state"], "s t&a=te%");
  EXPECT_EQ(landed(back)["iss"], kIssuer);
  EXPECT_TRUE(landed(back).fragment.empty());
  EXPECT_EQ(token(code_form(landed(back)["code"])).status, 200);
}

TEST_F(Authorize, ResumesOnceAndOnlyInTheBrowserThatBegan) {
  const auto away = browser.authorize(code());
  const std::string handle = landed(away)["state"];
  Browser stranger(*this);
  stranger.log_in(ana);
  EXPECT_EQ(stranger.get("/authorize/resume?state=" + handle).status, 400);
  EXPECT_EQ(browser.pass_login(away, ana).status, 302);
  EXPECT_EQ(browser.get("/authorize/resume?state=" + handle).status, 400);
  EXPECT_EQ(browser.get("/authorize/resume").status, 400);
}

TEST_F(Authorize, ChecksAResumedLoginAgainstTodaysConfiguration) {
  const auto away = browser.authorize(legacy());
  client("todo").grant_types.erase(client("todo").grant_types.find(tenant::grant::kImplicit));
  const auto back = browser.pass_login(away, ana);
  EXPECT_EQ(landed(back)["error"], "unauthorized_client");
  EXPECT_EQ(landed(back)["access_token"], "");
}

TEST_F(Authorize, PutsErrorsWhereTheAnswerWouldBe) {
  struct Row {
    Form fields;
    std::string error;
  };
  client("web").grant_types.erase(client("web").grant_types.find(tenant::grant::kImplicit));
  const Form web = {{"client_id", "web"}, {"redirect_uri", "https://web.example/cb"}};
  for (const Row& row :
       {Row{code({{"response_type", "magic"}}), "unsupported_response_type"},
        {code({{"response_mode", "magic"}}), "invalid_request"},
        {code({{"code_challenge", ""}, {"code_challenge_method", ""}}), "invalid_request"},
        {code({{"code_challenge_method", "plain"}}), "invalid_request"},
        {code({{"code_challenge_method", ""}}), "invalid_request"},
        {code({{"code_challenge", "short"}}), "invalid_request"},
        {code({{"audience", "https://unknown"}}), "invalid_target"},
        {code({{"prompt", "none login"}}), "invalid_request"},
        {code({{"prompt", "none"}}), "login_required"},
        {code({{"max_age", "old"}}), "invalid_request"},
        {code({{"request", "eyJ"}}), "request_not_supported"},
        {code({{"request_uri", "https://evil.example"}}), "request_uri_not_supported"},
        {code({{"acr_values", "http://schemas.openid.net/pape/policies/2007/06/multi-factor"}}),
         "unmet_authentication_requirements"},
        {code({{"state", std::string(2001, 'a')}}), "invalid_request"},
        {with(code({{"response_type", "token"}}), web), "unauthorized_client"},
        {with(code({{"response_type", "id_token"}}), web), "unauthorized_client"},
        {code({{"response_type", "id_token"}}), "invalid_request"},
        {code({{"response_type", "token"}, {"response_mode", "query"}}), "invalid_request"}}) {
    const auto answer = browser.authorize(row.fields);
    EXPECT_EQ(answer.status, 302) << row.error;
    EXPECT_EQ(landed(answer)["error"], row.error) << answer.headers.get("Location");
    EXPECT_EQ(landed(answer)["iss"], kIssuer);
    EXPECT_EQ(landed(answer)["code"], "");
    EXPECT_FALSE(answer.headers.has("Access-Control-Allow-Origin"));
  }
}

TEST_F(Authorize, PutsErrorsForEmbeddedBrowsersIntoQueryAndFragment) {
  const auto at = landed(browser.authorize(legacy({{"prompt", "none"}})));
  EXPECT_TRUE(at.query.starts_with("error=login_required&error_description=")) << at.query;
  EXPECT_EQ(at.query, at.fragment);
  EXPECT_EQ(at["iss"], "");
  const auto custom =
      landed(browser.authorize(legacy({{"prompt", "none"}, {"redirect_uri", "com.todo.app://callback"}})));
  EXPECT_TRUE(custom.query.empty());
  EXPECT_FALSE(custom.fragment.empty());
}

TEST_F(Authorize, AnswersOldEmbeddedBrowsersInAFragmentTheyCanRead) {
  browser.log_in(ana);
  const auto answer = browser.authorize(
      legacy({{"connection", ""}, {"scope", "openid offline_access"}, {"device", "phone"}}));
  const std::string location(answer.headers.get("Location"));
  ASSERT_TRUE(location.starts_with("https://login.example/mobile#")) << location;
  EXPECT_LT(location.size(), 2083U);
  // As UWP reads it: split at '#', '&' and '=' without decoding, into a dictionary that throws on a second
  // key.
  std::map<std::string, std::string> read;
  for (const std::string& part : split(landed(answer).fragment, '&')) {
    const auto equal = part.find('=');
    ASSERT_NE(equal, std::string::npos) << part;
    ASSERT_GT(equal, 0U);
    EXPECT_EQ(part.find('=', equal + 1), std::string::npos) << part;
    EXPECT_EQ(part.find('%'), std::string::npos) << part;
    EXPECT_TRUE(read.emplace(part.substr(0, equal), part.substr(equal + 1)).second) << part;
  }
  EXPECT_EQ(read["state"], "abcdefghijklmnop");
  EXPECT_EQ(read["token_type"], "Bearer");
  EXPECT_EQ(read["expires_in"], "36000");
  EXPECT_GE(read["access_token"].size(), 22U);
  EXPECT_FALSE(read["refresh_token"].empty());
  const JsonObject id = claims(read["id_token"]);
  EXPECT_EQ(text(id, "aud"), "todo");
  EXPECT_EQ(text(id, "device"), "phone");
  EXPECT_FALSE(read.contains("scope"));
}

TEST_F(Authorize, KeepsTheUrlShortWhenTheProfileIsLong) {
  browser.log_in(ana);
  config().clients.find("todo")->second.callbacks.push_back("https://todo.example/" + std::string(1500, 'x'));
  auto bea = sign_up("bea" + std::string(40, 'b') + "@" + std::string(60, 'c') + ".example.com");
  bea.user_metadata["long"] = std::string(3000, 'm');
  const auto answer = browser.authorize(legacy({{"scope", "openid profile"}}));
  EXPECT_LT(answer.headers.get("Location").size(), 2083U);
}

TEST_F(Authorize, FollowsTheAnswerMatrix) {
  browser.log_in(ana);
  using Names = std::set<std::string>;
  const auto names = [](const Landed& at) {
    Names out;
    for (const auto& [name, value] : at.fields) out.insert(name);
    return out;
  };
  const Form spa = {{"nonce", "n"}, {"scope", "openid"}};
  const auto conformant = [&](std::string type) {
    return landed(browser.authorize(with(code({{"response_type", std::move(type)}}), spa)));
  };
  EXPECT_EQ(names(conformant("code")), (Names{"code", "state", "iss"}));
  EXPECT_EQ(names(conformant("token")),
            (Names{"access_token", "expires_in", "token_type", "scope", "state", "iss"}));
  EXPECT_EQ(conformant("token")["expires_in"], "7200");
  EXPECT_EQ(names(conformant("id_token")), (Names{"id_token", "state", "iss"}));
  const Landed both = conformant("id_token token");
  EXPECT_EQ(names(both),
            (Names{"access_token", "expires_in", "token_type", "scope", "id_token", "state", "iss"}));
  EXPECT_FALSE(text(claims(both["id_token"]), "at_hash").empty());
  EXPECT_TRUE(both.query.empty());
  const Landed hybrid = conformant("code id_token token");
  EXPECT_EQ(names(hybrid),
            (Names{"code", "access_token", "expires_in", "token_type", "scope", "id_token", "state", "iss"}));
  EXPECT_FALSE(text(claims(hybrid["id_token"]), "c_hash").empty());
  const auto old = [&](std::string type, Form more = {}) {
    return landed(browser.authorize(with(legacy({{"response_type", std::move(type)}}), std::move(more))));
  };
  EXPECT_EQ(names(old("token")), (Names{"access_token", "expires_in", "token_type", "id_token", "state"}));
  EXPECT_EQ(names(old("token", {{"scope", "email"}})),
            (Names{"access_token", "expires_in", "token_type", "state"}));
  EXPECT_EQ(names(old("id_token")), (Names{"id_token", "state"}));
  EXPECT_EQ(names(old("token", {{"scope", "openid offline_access"}, {"device", "d"}})),
            (Names{"access_token", "expires_in", "token_type", "id_token", "refresh_token", "state"}));
}

TEST_F(Authorize, PostsAFormOrAMessageWhenAskedTo) {
  browser.log_in(ana);
  const auto form_post = browser.authorize(code({{"response_mode", "form_post"}}));
  EXPECT_EQ(form_post.status, 200);
  EXPECT_NE(form_post.body.find("action=\"https://spa.example/cb\""), std::string::npos);
  EXPECT_NE(form_post.body.find("name=\"iss\""), std::string::npos);
  EXPECT_NE(form_post.headers.get("Content-Security-Policy").find("script-src 'sha256-"),
            std::string_view::npos);
  const auto message = browser.authorize(
      code({{"response_mode", "web_message"}, {"prompt", "none"}, {"state", "</script><b>"}}));
  EXPECT_EQ(message.status, 200);
  EXPECT_NE(message.body.find("authorization_response"), std::string::npos);
  EXPECT_EQ(message.body.find("</script><b>"), std::string::npos);
  EXPECT_FALSE(message.headers.has("X-Frame-Options"));
  client("todo").callbacks = {"com.todo.app://callback"};
  const auto no_origin = browser.authorize(
      legacy({{"response_mode", "web_message"}, {"redirect_uri", "com.todo.app://callback"}}));
  EXPECT_EQ(landed(no_origin)["error"], "invalid_request");
}

TEST_F(Authorize, AsksAgainWhenTheSessionIsNotTheOneWanted) {
  browser.log_in(ana);
  EXPECT_EQ(landed(browser.authorize(code())).base, "https://spa.example/cb");
  const auto again = browser.authorize(code({{"prompt", "login"}}));
  EXPECT_EQ(landed(again).base, "/login");
  EXPECT_FALSE(landed(browser.pass_login(again, ana))["code"].empty());
  clock.advance(std::chrono::seconds(100));
  EXPECT_EQ(landed(browser.authorize(code({{"max_age", "50"}}))).base, "/login");
  EXPECT_EQ(landed(browser.authorize(code({{"max_age", "50"}, {"prompt", "none"}})))["error"],
            "login_required");
  EXPECT_FALSE(landed(browser.authorize(code({{"max_age", "500"}})))["code"].empty());
  config().connections["another"] = {"another", "auth0", "", true, {}};
  client("spa").connections = {"another"};
  EXPECT_EQ(landed(browser.authorize(code({{"prompt", "none"}})))["error"], "login_required");
}

TEST_F(Authorize, RefusesAHintOfAnotherPersonSilently) {
  browser.log_in(ana);
  const std::string hint =
      landed(browser.authorize(code({{"response_type", "id_token"}, {"nonce", "n"}})))["id_token"];
  EXPECT_FALSE(
      landed(browser.authorize(code({{"prompt", "none"}, {"id_token_hint", hint}})))["code"].empty());
  browser.log_in(sign_up("ben@example.com"));
  EXPECT_EQ(landed(browser.authorize(code({{"prompt", "none"}, {"id_token_hint", hint}})))["error"],
            "login_required");
  clock.advance(std::chrono::hours(11));
  EXPECT_EQ(landed(browser.authorize(code({{"prompt", "none"}, {"id_token_hint", hint}})))["error"],
            "login_required")
      << "also when the hint has expired";
}

TEST_F(Authorize, TellsTheAppWhenAnotherPersonLoggedInThanTheHintNames) {
  browser.log_in(ana);
  const std::string hint =
      landed(browser.authorize(code({{"response_type", "id_token"}, {"nonce", "n"}})))["id_token"];
  const identity::User ben = sign_up("ben@example.com");
  Browser stranger(*this);
  const auto away = stranger.authorize(code({{"id_token_hint", hint}}));
  ASSERT_EQ(landed(away).base, "/login");
  EXPECT_EQ(landed(stranger.pass_login(away, ben))["error"], "login_required");
  const auto again = stranger.authorize(code({{"id_token_hint", hint}}));
  ASSERT_EQ(landed(again).base, "/login") << "Ben's session is not the one the app asked for";
  EXPECT_FALSE(landed(stranger.pass_login(again, ana))["code"].empty());
}

TEST_F(Authorize, MeetsAClassWithinReachAndSaysSoInTheIdToken) {
  browser.log_in(ana);
  const auto answer = browser.authorize(code({{"response_type", "id_token"},
                                              {"nonce", "n"},
                                              {"acr_values", "urn:somebody:else urn:mandate:acr:one-factor"}}));
  EXPECT_EQ(text(claims(landed(answer)["id_token"]), "acr"), "urn:mandate:acr:one-factor");
}

TEST_F(Authorize, OneAddressBeginsOnlySoManyLogins) {
  for (int i = 0; i < Rates{}.authorize; ++i) ASSERT_EQ(get("/authorize?" + form(code({}))).status, 302);
  const auto refused = get("/authorize?" + form(code({})));
  EXPECT_EQ(refused.status, 429);
  EXPECT_FALSE(refused.headers.has("Location"));
  EXPECT_TRUE(refused.headers.has("Retry-After"));
  browser.log_in(ana);
  EXPECT_FALSE(landed(browser.authorize(code({})))["code"].empty()) << "who is logged in files nothing";
}

TEST_F(Authorize, ShowsNoMoreThanAGlimpseOfWhatAStrangerSent) {
  const std::string flood(6000, 'x');
  for (const std::string name : {"client_id", "redirect_uri"}) {
    const auto answer = browser.authorize(with(code({}), {{name, "https://" + flood}}));
    EXPECT_EQ(answer.status, 400);
    EXPECT_LT(answer.body.size(), 1000U) << name;
  }
  for (const auto& answer : {token({{"grant_type", flood}, {"client_id", "spa"}}),
                             post("/oauth/ro", {{"client_id", "todo"}, {"grant_type", flood}})})
    EXPECT_LT(answer.body.size(), 300U);
}

TEST_F(Authorize, AsksForConsentOnlyForSomebodyElsesClientAndOnlyOnce) {
  browser.log_in(ana);
  const Form third = code({{"client_id", "third"},
                           {"redirect_uri", "https://third.example/cb"},
                           {"scope", "openid read"},
                           {"audience", "https://api"}});
  EXPECT_EQ(landed(browser.authorize(with(third, {{"prompt", "none"}})))["error"], "consent_required");
  const auto away = browser.authorize(third);
  ASSERT_EQ(landed(away).base, "/authorize/resume");
  const auto page = browser.get(std::string(away.headers.get("Location")));
  ASSERT_EQ(page.status, 200);
  EXPECT_NE(page.body.find("third asks for access"), std::string::npos);
  const auto field = [&](const std::string& name) {
    const std::string mark = "name=\"" + name + "\" value=\"";
    const auto at = page.body.find(mark) + mark.size();
    return page.body.substr(at, page.body.find('"', at) - at);
  };
  EXPECT_EQ(
      browser.post("/authorize/consent", {{"state", field("state")}, {"csrf", "wrong"}, {"allow", "yes"}})
          .status,
      403);
  const auto said_yes = browser.post("/authorize/consent",
                                     {{"state", field("state")}, {"csrf", field("csrf")}, {"allow", "yes"}});
  ASSERT_EQ(said_yes.status, 303) << said_yes.body;
  EXPECT_FALSE(landed(browser.get(std::string(said_yes.headers.get("Location"))))["code"].empty());
  EXPECT_FALSE(landed(browser.authorize(with(third, {{"prompt", "none"}})))["code"].empty());
  EXPECT_EQ(
      landed(browser.authorize(with(third, {{"prompt", "none"}, {"scope", "openid read email"}})))["error"],
      "consent_required");
}

TEST_F(Authorize, AConsentDoesNotStandForTheLoginThatWasAskedFor) {
  browser.log_in(ana);
  const auto away = browser.authorize(code({{"prompt", "login"}}));
  ASSERT_EQ(landed(away).base, "/login");
  const std::string handle = landed(away)["state"];
  // The login page shows this very token to whoever sits before the browser.
  Form cookies;
  for (const auto& [name, value] : browser.cookies) cookies.emplace_back("Cookie", name + "=" + value);
  auto sent = prepare(http::Method::get, "/login", "", "", cookies);
  const std::string csrf = identity::csrf_token(sent->request, handle);
  const auto answer = browser.post("/authorize/consent", {{"state", handle}, {"csrf", csrf}, {"allow", "yes"}});
  EXPECT_EQ(answer.status, 303) << answer.body;
  EXPECT_EQ(landed(answer).base, "/login");
  EXPECT_EQ(landed(browser.get("/authorize/resume?state=" + handle)).base, "/login");
}

TEST_F(Authorize, TellsTheClientWhenThePersonRefuses) {
  browser.log_in(ana);
  const auto away = browser.authorize(
      code({{"client_id", "third"}, {"redirect_uri", "https://third.example/cb"}, {"scope", "openid"}}));
  const std::string handle = landed(away)["state"];
  const auto page = browser.get(std::string(away.headers.get("Location")));
  const std::string mark = "name=\"csrf\" value=\"";
  const auto at = page.body.find(mark) + mark.size();
  const auto said_no = browser.post(
      "/authorize/consent",
      {{"state", handle}, {"csrf", page.body.substr(at, page.body.find('"', at) - at)}, {"allow", "no"}});
  const auto back = landed(browser.get(std::string(said_no.headers.get("Location"))));
  EXPECT_EQ(back["error"], "access_denied");
  EXPECT_EQ(back.base, "https://third.example/cb");
}

TEST_F(Authorize, TakesAPostAndAnswersWithSeeOther) {
  browser.log_in(ana);
  EXPECT_EQ(browser.post("/authorize", code()).status, 303);
}

TEST_F(Authorize, TakesPlainFromOldConfidentialClientsOnly) {
  browser.log_in(ana);
  Form plain = {{"client_id", "web"},
                {"response_type", "code"},
                {"code_challenge", std::string(kVerifier)},
                {"code_challenge_method", "plain"}};
  EXPECT_EQ(landed(browser.authorize(plain))["error"], "invalid_request");
  client("web").oidc_conformant = false;
  const std::string code = landed(browser.authorize(plain))["code"];
  EXPECT_EQ(token({{"grant_type", "authorization_code"},
                   {"client_id", "web"},
                   {"client_secret", "web-secret"},
                   {"code", code},
                   {"code_verifier", std::string(kVerifier)}})
                .status,
            200);
}

}  // namespace
}  // namespace mandate::oauth
