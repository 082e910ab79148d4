// TK-4, TK-1, TK-5: every door that takes a token, given every kind of token there is. Each takes its own kind and gives all
// others the one refusal of its contract.
#include <gtest/gtest.h>

#include <set>

#include "base/base64.h"
#include "base/url.h"
#include "jose/jwt.h"
#include "tests/support/test_loop.h"
#include "tests/wire/fixture.h"

namespace mandate::wire {
namespace {

using Form = std::vector<std::pair<std::string, std::string>>;
constexpr std::string_view kWorkerSecret = "worker-secret-worker-secret-worker-secret";

class Matrix : public ::testing::Test {
 protected:
  Matrix() {
    EXPECT_TRUE(test::run(loop, fixture.house->open()).ok());
    apply(fixture.tenant_file);
    std::string other = fixture.tenant_file;  // the same names, ids and secrets at another tenant (TK-3, DG-5)
    const auto replace = [&](std::string_view from, std::string_view to) {
      const std::size_t at = other.find(from);
      ASSERT_NE(at, std::string::npos);
      other.replace(at, from.size(), to);
    };
    replace("tenant: demo", "tenant: other");
    replace("hosts: [demo.example, localhost]", "hosts: [other.example]");
    apply(other);
  }
  ~Matrix() override {
    fixture.house->stop();
    for (int i = 0; i < 3; ++i) (void)test::run(loop, sleep_for(std::chrono::milliseconds(1)));
  }

  void apply(std::string_view file) {
    http::Request owner = fixture.owner_request(file);
    const auto applied = test::run(loop, fixture.house->owner_routes()->answer(owner));
    ASSERT_TRUE(applied.ok() && applied->status == 200) << (applied.ok() ? applied->body : applied.error().detail);
  }

  http::Response send(http::Method method, std::string path, const Form& fields = {}, const Form& headers = {}) {
    std::string body;
    for (const auto& [name, value] : fields) body += (body.empty() ? "" : "&") + name + "=" + percent_encode(value);
    http::Request request;
    request.method = method;
    request.target = request.path = path;
    request.host = host;
    request.secure = true;
    request.peer = "192.0.2.7";
    request.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    request.body = body;
    if (!body.empty()) request.headers.add("Content-Type", "application/x-www-form-urlencoded");
    for (const auto& [name, value] : headers) request.headers.add(name, value);
    fixture.clock.advance(std::chrono::seconds(61));  // so that no limit answers in place of the door
    auto answered = test::run(loop, fixture.house->routes()->answer(request));
    EXPECT_TRUE(answered.ok());
    return answered.ok() ? std::move(*answered) : http::Response(0);
  }
  http::Response post(std::string path, const Form& fields) { return send(http::Method::post, std::move(path), fields); }

  static JsonObject json(const http::Response& response) {
    const auto body = parse_json(response.body);
    return body.ok() && body->is_object() ? body->get_object() : JsonObject();
  }
  static std::string member(const http::Response& response, std::string_view name) {
    return std::string(text_member(json(response), name).value_or(""));
  }
  static std::string verdict(const http::Response& response) {
    const std::string error = member(response, "error");
    return std::to_string(response.status) + (error.empty() ? "" : " " + error);
  }

  struct Login {
    std::string id_token, access_token, refresh_token;
  };
  Login log_in(std::string client) {
    const http::Response got = post("/oauth/ro", {{"client_id", std::move(client)}, {"connection", "Username-Password-Authentication"},
                                                  {"username", "ana@example.org"}, {"password", "correct horse battery staple"},
                                                  {"grant_type", "password"}, {"scope", "openid profile offline_access"}, {"device", "matrix " + std::to_string(++devices)}});
    EXPECT_EQ(got.status, 200) << got.body;
    return {member(got, "id_token"), member(got, "access_token"), member(got, "refresh_token")};
  }
  std::string delegated(const std::string& id_token) {
    return member(post("/delegation", {{"client_id", "todo"}, {"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"},
                                       {"id_token", id_token}, {"target", "todo-backend"}}), "id_token");
  }
  std::string for_api(std::string audience) {
    return member(post("/oauth/token", {{"grant_type", "client_credentials"}, {"client_id", "worker"}, {"client_secret", std::string(kWorkerSecret)},
                                        {"audience", std::move(audience)}}), "access_token");
  }

