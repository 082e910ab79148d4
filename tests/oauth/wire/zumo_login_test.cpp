// Logging in to a mobile service as its old clients do it: windows that read an address, pages that read a message, apps
// that post a provider's token or redeem a code.
#include "oauth/wire/zumo_login.h"

#include "identity/credentials.h"
#include "oauth/revocations.h"
#include "tests/oauth/oauth_world.h"
#include "tests/support/github_stand_in.h"
#include "tests/support/oidc_stand_in.h"
#include "tests/support/router_fetch.h"

namespace mandate::oauth {
namespace {

constexpr std::string_view kMaster = "mandate-test-master-key";
constexpr std::string_view kV2Key = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// What a browser keeps between two requests.
struct Browser {
  std::map<std::string, std::string> cookies;
};

struct ServiceLoginTest : OAuthTest {
  test::GitHubStandIn github;
  test::OidcStandIn provider{clock};
  test::RouterFetch fetch;
  identity::Strategies strategies = identity::make_strategies(fetch, tenants.vault(), random, clock);
  identity::Bearers bearers{tenants.vault(), users, clock, claims_revoked};
  std::shared_ptr<http::Router> outside = std::make_shared<http::Router>();
  std::shared_ptr<http::Router> at_github = std::make_shared<http::Router>();

  ServiceLoginTest() {
    github.mount(*at_github);
    fetch.serve("https://github.com", at_github);
    fetch.serve("https://api.github.com", at_github);
    provider.mount(*outside);
    fetch.serve(provider.origin(), outside);
    const Deps deps{tenants, users, sessions, passwords, limiter, pool, clock, random, temp.log(), temp.metrics(), {}};
    identity::mount(router, identity::Deps{tenants, users, sessions, passwords, strategies, limiter, clock, random, temp.log(), temp.metrics()},
                    post_json_login(deps, bearers, strategies));
    mount_service_login(router, deps, bearers, strategies);

    const auto& vault = tenants.vault();
    tenant::Connection hub;
    hub.name = hub.strategy = "github";
    hub.options = {{"client_id", github.client_id}, {"client_secret", vault.seal(github.client_secret, tenant::sealed::connection("github", "client_secret"))}};
    config().connections["github"] = hub;
    tenant::Connection corp;
    corp.name = "corp";
    corp.strategy = "oidc";
    corp.options = {{"issuer", provider.issuer}, {"client_id", provider.client_id},
                    {"client_secret", vault.seal(provider.client_secret, tenant::sealed::connection("corp", "client_secret"))}};
    config().connections["corp"] = corp;
    tenant::Service service;
    service.name = "default";
    service.master_key_sealed = vault.seal(kMaster, tenant::sealed::service("default", "master_key"));
    service.v2_signing_keys_sealed = {vault.seal(kV2Key, tenant::sealed::service("default", "v2_signing_key"))};
    service.cors_hosts = {"app.example"};
    service.login.enabled = true;
    service.login.providers = {{"aad", "corp"}};
    service.login.external_redirects = {"myapp", "https://app.example/after"};
    service.login.package_sid = "ms-app://s-1-15-2-1";
    set(service);
  }
  void set(const tenant::Service& service) {
    config().services["default"] = service;
    tenant::Client stands;
    stands.client_id = tenant::service_client_id("default");
    stands.name = "default";
    stands.connections = service.login.connections;
    stands.allowed_logout_urls = {"https://app.example/after"};
    stands.grant_types = {std::string(tenant::grant::kServiceLogin)};
    config().service_clients.clear();
    if (service.login.enabled) config().service_clients[stands.client_id] = stands;
  }
  void change(const std::function<void(tenant::Service&)>& how) {
    tenant::Service service = config().services.at("default");
    how(service);
    set(service);
  }

