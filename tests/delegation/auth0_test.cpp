// POST /delegation: spellings, checks in order, answers (identity-wire 2.1 … 2.5).
#include "base/url.h"
#include "identity/bearer.h"
#include "tests/delegation/world.h"

namespace mandate::delegation {
namespace {

using Delegation = World;

TEST_F(Delegation, TheTutorialsCallGivesATokenTheBackendTakes) {
  const http::Response response = delegate(id_token("todo"), "todo-backend", {{"api_type", "wams"}, {"scope", "openid"}});
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(response.headers.get("Content-Type"), "application/json; charset=utf-8");
  EXPECT_EQ(response.headers.get("Cache-Control"), "no-store");
  EXPECT_EQ(response.headers.get("X-RateLimit-Limit"), "10");
  EXPECT_EQ(response.headers.get("X-RateLimit-Remaining"), "9");
  EXPECT_EQ(response.headers.get("X-RateLimit-Reset"), std::to_string(kNow + 6));
  const JsonObject body = json(response);
  EXPECT_EQ(body.size(), 3U) << "token_type, expires_in, id_token and nothing else";
  EXPECT_EQ(body.at("token_type"), "Bearer");
  EXPECT_EQ(body.at("expires_in"), 36000);
  const std::string token(*text_member(body, "id_token"));
  const auto parts = jose::parse_compact(token).value();
  EXPECT_TRUE(jose::verify(parts, identity::zumo_key(kMaster)));
  EXPECT_EQ(to_json(parts.header), R"({"typ":"JWT","alg":"HS256","kid":"0"})");
  const JsonObject c = claims(token);
  EXPECT_EQ(c.at("uid"), c.at("sub"));
  EXPECT_EQ(view(c.at("uid").as_string()), ana.user_id);
  EXPECT_EQ(c.at("iss"), "urn:microsoft:windows-azure:zumo");
  EXPECT_EQ(c.at("ver"), "2");
  EXPECT_EQ(c.at("exp").as_int64(), kNow + 36'000);
  EXPECT_EQ(c.at("azp"), "todo");
}

TEST_F(Delegation, EveryOldSdksBodyMeansTheSame) {
  const std::string t = id_token("todo");
  const std::vector<std::string> bodies = {
      "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&target=&client_id=todo&id_token=" + t + "&api_type=todo-backend&refresh_token=",
      "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&id_token=" + t + "&target=todo-backend&client_id=todo",
      "client_id=todo&grant_type=" + percent_encode(kJwtBearer) + "&id_token=" + t + "&api_type=todo-backend",
      "client_id=todo&grant_type=" + percent_encode(kJwtBearer) + "&id_token=" + t + "&target=todo-backend&scope=open_id&device=%zz&x=y"};
  for (const std::string& body : bodies) {
    const http::Response response = form(body);
    EXPECT_EQ(response.status, 200) << body << response.body;
    EXPECT_EQ(claims(*text_member(json(response), "id_token")).at("ver"), "2") << body;
  }
}

TEST_F(Delegation, AnotherClientsTokenIsSignedForItWithItsAlgorithm) {
  const JsonObject body = json(delegate(id_token("todo", {"openid", "profile"}), "notes", {{"api_type", "app"}, {"scope", "openid profile"}}));
  const std::string token(*text_member(body, "id_token"));
  EXPECT_EQ(jose::parse_compact(token)->alg, jose::Alg::RS256);
  const JsonObject c = claims(token);
  EXPECT_EQ(c.at("aud"), "notes");
  EXPECT_EQ(c.at("azp"), "todo");
  EXPECT_EQ(view(c.at("iss").as_string()), kIssuer);
  EXPECT_EQ(c.at("name"), "Ana");
}

TEST_F(Delegation, NothingIsToldAboutThePersonThatTheSourceWasNotTold) {
  EXPECT_FALSE(claims(*text_member(json(delegate(id_token("todo", {"openid"}), "notes", {{"scope", "openid profile"}})), "id_token")).contains("name"));
  const JsonObject through = claims(*text_member(json(delegate(id_token("todo", {"openid", "name"}), "notes", {{"scope", "passthrough"}})), "id_token"));
  EXPECT_EQ(through.at("name"), "Ana");
  EXPECT_FALSE(through.contains("email"));
  JsonObject body{{"client_id", "todo"}, {"grant_type", kJwtBearer}, {"target", "notes"}, {"scope", "openid name email"}};
  body["refresh_token"] = refresh_token("todo", {"openid", "name"});
  const JsonObject by_refresh = claims(*text_member(json(post(body)), "id_token"));
  EXPECT_EQ(by_refresh.at("name"), "Ana");
  EXPECT_FALSE(by_refresh.contains("email"));
}

TEST_F(Delegation, AClientRenewsForItselfAndARefreshTokenStaysValid) {
  JsonObject body{{"client_id", "todo"}, {"grant_type", kJwtBearer}, {"api_type", "app"}, {"scope", "passthrough"}};
  body["refresh_token"] = refresh_token("todo");
  for (int i = 0; i < 2; ++i) {
    const http::Response response = post(body);
    ASSERT_EQ(response.status, 200) << response.body;
    EXPECT_EQ(claims(*text_member(json(response), "id_token")).at("aud"), "todo");
  }
  EXPECT_EQ(delegate(id_token("todo"), "", {{"api_type", "auth0"}}).status, 200);
}

TEST_F(Delegation, ChecksAnswerInTheirOrder) {
  const std::string t = id_token("todo");
  const auto with = [&](std::initializer_list<std::pair<std::string_view, std::string_view>> members) {
    JsonObject body;
    for (const auto& [name, value] : members) body[name] = value;
    return error(post(body));
  };
  EXPECT_EQ(error(send(http::Method::post, "{\"client_id\"")), "400 invalid_request");
  EXPECT_EQ(error(form("client_id=todo&client_id=todo")), "400 invalid_request");
  EXPECT_EQ(error(form("client_id=todo&grant_type=" + percent_encode(kJwtBearer) + "&id_token=" + t + "&id_token=" + t)), "400 invalid_request");
  EXPECT_EQ(error(send(http::Method::post, R"({"client_id":"todo","id_token":["x"]})")), "400 invalid_request");
  EXPECT_EQ(with({}), "403 unauthorized_client");
  EXPECT_EQ(with({{"client_id", "nobody"}, {"grant_type", "x"}}), "403 unauthorized_client");
  EXPECT_EQ(with({{"client_id", "todo"}}), "400 invalid_request");
  EXPECT_EQ(with({{"client_id", "todo"}, {"grant_type", "password"}}), "400 unsupported_grant_type");
  EXPECT_EQ(with({{"client_id", "todo"}, {"grant_type", kJwtBearer}}), "400 invalid_request");
  EXPECT_EQ(with({{"client_id", "todo"}, {"grant_type", kJwtBearer}, {"id_token", t}, {"refresh_token", "r"}}), "400 invalid_request");
  EXPECT_EQ(with({{"client_id", "todo"}, {"grant_type", kJwtBearer}, {"access_token", t}}), "400 invalid_request");
  EXPECT_EQ(with({{"client_id", "todo"}, {"grant_type", kJwtBearer}, {"id_token", t + "x"}, {"target", "nowhere"}}), "401 invalid_token");
  EXPECT_EQ(with({{"client_id", "todo"}, {"grant_type", kJwtBearer}, {"refresh_token", "nonsense"}}), "401 invalid_grant");
  EXPECT_EQ(with({{"client_id", "todo"}, {"grant_type", kJwtBearer}, {"id_token", t}, {"target", "nowhere"}}), "403 access_denied");
  EXPECT_EQ(with({{"client_id", "todo"}, {"grant_type", kJwtBearer}, {"id_token", t}, {"target", "todo-backend"}, {"api_type", "samlp"}}), "400 invalid_request");
  client("todo").enabled = false;
  publish();
  EXPECT_EQ(with({{"client_id", "todo"}, {"grant_type", kJwtBearer}, {"id_token", t}}), "403 unauthorized_client");
}

TEST_F(Delegation, BothSwitchesMustBeOn) {
  const std::string t = id_token("todo");
  client("todo").grant_types.erase(client("todo").grant_types.find(tenant::grant::kLegacyDelegationIdToken));
  publish();
  EXPECT_EQ(error(delegate(t, "todo-backend")), "403 unauthorized_client");
  app("todo");
  config->flags.clear();
  publish();
  EXPECT_EQ(error(delegate(t, "todo-backend")), "403 unauthorized_client");
}

TEST_F(Delegation, AConfidentialModernCallerProvesItself) {
  client("todo").token_endpoint_auth_method = "client_secret_post";
  client("todo").oidc_conformant = true;
  publish();
  EXPECT_EQ(error(delegate(id_token("todo"), "todo-backend")), "401 invalid_client");
  client("todo").oidc_conformant = false;
  publish();
  EXPECT_EQ(delegate(id_token("todo"), "todo-backend").status, 200) << "old SDKs send their id alone";
  EXPECT_EQ(error(delegate(id_token("todo"), "todo-backend", {{"client_secret", "wrong"}})), "401 invalid_client") << "but a wrong secret is a wrong secret";
}

TEST_F(Delegation, IncompleteSettingsAreNamedToThoseWhoMayCome) {
  config->services.clear();
  publish();
  const http::Response response = delegate(id_token("todo"), "todo-backend");
  EXPECT_EQ(error(response), "400 invalid_request");
  EXPECT_NE(response.body.find("masterkey"), std::string::npos);
}

TEST_F(Delegation, AGetIsRefusedUnlessTheClientHasJsonp) {
  const http::Response response = send(http::Method::get, "", "");
  EXPECT_EQ(response.status, 405);
  EXPECT_NE(response.headers.get("Allow").find("POST"), std::string::npos);
  const std::string query = "cbx=__auth0jp0&client_id=todo&target=todo-backend&grant_type=" + percent_encode(kJwtBearer) + "&id_token=" + id_token("todo");
  const std::vector<std::pair<std::string, std::string>> page = {{"Referer", "https://app.example/page"}};
  EXPECT_EQ(send(http::Method::get, "", "", page, query).status, 405);
  client("todo").jsonp = true;
  publish();
  const http::Response script = send(http::Method::get, "", "", page, query);
  EXPECT_EQ(script.status, 200);
  EXPECT_TRUE(script.body.starts_with("/**/ typeof __auth0jp0 === 'function' && __auth0jp0({\"token_type\":\"Bearer\"")) << script.body;
  EXPECT_TRUE(script.body.ends_with(",\"status\":200});"));
  EXPECT_EQ(script.headers.get("Content-Type"), "text/javascript; charset=utf-8");
  EXPECT_EQ(send(http::Method::get, "", "", page, "cbx=alert(1)//&client_id=todo").status, 400);
  EXPECT_EQ(send(http::Method::get, "", "", {{"Referer", "https://evil.example/"}}, query).status, 403);
}

TEST_F(Delegation, OnlyListedOriginsReadTheAnswer) {
  JsonObject body{{"client_id", "todo"}, {"grant_type", kJwtBearer}, {"target", "todo-backend"}};
  body["id_token"] = id_token("todo");
  const http::Response ours = send(http::Method::post, to_json(body), "application/json", {{"Origin", "https://app.example"}});
  EXPECT_EQ(ours.status, 200);
  EXPECT_EQ(ours.headers.get("Access-Control-Allow-Origin"), "https://app.example");
  const http::Response theirs = send(http::Method::post, to_json(body), "application/json", {{"Origin", "https://evil.example"}});
  EXPECT_EQ(theirs.status, 403);
  EXPECT_FALSE(theirs.headers.has("Access-Control-Allow-Origin"));
  const http::Response preflight = send(http::Method::options, "", "", {{"Origin", "https://app.example"}, {"Access-Control-Request-Method", "POST"}});
  EXPECT_EQ(preflight.status, 204);
  EXPECT_EQ(preflight.headers.get("Access-Control-Allow-Origin"), "https://app.example");
}

}  // namespace
}  // namespace mandate::delegation
