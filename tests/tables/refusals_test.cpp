// What a refused request must not do, and requests that are refused at the door.
#include "tests/tables/world.h"

namespace mandate::tables::test {
namespace {

class Refusals : public World {};

TEST_F(Refusals, OfAWriteLeaveTheColumnsAsTheyWere) {
  tenant::Table& mine = add_table("Mine");
  mine.user_id_column = "userId";
  mine.permissions = {"user", "user", "user", "user", ""};
  publish();
  const Reply made = post("/tables/mine", R"({"id":"a","x":1})", as("Custom:ana"));
  ASSERT_EQ(made.status, 201);
  patch("/tables/mine/a", R"({"x":2})", as("Custom:ana"));
  EXPECT_EQ(patch("/tables/mine/a", R"({"hack1":1})", as("Custom:ben")).status, 404);
  EXPECT_EQ(patch("/tables/mine/none", R"({"hack2":1})", as("Custom:ana")).status, 404);
  EXPECT_EQ(patch("/tables/mine/a", R"({"hack3":1})", as("Custom:ana", {{"If-Match", made.header("ETag")}})).status, 412);
  EXPECT_EQ(post("/tables/mine", R"({"id":"a","hack4":1})", as("Custom:ana")).status, 409);
  EXPECT_EQ(post("/tables/mine", R"({"id":"a","hack5":1})", as("Custom:ben")).status, 409);
  EXPECT_EQ(patch("/tables/mine/a", R"({"hack6":1,"userId":"Custom:ben"})", as("Custom:ana")).status, 400);
  const Reply row = get("/tables/mine/a", as("Custom:ana"));
  EXPECT_EQ(row.body.find("hack"), std::string::npos) << row.body;
  EXPECT_EQ(patch("/tables/mine/a", R"({"late":1})", as("Custom:ana", {{"If-Match", row.header("ETag")}})).object().at("late"), 1);
}

TEST_F(Refusals, OfBodiesThatAreNotJsonAre415) {
  post("/tables/items", R"({"id":"a"})");
  for (std::string_view type : {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml", "text/xml", "",
                                "application/json; charset=iso-8859-1", "application/json;charset=\"utf-16\"", "json", "application/jsonp"}) {
    const Headers headers = v2({{"Content-Type", std::string(type)}});
    EXPECT_EQ(post("/tables/items", "{}", headers).status, 415) << type;
    EXPECT_EQ(patch("/tables/items/a", "{}", headers).status, 415) << type;
    EXPECT_EQ(post("/tables/items", "{}", v1({{"Content-Type", std::string(type)}})).object().at("code"), 415) << type;
  }
  EXPECT_EQ(post("/tables/items", "{}", v2({{"Content-Type", "application/json"}, {"Content-Type", "text/plain"}})).status, 415);
  for (std::string_view type : {"application/json", "Application/JSON; Charset=UTF-8", "application/json;charset=\"utf-8\"", "application/json; odata=verbose", "application/merge-patch+json"})
    EXPECT_EQ(post("/tables/items", "{}", v2({{"Content-Type", std::string(type)}})).status, 201) << type;
  EXPECT_EQ(post("/tables/items", "{}").status, 201);
  // No body counts there.
  const Headers text = v2({{"Content-Type", "text/plain"}});
  EXPECT_EQ(send(http::Method::get, "/tables/items/a", text).status, 200);
  EXPECT_EQ(send(http::Method::delete_, "/tables/items/a", text).status, 200);
  EXPECT_EQ(post("/tables/items/a", "", text).status, 201);
}

TEST_F(Refusals, OfIfMatch) {
  const std::string tag = post("/tables/items", R"({"id":"a","x":1})").header("ETag");
  for (const Headers& twice : {v2({{"If-Match", tag}, {"If-Match", tag}}), v2({{"If-Match", "*"}, {"If-Match", tag}})}) {
    EXPECT_EQ(patch("/tables/items/a", R"({"x":2})", twice).status, 400);
    EXPECT_EQ(del("/tables/items/a", twice).status, 400);
  }
  for (const std::string& value : {tag, std::string("*")}) EXPECT_EQ(del(filter("items", "x eq 1"), v2({{"If-Match", value}})).status, 400);
  EXPECT_EQ(get("/tables/items/a").object().at("x"), 1);
}

TEST_F(Refusals, OfVersionsTheHeaderDecides) {
  const Reply made = post("/tables/items", R"({"id":"a","x":1})");
  const std::string now = patch("/tables/items/a", R"({"x":2})").text("version");
  EXPECT_EQ(patch("/tables/items/a", R"({"x":3,"version":")" + now + "\"}", v2({{"If-Match", made.header("ETag")}})).status, 412);
  EXPECT_EQ(patch("/tables/items/a", R"({"x":3,"version":")" + made.text("version") + "\"}", v2({{"If-Match", "\"" + now + "\""}})).status, 200);
}

TEST_F(Refusals, OfNothingToPreflightsOnAnyPath) {
  service.cors_hosts = {"localhost"};
  publish();
  const Headers page = {{"Origin", "http://localhost"}, {"Access-Control-Request-Method", "POST"}};
  for (std::string_view target : {"/api/x", "/api/x/y", "*", "/tables/items"}) {
    const Reply reply = send(http::Method::options, target, page);
    EXPECT_EQ(reply.status, 204) << target;
    EXPECT_EQ(reply.header("Access-Control-Allow-Origin"), "http://localhost") << target;
  }
  EXPECT_EQ(get("/api/x").status, 404);
}

TEST_F(Refusals, OfRequestsThatTookTooLongHaveTheShapeOfTheDialect) {
  const auto late = [&](const Headers& headers) {
    http::Request request;
    request.method = http::Method::get;
    request.path = "/tables/items";
    for (const auto& [name, value] : headers) request.headers.add(name, value);
    request.host = kHost;
    const http::Router::Match match = router.match(request);
    EXPECT_TRUE(match.options && match.options->late);
    return match.options->late(request);
  };
  const http::Response old = late(v1());
  EXPECT_EQ(old.status, 503);
  EXPECT_NE(old.body.find(R"("code":503,"error":"Error: )"), std::string::npos) << old.body;
  EXPECT_FALSE(old.headers.get("Retry-After").empty());
  EXPECT_EQ(late(v2()).body.find(R"({"error":")"), 0U);
}

}  // namespace
}  // namespace mandate::tables::test
