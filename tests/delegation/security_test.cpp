// DG-1 … DG-13 of security-and-reliability, at both doors.
#include "base/url.h"
#include "delegation/exchange.h"
#include "identity/bearer.h"
#include "tests/delegation/world.h"

namespace mandate::delegation {
namespace {

class Dg : public World {
 protected:
  std::string modern(const std::string& client_id, const std::string& token, const std::string& more, std::string_view type = "id_token") {
    const auto result = exchange(client_id, "grant_type=x&subject_token=" + token + "&subject_token_type=" +
                                                percent_encode("urn:ietf:params:oauth:token-type:" + std::string(type)) + "&" + more);
    return result.ok() ? "ok" : std::string(mandate::name(result.error().code));
  }
};

TEST_F(Dg, Dg1ATokenOfAnotherClientIsNoSubject) {
  const std::string theirs = id_token("other");
  EXPECT_EQ(error(delegate(theirs, "todo-backend")), "401 invalid_token");
  EXPECT_EQ(modern("todo", theirs, "audience=todo-backend"), "invalid_grant");
  JsonObject body{{"client_id", "todo"}, {"grant_type", kJwtBearer}, {"target", "todo-backend"}};
  body["refresh_token"] = refresh_token("other");
  EXPECT_EQ(error(post(body)), "401 invalid_grant");
}

TEST_F(Dg, Dg2UnknownDisabledOffAndForbiddenTargetsHaveOneAnswer) {
  const std::string t = id_token("todo");
  per_minute = 100;
  const auto answer = [&](std::string_view api_type) {
    http::Response r = delegate(t, "x", {{"api_type", api_type}});
    return std::to_string(r.status) + r.body;
  };
  const std::string unknown = answer("");
  EXPECT_EQ(unknown, R"(403{"error":"access_denied","error_description":"todo is not allowed to act at x."})");
  app("x");
  publish();
  EXPECT_EQ(answer(""), unknown) << "lists nobody";
  client("x").allowed_clients_mode = "all";
  publish();
  EXPECT_EQ(answer("wams"), unknown) << "add-on off";
  client("x").enabled = false;
  publish();
  EXPECT_EQ(answer(""), unknown) << "disabled";
  EXPECT_EQ(modern("todo", t, "audience=x"), "invalid_target");
  EXPECT_EQ(modern("todo", t, "audience=nowhere"), "invalid_target");
}

TEST_F(Dg, Dg3WithoutASubjectThereIsNoExchange) {
  const std::string t = id_token("todo"), type = percent_encode("urn:ietf:params:oauth:token-type:id_token");
  for (const std::string& body : {std::string("audience=todo-backend"), "subject_token_type=" + type, "subject_token=&subject_token_type=" + type,
                                  "subject_token=" + t, "subject_token=" + t + "&subject_token=" + t + "&subject_token_type=" + type,
                                  "subject_token=" + t + "&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Asaml2",
                                  "subject_token=" + t + "&subject_token_type=" + type + "&actor_token=x",
                                  "subject_token=" + t + "&subject_token_type=" + type + "&requested_token_type=nonsense"}) {
    const auto result = exchange("todo", body);
    ASSERT_FALSE(result.ok()) << body;
    EXPECT_EQ(result.error().code, Code::invalid_request) << body;
  }
}

TEST_F(Dg, Dg4PersonsAndSessionsThatEndedAreRefused) {
  per_minute = 100;
  const std::string t = id_token("todo"), r = refresh_token("todo");
  JsonObject by_refresh{{"client_id", "todo"}, {"grant_type", kJwtBearer}, {"target", "todo-backend"}, {"refresh_token", r}};
  EXPECT_EQ(post(by_refresh).status, 200);

  temp.clock().advance(std::chrono::seconds(36'059));
  EXPECT_EQ(delegate(t, "todo-backend").status, 200) << "a minute of leeway";
  temp.clock().advance(std::chrono::seconds(1));
  EXPECT_EQ(error(delegate(t, "todo-backend")), "401 invalid_token");
  EXPECT_EQ(modern("todo", t, "audience=todo-backend"), "invalid_grant");

  const std::string fresh = id_token("todo");
  client("todo").connections = {"another"};
  publish();
  EXPECT_EQ(error(delegate(fresh, "todo-backend")), "401 invalid_token") << "the connection was taken from the client";
  client("todo").connections.clear();
  publish();
  EXPECT_TRUE(test::run(loop, users.raise_epoch(here(), ana.user_id)).ok());
  EXPECT_EQ(error(post(by_refresh)), "401 invalid_grant") << "everything given so far was revoked";
  EXPECT_TRUE(test::run(loop, users.set_blocked(here(), ana.user_id, true)).ok());
  const http::Response blocked = delegate(fresh, "todo-backend");
  EXPECT_EQ(error(blocked), "401 unauthorized");
  EXPECT_NE(blocked.body.find("user is blocked"), std::string::npos);
  EXPECT_TRUE(test::run(loop, users.remove(here(), ana.user_id)).ok());
  EXPECT_EQ(error(delegate(fresh, "todo-backend")), "401 invalid_token");
  config->enabled = false;
  publish();
  EXPECT_EQ(delegate(fresh, "todo-backend").status, 403);
}

TEST_F(Dg, Dg4ANewPasswordVoidsTheIdTokensThatWereThereBefore) {
  per_minute = 100;
  client("todo").chained_delegation = true;
  publish();
  const std::string login = id_token("todo");
  const std::string renewed(*text_member(json(delegate(login, "")), "id_token"));
  const std::string chained(*text_member(json(delegate(login, "notes")), "id_token"));
  const std::string zumo(*text_member(json(delegate(login, "todo-backend")), "id_token"));
  EXPECT_TRUE(test::run(loop, users.set_password_hash(here(), ana.user_id, "another", false)).ok());
  for (const std::string& old : {login, renewed, chained, zumo}) {
    EXPECT_EQ(error(delegate(old, "todo-backend")), "401 invalid_token") << "the very next request";
    EXPECT_EQ(modern("todo", old, "audience=todo-backend"), "invalid_grant");
  }
  ana = test::run(loop, users.find(here(), ana.user_id)).value().value();
  const std::string fresh = id_token("todo");
  EXPECT_EQ(delegate(fresh, "todo-backend").status, 200);
  const std::string fresh_renewed(*text_member(json(delegate(fresh, "")), "id_token"));
  EXPECT_EQ(delegate(fresh_renewed, "todo-backend").status, 200) << "what a delegation gave knows when it was";
  config->epoch = 1;
  publish();
  EXPECT_EQ(error(delegate(fresh, "todo-backend")), "401 invalid_token") << "a restore voids them too";
  EXPECT_EQ(delegate(id_token("todo"), "todo-backend").status, 200);
}

TEST_F(Dg, Dg5ATokenOfAnotherTenantIsRefusedAndFiledAsSuch) {
  // The same client id, user id and key id; another key and issuer.
  JsonObject c = claims(id_token("todo"));
  c["iss"] = "https://elsewhere.example/";
  EXPECT_EQ(error(delegate(jose::sign_jwt(jose::Key::generate(jose::Alg::ES256, "e1").value(), c).value(), "todo-backend")), "401 invalid_token");
  EXPECT_EQ(error(delegate(jose::sign_jwt(config->signing_keys[0].key, c).value(), "todo-backend")), "401 invalid_token");
  const auto rows = audit("delegation.refused");
  ASSERT_EQ(rows.size(), 2U);
  for (const store::Row& row : rows) EXPECT_NE(std::string(row.text("reason")).find("foreign_tenant_token"), std::string::npos);
}

TEST_F(Dg, TheAlgorithmIsTheOneConfiguredForTheCaller) {
  const JsonObject c = claims(id_token("todo"));
  EXPECT_EQ(error(delegate(jose::sign_jwt(config->signing_keys[1].key, c).value(), "todo-backend")), "401 invalid_token") << "RS256 of the tenant, but the client has ES256";
  const jose::Key confused = jose::Key::hmac(jose::Alg::HS256, config->signing_keys[0].key.public_pem(), "e1");
  EXPECT_EQ(error(delegate(jose::sign_jwt(confused, c).value(), "todo-backend")), "401 invalid_token");
}

TEST_F(Dg, Dg6ScopesNeverGrowBeyondSourceAndLine) {
  const std::vector<std::string> words = {"openid", "profile", "email", "phone", "name", "passthrough", "offline_access", "x:y"};
  const auto pick = [&] {
    std::vector<std::string> out;
    const std::string bits = random.bytes(1);
    for (std::size_t i = 0; i < words.size(); ++i)
      if (static_cast<unsigned char>(bits[0]) >> i & 1) out.push_back(words[i]);
    return out;
  };
  tenant::Client caller;
  for (int round = 0; round < 500; ++round) {
    Subject subject;
    subject.kind = round % 2 ? SubjectKind::refresh_token : SubjectKind::access_token;
    subject.scopes = pick();
    Verdict verdict;
    verdict.scopes = pick();
    for (const std::string& given : cut_scopes(pick(), subject, caller, verdict).granted) {
      EXPECT_NE(std::ranges::find(subject.scopes, given), subject.scopes.end()) << given;
      EXPECT_TRUE(verdict.scopes.empty() || given == "openid" || std::ranges::find(verdict.scopes, given) != verdict.scopes.end()) << given;
    }
  }
}

TEST_F(Dg, Dg7WhatADelegationGaveIsNoSubjectAgain) {
  client("notes").alg = jose::Alg::ES256;
  client("todo-backend").allowed_clients.push_back("notes");
  publish();
  const std::string given(*text_member(json(delegate(id_token("todo"), "notes")), "id_token"));
  EXPECT_EQ(error(delegate(given, "todo-backend", {{"client_id", "notes"}})), "401 invalid_token") << "the receiver must not trade it on";
  EXPECT_EQ(error(delegate(given, "todo-backend")), "401 invalid_token") << "nor its asker, unless switched on";
  EXPECT_EQ(modern("notes", given, "audience=todo-backend"), "invalid_grant");
  const std::string zumo(*text_member(json(delegate(id_token("todo"), "todo-backend")), "id_token"));
  EXPECT_EQ(error(delegate(zumo, "notes")), "401 invalid_token");

  client("todo").chained_delegation = true;
  publish();
  EXPECT_EQ(delegate(given, "todo-backend").status, 200);
  EXPECT_EQ(delegate(zumo, "notes").status, 200) << "the newer SDK for Xamarin stores each token it gets";
  client("notes").chained_delegation = true;
  publish();
  EXPECT_EQ(error(delegate(given, "todo-backend", {{"client_id", "notes"}})), "401 invalid_token") << "still not the receiver";
}

TEST_F(Dg, Dg8TheNewTokenEndsNoLaterThanItsSource) {
  EXPECT_EQ(json(delegate(id_token("todo", {"openid"}, 30), "todo-backend")).at("expires_in"), 30);
  EXPECT_EQ(json(delegate(id_token("todo", {"openid"}, 360'000), "todo-backend")).at("expires_in"), 36'000);
  JsonObject body{{"client_id", "todo"}, {"grant_type", kJwtBearer}, {"target", "todo-backend"}};
  body["refresh_token"] = refresh_token("todo");
  EXPECT_EQ(json(post(body)).at("expires_in"), 36'000);
  config->delegation_grants.push_back({.source = "todo", .target = "todo-backend", .api_types = {}, .scopes = {}, .subject_kinds = {}, .max_lifetime = 600, .lifetime_rule = "target"});
  publish();
  EXPECT_EQ(json(delegate(id_token("todo", {"openid"}, 30), "todo-backend")).at("expires_in"), 600) << "the line says so, as the original did";
  const auto strict = exchange("todo", "subject_token=" + id_token("todo", {"openid"}, 30) + "&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aid_token&audience=todo-backend");
  EXPECT_EQ(strict->at("expires_in"), 30) << "never at the modern door";
}

TEST_F(Dg, Dg9OnlyKnownTypesAndPlainNamesAreTaken) {
  for (const char* type : {"aws", "../wams", "wams&x=1", "wams?x", "wams\n", "WAMS"}) EXPECT_EQ(error(delegate(id_token("todo"), "todo-backend", {{"api_type", type}})), "400 invalid_request") << type;
  const JsonObject c = claims(*text_member(json(delegate(id_token("todo"), "todo-backend", {{"role", "admin"}, {"principal", "x"}, {"uid", "evil"}, {"exp", "9999999999"}})), "id_token"));
  EXPECT_EQ(view(c.at("uid").as_string()), ana.user_id);
  EXPECT_FALSE(c.contains("role"));
}

TEST_F(Dg, RefusalsOfStrangersDoNotFillTheAudit) {
  for (int i = 0; i < kRefusalsPerMinute / 2; ++i) {
    EXPECT_EQ(delegate("x.y.z", "todo-backend").status, 401);
    EXPECT_EQ(delegate("x.y.z", "todo-backend", {{"client_id", "nobody"}}).status, 403);
  }
  for (const char* client_id : {"todo", "nobody"}) {
    const http::Response flood = delegate("x.y.z", "todo-backend", {{"client_id", client_id}});
    EXPECT_EQ(flood.status, 429) << client_id;
    EXPECT_TRUE(flood.headers.has("Retry-After"));
  }
  EXPECT_EQ(audit("delegation.refused").size(), static_cast<std::size_t>(kRefusalsPerMinute));
  EXPECT_EQ(delegate(id_token("todo"), "todo-backend").status, 200) << "who is somebody is not hindered";
}

TEST_F(Dg, Dg11TheEleventhCallInAMinuteIsTooMany) {
  const std::string t = id_token("todo");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(delegate(t, "todo-backend").status, 200) << i;
  const http::Response eleventh = delegate(t, "todo-backend");
  EXPECT_EQ(error(eleventh), "429 too_many_requests");
  EXPECT_EQ(text_member(json(eleventh), "message"), "Too many requests. Check the X-RateLimit-Limit, X-RateLimit-Remaining and X-RateLimit-Reset headers.");
  EXPECT_EQ(eleventh.headers.get("X-RateLimit-Limit"), "10");
  EXPECT_EQ(eleventh.headers.get("X-RateLimit-Remaining"), "0");
  EXPECT_EQ(eleventh.headers.get("Retry-After"), "6");
  EXPECT_EQ(modern("todo", t, "audience=todo-backend"), "too_many_requests") << "one bucket for both doors";
  peer = "192.0.2.2";
  EXPECT_EQ(delegate(t, "todo-backend").status, 200) << "another address";
  peer = "192.0.2.1";
  identity::User ben;
  ben.email = "ben@example.org";
  const identity::User before = std::exchange(ana, test::run(loop, users.create(here(), "db", ben)).value());
  EXPECT_EQ(delegate(id_token("todo"), "todo-backend").status, 200) << "another person";
  ana = before;
  temp.clock().advance(std::chrono::seconds(6));
  EXPECT_EQ(delegate(t, "todo-backend").status, 200) << "the bucket refills";
}

TEST_F(Dg, Dg12KeysAppearInNoAnswerAndNoAuditRow) {
  client("todo-backend").addons["wams"]["masterkey"] = tenants.vault_.seal("planted-secret", tenant::sealed::addon("todo-backend", "wams", "masterkey"));
  publish();
  std::string seen = delegate(id_token("todo"), "todo-backend").body + delegate(id_token("other"), "todo-backend").body;
  client("todo-backend").addons["wams"]["masterkey"] = "damaged planted-secret";
  publish();
  const http::Response broken = delegate(id_token("todo"), "todo-backend");
  EXPECT_GE(broken.status, 500);
  seen += broken.body;
  seen += to_json(test::run(loop, explain(deps(), here(), "todo", "todo-backend", "ana@example.org")).value());
  for (const char* type : {"delegation.ok", "delegation.refused"})
    for (const store::Row& row : audit(type)) seen += std::string(row.text("reason")) + std::string(row.text("details"));
  EXPECT_EQ(seen.find("planted-secret"), std::string::npos);
}

TEST_F(Dg, Dg13AnAddonSignsForTheServiceItNames) {
  service("second", "the second master key");
  client("todo-backend").addons["wams"]["service"] = "second";
  publish();
  const std::string token(*text_member(json(delegate(id_token("todo"), "todo-backend")), "id_token"));
  EXPECT_TRUE(jose::verify(*jose::parse_compact(token), identity::zumo_key("the second master key")));
  EXPECT_FALSE(jose::verify(*jose::parse_compact(token), identity::zumo_key(kMaster)));
}

TEST_F(Dg, Ks6EveryGrantAndEveryRefusalIsFiledOnce) {
  const std::string t = id_token("todo");
  EXPECT_EQ(delegate(t, "todo-backend").status, 200);
  EXPECT_EQ(delegate(t, "nowhere").status, 403);
  EXPECT_EQ(delegate(t + "x", "todo-backend").status, 401);
  EXPECT_EQ(delegate(t, "todo-backend", {{"client_id", "nobody"}}).status, 403);
  EXPECT_EQ(modern("todo", t, "audience=todo-backend"), "ok");
  const auto granted = audit("delegation.ok");
  ASSERT_EQ(granted.size(), 2U);
  EXPECT_EQ(granted[0].text("client_id"), "todo");
  EXPECT_EQ(granted[0].text("user_id"), ana.user_id);
  EXPECT_EQ(granted[0].text("target"), "todo-backend");
  EXPECT_EQ(granted[0].text("ip"), "192.0.2.1");
  EXPECT_EQ(audit("delegation.refused").size(), 3U);
}

}  // namespace
}  // namespace mandate::delegation
