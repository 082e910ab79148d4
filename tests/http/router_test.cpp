#include "http/router.h"

#include <gtest/gtest.h>

#include "tests/support/test_loop.h"

namespace mandate::http {
namespace {

using mandate::test::run;
using mandate::test::TestLoop;

Handler says(std::string text) {
  return [text](Request& request) -> Task<Response> {
    std::string out = text;
    for (const std::string& param : request.params) out += "|" + param;
    co_return Response::text(200, out);
  };
}

class RouterTest : public ::testing::Test {
 protected:
  RouterTest() {
    router.get("/", says("root"));
    router.get("/tables/{table}", says("list"));
    router.post("/tables/{table}", says("insert"));
    router.get("/tables/{table}/{id}", says("item"));
    router.get("/tables/special", says("special"));
    router.get("/tables/special/deep/{x}", says("deep"));
    router.get("/files/{path...}", says("file"));
    router.get("/only/get", says("get"));
    router.post("/cors", says("cors"), {.handles_options = true});
  }
  Response ask(Method method, std::string path) {
    Request request;
    request.method = method;
    request.path = std::move(path);
    request.host = "localhost";
    request.id = "r1";
    auto answer = run(loop, router.answer(request));
    EXPECT_TRUE(answer.ok());
    return std::move(*answer);
  }
  std::string body(std::string path) { return ask(Method::get, std::move(path)).body; }

