#include "http/params.h"

#include <gtest/gtest.h>

namespace mandate::http {
namespace {

struct Posted {
  Posted(std::string_view type, std::string_view body, std::string_view query = {}) {
    request.method = Method::post;
    if (!type.empty()) request.headers.add("Content-Type", type);
    request.body = body;
    request.query = query;
  }
  Result<Params> params() const { return Params::of(request); }
  Code refusal() const {
    auto result = params();
    return result.ok() ? Code::conflict : result.error().code;
  }
  Request request;
};

constexpr std::string_view kForm = "application/x-www-form-urlencoded";

TEST(Params, AreReadFromQueryFormAndJsonAlike) {
  for (const Posted& posted : {Posted(kForm, "a=1&b=x+y%21"), Posted("APPLICATION/JSON; charset=utf-8", R"({"a":1,"b":"x y!"})"),
                               Posted("", R"({"a":"1","b":"x y!"})"), Posted("", "", "a=1&b=x%20y!"),
                               Posted(kForm, "b=x y!", "a=1")}) {
    auto params = posted.params();
    ASSERT_TRUE(params.ok());
    EXPECT_EQ((*params).get("a"), "1");
    EXPECT_EQ((*params).get("b"), "x y!");
    EXPECT_EQ((*params).get("c"), "");
  }
}

TEST(Params, AnEmptyValueCountsAsAbsent) {
  auto params = Posted(kForm, "target=&api_type=&refresh_token=&a=1&a=").params();
  ASSERT_TRUE(params.ok());
  EXPECT_FALSE((*params).has("target"));
  EXPECT_TRUE((*params).refuse_repeated({"a", "target"}).ok());
}

TEST(Params, UnescapedFormsOfOldClientsSurvive) {
  auto params = Posted(kForm, "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&id_token=a.b.c&u=x@y/z&p=50%").params();
  ASSERT_TRUE(params.ok());
  EXPECT_EQ((*params).get("grant_type"), "urn:ietf:params:oauth:grant-type:jwt-bearer");
  EXPECT_EQ((*params).get("u"), "x@y/z");
  EXPECT_EQ((*params).get("p"), "50%");
}

TEST(Params, WhatIsGivenTwiceCanBeRefused) {
  for (const Posted& posted : {Posted(kForm, "a=1&a=1"), Posted(kForm, "a=1", "a=1"), Posted("", R"({"a":["1"]})"),
                               Posted("", R"({"a":{"b":1}})"), Posted("", R"({"a":"1"})", "a=2")}) {
    auto params = posted.params();
    ASSERT_TRUE(params.ok());
    EXPECT_FALSE((*params).refuse_repeated({"b", "a"}).ok());
    EXPECT_TRUE((*params).refuse_repeated({"b"}).ok());
  }
}

TEST(Params, RepeatableNamesKeepAllTheirValues) {
  auto params = Posted(kForm, "resource=a&resource=b").params();
  EXPECT_EQ((*params).all("resource"), (std::vector<std::string_view>{"a", "b"}));
  auto json = Posted("", R"({"audience":["a","b"]})").params();
  EXPECT_EQ((*json).all("audience"), (std::vector<std::string_view>{"a", "b"}));
}

TEST(Params, StructuredMembersStayReadable) {
  auto params = Posted("application/json", R"({"user_metadata":{"a":1},"n":1.5,"t":true,"z":null})").params();
  ASSERT_TRUE(params.ok());
  EXPECT_EQ((*params).get("n"), "1.5");
  EXPECT_EQ((*params).get("t"), "true");
  EXPECT_FALSE((*params).has("z"));
  EXPECT_FALSE((*params).has("user_metadata"));
  ASSERT_NE((*params).json(), nullptr);
  EXPECT_TRUE((*params).json()->contains("user_metadata"));
}

TEST(Params, OtherBodiesAreRefused) {
  EXPECT_EQ(Posted("text/plain", "a=1").refusal(), Code::unsupported_media_type);
  EXPECT_EQ(Posted("multipart/form-data; boundary=x", "--x--").refusal(), Code::unsupported_media_type);
  EXPECT_EQ(Posted("", "a=1").refusal(), Code::invalid_request);
  EXPECT_EQ(Posted("", "[1]").refusal(), Code::invalid_request);
  EXPECT_EQ(Posted("application/json", R"({"a":1,"a":2})").refusal(), Code::invalid_request);
  EXPECT_EQ(Posted(kForm, "a=%ff").refusal(), Code::invalid_request);
  std::string many;
  for (int i = 0; i < 101; ++i) many += "a" + std::to_string(i) + "=1&";
  EXPECT_EQ(Posted(kForm, many).refusal(), Code::invalid_request);
}

TEST(Params, BodiesOfGetAndDeleteAreIgnored) {
  for (Method method : {Method::get, Method::delete_}) {
    Posted posted("application/json", "not json", "a=1");
    posted.request.method = method;
    auto params = posted.params();
    ASSERT_TRUE(params.ok());
    EXPECT_EQ((*params).get("a"), "1");
  }
}

TEST(Cookies, AreFoundByTheirWholeName) {
  Request request;
  request.headers.add("Cookie", "aa=1; a=2;b=\"3\" ; c");
  request.headers.add("cookie", "d=4=5");
  EXPECT_EQ(cookie(request, "a"), "2");
  EXPECT_EQ(cookie(request, "b"), "3");
  EXPECT_EQ(cookie(request, "c"), "");
  EXPECT_EQ(cookie(request, "d"), "4=5");
  EXPECT_EQ(cookie(request, "A"), "");
}

TEST(Cookies, AreWrittenWithTheirProtection) {
  EXPECT_EQ(to_string({.name = "__Host-s", .value = "v", .max_age = std::nullopt}),
            "__Host-s=v; Path=/; Secure; HttpOnly; SameSite=Lax");
  EXPECT_EQ(to_string({.name = "s", .value = "", .max_age = 0, .secure = false, .http_only = false, .same_site = ""}),
            "s=; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
}

}  // namespace
}  // namespace mandate::http