  /// The same claims under another header, signed with `key`, or not at all.
  static std::string forged(std::string_view token, const jose::Key* key, std::string_view alg) {
    const auto parts = jose::parse_compact(token);
    EXPECT_TRUE(parts.ok());
    const std::string header = R"({"alg":")" + std::string(alg) + R"(","typ":")" + std::string(text_member(parts->header, "typ").value_or("JWT")) +
                               R"(","kid":")" + std::string(parts->kid) + R"("})";
    if (key) return jose::sign_compact(*key, header, parts->payload).value();
    return base64url(header) + "." + base64url(parts->payload) + ".";
  }
  /// The tenant's public RSA key as the bytes an attacker would take for a secret.
  std::vector<std::string> public_key_bytes() {
    const auto keys = jose::keys_of_jwks(json(send(http::Method::get, "/.well-known/jwks.json")));
    for (const jose::Key& key : *keys)
      if (key.alg() == jose::Alg::RS256) return {key.public_pem(), to_json(key.public_jwk()), send(http::Method::get, "/rawpem").body};
    return {};
  }

  test::TestLoop loop;
  Fixture fixture;
  std::string host{kHost};
  int devices = 0;  // a second login of the same device ends the first one's refresh token
};

TEST_F(Matrix, EveryDoorTakesItsOwnKindOfTokenAndRefusesAllOthersInItsOneWay) {
  std::map<std::string, std::string> kinds;
  const Login old = log_in("todo");
  const std::string old_wams = delegated(old.id_token), old_api = for_api("https://orders.example");
  fixture.clock.advance(std::chrono::hours(25));
  kinds["expired id_token"] = old.id_token;
  kinds["expired opaque access token"] = old.access_token;
  kinds["expired API access token"] = old_api;
  kinds["expired wams token"] = old_wams;

  const Login ana = log_in("todo"), elsewhere = log_in("other");
  kinds["id_token"] = ana.id_token;
  kinds["opaque access token"] = ana.access_token;
  kinds["refresh token"] = ana.refresh_token;
  kinds["wams token"] = delegated(ana.id_token);
  kinds["API access token"] = for_api("https://orders.example");
  kinds["opaque API access token"] = for_api("https://opaque.example");
  kinds["id_token of another client"] = elsewhere.id_token;  // wrong aud
  kinds["refresh token of another client"] = elsewhere.refresh_token;
  kinds["client assertion"] =
      jose::sign_jwt(jose::Key::hmac(jose::Alg::HS256, kWorkerSecret),
                     JsonObject{{"iss", "worker"}, {"sub", "worker"}, {"aud", "https://demo.example/oauth/token"}, {"jti", "1"},
                                {"iat", fixture.clock.now_seconds()}, {"exp", fixture.clock.now_seconds() + 36'000}}).value();
  host = "localhost";  // the same tenant and keys under its other name: wrong iss
  const Login misnamed = log_in("todo");
  kinds["id_token of another issuer"] = misnamed.id_token;
  host = "other.example";
  const Login stranger = log_in("todo");
  kinds["id_token of another tenant"] = stranger.id_token;
  kinds["opaque access token of another tenant"] = stranger.access_token;
  kinds["refresh token of another tenant"] = stranger.refresh_token;
  kinds["API access token of another tenant"] = for_api("https://orders.example");
  host = kHost;
  for (const std::string_view none : {"none", "None", "NONE"}) {
    kinds["id_token, alg " + std::string(none)] = forged(ana.id_token, nullptr, none);
    kinds["API access token, alg " + std::string(none)] = forged(kinds["API access token"], nullptr, none);
    kinds["wams token, alg " + std::string(none)] = forged(kinds["wams token"], nullptr, none);
  }
  int shape = 0;
  for (const std::string& bytes : public_key_bytes()) {
    const jose::Key key = jose::Key::hmac(jose::Alg::HS256, bytes);
    kinds["id_token, HS256 with the public key, shape " + std::to_string(++shape)] = forged(ana.id_token, &key, "HS256");
    kinds["API access token, HS256 with the public key, shape " + std::to_string(shape)] = forged(kinds["API access token"], &key, "HS256");
  }
  ASSERT_EQ(shape, 3);
  kinds["id_token, cut"] = ana.id_token.substr(0, ana.id_token.size() - 1);
  kinds["id_token, lengthened"] = ana.id_token + "A";
  kinds["refresh token, cut"] = ana.refresh_token.substr(1);
  kinds["opaque access token, other case"] = ascii_lower(ana.access_token) == ana.access_token ? "x" : ascii_lower(ana.access_token);
  for (const auto& [kind, token] : kinds) ASSERT_FALSE(token.empty()) << kind;

  const std::string exchange = "urn:ietf:params:oauth:grant-type:token-exchange", type = "urn:ietf:params:oauth:token-type:";
  const auto exchanged = [&](const std::string& token, const std::string& as) {
    return post("/oauth/token", {{"grant_type", exchange}, {"client_id", "todo"}, {"subject_token", token}, {"subject_token_type", type + as},
                                 {"audience", "todo-backend"}});
  };
  const auto traded = [&](const std::string& token, const std::string& as) {
    return post("/delegation", {{"client_id", "todo"}, {"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"}, {as, token}, {"target", "todo-backend"}});
  };
  struct Door {
    std::string name;
    std::function<http::Response(const std::string&)> ask;
    std::string refusal;          ///< status, and `error` where the body has one
    std::set<std::string> takes;  ///< kinds that are its own
  };
  const std::vector<Door> doors = {
      {"userinfo", [&](const std::string& t) { return send(http::Method::get, "/userinfo", {}, {{"Authorization", "Bearer " + t}}); },
       "401 invalid_token", {"opaque access token"}},
      {"tokeninfo", [&](const std::string& t) { return post("/tokeninfo", {{"id_token", t}}); }, "401 unauthorized",
       {"id_token", "id_token of another client"}},
      {"delegation id_token", [&](const std::string& t) { return traded(t, "id_token"); }, "401 invalid_token", {"id_token"}},
      {"delegation refresh_token", [&](const std::string& t) { return traded(t, "refresh_token"); }, "401 invalid_grant", {"refresh token"}},
      {"exchange id_token", [&](const std::string& t) { return exchanged(t, "id_token"); }, "400 invalid_grant", {"id_token"}},
      {"exchange access_token", [&](const std::string& t) { return exchanged(t, "access_token"); }, "400 invalid_grant", {"opaque access token"}},
      {"exchange refresh_token", [&](const std::string& t) { return exchanged(t, "refresh_token"); }, "400 invalid_grant", {"refresh token"}},
      {"tables", [&](const std::string& t) {
         return send(http::Method::get, "/tables/TodoItem", {}, {{"X-ZUMO-AUTH", t}, {"ZUMO-API-VERSION", "2.0.0"}});
       }, "401", {"wams token"}},
      {"tables, bearer", [&](const std::string& t) {
         return send(http::Method::get, "/tables/TodoItem", {}, {{"Authorization", "Bearer " + t}, {"ZUMO-API-VERSION", "2.0.0"}});
       }, "401", {"wams token"}},
      {"code", [&](const std::string& t) {
         return post("/oauth/token", {{"grant_type", "authorization_code"}, {"client_id", "modern"}, {"code", t},
                                      {"code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"}});
       }, "400 invalid_grant", {}},
      {"client assertion", [&](const std::string& t) {
         return post("/oauth/token", {{"grant_type", "client_credentials"}, {"client_id", "worker"}, {"audience", "https://orders.example"},
                                      {"client_assertion", t}, {"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}});
       }, "401 invalid_client", {}},
      {"introspection by a bystander", [&](const std::string& t) {
         http::Response told = post("/oauth/introspect", {{"client_id", "watcher"}, {"client_secret", "watcher-secret-watcher-secret-watcher-secret"}, {"token", t}});
         if (told.body != R"({"active":false})") told.status = 0;
         return told;
       }, "200", {}},
      {"revocation by a bystander", [&](const std::string& t) { return post("/oauth/revoke", {{"client_id", "modern"}, {"token", t}}); }, "200", {}},
      // Last: what it takes, it uses up.
      {"refresh", [&](const std::string& t) { return post("/oauth/token", {{"grant_type", "refresh_token"}, {"client_id", "todo"}, {"refresh_token", t}}); },
       "400 invalid_grant", {"refresh token"}},
  };
  for (const Door& door : doors)
    for (const auto& [kind, token] : kinds) {
      if (door.takes.contains(kind)) continue;
      const http::Response answer = door.ask(token);
      const std::string got = door.refusal.find(' ') == std::string::npos ? std::to_string(answer.status) : verdict(answer);
      EXPECT_EQ(got, door.refusal) << kind << " at " << door.name << ": " << answer.body;
    }
  // Nothing of all that harmed the good ones.
  for (const Door& door : doors)
    for (const std::string& kind : door.takes) {
      const http::Response answer = door.ask(kinds.at(kind));
      EXPECT_EQ(answer.status, 200) << kind << " at " << door.name << ": " << answer.body;
    }
}

}  // namespace
}  // namespace mandate::wire
