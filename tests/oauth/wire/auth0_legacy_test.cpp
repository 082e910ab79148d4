// /oauth/ro and /tokeninfo (identity-wire 1.18, 1.14, 0.8).
#include "tests/oauth/oauth_world.h"

namespace mandate::oauth {
namespace {

struct Legacy : OAuthTest {
  static Form login(Form more = {}) {
    Form out = {{"client_id", "todo"},
                {"connection", std::string(kDirectory)},
                {"grant_type", "password"},
                {"username", "ana@example.com"},
                {"password", std::string(kPassword)},
                {"scope", "openid profile"}};
    for (auto& [name, value] : more) {
      std::erase_if(out, [&](const auto& field) { return field.first == name; });
      out.emplace_back(name, value);
    }
    return out;
  }
};

TEST_F(Legacy, RoAnswersWithOneFlatObjectOfTexts) {
  const auto answer =
      post("/oauth/ro", login({{"scope", "openid profile offline_access"}, {"device", "phone"}}));
  ASSERT_EQ(answer.status, 200) << answer.body;
  const JsonObject tokens = body(answer);
  for (const auto& member : tokens) EXPECT_TRUE(member.value().is_string()) << member.key();
  EXPECT_FALSE(tokens.contains("profile"));
  EXPECT_EQ(text(tokens, "token_type"), "bearer");
  EXPECT_EQ(text(tokens, "refresh_token").size(), 45U);
  const JsonObject id = claims(text(tokens, "id_token"));
  EXPECT_EQ(text(id, "user_id"), ana.user_id);
  EXPECT_TRUE(id.contains("identities"));
  EXPECT_EQ(get("/userinfo?access_token=" + text(tokens, "access_token")).status, 200);
}

TEST_F(Legacy, RoPutsExactlyTheNamedAttributesIntoTheIdToken) {
  const JsonObject id =
      claims(text(body(post("/oauth/ro", login({{"scope", "openid name email open_id"}}))), "id_token"));
  std::set<std::string> names;
  for (const auto& member : id) names.emplace(member.key());
  EXPECT_EQ(names,
            (std::set<std::string>{"iss", "sub", "aud", "iat", "exp", "name", "email", "email_verified"}));
}

TEST_F(Legacy, RoRefusesInTheOldWords) {
  struct Row {
    Form more;
    int status;
    std::string error, text;
  };
  for (const Row& row :
       {Row{{{"client_id", ""}}, 400, "invalid_request", "missing client_id parameter"},
        {{{"client_id", "nobody"}}, 403, "unauthorized_client", "invalid client"},
        {{{"client_secret", "wrong"}}, 403, "unauthorized_client", "invalid client"},
        {{{"client_id", "spa"}}, 400, "invalid_request", "OIDC conformant clients cannot use /oauth/ro"},
        {{{"connection", ""}}, 400, "invalid_request", "missing connection parameter"},
        {{{"connection", "x"}}, 400, "invalid_request", "connection not found"},
        {{{"username", ""}}, 400, "invalid_request", "missing username parameter"},
        {{{"password", ""}}, 400, "invalid_request", "missing password parameter"},
        {{{"grant_type", "magic"}}, 400, "unsupported_grant_type", "Unsupported grant type: magic"},
        {{{"scope", "openid offline_access"}}, 400, "invalid_request", "missing device parameter"},
        {{{"password", "wrong"}}, 401, "invalid_user_password", "Wrong email or password."}}) {
    const auto answer = post("/oauth/ro", login(row.more));
    EXPECT_EQ(answer.status, row.status) << answer.body;
    EXPECT_EQ(text(body(answer), "error"), row.error);
    EXPECT_EQ(text(body(answer), "error_description"), row.text);
  }
  ASSERT_TRUE(run(loop, users.set_blocked(here(), ana.user_id, true)).ok());
  const auto blocked = post("/oauth/ro", login());
  EXPECT_EQ(blocked.status, 401);
  EXPECT_EQ(text(body(blocked), "error"), "unauthorized");
  EXPECT_NE(text(body(blocked), "error_description").find("user is blocked"), std::string::npos);
}

TEST_F(Legacy, RoNeedsBothHalvesOfItsSwitch) {
  config().flags.erase("allow_legacy_ro_grant_types");
  EXPECT_EQ(post("/oauth/ro", login()).status, 403);
  config().flags.emplace("allow_legacy_ro_grant_types");
  EXPECT_EQ(post("/oauth/ro", login()).status, 200);
  client("todo").grant_types.erase(client("todo").grant_types.find(tenant::grant::kLegacyRo));
  EXPECT_EQ(post("/oauth/ro", login()).status, 403);
}

TEST_F(Legacy, RoRefusesOriginsThatAreNotTheClients) {
  EXPECT_EQ(post("/oauth/ro", login(), {{"Origin", "https://evil.example"}}).status, 403);
  EXPECT_EQ(post("/oauth/ro", login(), {{"Origin", "https://todo.example"}})
                .headers.get("Access-Control-Allow-Origin"),
            "https://todo.example");
}

TEST_F(Legacy, TokeninfoShowsThePersonOfAnIdToken) {
  const JsonObject tokens = body(post("/oauth/ro", login({{"scope", "openid"}})));
  const std::string id = text(tokens, "id_token");
  for (const auto& answer :
       {post("/tokeninfo", {{"id_token", id}}), get("/tokeninfo?id_token=" + id),
        send(*prepare(http::Method::post, "/tokeninfo", to_json(Json(JsonObject{{"id_token", id}})),
                      "application/json"))}) {
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(text(body(answer), "user_id"), ana.user_id);
    EXPECT_EQ(text(body(answer), "clientID"), "todo");
    EXPECT_EQ(text(body(answer), "global_client_id"), config().global_id());
  }
  const auto none = post("/tokeninfo", {});
  EXPECT_EQ(none.status, 400);
  EXPECT_EQ(text(body(none), "error_description"), "missing id_token parameter");
  for (const std::string& bad : {std::string("x"), id + "x", text(tokens, "access_token")}) {
    const auto answer = post("/tokeninfo", {{"id_token", bad}});
    EXPECT_EQ(answer.status, 401);
    EXPECT_EQ(text(body(answer), "error_description"), "invalid token");
  }
  config().flags.erase("allow_legacy_tokeninfo_endpoint");
  EXPECT_EQ(post("/tokeninfo", {{"id_token", id}}).status, 403);
}

TEST_F(Legacy, TokeninfoRefusesTokensThatANewPasswordOrALockMadeVoid) {
  const std::string id = text(body(post("/oauth/ro", login())), "id_token");
  EXPECT_EQ(post("/tokeninfo", {{"id_token", id}, {"id_token", id}}).status, 400);
  ASSERT_TRUE(run(loop, users.raise_epoch(here(), ana.user_id)).ok());
  EXPECT_EQ(post("/tokeninfo", {{"id_token", id}}).status, 401) << "the very next request";
  const std::string fresh = text(body(post("/oauth/ro", login())), "id_token");
  EXPECT_EQ(text(claims(fresh), "urn:mandate:epoch"), "0.1");
  EXPECT_EQ(post("/tokeninfo", {{"id_token", fresh}}).status, 200);
  for (int i = 0; i < 10; ++i) post("/oauth/ro", login({{"password", "wrong"}}));
  EXPECT_EQ(post("/tokeninfo", {{"id_token", fresh}}).status, 401) << "locked";
}

TEST_F(Legacy, TokeninfoTellsNoMoreThanATokenThatWasCutOnPurpose) {
  IdToken wanted;
  wanted.user = &ana;
  wanted.scopes = {"openid"};
  const auto asks = [&](std::string_view client_id) {
    const std::string id = *sign_id_token(here(), client(client_id), tenants.vault(), kIssuer, wanted, clock.now_seconds());
    return body(post("/tokeninfo", {{"id_token", id}}));
  };
  EXPECT_TRUE(asks("todo").contains("email")) << "old clients get their profile here";
  const JsonObject conformant = asks("third");
  EXPECT_EQ(text(conformant, "user_id"), ana.user_id);
  EXPECT_FALSE(conformant.contains("email")) << "it was not given the scope";
  wanted.azp = "other";
  EXPECT_FALSE(asks("todo").contains("email")) << "a delegation gave no more than openid";
  wanted.azp = "todo";
  EXPECT_TRUE(asks("todo").contains("email")) << "renewed for itself";
}

TEST_F(Legacy, RoTakesNoSecretFromAUrl) {
  for (std::string_view name : {"password", "client_secret"}) {
    const auto answer = post("/oauth/ro?" + std::string(name) + "=x", login({{name.data(), ""}}));
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(text(body(answer), "error_description"), std::string(name) + " must not be in the query.");
  }
}

TEST_F(Legacy, AQueryThatIsNotUtf8IsRefusedInGoodJson) {
  for (std::string_view path : {"/oauth/ro", "/oauth/token", "/oauth/revoke", "/userinfo", "/tokeninfo"}) {
    const auto answer = post(std::string(path) + "?grant_type=%ff", {{"client_id", "todo"}});
    EXPECT_EQ(answer.status, 400) << path;
    EXPECT_EQ(text(body(answer), "error"), "invalid_request") << path;
  }
}

TEST_F(Legacy, InventedClientNamesShareOneLimit) {
  const auto left = [&](std::string_view path, std::string client_id) {
    const auto answer = post(std::string(path), {{"client_id", std::move(client_id)}});
    return std::stoi(std::string(answer.headers.get("X-RateLimit-Remaining")));
  };
  for (std::string_view path : {"/oauth/ro", "/oauth/token", "/oauth/revoke", "/oauth/introspect"}) {
    const int before = left(path, "made-up-1");
    EXPECT_EQ(left(path, "made-up-2"), before - 1) << path;
    const auto unreadable = send(*prepare(http::Method::post, std::string(path), "{", "application/json"));
    EXPECT_EQ(unreadable.status, 400);
    EXPECT_EQ(unreadable.headers.get("X-RateLimit-Remaining"), std::to_string(before - 2)) << path;
  }
}

TEST_F(Legacy, IdTokensOfAnHs256ClientAreSignedWithItsSecret) {
  tenant::Client& todo = client("todo");
  todo.alg = jose::Alg::HS256;
  // The vector of identity-wire 4.3.
  const std::string secret = "Yx9kqv3o0Jm1b2c3d4e5f6A7B8C9D0E1F2G3H4I5J6K7L8M9N0P1Q2R3S4T5U6V7";
  todo.secrets = {
      {token_hash(secret), tenants.vault().seal(secret, tenant::sealed::client_secret("todo")), 0}};
  for (const bool decoded : {true, false}) {
    todo.secret_encoded = decoded;
    const auto key = id_token_key(config(), todo, tenants.vault());
    ASSERT_TRUE(key.ok());
    const std::string
        header = R"({"typ":"JWT","alg":"HS256"})",
        payload =
            R"({"iss":"https://tenant.example/","sub":"github|123","aud":"CLIENT_A","iat":1700000000,"exp":1700036000})";
    const std::string jwt = *jose::sign_compact(*key, header, payload);
    EXPECT_EQ(jwt.substr(jwt.rfind('.') + 1), decoded ? "-5pEe35n5bCDksC50L-1eZp8q_vXQbxNuevXseOnHRo"
                                                      : "jMZbpaIQ_-QKB-TXWwuCCyvtvv_0DucigOXssSfV9J0");
    const std::string id = text(body(post("/oauth/ro", login({{"client_secret", secret}}))), "id_token");
    EXPECT_EQ(text(jose::parse_compact(id)->header, "alg"), "HS256");
    EXPECT_TRUE(verify_id_token(here(), todo, tenants.vault(), kIssuer, id, clock.now_seconds()).ok());
    EXPECT_EQ(post("/tokeninfo", {{"id_token", id}}).status, 200);
  }
}

}  // namespace
}  // namespace mandate::oauth
