// Login through a provider of OpenID Connect, against one that signs with keys of its own and lies on demand: SE-6, OA-5.
#include "tests/identity/identity_test_base.h"
#include "tests/support/oidc_stand_in.h"

namespace mandate::identity {
namespace {

struct OidcTest : IdentityTest {
  test::OidcStandIn provider{clock};
  Browser ann{*this};

  OidcTest() {
    auto outside = std::make_shared<http::Router>();
    provider.mount(*outside);
    fetch.serve(provider.origin(), outside);
    tenant::Connection corp;
    corp.name = "corp";
    corp.strategy = "oidc";
    corp.options = {{"issuer", provider.issuer},
                    {"client_id", provider.client_id},
                    {"client_secret", tenants.vault().seal(provider.client_secret, tenant::sealed::connection("corp", "client_secret"))}};
    tenants.config.connections["corp"] = corp;
  }
  JsonObject& options() { return tenants.config.connections.at("corp").options; }
  std::string to_provider(Browser& browser) { return std::string(browser.get(browser.begin("&connection=corp")).headers.get("Location")); }
  http::Response log_in(Browser& browser) {
    const std::string there = to_provider(browser);
    if (!there.starts_with(provider.origin())) return browser.get(there);
    return browser.get(browser.through_provider(there));
  }
  JsonObject resumed(Browser& browser, const http::Response& response) {
    const std::string to(response.headers.get("Location"));
    EXPECT_TRUE(to.starts_with("/authorize/resume?state=")) << response.status << response.body;
    return parse_json(browser.get(to).body)->as_object();
  }
  /// A fresh browser's login; true when it made nobody.
  bool refused() {
    const std::size_t before = count("users");
    Browser browser{*this};
    const http::Response page = log_in(browser);
    return page.status == 400 && !page.headers.has("Location") && count("users") == before && count("sessions") == 0;
  }
};

TEST_F(OidcTest, APersonComesBackByTheirSubjectWithWhatTheIdTokenSays) {
  const std::string url = to_provider(ann);
  const auto asked = http::Params::of_query(std::string_view(url).substr(url.find('?') + 1));
  EXPECT_EQ(asked.get("scope"), "openid profile email");
  EXPECT_EQ(asked.get("redirect_uri"), "https://login.example/login/callback");
  EXPECT_EQ(asked.get("code_challenge_method"), "S256");
  EXPECT_GE(asked.get("nonce").size(), 20U);
  const JsonObject login = resumed(ann, ann.get(ann.through_provider(url)));
  EXPECT_EQ(text_member(login, "user_id"), "oidc|corp|248289761001");
  const User user = **run(loop, users.find(here(), "oidc|corp|248289761001"));
  EXPECT_EQ(user.email, "ann@example.org");
  EXPECT_TRUE(user.email_verified);
  EXPECT_EQ(user.name, "Ann Example");
}

TEST_F(OidcTest, DocumentAndKeysAreAskedForOnceAnHour) {
  for (int i = 0; i < 3; ++i) {
    Browser browser{*this};
    resumed(browser, log_in(browser));
  }
  EXPECT_EQ(provider.document_requests, 1);
  EXPECT_EQ(provider.key_requests, 1);
  clock.advance(std::chrono::minutes(61));
  Browser browser{*this};
  resumed(browser, log_in(browser));
  EXPECT_EQ(provider.document_requests, 2);
  EXPECT_EQ(provider.key_requests, 2);
}

TEST_F(OidcTest, ANewKeyIsFoundAtOnceAndAStrangersKidAsksOnceAMinuteAtMost) {
  resumed(ann, log_in(ann));
  clock.advance(std::chrono::minutes(2));
  provider.key = *jose::Key::generate(jose::Alg::ES256, "k2");
  Browser browser{*this};
  resumed(browser, log_in(browser));
  EXPECT_EQ(provider.key_requests, 2);
  provider.key = *jose::Key::generate(jose::Alg::ES256, "k3");
  provider.publishes_key = false;
  for (int i = 0; i < 3; ++i) {
    Browser eve{*this};
    EXPECT_EQ(log_in(eve).status, 400);
  }
  EXPECT_EQ(provider.key_requests, 2) << "within the same minute";
}

TEST_F(OidcTest, ADocumentForAnotherIssuerIsNotBelieved) {
  provider.says_issuer = provider.issuer + "/";
  Browser browser{*this};
  const JsonObject login = resumed(browser, browser.get(browser.begin("&connection=corp")));
  EXPECT_EQ(text_member(login, "error"), "server_error");
  EXPECT_EQ(count("users"), 0U);
}

TEST_F(OidcTest, AnIdTokenThatIsNotExactlyForUsMakesNobody) {
  const auto lie = [&](const char* what, const std::function<void()>& begin, const std::function<void()>& end) {
    begin();
    EXPECT_TRUE(refused()) << what;
    end();
  };
  lie("iss", [&] { provider.token_issuer = "https://id.example/realms/two"; }, [&] { provider.token_issuer.clear(); });
  lie("aud", [&] { provider.audience = "another-client"; }, [&] { provider.audience.clear(); });
  lie("azp", [&] { provider.azp = "another-client"; }, [&] { provider.azp.clear(); });
  lie("two audiences without azp", [&] { provider.more_claims = {{"aud", JsonArray{provider.client_id, "another-client"}}}; }, [&] { provider.more_claims.clear(); });
  lie("nonce", [&] { provider.nonce_instead = "of another login"; }, [&] { provider.nonce_instead.clear(); });
  lie("expired", [&] { provider.id_token_lifetime = -120; }, [&] { provider.id_token_lifetime = 300; });
  lie("at_hash", [&] { provider.more_claims = {{"at_hash", "AAAAAAAAAAAAAAAAAAAAAA"}}; }, [&] { provider.more_claims.clear(); });
  lie("sub a number", [&] { provider.more_claims = {{"sub", 42}}; }, [&] { provider.more_claims.clear(); });
  lie("sub empty", [&] { provider.sub.clear(); }, [&] { provider.sub = "248289761001"; });
  lie("none at all", [&] { provider.no_id_token = true; }, [&] { provider.no_id_token = false; });
  lie("a secret's signature", [&] { provider.key = jose::Key::hmac(jose::Alg::HS256, provider.client_secret, "k1"); },
      [&] { provider.key = *jose::Key::generate(jose::Alg::RS256, "k4"); });
  clock.advance(std::chrono::minutes(2));
  Browser browser{*this};
  resumed(browser, log_in(browser));
}

TEST_F(OidcTest, AnEmailIsVerifiedOnlyWhenTheProviderSaysTrue) {
  provider.more_claims = {{"email_verified", "true"}};
  resumed(ann, log_in(ann));
  EXPECT_FALSE((*run(loop, users.find(here(), "oidc|corp|248289761001")))->email_verified);
}

TEST_F(OidcTest, AProviderThatPromisesItsNameInEachAnswerMustGiveIt) {
  const std::string url = to_provider(ann);
  provider.sends_iss = false;
  EXPECT_EQ(ann.get(ann.through_provider(url)).status, 400);
  EXPECT_EQ(provider.exchanges, 0) << "no code leaves for an answer that cannot be placed";
}

TEST_F(OidcTest, ClientProofFollowsTheDocumentOrTheSetting) {
  provider.basic_only = false;
  resumed(ann, log_in(ann));
  provider.basic_only = true;
  Browser second{*this};
  options()["token_auth"] = "client_secret_basic";
  resumed(second, log_in(second));
}

TEST_F(OidcTest, UserinfoIsAskedWhereWantedAndMustBeAboutTheSamePerson) {
  options()["userinfo"] = true;
  resumed(ann, log_in(ann));
  EXPECT_EQ((*run(loop, users.find(here(), "oidc|corp|248289761001")))->picture, "https://id.example/ann.png");
  provider.userinfo_sub = "somebody else";
  Browser browser{*this};
  EXPECT_EQ(log_in(browser).status, 400);
}

TEST_F(OidcTest, AnIssuerWithoutTlsIsNotAsked) {
  options()["issuer"] = "http://id.example/realms/one";
  const std::size_t before = fetch.sent.size();
  EXPECT_EQ(text_member(resumed(ann, ann.get(ann.begin("&connection=corp"))), "error"), "server_error");
  EXPECT_EQ(fetch.sent.size(), before);
}

}  // namespace
}  // namespace mandate::identity
