// Custom APIs without JavaScript: who may try one, what it is told, what of its answer may leave the house (SC-6).
#include "tables/custom_api.h"

#include <gmock/gmock.h>

#include "base/base64.h"
#include "identity/bearer.h"
#include "identity/credentials.h"
#include "tables/mount.h"
#include "tables/wire/api_door.h"
#include "tests/tables/world.h"

namespace mandate::tables {
namespace {

ApiCall call_of(const tenant::CustomApi& api, std::string method = "get") {
  ApiCall out;
  out.api = &api;
  out.method = std::move(method);
  return out;
}

TEST(CustomApi, WithoutAPermissionItIsForAdministrators) {
  const tenant::CustomApi api{"a", "api/a.js", {}};
  ApiCall call = call_of(api);
  EXPECT_FALSE(CustomApis::may_try(call));
  call.keys.application = true;
  call.principal.user_id = "u";
  EXPECT_FALSE(CustomApis::may_try(call));
  call.keys.master = true;
  EXPECT_TRUE(CustomApis::may_try(call));
}

TEST(CustomApi, EachLevelIsProvedAsForTables) {
  for (const auto& [level, anonymous, application, user] : {std::tuple("public", true, true, true), {"application", false, true, false}, {"user", false, false, true}, {"authenticated", false, false, true}, {"admin", false, false, false}, {"misspelt", false, false, false}}) {
    const tenant::CustomApi api{"a", "api/a.js", {{"*", {{"get", level}}}}};
    ApiCall call = call_of(api);
    EXPECT_EQ(CustomApis::may_try(call), anonymous) << level;
    call.keys.application = true;
    EXPECT_EQ(CustomApis::may_try(call), application) << level;
    call.keys.application = false;
    call.principal.user_id = "u";
    EXPECT_EQ(CustomApis::may_try(call), user) << level;
    EXPECT_FALSE(CustomApis::may_try(call_of(api, "post"))) << level;
  }
}

/// Ends every call with what it was told; nothing of it runs.
struct ToldHost final : scripts::Host {
  Result<Json> outcome = Json(JsonObject{{"status", 204}, {"none", true}});
  int asked = 0;
  Task<Json> run(scripts::Call, std::shared_ptr<scripts::Binding>) override {
    ++asked;
    Result<Json> out = outcome;
    co_return out;
  }
  Task<void> check(std::string, std::string) override { co_return ok(); }
  void stop() override {}
};

class BrokenApi : public ::testing::Test {
 protected:
  /// What a caller without rights is told of the API of `service`.
  Code told(const std::string& service, const std::string& tenant = "demo") {
    config = std::make_shared<tenant::Tenant>();
    config->name = tenant;
    config->revision = revision;
    tenant::Service& made = config->services[service];
    made.name = service;
    made.code.hash = "h";
    made.apis["a"] = {"a", "api/a.js", {}};
    ApiCall call = call_of(made.apis["a"]);
    call.here = {config, &store.store()};
    call.service = &made;
    const Result<ApiAnswer> answer = mandate::test::run(loop, apis.run(call));
    return answer.ok() ? Code::conflict : answer.error().code;
  }
  void TearDown() override {
    loop.run_until([this] { return lines.idle(); });
  }
  mandate::test::TestLoop loop;
  mandate::test::TempStore store{{kMigrations}};
  SeededRandom random;
  std::uint64_t revision = 1;
  std::shared_ptr<tenant::Tenant> config = std::make_shared<tenant::Tenant>();
  test::OneTenant tenants{random};
  ToldHost host;
  Tables tables{store.clock(), random, store.log(), store.metrics()};
  ScriptLog lines{store.clock(), store.log(), store.metrics()};
  ServiceCalls calls{tenants, nullptr};
  CustomApis apis{host, tables, lines, calls};
};

TEST_F(BrokenApi, AFileThatDoesNotLoadIsSoForItsServiceItsCodeAndItsSettings) {
  host.outcome = Error(Code::invalid_request, "", "SyntaxError");
  EXPECT_EQ(told("one"), Code::server_error);
  host.outcome = Json(JsonObject{{"status", 204}, {"none", true}});
  EXPECT_EQ(told("one"), Code::server_error) << "it is known";
  EXPECT_EQ(host.asked, 1);
  EXPECT_EQ(told("two"), Code::unauthorized) << "of the same text, with other settings around it";
  EXPECT_EQ(told("one", "other"), Code::unauthorized);
  revision = 2;
  EXPECT_EQ(told("one"), Code::unauthorized);
  EXPECT_EQ(host.asked, 4);
}

TEST_F(BrokenApi, WhatChanceDidIsNotHeldAgainstTheFile) {
  for (const Code code : {Code::timeout, Code::server_error, Code::temporarily_unavailable}) {
    host.outcome = Error(code, "", "the process was ended");
    EXPECT_EQ(told("one"), Code::unauthorized);
  }
  EXPECT_EQ(told("one"), Code::unauthorized);
  EXPECT_EQ(host.asked, 3) << "nor is it tried for ever";
}

http::Response answer(std::vector<std::pair<std::string, std::string>> headers, std::string body = "x", int status = 200) {
  http::Request request;
  ApiAnswer given;
  given.status = status;
  given.headers = std::move(headers);
  given.body = std::move(body);
  return wire::response_of(request, std::move(given));
}

TEST(CustomApi, WhatBelongsToTheConnectionToCorsAndToSecurityIsNotTheScripts) {
  for (const char* name : {"Connection", "transfer-encoding", "Content-Length", "Content-Encoding", "Upgrade", "Server", "Date", "Strict-Transport-Security", "X-Content-Type-Options", "Referrer-Policy", "content-security-policy", "Access-Control-Allow-Origin",
                           "access-control-allow-credentials", "Proxy-Authenticate", "Sec-WebSocket-Accept", "Clear-Site-Data", "Service-Worker-Allowed", "NEL", "Report-To", "reporting-endpoints"})
    EXPECT_FALSE(answer({{name, "mine"}}).headers.has(name)) << name;
  EXPECT_EQ(answer({{"X-Own", "1"}}).headers.get("X-Own"), "1");
}

TEST(CustomApi, NoFieldCanCarryALineBreak) {
  for (const char* value : {"a\r\nSet-Cookie: b=1", "a\nb", "a\rb"}) EXPECT_FALSE(answer({{"X-Own", value}}).headers.has("X-Own"));
  EXPECT_TRUE(answer({{"X-Own\r\nY", "1"}, {"X Own", "1"}, {"", "1"}}).headers.all().size() <= 2U);
}

TEST(CustomApi, CookiesOfTheHostAreItsOwn) {
  for (const char* cookie : {"__Host-mandate=x; Path=/; Secure", " __host-a=x", "__Secure-a=x; Secure", "mandate=x", "mandate-login=x", "a=b; Domain=example.org", "a=b; Domain =example.org", "a=b;Path=/;\tDOMAIN\t= example.org", "a=b; domain", "=mandate=x", " = mandate=x",
                             "mandate", "nameless", "=", "", "\tMandate =x", "; a=b"}) EXPECT_FALSE(answer({{"Set-Cookie", cookie}}).headers.has("Set-Cookie")) << cookie;
  for (const char* cookie : {"own=1; HttpOnly", "own=domain=1", "own=", "own=1; x-domain=2"}) EXPECT_EQ(answer({{"set-cookie", cookie}}).headers.get("Set-Cookie"), cookie);
}

TEST(CustomApi, WhatAnAppMakesOfATablesAnswerHasNoRightsOnThisHostEither) {
  http::Response out = http::Response::json(200, Json(JsonObject{{"text", "<script>"}}));
  wire::add_fields(out, {{"X-Own", "1"}});
  EXPECT_FALSE(out.headers.has("Content-Security-Policy"));
  wire::add_fields(out, {{"content-type", "Text/HTML"}});
  EXPECT_THAT(std::string(out.headers.get("Content-Security-Policy")), ::testing::EndsWith("; sandbox"));
}

TEST(CustomApi, PagesHaveNoRightsOnThisHost) {
  for (const char* type : {"text/html", "TEXT/HTML; charset=utf-8", "image/svg+xml", "application/xhtml+xml", "text/xml", "application/pdf", "image/png, text/html", "application/json;a=,text/html", "application/json;a=\",text/html\"", "text/plain;a=\"b\\\"", "text/plain;", "text/plain; charset", "text/plain;a=b c",
                           "text /plain", "text/plain x", "image/", "/", "text", "", "image/a+xml", "image/x/y"})
    EXPECT_THAT(std::string(answer({{"Content-Type", type}}).headers.get("Content-Security-Policy")), ::testing::EndsWith("; sandbox")) << type;
  for (const char* type : {"application/json; charset=utf-8", "text/plain", "Text/Plain;charset=\"utf-8\"; format=flowed", "image/png", "text/csv"}) EXPECT_FALSE(answer({{"Content-Type", type}}).headers.has("Content-Security-Policy")) << type;
  EXPECT_EQ(answer({}).headers.get("Content-Type"), "application/octet-stream");
}

TEST(CustomApi, ItIsToldTheRequestAndNotWhoseSessionTheBrowserHas) {
  http::Request request;
  request.target = "/s/todo/api/A/x%20y/z?b=1&b=2";
  request.prefix = "/s/todo";
  request.path = "/api/A/x y/z";
  request.query = "b=1&b=2";
  request.params = {"A", "x y/z"};
  request.host = "h.example";
  request.headers.add("Cookie", "__Host-mandate=secret; a=1; mandate=x;b=2");
  request.headers.add("cookie", "__Host-mandate=secret; =mandate=x; c=domain=3");
  request.headers.add("X-Two", "1");
  request.headers.add("x-two", "2");
  request.headers.add("Content-Type", "text/plain");
  request.body = "hello";
  Result<JsonObject> asked = wire::asked_of(request, tenant::Service(), identity::Principal(), 1000);
  ASSERT_TRUE(asked.ok());
  EXPECT_EQ(to_json(*asked), R"({"path":"/x%20y/z","url":"/x%20y/z?b=1&b=2","base":"/s/todo/api/A","query":{"b":["1","2"]},"headers":{"cookie":"a=1; b=2; c=domain=3","x-two":"1, 2","content-type":"text/plain","host":"h.example"},"protocol":"http","ip":"","text":"hello"})");
}

TEST(CustomApi, WhoCallsIsSaidAsAppServiceSaidItAndNobodyElseMaySayIt) {
  tenant::Service service;
  service.login.providers = {{"aad", "corp"}};
  http::Request request;
  request.params = {"A"};
  request.headers.add("X-MS-CLIENT-PRINCIPAL-ID", "admin");
  request.headers.add("x-ms-client-principal", "e30=");
  request.headers.add("X-Ms-Token-Facebook-Access-Token", "mine");
  identity::Principal nobody;
  EXPECT_EQ(to_json(wire::asked_of(request, service, nobody, 1000)->at("headers")), R"({"host":""})");

  identity::Principal ana;
  ana.level = identity::Level::authenticated;
  ana.user_id = "Facebook:123";
  ana.provider = "Facebook";
  ana.claims = std::make_shared<const JsonObject>(JsonObject{{"name", "Ana"}, {"roles", JsonArray{"a", "b"}}, {"exp", 5}, {identity::kEpochClaim, "1.1"}, {identity::kCredentialsClaim, "secret"}});
  ana.identities = std::make_shared<const JsonObject>(JsonObject{{"facebook", JsonObject{{"userId", "Facebook:123"}, {"accessToken", "EAAC"}}}});
  const JsonObject headers = wire::asked_of(request, service, ana, 1000)->at("headers").as_object();
  EXPECT_EQ(text_member(headers, "x-ms-client-principal-id"), "Facebook:123");
  EXPECT_EQ(text_member(headers, "x-ms-client-principal-name"), "Ana");
  EXPECT_EQ(text_member(headers, "x-ms-client-principal-idp"), "facebook");
  EXPECT_EQ(text_member(headers, "x-ms-token-facebook-access-token"), "EAAC");
  EXPECT_EQ(base64_any_decode(*text_member(headers, "x-ms-client-principal")),
            R"({"auth_typ":"facebook","claims":[{"typ":"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier","val":"Facebook:123"},)"
            R"({"typ":"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name","val":"Ana"},{"typ":"name","val":"Ana"},{"typ":"roles","val":"a"},{"typ":"roles","val":"b"},{"typ":"exp","val":"5"}],)"
            R"("name_typ":"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name","role_typ":"http://schemas.microsoft.com/ws/2008/06/identity/claims/role"})");

  identity::Principal through_corp = ana;
  through_corp.identities = nullptr;
  through_corp.claims = std::make_shared<const JsonObject>(JsonObject{{identity::kConnectionClaim, "corp"}});
  EXPECT_EQ(text_member(wire::asked_of(request, service, through_corp, 1000)->at("headers").as_object(), "x-ms-client-principal-idp"), "aad");
}

TEST(CustomApi, BodiesAreReadAsWhatTheySayTheyAre) {
  const auto told = [](std::string_view type, std::string_view body) {
    http::Request request;
    request.target = "/api/A";
    request.params = {"A"};
    request.body = body;
    if (!type.empty()) request.headers.add("Content-Type", type);
    Result<JsonObject> asked = wire::asked_of(request, tenant::Service(), identity::Principal(), 1000);
    if (!asked.ok()) return std::string(name(asked.error().code));
    for (const char* member : {"body", "text", "base64"})
      if (const Json* value = asked->if_contains(member)) return std::string(member) + ": " + to_json(*value);
    return std::string();
  };
  EXPECT_EQ(told("application/json", R"({"a":[1]})"), R"(body: {"a":[1]})");
  EXPECT_EQ(told("application/vnd.x+json", "[1]"), "body: [1]");
  EXPECT_EQ(told("application/json", "{"), "invalid_request");
  EXPECT_EQ(told("application/json", R"({"a":1,"a":2})"), "invalid_request");
  EXPECT_EQ(told("application/x-www-form-urlencoded", "a=1&__proto__=2"), R"(body: {"a":"1","__proto__":"2"})");
  EXPECT_EQ(told("text/xml", "<a/>"), R"(text: "<a/>")");
  EXPECT_EQ(told("", "plain"), R"(text: "plain")");
  EXPECT_EQ(told("multipart/form-data; boundary=x", "--x--"), R"(base64: "LS14LS0=")");
  EXPECT_EQ(told("image/png", "\xff\xfe"), R"(base64: "//4=")");
}

}  // namespace
}  // namespace mandate::tables