  http::Response in(Browser& browser, const std::string& url, const std::string& body = "") {
    Form headers;
    std::string cookies;
    for (const auto& [name, value] : browser.cookies) cookies += (cookies.empty() ? "" : "; ") + name + "=" + value;
    if (!cookies.empty()) headers.emplace_back("Cookie", cookies);
    const auto method = body.empty() ? http::Method::get : http::Method::post;
    http::Response answer = send(*prepare(method, url, body, "application/x-www-form-urlencoded", headers));
    for (const auto& field : answer.headers.all()) {
      if (!iequals(field.name, "Set-Cookie")) continue;
      const std::string pair = field.value.substr(0, field.value.find(';'));
      browser.cookies[pair.substr(0, pair.find('='))] = pair.substr(pair.find('=') + 1);
    }
    return answer;
  }
  /// Follows redirects through us and the providers, typing Ana's password where it is asked, until `ends` or a page.
  std::string follow(Browser& browser, std::string url, std::string_view ends, http::Response* last = nullptr) {
    for (int step = 0; step < 12; ++step) {
      if (!ends.empty() && url.starts_with(ends)) return url;
      http::Response answer;
      const std::optional<Url> to = parse_url(url);
      if (to && !url.starts_with(kIssuer)) {
        auto asked = prepare(http::Method::get, to->path + "?" + to->query);
        answer = *run(loop, (to->host == "github.com" ? at_github : outside)->answer(asked->request));
      } else {
        answer = in(browser, url);
      }
      if (last) *last = answer;
      const std::string location(answer.headers.get("Location"));
      if (location.empty() && answer.body.find("type=\"password\"") != std::string::npos) {
        const auto field = [&](std::string_view name) {
          const std::string mark = "name=\"" + std::string(name) + "\" value=\"";
          const std::size_t at = answer.body.find(mark);
          return at == std::string::npos ? std::string() : answer.body.substr(at + mark.size(), answer.body.find('"', at + mark.size()) - at - mark.size());
        };
        const http::Response posted = in(browser, "/login", form({{"state", field("state")}, {"csrf", field("csrf")}, {"connection", std::string(kDirectory)},
                                                                  {"username", "ana@example.com"}, {"password", std::string(kPassword)}}));
        EXPECT_EQ(posted.status, 303) << posted.body;
        url = posted.headers.get("Location");
        continue;
      }
      if (location.empty()) return "";
      url = location;
    }
    ADD_FAILURE() << "no end of redirects: " << url;
    return "";
  }
  static JsonObject token_in(const std::string& url) {
    const std::size_t at = url.find("#token=");
    EXPECT_NE(at, std::string::npos) << url;
    if (at == std::string::npos) return {};
    return parse_json(percent_decode(url.substr(at + 7)))->as_object();
  }
  static std::string token_of(const JsonObject& answer) { return std::string(text_member(answer, "authenticationToken").value_or("")); }
  static JsonObject claims_of(const std::string& token) { return parse_json(jose::parse_compact(token, jose::KidForm::text_or_number)->payload)->as_object(); }
  std::string log_in(const std::string& start, std::string_view done = "https://login.example/login/done") {
    Browser browser;
    return token_of(token_in(follow(browser, start, done)));
  }
  Result<identity::Principal> who(const std::string& token) {
    auto sent = prepare(http::Method::get, "/tables/x", "", "", {{"X-ZUMO-AUTH", token}});
    return run(loop, bearers.identify(here(), here()->services.at("default"), sent->request));
  }
  http::Response account(const std::string& path, const std::string& token) { return get(path, {{"X-ZUMO-AUTH", token}}); }
  http::Response post_json(const std::string& path, const JsonObject& body, Form headers = {}) {
    return send(*prepare(http::Method::post, path, to_json(body), "application/json", std::move(headers)));
  }
  static JsonObject object(const http::Response& answer) {
    const auto json = parse_json(answer.body);
    return json.ok() && json->is_object() ? json->as_object() : JsonObject{};
  }
};

TEST_F(ServiceLoginTest, AStartGoesToAnotherAddressFirstAndEndsWithTheTokenInTheAddress) {
  Browser browser;
  const http::Response start = in(browser, "/login/Username-Password-Authentication");
  EXPECT_EQ(start.status, 302);
  EXPECT_TRUE(start.headers.get("Location").starts_with("/login?state="));
  const std::string end = follow(browser, std::string(start.headers.get("Location")), "https://login.example/login/done");
  const JsonObject token = token_in(end);
  EXPECT_EQ(text_member(token.at("user").as_object(), "userId"), ana.user_id);
  const auto caller = who(token_of(token));
  ASSERT_TRUE(caller.ok()) << caller.error().hint;
  EXPECT_EQ(caller->user_id, ana.user_id);
  const JsonObject claims = claims_of(token_of(token));
  EXPECT_EQ(text_member(claims, "iss"), "urn:microsoft:windows-azure:zumo");
  EXPECT_EQ(integer_member(claims, "ver"), 2);
  EXPECT_EQ(text_member(claims, "aud"), "auth0");
  EXPECT_EQ(integer_member(claims, "exp"), clock.now_seconds() + 30 * 86'400);
  EXPECT_EQ(in(browser, "/login/done").status, 200);
  EXPECT_EQ(in(browser, "/login/done").body, "");
}

TEST_F(ServiceLoginTest, WhoIsSignedInAlreadyNeedsNoPage) {
  Browser browser;
  follow(browser, "/.auth/login/Username-Password-Authentication", "https://login.example/.auth/login/done");
  const http::Response again = in(browser, "/.auth/login/Username-Password-Authentication?session_mode=token");
  EXPECT_TRUE(again.headers.get("Location").starts_with("/authorize/resume?state="));
  const http::Response done = in(browser, std::string(again.headers.get("Location")));
  EXPECT_TRUE(done.headers.get("Location").starts_with("https://login.example/.auth/login/done#token="));
  // Another provider is another question.
  EXPECT_TRUE(in(browser, "/.auth/login/github").headers.get("Location").starts_with("/login?state="));
}

TEST_F(ServiceLoginTest, AProvidersNameIsAConnectionAndOldNamesMapToOne) {
  const std::string by_name = log_in("/login/CORP"), by_old_name = log_in("/login/windowsazureactivedirectory");
  EXPECT_EQ(text_member(claims_of(by_name), "uid"), "oidc|corp|248289761001");
  EXPECT_EQ(text_member(claims_of(by_old_name), "uid"), "oidc|corp|248289761001");
  change([](tenant::Service& s) { s.login.user_id_format = "{provider}:{id}"; });
  EXPECT_EQ(text_member(claims_of(log_in("/login/aad")), "uid"), "Aad:248289761001");
  EXPECT_EQ(text_member(claims_of(log_in("/login/aad")), "aud"), "Aad");
  EXPECT_EQ(text_member(claims_of(log_in("/login/github")), "uid"), "github:583231");
  change([](tenant::Service& s) { s.login.user_id_format = "sid"; });
  const std::string sid(*text_member(claims_of(log_in("/login/aad")), "uid"));
  EXPECT_TRUE(sid.starts_with("sid:"));
  EXPECT_EQ(sid.size(), 36U);
}

TEST_F(ServiceLoginTest, UnknownAndForbiddenProvidersAndServicesWithoutALoginAre401) {
  EXPECT_EQ(get("/login/nobody").status, 401);
  EXPECT_EQ(get("/.auth/login/nobody").status, 401);
  EXPECT_EQ(text_member(object(get("/login/nobody")), "error"), "Error: Logging in with 'nobody' is not enabled.");
  change([](tenant::Service& s) { s.login.connections = {"corp"}; });
  EXPECT_EQ(get("/login/github").status, 401);
  change([](tenant::Service& s) { s.login.enabled = false; });
  EXPECT_EQ(get("/login/corp").status, 401);
  EXPECT_EQ(get("/.auth/me").status, 401);
}

TEST_F(ServiceLoginTest, TheResultGoesToTheWindowThatOpenedItWhenItsOriginIsOnTheList) {
  Browser browser;
  http::Response page;
  follow(browser, "/login/corp?completion_type=postMessage&completion_origin=https%3A%2F%2Fapp.example", "", &page);
  EXPECT_EQ(page.status, 200);
  EXPECT_NE(page.body.find(R"("origin":"https://app.example")"), std::string::npos) << page.body;
  EXPECT_NE(page.body.find(R"("type":"LoginCompleted","oauth":{"user":{"userId":"oidc|corp|248289761001"},"authenticationToken":")"), std::string::npos) << page.body;
  EXPECT_NE(page.headers.get("Content-Security-Policy").find("script-src 'sha256-"), std::string_view::npos);
  EXPECT_NE(page.headers.get("Content-Security-Policy").find("frame-ancestors 'none'"), std::string_view::npos);
  follow(browser, "/.auth/login/corp?completion_type=iframe&completion_origin=https%3A%2F%2Fapp.example", "", &page);
  EXPECT_NE(page.body.find("transferLoginResult"), std::string::npos);
}

TEST_F(ServiceLoginTest, OriginsThatAreNotOnTheListGetNothingAtTheStartNorAtTheEnd) {
  for (const std::string_view origin : {"https://evil.example", "https://app.example.evil.example", "null", "*", "https://app.example/", "https://APP.example",
                                        "file://app.example", "https://user@app.example", ""}) {
    const std::string url = "/login/corp?completion_type=postMessage&completion_origin=" + percent_encode(origin);
    EXPECT_EQ(get(url).status, 401) << origin;
    EXPECT_EQ(get("/crossdomain/loginreceiver?completion_origin=" + percent_encode(origin)).status, 401) << origin;
    EXPECT_EQ(get("/crossdomain/bridge?origin=" + percent_encode(origin)).status, 401) << origin;
  }
  EXPECT_EQ(get("/login/corp?completion_type=other&completion_origin=https%3A%2F%2Fapp.example").status, 401);
  Browser browser;
  const std::string callback = follow(browser, "/login/corp?completion_type=postMessage&completion_origin=https%3A%2F%2Fapp.example", "https://login.example/login/callback");
  change([](tenant::Service& s) { s.cors_hosts = {"other.example"}; });
  http::Response last;
  follow(browser, callback, "", &last);
  EXPECT_EQ(last.status, 401);
  EXPECT_EQ(last.body.find("authenticationToken"), std::string::npos);
}

TEST_F(ServiceLoginTest, FramesMayStandInThePagesOfTheirOriginOnly) {
  for (const std::string_view path : {"/crossdomain/loginreceiver?completion_origin=", "/.auth/login/iframereceiver?completion_origin=", "/crossdomain/bridge?origin="}) {
    const http::Response frame = get(std::string(path) + "https%3A%2F%2Fapp.example");
    EXPECT_EQ(frame.status, 200) << path;
    EXPECT_NE(frame.headers.get("Content-Security-Policy").find("frame-ancestors https://app.example"), std::string_view::npos) << path;
  }
}

TEST_F(ServiceLoginTest, AStoreAppIsSentToItsOwnAddressAndNobodyElses) {
  EXPECT_TRUE(([&] {
    Browser browser;
    return follow(browser, "/login/corp?sso_end_uri=ms-app%3A%2F%2Fs-1-15-2-1%2F", "ms-app://s-1-15-2-1/#token=").starts_with("ms-app:");
  })());
  EXPECT_EQ(get("/login/corp?sso_end_uri=ms-app%3A%2F%2Fs-1-15-2-2%2F").status, 401);
}

TEST_F(ServiceLoginTest, ANoOfThePersonEndsInTheErrorOfTheAddress) {
  provider.person_denies = true;
  Browser browser;
  EXPECT_EQ(follow(browser, "/login/corp", "https://login.example/login/done"), "https://login.example/login/done#error=Error%3A%20Ann%20said%20no");
}

TEST_F(ServiceLoginTest, ABlockedPersonGetsNoTokenAndLosesTheOnesThereAre) {
  const std::string token = log_in("/login/Username-Password-Authentication");
  ASSERT_TRUE(who(token).ok());
  ASSERT_TRUE(run(loop, users.set_blocked(here(), ana.user_id, true)).ok());
  EXPECT_FALSE(who(token).ok());
  EXPECT_EQ(account("/.auth/refresh", token).status, 401);
}

TEST_F(ServiceLoginTest, AStateOfAnotherBrowserIsNoLogin) {
  Browser ann, eve;
  const std::string resume(in(ann, "/login/corp").headers.get("Location"));
  EXPECT_EQ(in(eve, resume).status, 400);
}

TEST_F(ServiceLoginTest, V2TokensNameTheHostAndAreRefusedByAnotherServicesKey) {
  change([](tenant::Service& s) { s.login.token = "v2", s.login.user_id_format = "sid"; });
  const std::string token = log_in("/.auth/login/aad", "https://login.example/.auth/login/done");
  const JsonObject claims = claims_of(token);
  EXPECT_EQ(text_member(claims, "iss"), "https://login.example/");
  EXPECT_EQ(text_member(claims, "aud"), "https://login.example/");
  EXPECT_EQ(text_member(claims, "ver"), "3");
  EXPECT_EQ(text_member(claims, "idp"), "aad");
  EXPECT_EQ(text_member(claims, "sub"), text_member(claims, "stable_sid"));
  ASSERT_TRUE(who(token).ok());
  EXPECT_EQ(who(token)->user_id, text_member(claims, "sub"));
  const auto parts = jose::parse_compact(token);
  EXPECT_TRUE(jose::verify(*parts, jose::Key::hmac(jose::Alg::HS256, *from_hex(kV2Key))));
  tenant::Service other = config().services.at("default");
  other.name = "other";
  other.master_key_sealed = tenants.vault().seal("another", tenant::sealed::service("other", "master_key"));
  other.v2_signing_keys_sealed = {tenants.vault().seal(std::string(64, 'a'), tenant::sealed::service("other", "v2_signing_key"))};
  config().services["other"] = other;
  auto sent = prepare(http::Method::get, "/tables/x", "", "", {{"X-ZUMO-AUTH", token}});
  EXPECT_FALSE(run(loop, bearers.identify(here(), here()->services.at("other"), sent->request)).ok());
}

TEST_F(ServiceLoginTest, OwnTokensHaveTheServiceAsAudienceAndAnotherServiceRefusesThem) {
  for (const std::string_view alg : {"ES256", "RS256"}) {
    change([&](tenant::Service& s) { s.login.token = "own", s.login.signing_alg = alg, s.login.user_id_format = "{provider}:{id}"; });
    const std::string token = log_in("/login/aad");
    EXPECT_EQ(text_member(claims_of(token), "iss"), kIssuer);
    EXPECT_EQ(text_member(claims_of(token), "aud"), "urn:mandate:service:default");
    ASSERT_TRUE(who(token).ok()) << who(token).error().hint;
    EXPECT_EQ(who(token)->user_id, "Aad:248289761001");
    tenant::Service other = config().services.at("default");
    other.name = "other";
    other.master_key_sealed = tenants.vault().seal("another", tenant::sealed::service("other", "master_key"));
    other.v2_signing_keys_sealed.clear();
    config().services["other"] = other;
    auto sent = prepare(http::Method::get, "/tables/x", "", "", {{"X-ZUMO-AUTH", token}});
    EXPECT_FALSE(run(loop, bearers.identify(here(), here()->services.at("other"), sent->request)).ok());
    EXPECT_EQ(get("/userinfo", {{"Authorization", "Bearer " + token}}).status, 401) << "a token of one kind is none of another";
  }
}

TEST_F(ServiceLoginTest, WhatTheProviderGaveIsInTheTokenForOldScriptsAndAtMe) {
  const std::string token = log_in("/login/aad");
  const JsonObject claims = claims_of(token);
  const auto secrets = identity::decrypt_credentials(kMaster, text_member(claims, identity::kCredentialsClaim).value_or(""));
  ASSERT_TRUE(secrets);
  EXPECT_TRUE(text_member(*secrets, "accessToken")->starts_with("access-"));
  const auto caller = who(token);
  ASSERT_TRUE(caller.ok() && caller->identities);
  EXPECT_EQ(text_member(caller->identities->at("oidc").as_object(), "accessToken"), text_member(*secrets, "accessToken"));

  const http::Response me = account("/.auth/me", token);
  ASSERT_EQ(me.status, 200) << me.body;
  const JsonObject entry = parse_json(me.body)->as_array().at(0).as_object();
  EXPECT_EQ(text_member(entry, "provider_name"), "aad");
  EXPECT_EQ(text_member(entry, "access_token"), text_member(*secrets, "accessToken"));
  EXPECT_TRUE(entry.contains("id_token") && entry.contains("expires_on") && entry.contains("user_claims"));
  EXPECT_FALSE(entry.contains("refresh_token"));
  EXPECT_EQ(parse_json(account("/.auth/me?provider=aad", token).body)->as_array().size(), 1U);
  EXPECT_EQ(parse_json(account("/.auth/me?provider=facebook", token).body)->as_array().size(), 0U);
  EXPECT_EQ(get("/.auth/me").status, 401);
  // At rest it is sealed.
  store::Plan plan;
  plan.table = "provider_tokens";
  const auto rows = run(loop, store::rows(temp.store(), plan));
  ASSERT_EQ(rows->size(), 1U);
  EXPECT_EQ(rows->front().text("sealed").find("access-"), std::string_view::npos);
}

TEST_F(ServiceLoginTest, ScriptsAreToldOfTheProviderWhateverTheTokensForm) {
  for (const std::string form : {"v2", "own"}) {
    change([&](tenant::Service& s) {
      s.login.token = form;
      s.login.user_id_format = "sid";
    });
    const std::string token = log_in("/.auth/login/aad", "https://login.example/.auth/login/done");
    const JsonObject claims = claims_of(token);
    EXPECT_FALSE(to_json(claims).find("access-") != std::string::npos) << "hidden";
    const auto caller = who(token);
    ASSERT_TRUE(caller.ok() && caller->identities) << form;
    const JsonObject& aad = caller->identities->at("aad").as_object();
    EXPECT_EQ(text_member(aad, "userId"), caller->user_id);
    EXPECT_TRUE(text_member(aad, "accessToken")->starts_with("access-"));
  }
}

TEST_F(ServiceLoginTest, NothingOfTheProviderIsKeptWhereTheServiceDoesNotWantIt) {
  change([](tenant::Service& s) { s.login.keep_provider_tokens = false; });
  const std::string token = log_in("/login/aad");
  EXPECT_FALSE(claims_of(token).contains(identity::kCredentialsClaim));
  store::Plan plan;
  plan.table = "provider_tokens";
  EXPECT_TRUE(run(loop, store::rows(temp.store(), plan))->empty());
}

TEST_F(ServiceLoginTest, RefreshAsksTheProviderAndTellsItsThreeKindsOfNoApart) {
  const std::string token = log_in("/login/aad");
  clock.advance(std::chrono::hours(1));
  const http::Response fresh = account("/.auth/refresh", token);
  ASSERT_EQ(fresh.status, 200) << fresh.body;
  EXPECT_EQ(provider.refreshes, 1);
  const std::string newer = token_of(object(fresh));
  EXPECT_GT(*integer_member(claims_of(newer), "exp"), *integer_member(claims_of(token), "exp"));
  EXPECT_EQ(text_member(object(fresh).at("user").as_object(), "userId"), text_member(claims_of(token), "uid"));
  EXPECT_EQ(account("/.auth/refresh", newer).status, 200) << "the provider's new refresh token was kept";
  provider.refresh_revoked = true;
  EXPECT_EQ(account("/.auth/refresh", newer).status, 403);
  EXPECT_EQ(account("/.auth/refresh", newer + "x").status, 401);
  EXPECT_EQ(account("/.auth/refresh", "").status, 401);
  EXPECT_EQ(account("/.auth/refresh", log_in("/login/github")).status, 400) << "GitHub gives no refresh token";
  EXPECT_EQ(account("/.auth/refresh", log_in("/login/Username-Password-Authentication")).status, 200);
}

TEST_F(ServiceLoginTest, TwoRefreshesAtOnceUseTheProvidersTokenOnce) {
  const std::string token = log_in("/login/aad");
  clock.advance(std::chrono::hours(1));
  std::vector<std::unique_ptr<Sent>> requests;
  std::vector<int> statuses;
  for (int i = 0; i < 3; ++i) requests.push_back(prepare(http::Method::get, "/.auth/refresh", "", "", {{"X-ZUMO-AUTH", token}}));
  for (const auto& sent : requests) spawn(router.answer(sent->request), [&](Result<http::Response> answer) { statuses.push_back(answer->status); });
  loop.run_until([&] { return statuses.size() == requests.size(); });
  EXPECT_EQ(statuses, (std::vector<int>{200, 200, 200}));
  EXPECT_EQ(provider.refreshes, 1) << "a provider that rotates takes a second use for theft";
  EXPECT_EQ(account("/.auth/refresh", token).status, 200) << "and the login goes on";
  EXPECT_EQ(provider.refreshes, 2);
}

TEST_F(ServiceLoginTest, ALoginIsRefreshedSoLongAndNoLonger) {
  change([](tenant::Service& s) { s.login.refresh_lifetime = 3600; });
  const std::string token = log_in("/login/aad");
  clock.advance(std::chrono::minutes(59));
  const std::string newer = token_of(object(account("/.auth/refresh", token)));
  clock.advance(std::chrono::minutes(2));
  EXPECT_EQ(account("/.auth/refresh", newer).status, 403) << "a chain of refreshes counts from the login";
}

TEST_F(ServiceLoginTest, PkceGivesACodeForTheAppAndTheTokenToWhoeverBegan) {
  const std::string verifier = base64(std::string(32, '\x5a')), hash = sha256(verifier);
  std::vector<std::string> spellings{base64(hash), base64url(hash)};
  spellings.push_back(spellings[0].substr(0, spellings[0].find('=')));
  spellings.push_back(spellings[1] + "=");
  for (const std::string& challenge : spellings) {
    Browser browser;
    const std::string end = follow(browser, "/.auth/login/aad?post_login_redirect_url=myapp%3A%2F%2Feasyauth.callback&code_challenge_method=S256&session_mode=token&code_challenge=" +
                                                percent_encode(challenge), "myapp:");
    ASSERT_TRUE(end.starts_with("myapp://easyauth.callback#authorization_code=")) << end;
    const std::string code = end.substr(end.find('=') + 1), asked = "/.auth/login/aad/token?authorization_code=" + code + "&code_verifier=" + percent_encode(verifier);
    const http::Response first = get(asked);
    ASSERT_EQ(first.status, 200) << first.body;
    const std::string token = token_of(object(first));
    EXPECT_TRUE(who(token).ok());
    EXPECT_EQ(get(asked).status, 401) << "once";
    EXPECT_FALSE(who(token).ok()) << "a second use takes back what the first gave";
  }
}

TEST_F(ServiceLoginTest, ACodeIsForItsVerifierItsProviderAndOneMinute) {
  const std::string verifier(43, 'v'), start = "/.auth/login/aad?post_login_redirect_url=myapp%3A%2F%2Feasyauth.callback&code_challenge_method=S256&code_challenge=" + base64url(sha256(verifier));
  Browser browser;
  const auto code = [&] {
    const std::string end = follow(browser, start, "myapp:");
    return end.substr(end.find('=') + 1);
  };
  const auto redeem = [&](const std::string& given, const std::string& with, const std::string& at) {
    return get("/.auth/login/" + at + "/token?authorization_code=" + given + "&code_verifier=" + with).status;
  };
  EXPECT_EQ(redeem(code(), "wrong", "aad"), 401);
  EXPECT_EQ(redeem(code(), verifier, "github"), 401);
  EXPECT_EQ(redeem("made-up", verifier, "aad"), 401);
  const std::string late = code();
  clock.advance(std::chrono::seconds(61));
  EXPECT_EQ(redeem(late, verifier, "aad"), 401);
  EXPECT_EQ(redeem(code(), verifier, "aad"), 200);
}

TEST_F(ServiceLoginTest, OnlyListedAddressesAreReturnedToAndNoneGetsATokenWithoutAChallenge) {
  const std::string challenge = "&code_challenge_method=S256&code_challenge=" + base64url(sha256("x"));
  for (const std::string_view url : {"evil://easyauth.callback", "myapp://other.callback", "myapp://easyauth.callback/x", "https://app.example/after/", "https://evil.example/after", "javascript:alert(1)"})
    EXPECT_EQ(get("/.auth/login/aad?post_login_redirect_url=" + percent_encode(url) + challenge).status, 401) << url;
  EXPECT_EQ(get("/.auth/login/aad?post_login_redirect_url=myapp%3A%2F%2Feasyauth.callback&session_mode=token").status, 401);
  EXPECT_EQ(get("/.auth/login/aad?post_login_redirect_url=myapp%3A%2F%2Feasyauth.callback&code_challenge=short&code_challenge_method=S256").status, 401);
  EXPECT_EQ(get("/.auth/login/aad?post_login_redirect_url=myapp%3A%2F%2Feasyauth.callback&code_challenge_method=plain&code_challenge=" + base64url(sha256("x"))).status, 401);
  Browser browser;
  EXPECT_EQ(follow(browser, "/.auth/login/aad?post_login_redirect_url=https%3A%2F%2Fapp.example%2Fafter", "https://app.example/"), "https://app.example/after");
}

TEST_F(ServiceLoginTest, AnAppThatSignedItsUserInItselfPostsTheProvidersToken) {
  const http::Response answer = post_json("/.auth/login/aad", {{"id_token", provider.id_token("")}}, {{"Origin", "https://app.example"}});
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.headers.get("Access-Control-Allow-Origin"), "https://app.example");
  EXPECT_EQ(text_member(object(answer).at("user").as_object(), "userId"), "oidc|corp|248289761001");
  EXPECT_TRUE(who(token_of(object(answer))).ok());
  EXPECT_EQ(post_json("/login/aad", {{"id_token", provider.id_token("n-1")}, {"nonce", "n-1"}}).status, 200);
  EXPECT_EQ(post_json("/login/aad", {{"id_token", provider.id_token("n-1")}, {"nonce", "n-2"}}).status, 401);
  provider.audience = "somebody-else";
  EXPECT_EQ(post_json("/login/aad", {{"id_token", provider.id_token("")}}).status, 401);
  provider.audience.clear();
  EXPECT_EQ(post_json("/login/aad", {{"access_token", "whatever"}}).status, 401) << "nobody says for whom it was made";
  EXPECT_EQ(post_json("/login/aad", {}).status, 401);
  EXPECT_EQ(post_json("/login/Username-Password-Authentication", {{"access_token", "x"}}).status, 401);
  EXPECT_EQ(send(*prepare(http::Method::post, "/login/aad", "[1]", "application/json")).status, 400);
  change([](tenant::Service& s) { s.login.client_flow = false; });
  EXPECT_EQ(post_json("/.auth/login/aad", {{"id_token", provider.id_token("")}}).status, 401);
}

TEST_F(ServiceLoginTest, GitHubSaysWhetherAPostedTokenWasMadeForThisClient) {
  const http::Response answer = post_json("/.auth/login/github", {{"access_token", github.token_for_app()}});
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(text_member(object(answer).at("user").as_object(), "userId"), "github|583231");
  EXPECT_EQ(post_json("/.auth/login/github", {{"access_token", github.token_for_app(true)}}).status, 401);
  EXPECT_EQ(post_json("/.auth/login/github", {{"access_token", "made up"}}).status, 401);
  fetch.failure = Error(Code::upstream_error, "no way");
  EXPECT_EQ(post_json("/.auth/login/github", {{"access_token", github.token_for_app()}}).status, 503);
}

TEST_F(ServiceLoginTest, AnOldTokenOfWindowsLiveIsTakenWhereTheClientSecretSaysSo) {
  change([](tenant::Service& s) { s.login.providers["microsoftaccount"] = "corp", s.login.user_id_format = "{provider}:{id}"; });
  const auto live = [&](std::string_view secret) {
    const jose::Key key = jose::Key::hmac(jose::Alg::HS256, sha256(std::string(secret) + "JWTSig"), "0");
    return *jose::sign_jwt(key, {{"ver", 1}, {"iss", "urn:windows:liveid"}, {"exp", clock.now_seconds() + 3600}, {"uid", "f00ba4"}, {"aud", "todo.example"}});
  };
  const http::Response answer = post_json("/login", {{"authenticationToken", live(provider.client_secret)}});
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(text_member(object(answer).at("user").as_object(), "userId"), "MicrosoftAccount:f00ba4");
  EXPECT_EQ(post_json("/.auth/login", {{"authenticationToken", live(provider.client_secret)}}).status, 200);
  EXPECT_EQ(post_json("/login", {{"authenticationToken", live("another secret")}}).status, 401);
}

TEST_F(ServiceLoginTest, LogoutEndsTheSessionAndTheTokenAndGoesWhereItMay) {
  Browser browser;
  const std::string token = token_of(token_in(follow(browser, "/.auth/login/corp", "https://login.example/.auth/login/done")));
  EXPECT_EQ(in(browser, "/.auth/logout?post_logout_redirect_uri=https%3A%2F%2Fevil.example").status, 400);
  EXPECT_EQ(in(browser, "/.auth/logout?post_logout_redirect_uri=%2F%2Fevil.example").status, 400);
  const http::Response out = in(browser, "/.auth/logout?post_logout_redirect_uri=https%3A%2F%2Fapp.example%2Fafter");
  EXPECT_EQ(out.headers.get("Location"), "https://app.example/after");
  EXPECT_FALSE(who(token).ok()) << "it was of that session";
  EXPECT_TRUE(in(browser, "/.auth/login/corp").headers.get("Location").starts_with("/login?state="));
  const std::string native = log_in("/login/corp");
  EXPECT_EQ(account("/.auth/logout?post_logout_redirect_uri=%2Fbye", native).headers.get("Location"), "/bye");
  EXPECT_FALSE(who(native).ok());
}

TEST_F(ServiceLoginTest, ProvidersThatKnowTheOldAddressMayKeepIt) {
  change([](tenant::Service& s) { s.login.legacy_callbacks = true; });
  Browser browser;
  const std::string back = follow(browser, "/login/aad", "https://login.example/login/aad?");
  EXPECT_FALSE(back.empty());
  EXPECT_TRUE(follow(browser, back, "https://login.example/login/done").starts_with("https://login.example/login/done#token="));
  EXPECT_FALSE(follow(browser, "/.auth/login/github", "https://login.example/.auth/login/github/callback?").empty());
}

TEST_F(ServiceLoginTest, CookiesOfTheOldRuntimeAreTakenOutOfBrowsers) {
  const http::Response start = get("/login/corp", {{"Cookie", "wams_state=1; wams_nonce=2"}});
  int gone = 0;
  for (const auto& field : start.headers.all()) gone += iequals(field.name, "Set-Cookie") && field.value.starts_with("wams_") && field.value.find("Max-Age=0") != std::string::npos;
  EXPECT_EQ(gone, 2);
}

}  // namespace
}  // namespace mandate::oauth
