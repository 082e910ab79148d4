// A small house for tests of the oauth room: one tenant on a real store, the room's routes, browsers and
// apps.
#pragma once

#include <gtest/gtest.h>

#include <deque>

#include "base/base64.h"
#include "base/crypto.h"
#include "base/url.h"
#include "identity/login/auth_request.h"
#include "identity/mount.h"
#include "oauth/issuer.h"
#include "oauth/mount.h"
#include "store/single_use.h"
#include "tenant/objects.h"
#include "tests/support/temp_store.h"
#include "tests/support/test_loop.h"

namespace mandate::oauth {

using test::run;

inline constexpr std::string_view kDirectory = "Username-Password-Authentication";
inline constexpr std::string_view kPassword = "correct horse battery staple";
inline constexpr std::string_view kVerifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
inline constexpr std::string_view kChallenge =
    "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";  // RFC 7636, appendix B
inline constexpr std::string_view kIssuer = "https://login.example/";

/// A tenant that tests may change between requests.
class OneTenant final : public tenant::Tenants {
 public:
  OneTenant(test::TempStore& temp, Random& random) : vault_(std::string(32, 'k'), random), temp_(temp) {
    config.name = "demo";
    config.issuer_host = "login.example";
    config.flags = {"allow_legacy_ro_grant_types", "allow_legacy_tokeninfo_endpoint", "enable_legacy_profile"};
    config.allowed_logout_urls = {"https://tenant.example/bye"};
    tenant::Connection database;
    database.name = kDirectory;
    database.strategy = "auth0";
    config.connections[database.name] = database;
    add_api("https://api", "ES256");
    add_api("https://rsa", "RS256");
    add_api("https://opaque", "opaque");
    add_client("web", "regular_web", "web-secret", {"https://web.example/cb"});
    add_client("spa", "spa", "", {"https://spa.example/cb"});
    add_client("m2m", "non_interactive", "m2m-secret", {});
    add_client("other", "regular_web", "other-secret", {"https://other.example/cb"});
    add_client("third", "spa", "", {"https://third.example/cb"}).is_first_party = false;
    tenant::Client& todo =
        add_client("todo", "native", "", {"https://todo.example/cb", "com.todo.app://callback"});
    todo.oidc_conformant = false;
    todo.query_tokens = todo.refresh_infinite = true;
    todo.alg = jose::Alg::RS256;
    for (std::string_view api : {"https://api", "https://rsa", "https://opaque"})
      config.client_grants.push_back({"m2m", std::string(api), {"read"}});
    config.client_grants.push_back({"third", "https://api", {"read"}});
    static const jose::Key es = *jose::Key::generate(jose::Alg::ES256),
                           rs = *jose::Key::generate(jose::Alg::RS256);
    config.signing_keys = {
        {es, "", "current"},
        {rs, *jose::self_signed_certificate(rs, "login.example", 1'600'000'000), "current"}};
  }

  tenant::Client& add_client(std::string id, std::string app_type, std::string secret,
                             std::vector<std::string> callbacks) {
    tenant::Client client;
    client.client_id = client.name = id;
    client.app_type = std::move(app_type);
    client.callbacks = std::move(callbacks);
    client.allowed_logout_urls = {"https://" + id + ".example/bye"};
    using namespace tenant::grant;
    for (std::string_view g : {kAuthorizationCode, kImplicit, kRefreshToken, kClientCredentials,
                               tenant::grant::kPassword, kPasswordRealm, kLegacyRo})
      client.grant_types.emplace(g);
    if (!secret.empty()) {
      client.token_endpoint_auth_method = "client_secret_post";
      client.secrets = {{token_hash(secret), vault_.seal(secret, tenant::sealed::client_secret(id)), 0}};
    }
    return config.clients[id] = std::move(client);
  }
  void add_api(std::string identifier, std::string alg) {
    tenant::Api api;
    api.identifier = api.name = identifier;
    api.signing_alg = std::move(alg);
    api.scopes = {"read", "write"};
    api.allow_offline_access = true;
    config.apis[identifier] = std::move(api);
  }

  Result<tenant::Here> by_host(std::string_view) const override { return by_name("demo"); }
  Result<tenant::Here> by_name(std::string_view) const override {
    return tenant::Here{std::make_shared<tenant::Tenant>(config), store ? store : &temp_.store()};
  }
  std::vector<std::string> names() const override { return {"demo"}; }
  const tenant::Vault& vault() const override { return vault_; }

  tenant::Tenant config;
  store::Store* store = nullptr;  ///< another than the TempStore's own

 private:
  tenant::Vault vault_;
  test::TempStore& temp_;
};

using Form = std::vector<std::pair<std::string, std::string>>;

inline std::string form(const Form& fields) {
  std::string body;
  for (const auto& [name, value] : fields)
    body += (body.empty() ? "" : "&") + name + "=" + percent_encode(value);
  return body;
}

/// A request whose bytes live as long as it does.
struct Sent {
  std::string target, query, body, authorization, type;
  http::Request request;
};

struct OAuthTest : testing::Test {
  test::TestLoop loop;
  test::TempStore temp{{tenant::kMigrations, identity::kMigrations, kMigrations}};
  ManualClock& clock = temp.clock();
  SystemRandom random;
  CpuPool pool{2, 128};
  OneTenant tenants{temp, random};
  identity::Users users{clock, random};
  identity::Sessions sessions{clock, random};
  identity::Passwords passwords{
      users,  pool,           clock,
      random, temp.metrics(), identity::PasswordCost{.memory_bytes = 64 * 1024, .passes = 1}};
  tenant::RateLimiter limiter{clock};
  http::Router router;
  identity::User ana;

  OAuthTest() {
    mount(router, Deps{tenants,
                       users,
                       sessions,
                       passwords,
                       limiter,
                       pool,
                       clock,
                       random,
                       temp.log(),
                       temp.metrics(),
                       {}});
    ana = sign_up("ana@example.com");
  }

  tenant::Tenant& config() { return tenants.config; }
  tenant::Client& client(std::string_view id) { return config().clients.find(id)->second; }
  tenant::Here here() { return *tenants.by_name("demo"); }

  identity::User sign_up(std::string email) {
    identity::Passwords::SignUp fields;
    fields.email = std::move(email);
    fields.name = "Ana Example";
    fields.password = Secret(std::string(kPassword));
    http::Request request;
    request.peer = "192.0.2.7";
    return *run(loop, passwords.sign_up(here(), config().connections.at(std::string(kDirectory)),
                                        std::move(fields), request));
  }

  std::unique_ptr<Sent> prepare(http::Method method, std::string url, std::string body = "",
                                std::string type = "application/x-www-form-urlencoded",
                                std::vector<std::pair<std::string, std::string>> headers = {}) {
    auto sent = std::make_unique<Sent>();
    if (url.starts_with(kIssuer)) url = url.substr(kIssuer.size() - 1);
    sent->target = url;
    const std::size_t mark = url.find('?');
    sent->query = mark == std::string::npos ? "" : url.substr(mark + 1);
    sent->body = std::move(body);
    sent->type = std::move(type);
    http::Request& r = sent->request;
    r.method = method;
    r.target = sent->target;
    r.path = url.substr(0, mark);
    r.query = sent->query;
    r.body = sent->body;
    r.host = "login.example";
    r.secure = true;
    r.peer = "192.0.2.7";
    r.id = "req-1";
    if (!sent->body.empty()) r.headers.add("Content-Type", sent->type);
    kept_.push_back(std::move(headers));
    for (const auto& [name, value] : kept_.back()) r.headers.add(name, value);
    return sent;
  }
  http::Response send(Sent& sent) { return *run(loop, router.answer(sent.request)); }
  http::Response get(std::string url, Form headers = {}) {
    return send(*prepare(http::Method::get, std::move(url), "", "", std::move(headers)));
  }
  http::Response post(std::string url, const Form& fields, Form headers = {}) {
    return send(*prepare(http::Method::post, std::move(url), form(fields),
                         "application/x-www-form-urlencoded", std::move(headers)));
  }
  http::Response token(const Form& fields, Form headers = {}) {
    return post("/oauth/token", fields, std::move(headers));
  }

  /// The same request `count` times at the same moment.
  std::vector<http::Response> at_once(int count, const std::string& url, const Form& fields) {
    std::deque<std::unique_ptr<Sent>> all;
    std::vector<http::Response> out;
    int done = 0;
    for (int i = 0; i < count; ++i) all.push_back(prepare(http::Method::post, url, form(fields)));
    for (auto& sent : all)
      spawn(router.answer(sent->request), [&](Result<http::Response> r) {
        out.push_back(std::move(*r));
        ++done;
      });
    loop.run_until([&] { return done == count; });
    return out;
  }

  static JsonObject body(const http::Response& response) {
    const Result<Json> json = parse_json(response.body);
    EXPECT_TRUE(json.ok() && json->is_object()) << response.status << " " << response.body;
    return json.ok() && json->is_object() ? json->get_object() : JsonObject{};
  }
  static std::string text(const JsonObject& object, std::string_view name) {
    return std::string(text_member(object, name).value_or(""));
  }
  static JsonObject claims(std::string_view jwt) {
    const auto parts = jose::parse_compact(jwt);
    EXPECT_TRUE(parts.ok()) << jwt;
    return parts.ok() ? parse_json(parts->payload)->get_object() : JsonObject{};
  }

 private:
  std::deque<Form> kept_;
};

/// What came back in a Location: name → value, and where it was.
struct Landed {
  std::string base, query, fragment;
  std::map<std::string, std::string> fields;
  std::string operator[](const std::string& name) const {
    const auto at = fields.find(name);
    return at == fields.end() ? "" : at->second;
  }
};
inline Landed landed(const http::Response& response) {
  Landed out;
  std::string location(response.headers.get("Location"));
  if (const auto hash = location.find('#'); hash != std::string::npos) {
    out.fragment = location.substr(hash + 1);
    location.resize(hash);
  }
  if (const auto mark = location.find('?'); mark != std::string::npos) {
    out.query = location.substr(mark + 1);
    location.resize(mark);
  }
  out.base = location;
  for (const std::string* part : {&out.query, &out.fragment})
    for (auto& [name, value] : parse_form(*part)) out.fields[name] = value;
  return out;
}

/// A person's browser: keeps cookies.
class Browser {
 public:
  explicit Browser(OAuthTest& test) : test_(test) {}
  std::map<std::string, std::string> cookies;
  Form headers;

  http::Response get(std::string url) { return keep(test_.get(std::move(url), all_headers())); }
  http::Response post(std::string url, const Form& fields) {
    return keep(test_.post(std::move(url), fields, all_headers()));
  }
  http::Response authorize(const Form& fields) { return get("/authorize?" + form(fields)); }

  /// A session as a login makes it.
  identity::Session log_in(const identity::User& user) {
    auto sent = test_.prepare(http::Method::get, "/", "", "", all_headers());
    std::string cookie;
    const auto session = *run(test_.loop, test_.sessions.begin(test_.here(), sent->request, user,
                                                               std::string(kDirectory), {"pwd"}, cookie));
    keep_cookie(cookie);
    return session;
  }
  /// What a login step does at /login?state=…: proves the person, writes it down, sends on to resume.
  http::Response pass_login(const http::Response& at_login, const identity::User& user) {
    const std::string handle = landed(at_login)["state"];
    auto sent = test_.prepare(http::Method::get, "/login", "", "", all_headers());
    auto login =
        **run(test_.loop, identity::find_login(test_.here(), sent->request, handle, test_.clock.now_ms()));
    log_in(user);
    login.user_id = user.user_id;
    login.used_connection = kDirectory;
    login.authenticated_at = test_.clock.now_ms();
    const auto updated =
        run(test_.loop, identity::update_login(test_.here(), login, "", test_.clock.now_ms()));
    EXPECT_TRUE(updated.ok());
    return get(identity::resume_url(*updated));
  }
  /// Straight through /authorize with a session.
  std::string code(std::string client_id = "spa", std::string scope = "openid offline_access",
                   Form more = {}) {
    Form fields = {{"client_id", client_id},
                   {"response_type", "code"},
                   {"scope", std::move(scope)},
                   {"redirect_uri", test_.client(client_id).callbacks.front()},
                   {"code_challenge", std::string(kChallenge)},
                   {"code_challenge_method", "S256"},
                   {"state", "s"}};
    for (auto& field : more) fields.push_back(field);
    return landed(authorize(fields))["code"];
  }

 private:
  Form all_headers() {
    Form out = headers;
    std::string jar;
    for (const auto& [name, value] : cookies) jar += (jar.empty() ? "" : "; ") + name + "=" + value;
    if (!jar.empty()) out.emplace_back("Cookie", jar);
    return out;
  }
  void keep_cookie(std::string_view set_cookie) {
    const std::string_view pair = set_cookie.substr(0, set_cookie.find(';'));
    const std::string name(pair.substr(0, pair.find('=')));
    if (set_cookie.find("Max-Age=0") != std::string_view::npos)
      cookies.erase(name);
    else
      cookies[name] = pair.substr(pair.find('=') + 1);
  }
  http::Response keep(http::Response response) {
    for (const auto& field : response.headers.all())
      if (iequals(field.name, "Set-Cookie")) keep_cookie(field.value);
    return response;
  }
  OAuthTest& test_;
};

inline Form code_form(std::string code, std::string client_id = "spa",
                      std::string redirect_uri = "https://spa.example/cb") {
  return {{"grant_type", "authorization_code"},
          {"client_id", std::move(client_id)},
          {"code", std::move(code)},
          {"redirect_uri", std::move(redirect_uri)},
          {"code_verifier", std::string(kVerifier)}};
}

}  // namespace mandate::oauth
