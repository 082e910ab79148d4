// POST /dbconnections/signup (identity-wire 1.11) and GET /user/ssodata (1.13): exact bodies.
#include "tests/identity/identity_test_base.h"

namespace mandate::identity {
namespace {

struct SignupTest : IdentityTest {
  Browser app{*this};

  http::Response post(std::string json) { return app.send(http::Method::post, "/dbconnections/signup", std::move(json), "application/json"); }
  std::string usual(std::string more = "") {
    return R"({"client_id":"todo","connection":"Username-Password-Authentication","email":"ann@example.org","password":"correct horse battery staple")" + more + "}";
  }
};

TEST_F(SignupTest, JsonAndFormMakeAPerson) {
  const http::Response made = post(usual(R"(,"user_metadata":{"plan":"silver"})"));
  ASSERT_EQ(made.status, 200) << made.body;
  EXPECT_EQ(made.headers.get("Content-Type"), "application/json; charset=utf-8");
  EXPECT_EQ(made.headers.get("Cache-Control"), "no-store");
  EXPECT_TRUE(made.headers.has("X-RateLimit-Limit"));
  EXPECT_TRUE(made.headers.has("X-RateLimit-Remaining"));
  EXPECT_TRUE(made.headers.has("X-RateLimit-Reset"));
  const JsonObject body = parse_json(made.body)->as_object();
  EXPECT_EQ(text_member(body, "_id")->size(), 24U);
  EXPECT_EQ(made.body, R"({"_id":")" + std::string(*text_member(body, "_id")) + R"(","email_verified":false,"email":"ann@example.org","user_metadata":{"plan":"silver"}})");
  EXPECT_TRUE(*run(loop, users.find(here(), "auth0|" + std::string(*text_member(body, "_id")))));

  const http::Response form = app.post("/dbconnections/signup", {{"client_id", "todo"}, {"connection", std::string(kDirectory)}, {"email", "bob@example.org"},
                                                                 {"password", std::string(kGoodPassword)}, {"tenant", "demo"}, {"redirect_uri", ""}});
  EXPECT_EQ(form.status, 200) << form.body;
}

TEST_F(SignupTest, APasswordInTheUrlIsRefused) {
  const http::Response answer = app.post("/dbconnections/signup?password=correct+horse+battery+staple",
                                         {{"client_id", "todo"}, {"connection", std::string(kDirectory)}, {"email", "ann@example.org"}});
  EXPECT_EQ(answer.status, 400);
  EXPECT_NE(answer.body.find("password must not be in the query"), std::string::npos) << answer.body;
}

TEST_F(SignupTest, ATakenAddressIsInvalidSignUp) {
  ASSERT_EQ(post(usual()).status, 200);
  const http::Response again = post(usual());
  EXPECT_EQ(again.status, 400);
  EXPECT_EQ(again.body, R"({"name":"BadRequestError","code":"invalid_signup","description":"Invalid sign up","statusCode":400})");
  tenants.config.flags.insert("enable_public_signup_user_exists_error");
  EXPECT_EQ(post(usual()).body, R"({"name":"BadRequestError","code":"user_exists","description":"The user already exists.","statusCode":400})");
}

TEST_F(SignupTest, AWeakPasswordIsAnObjectOfRules) {
  const auto with = [&](std::string password) {
    return post(R"({"client_id":"todo","connection":"Username-Password-Authentication","email":"ann@example.org","password":")" + password + "\"}");
  };
  const http::Response weak = with("short");
  EXPECT_EQ(weak.status, 400);
  const JsonObject body = parse_json(weak.body)->as_object();
  EXPECT_EQ(text_member(body, "name"), "PasswordStrengthError");
  EXPECT_EQ(text_member(body, "code"), "invalid_password");
  EXPECT_EQ(text_member(body, "message"), "Password is too weak");
  EXPECT_TRUE(body.at("description").as_object().at("rules").is_array());
  EXPECT_EQ(bool_member(body.at("description").as_object(), "verified"), false);
  EXPECT_NE(with("password1").body.find("PasswordDictionaryError"), std::string::npos);
  EXPECT_NE(with("ann@example.org").body.find("PasswordNoUserInfoError"), std::string::npos);
  EXPECT_EQ(with(std::string(300, 'q') + "x").status, 400);
  EXPECT_EQ(count("users"), 0U);
}

TEST_F(SignupTest, MissingAndWrongFieldsAreBadRequests) {
  const std::string base = R"({"client_id":"todo","connection":"Username-Password-Authentication")";
  for (const std::string& body : {std::string("{}"), base + "}", base + R"(,"email":"ann@example.org"})", base + R"(,"password":"correct horse battery staple"})",
                                 base + R"(,"email":"","password":"correct horse battery staple"})", base + R"(,"email":["a"],"password":"correct horse battery staple"})",
                                 base + R"(,"email":"nonsense","password":"correct horse battery staple"})",
                                 std::string(R"({"client_id":"nobody","connection":"x","email":"a@b.example","password":"correct horse battery staple"})")}) {
    const http::Response refused = post(body);
    EXPECT_EQ(refused.status, 400) << body;
    EXPECT_NE(refused.body.find(R"("code":"bad.request")"), std::string::npos) << body << refused.body;
  }
  EXPECT_EQ(post("{").status, 400);
  EXPECT_EQ(app.send(http::Method::post, "/dbconnections/signup", "x", "text/plain").status, 415);
}

TEST_F(SignupTest, OnlyTheClientsOwnDatabases) {
  for (const std::string name : {"github", "nowhere"})
    EXPECT_NE(post(R"({"client_id":"todo","connection":")" + name + R"(","email":"ann@example.org","password":"correct horse battery staple"})").body.find(R"("code":"invalid_connection")"),
              std::string::npos);
  tenants.config.clients["todo"].connections = {"github"};
  EXPECT_NE(post(usual()).body.find("invalid_connection"), std::string::npos);
  tenants.config.clients["todo"].connections.clear();
  tenants.config.connections[std::string(kDirectory)].options["disable_signup"] = true;
  EXPECT_NE(post(usual()).body.find("public_signup_disabled"), std::string::npos);
}

// AC-8.
TEST_F(SignupTest, NobodySignsUpAsSomebody) {
  for (const std::string more : {R"(,"email_verified":true)", R"(,"app_metadata":{"roles":["admin"]})", R"(,"roles":["admin"])", R"(,"blocked":false)", R"(,"user_id":"auth0|1")"})
    EXPECT_EQ(post(usual(more)).status, 400) << more;
  EXPECT_EQ(post(usual(R"(,"user_metadata":{"a":1})")).status, 400);
  EXPECT_EQ(post(usual(R"(,"user_metadata":"x")")).status, 400);
  EXPECT_EQ(count("users"), 0U);
  EXPECT_EQ(post(usual(R"(,"captcha":"x","unknown":"y")")).status, 200) << "unknown members are never an error";
}

TEST_F(SignupTest, CorsIsForTheClientsOriginsOnly) {
  app.extra_headers = {{"Origin", "https://app.example"}};
  EXPECT_EQ(post(usual()).headers.get("Access-Control-Allow-Origin"), "https://app.example");
  const http::Response preflight = app.send(http::Method::options, "/dbconnections/signup", "", "");
  EXPECT_EQ(preflight.status, 204);
  EXPECT_EQ(preflight.headers.get("Access-Control-Allow-Origin"), "https://app.example");
  app.extra_headers = {{"Origin", "https://evil.example"}};
  const http::Response foreign = post(usual());
  EXPECT_EQ(foreign.status, 403);
  EXPECT_FALSE(foreign.headers.has("Access-Control-Allow-Origin"));
}

TEST_F(SignupTest, TooManyFromOneAddressWait) {
  int refused = 0;
  http::Response last;
  for (int i = 0; i < 60; ++i) {
    last = post("{}");
    refused += last.status == 429;
  }
  EXPECT_EQ(refused, 10);
  EXPECT_TRUE(last.headers.has("Retry-After"));
  EXPECT_NE(last.body.find("Too many requests. Check the X-RateLimit-Limit, X-RateLimit-Remaining and X-RateLimit-Reset headers."), std::string::npos);
  app.peer = "198.51.100.1";
  EXPECT_EQ(post(usual()).status, 200);
}

TEST_F(SignupTest, SsodataTellsWhoWasHereLast) {
  EXPECT_EQ(app.get("/user/ssodata").body, R"({"sso":false})");
  ASSERT_EQ(post(usual()).status, 200);
  const http::Response page = app.get(app.begin());
  ASSERT_EQ(app.post("/login", {{"state", hidden(page.body, "state")}, {"csrf", hidden(page.body, "csrf")}, {"connection", std::string(kDirectory)},
                                {"username", "ann@example.org"}, {"password", std::string(kGoodPassword)}}).status, 303);
  const JsonObject body = parse_json(app.get("/user/ssodata/").body)->as_object();
  EXPECT_EQ(bool_member(body, "sso"), true);
  EXPECT_EQ(to_json(body.at("lastUsedConnection")), R"({"name":"Username-Password-Authentication","strategy":"auth0"})");
  EXPECT_EQ(text_member(body, "lastUsedUsername"), "ann@example.org");
}

}  // namespace
}  // namespace mandate::identity