  TestLoop loop;
  std::vector<std::string> lines;
  SystemClock clock;
  Log log{clock, Level::info, [this](std::string_view line) { lines.emplace_back(line); }};
  Router router{&log};
};

TEST_F(RouterTest, LiteralsComeBeforePlaceholders) {
  EXPECT_EQ(body("/tables/special"), "special");
  EXPECT_EQ(body("/tables/todo"), "list|todo");
  EXPECT_EQ(body("/tables/special/7"), "item|special|7");
  EXPECT_EQ(body("/tables/special/deep/x"), "deep|x");
}

TEST_F(RouterTest, APathThatNobodyMountedMayHaveAPrefixTakenOff) {
  int asked = 0;
  router.on_unknown([&](Request& request) {
    ++asked;
    if (request.path == "/lost") return request.path = "/tables/found", true;
    if (!request.prefix.empty() || !request.path.starts_with("/p/")) return false;
    request.prefix = "/p";
    request.path.erase(0, 2);
    return true;
  });
  router.get("/p/mounted", says("mounted"));
  EXPECT_EQ(body("/tables/x"), "list|x");
  EXPECT_EQ(body("/p/mounted"), "mounted");
  EXPECT_EQ(ask(Method::post, "/only/get").status, 405);
  EXPECT_EQ(asked, 0) << "only for paths that nobody knows";
  EXPECT_EQ(body("/p/tables/x/1"), "item|x|1");
  EXPECT_EQ(ask(Method::post, "/p/only/get").status, 405);
  EXPECT_EQ(ask(Method::get, "/p/p/tables/x").status, 404) << "once";
  EXPECT_EQ(body("/p/lost"), "list|found") << "and asked again of what is left";
  EXPECT_EQ(ask(Method::get, "/nothing").status, 404);
}

TEST_F(RouterTest, TheRestOfAPathIsOneParameter) {
  EXPECT_EQ(body("/files/a/b/c.css"), "file|a/b/c.css");
  EXPECT_EQ(ask(Method::get, "/files").status, 404);
  EXPECT_EQ(ask(Method::get, "/files/a/../b").status, 404);
}

TEST_F(RouterTest, TrailingAndDoubledLeadingSlashesDoNotMatter) {
  EXPECT_EQ(body("/"), "root");
  EXPECT_EQ(body("//"), "root");
  EXPECT_EQ(body("/tables/todo/"), "list|todo");
  EXPECT_EQ(body("//tables/todo"), "list|todo");
  EXPECT_EQ(ask(Method::get, "/tables//").status, 404);
  EXPECT_EQ(ask(Method::get, "///tables/todo").status, 404);
}

TEST_F(RouterTest, AnUnknownMethodOfAKnownPathIs405WithAllow) {
  const Response response = ask(Method::patch, "/tables/special");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.headers.get("Allow"), "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(ask(Method::post, "/only/get").headers.get("Allow"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(ask(Method::post, "/nowhere").status, 404);
}

TEST_F(RouterTest, APlaceholderAnswersWhereTheLiteralHasNotTheMethod) {
  EXPECT_EQ(ask(Method::post, "/tables/special").body, "insert|special");
}

TEST_F(RouterTest, HeadIsAnsweredByGet) { EXPECT_EQ(ask(Method::head, "/tables/todo").status, 200); }

TEST_F(RouterTest, OptionsIs204UnlessTheHandlerWantsIt) {
  const Response plain = ask(Method::options, "/only/get");
  EXPECT_EQ(plain.status, 204);
  EXPECT_EQ(plain.headers.get("Allow"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(ask(Method::options, "/cors").body, "cors");
}

TEST_F(RouterTest, EveryAnswerCarriesTheSecurityHeaders) {
  router.get("/page", [](Request&) -> Task<Response> { co_return Response::html(200, "hi"); });
  router.get("/bare", [](Request&) -> Task<Response> {
    Response response(200);
    response.headers.set("Content-Type", "text/html");
    co_return response;
  });
  for (const char* path : {"/", "/nowhere", "/page"}) {
    const Response response = ask(Method::get, path);
    EXPECT_EQ(response.headers.get("X-Content-Type-Options"), "nosniff") << path;
    EXPECT_EQ(response.headers.get("Referrer-Policy"), "no-referrer") << path;
    EXPECT_EQ(response.headers.get("X-Request-Id"), "r1") << path;
    EXPECT_FALSE(response.headers.has("Server")) << path;
  }
  for (const char* path : {"/page", "/bare"}) {
    const std::string policy(ask(Method::get, path).headers.get("Content-Security-Policy"));
    EXPECT_NE(policy.find("frame-ancestors 'none'"), std::string::npos);
    EXPECT_EQ(policy.find("script-src"), std::string::npos);
    EXPECT_NE(policy.find("default-src 'none'"), std::string::npos);
  }
}

TEST_F(RouterTest, HstsOnlyOverHttpsAndNotForADevelopersHost) {
  const auto hsts = [&](bool secure, std::string host) {
    Request request;
    request.path = "/";
    request.secure = secure;
    request.host = std::move(host);
    return (*run(loop, router.answer(request))).headers.has("Strict-Transport-Security");
  };
  EXPECT_TRUE(hsts(true, "id.example.com"));
  EXPECT_FALSE(hsts(false, "id.example.com"));
  for (const char* host : {"localhost", "localhost:8443", "acme.localhost:8443", "127.0.0.1:8443", "[::1]:8443"})
    EXPECT_FALSE(hsts(true, host)) << host;
}

TEST_F(RouterTest, AnErrorBecomesGenericJson) {
  router.get("/refused", [](Request&) -> Task<Response> { co_return Error(Code::forbidden, "Not yours.", "row 7"); });
  router.get("/busy", [](Request&) -> Task<Response> { co_return Error(Code::overloaded); });
  const Response refused = ask(Method::get, "/refused");
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.body, R"({"error":"forbidden","error_description":"Not yours."})");
  EXPECT_EQ(refused.headers.get("Content-Type"), "application/json; charset=utf-8");
  const Response busy = ask(Method::get, "/busy");
  EXPECT_EQ(busy.status, 503);
  EXPECT_EQ(busy.headers.get("Retry-After"), "1");
}

TEST_F(RouterTest, A500TellsNothingButTheRequestIdAndTheLogTellsTheRest) {
  router.get("/error", [](Request&) -> Task<Response> {
    co_return Error(Code::server_error, "hint", "select secret");
  });
  router.get("/bug", [](Request&) -> Task<Response> {
    throw std::runtime_error("select secret");
    co_return Response(200);
  });
  router.get("/inject", [](Request&) -> Task<Response> {
    Response response(200);
    response.headers.set("X-Custom", "a\r\nSet-Cookie: b");
    co_return response;
  });
  for (const char* path : {"/error", "/bug", "/inject"}) {
    lines.clear();
    const Response response = ask(Method::get, path);
    EXPECT_EQ(response.status, 500) << path;
    EXPECT_EQ(response.body, R"({"error":"server_error","error_description":"Something went wrong on our side.","request_id":"r1"})");
    EXPECT_FALSE(response.headers.has("X-Custom"));
    ASSERT_EQ(lines.size(), 1U) << path;
    EXPECT_NE(lines[0].find(path == std::string("/inject") ? "CR, LF" : "select secret"), std::string::npos) << lines[0];
  }
}

TEST_F(RouterTest, TheSameRouteTwiceIsABug) {
  EXPECT_THROW(router.get("/only/get", says("again")), std::invalid_argument);
  EXPECT_THROW(router.get("/a/{rest...}/b", says("x")), std::invalid_argument);
}

TEST(Headers, RefuseWhatWouldBreakTheWire) {
  Headers headers;
  for (std::string_view value : {std::string_view("a\rb"), std::string_view("a\nb"), std::string_view("a\0b", 3)})
    EXPECT_THROW(headers.set("X-A", value), std::invalid_argument);
  for (std::string_view name : {"", "a b", "a:b", "a\r\n", "\xc3\xa4"})
    EXPECT_THROW(headers.add(name, "x"), std::invalid_argument) << name;
  EXPECT_TRUE(headers.all().empty());
}

TEST(Headers, NamesAreComparedWithoutCase) {
  Headers headers;
  headers.add("X-A", "1").add("x-a", "2").set("X-a", "3");
  EXPECT_EQ(headers.all().size(), 1U);
  EXPECT_EQ(headers.get("x-A"), "3");
  headers.remove("X-A");
  EXPECT_FALSE(headers.has("X-A"));
}

TEST(Responses, ARedirectEncodesWhatNoUriHolds) {
  EXPECT_EQ(Response::redirect(302, "https://a/?b=\r\nX: y\xc3\xa4").headers.get("Location"),
            "https://a/?b=%0D%0AX:%20y%C3%A4");
}

}  // namespace
}  // namespace mandate::http
