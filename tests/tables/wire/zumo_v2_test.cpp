// The transcript of the V2 reference (mobile-backend-wire 1.10) and what surrounds it.
#include "tests/tables/world.h"

namespace mandate::tables::test {
namespace {

class ZumoV2 : public World {};

TEST_F(ZumoV2, AnInsertAnswersTheWholeRowWithItsTag) {
  const Reply reply = post("/tables/items", R"({"id":"a","x":1,"n":null})");
  ASSERT_EQ(reply.status, 201);
  const JsonObject row = reply.object();
  EXPECT_EQ(row.at("id"), "a");
  EXPECT_EQ(row.at("x"), 1);
  EXPECT_EQ(row.at("deleted"), false);
  EXPECT_FALSE(row.contains("n"));
  EXPECT_EQ(row.size(), 6U) << reply.body;
  EXPECT_EQ(reply.text("createdAt"), "2023-11-14T22:13:20.000Z");
  EXPECT_EQ(reply.text("createdAt"), reply.text("updatedAt"));
  EXPECT_EQ(reply.header("ETag"), "\"" + reply.text("version") + "\"");
  EXPECT_EQ(reply.header("Location"), "http://app.example/tables/Items/a");
}

TEST_F(ZumoV2, ADuplicateIsAnsweredWithTheSentItem) {
  post("/tables/items", R"({"id":"a","x":1})");
  const Reply again = post("/tables/items", R"({"id":"a","x":2})");
  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(again.body, R"({"id":"a","x":2})");
  EXPECT_EQ(get("/tables/items/a").object().at("x"), 1);
}

TEST_F(ZumoV2, AReadOfOneNeverAnswersNotModified) {
  const Reply made = post("/tables/items", R"({"id":"a","x":1})");
  const Reply reply = get("/tables/items/a", v2({{"If-None-Match", made.header("ETag")}}));
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.header("ETag"), made.header("ETag"));
  EXPECT_EQ(reply.body, made.body);
}

TEST_F(ZumoV2, ReservedMembersAreRefusedInAnyCase) {
  post("/tables/items", R"({"id":"a","x":1})");
  for (std::string name : {"updatedAt", "createdAt", "deleted", "UPDATEDAT"}) {
    const Reply reply = patch("/tables/items/a", R"({"x":3,")" + name + R"(":"x"})");
    EXPECT_EQ(reply.status, 400);
    EXPECT_EQ(reply.text("error"), "Cannot update item with property '" + name + "' as it is reserved");
  }
  EXPECT_EQ(get("/tables/items/a").object().at("x"), 1);
}

TEST_F(ZumoV2, AStaleVersionIs412ByHeaderAnd409ByBodyWithTheRowAndItsTag) {
  const std::string old = post("/tables/items", R"({"id":"a","x":1})").text("version");
  const Reply current = patch("/tables/items/a", R"({"x":2})");
  ASSERT_EQ(current.status, 200);
  EXPECT_NE(current.text("version"), old);
  const Reply by_header = patch("/tables/items/a", R"({"x":3})", v2({{"If-Match", "\"" + old + "\""}}));
  EXPECT_EQ(by_header.status, 412);
  EXPECT_EQ(by_header.body, current.body);
  EXPECT_EQ(by_header.header("ETag"), current.header("ETag"));
  const Reply by_body = patch("/tables/items/a", R"({"x":3,"version":")" + old + "\"}");
  EXPECT_EQ(by_body.status, 409);
  EXPECT_EQ(by_body.body, current.body);
  EXPECT_EQ(by_body.header("ETag"), current.header("ETag"));
  const Reply deleted = del("/tables/items/a", v2({{"If-Match", "\"" + old + "\""}}));
  EXPECT_EQ(deleted.status, 412);
  EXPECT_EQ(deleted.body, current.body);
}

TEST_F(ZumoV2, TheRightVersionLetsAWriteThroughAndStarAsksForNone) {
  const Reply made = post("/tables/items", R"({"id":"a","x":1})");
  EXPECT_EQ(patch("/tables/items/a", R"({"x":2})", v2({{"If-Match", made.header("ETag")}})).status, 200);
  EXPECT_EQ(patch("/tables/items/a", R"({"x":3})", v2({{"If-Match", "*"}})).status, 200);
  EXPECT_EQ(patch("/tables/items/a", R"({"x":4,"version":")" + get("/tables/items/a").text("version") + "\"}").status, 200);
  for (std::string tag : {"\"a\", \"b\"", "abc", "W/\"a\"", "\"a"})
    EXPECT_EQ(patch("/tables/items/a", R"({"x":9})", v2({{"If-Match", tag}})).status, 400) << tag;
}

TEST_F(ZumoV2, AnAbsentItemIsOneAndTheSame404) {
  for (const Reply& reply : {patch("/tables/items/zz", R"({"x":3})"), get("/tables/items/zz"), del("/tables/items/zz"), post("/tables/items/zz", "")}) {
    EXPECT_EQ(reply.status, 404);
    EXPECT_EQ(reply.body, R"({"error":"The item does not exist"})");
    EXPECT_EQ(reply.header("ETag"), "");
  }
}

TEST_F(ZumoV2, TheIdOfTheBodyMustBeThatOfTheUrl) {
  post("/tables/items", R"({"id":"a","x":1})");
  const Reply reply = patch("/tables/items/a", R"({"id":"b","x":2})");
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(reply.text("error"), "The item ID and querystring ID did not match");
  EXPECT_EQ(patch("/tables/items/a", R"({"id":"a","x":2})").status, 200);
  EXPECT_EQ(patch("/tables/items", R"({"id":"a","x":3})").object().at("x"), 3);
  EXPECT_EQ(patch("/tables/items", R"({"x":3})").status, 400);
}

TEST_F(ZumoV2, ObjectsAndListsAreRefused) {
  post("/tables/items", R"({"id":"a","x":1})");
  for (std::string_view body : {R"({"o":{}})", R"({"o":[]})", R"({"x":{}})", "[1]", "1", "null", "", "{", R"({"x":1,"x":2})", R"({"x":1,"X":2})", R"({"a":1,"\u0061":2})",
                                R"({"ID":"b"})", R"({"id":"b","Id":"c"})", R"({"id":5})", R"({"__x":1})", R"({"a b":1})", R"({"1a":1})", R"({"id":"a/b"})", R"({"id":".."})"}) {
    EXPECT_EQ(patch("/tables/items/a", body).status, 400) << body;
    EXPECT_EQ(post("/tables/items", body).status, 400) << body;
  }
}

TEST_F(ZumoV2, ADeleteAnswersTheRowAsItWasLeftAndTheRowIsGone) {
  const std::string made = post("/tables/items", R"({"id":"a","x":1})").text("version");
  const Reply deleted = del("/tables/items/a");
  EXPECT_EQ(deleted.status, 200);
  EXPECT_EQ(deleted.object().at("deleted"), true);
  EXPECT_NE(deleted.text("version"), made);
  EXPECT_EQ(deleted.header("ETag"), "\"" + deleted.text("version") + "\"");
  EXPECT_EQ(del("/tables/items/a").status, 404);
  EXPECT_EQ(get("/tables/items/a").status, 404);
  EXPECT_EQ(patch("/tables/items/a", R"({"x":2})", v2({{"If-Match", deleted.header("ETag")}})).status, 404);
  EXPECT_EQ(ids("/tables/items"), "");
  EXPECT_EQ(ids("/tables/items?__includeDeleted=true"), "a");
  EXPECT_EQ(get("/tables/items/a?__includeDeleted=true").status, 200);
  const Reply back = post("/tables/items/a", "");
  EXPECT_EQ(back.status, 201);
  EXPECT_EQ(back.object().at("deleted"), false);
  EXPECT_EQ(back.object().at("x"), 1);
  EXPECT_EQ(ids("/tables/items"), "a");
}

TEST_F(ZumoV2, ATableWithoutSoftDeleteForgetsTheRow) {
  add_table("Plain");
  publish();
  post("/tables/plain", R"({"id":"a","x":1})");
  EXPECT_FALSE(get("/tables/plain/a").object().contains("deleted"));
  EXPECT_EQ(del("/tables/plain/a").status, 200);
  EXPECT_EQ(ids("/tables/plain?__includeDeleted=true"), "");
  EXPECT_EQ(post("/tables/plain/a", "").status, 400);
}

TEST_F(ZumoV2, AnUnknownColumnGivesNoRowsOrIsRefusedByAFixedSchema) {
  post("/tables/items", R"({"id":"a","x":1})");
  EXPECT_EQ(get("/tables/items?$filter=nosuch%20eq%201").body, "[]");
  EXPECT_EQ(get("/tables/items?$filter=nosuch%20eq%201&$inlinecount=allpages").body, R"({"results":[],"count":0})");
  tenant::Table& fixed = add_table("Fixed");
  fixed.dynamic_schema = false;
  fixed.columns = {{"x", "number"}};
  publish();
  EXPECT_EQ(post("/tables/fixed", R"({"x":1})").status, 201);
  EXPECT_EQ(post("/tables/fixed", R"({"y":1})").status, 400);
  for (std::string_view query : {"$filter=y%20eq%201", "$orderby=y", "$select=y"})
    EXPECT_EQ(get("/tables/fixed?" + std::string(query)).status, 400) << query;
}

TEST_F(ZumoV2, BadQueriesAreRefused) {
  for (std::string_view query : {"$filter=bad%20bad", "$top=1001", "$top=-1", "$top=x", "$skip=-1", "$skip=1000001", "$orderby=x%20sideways", "$inlinecount=some",
                                 "$select=a%20b", "$filter=x%20eq%20'%FF'", "$top=1&$top=2", "$filter=(id%20eq%201"})
    EXPECT_EQ(get("/tables/items?" + std::string(query)).status, 400) << query;
  EXPECT_EQ(get("/tables/items?$top=1000&$skip=1000000").status, 200);
  EXPECT_EQ(get("/tables/items?$filter=&mine=1&$unknown=2&__other=3").status, 200);
}

TEST_F(ZumoV2, AFullPageHasALinkToTheNext) {
  for (std::string id : {"a", "b", "c"}) post("/tables/items", R"({"id":")" + id + "\"}");
  const Reply first = get("/tables/items?$filter=id%20ne%20'x;y'&$top=2&own=1%202");
  EXPECT_TRUE(first.header("Link").starts_with("http://app.example/tables/Items?$filter=id%20ne%20%27x%3By%27&own=1%202&$skip=2&$top=2&$skiptoken="));
  EXPECT_TRUE(first.header("Link").ends_with("; rel=next"));
  const std::string link = first.header("Link");
  const std::string next = link.substr(std::string("http://app.example").size(), link.find(';') - std::string("http://app.example").size());
  EXPECT_EQ(ids(next), "c");
  EXPECT_EQ(get(next).header("Link"), "");
  const Reply counted = get("/tables/items?$inlinecount=allpages&$top=1&$filter=id%20eq%20'a'");
  EXPECT_EQ(counted.object().at("count"), 1);
  EXPECT_NE(counted.header("Link"), "");
  EXPECT_EQ(get("/tables/items?$top=0").header("Link"), "");
  for (int i = 0; i < 50; ++i) post("/tables/items", "{}");
  EXPECT_EQ(get("/tables/items").json().get_array().size(), 50U);
  EXPECT_TRUE(get("/tables/items").header("Link").starts_with("http://app.example/tables/Items?$skip=50&$top=50&$skiptoken="));
  post("/tables/items", R"({"id":"z","n":1})");
  EXPECT_EQ(get("/tables/items?$orderby=n%20desc&$top=1").header("Link"), "http://app.example/tables/Items?$orderby=n%20desc&$skip=1&$top=1; rel=next");
}

TEST_F(ZumoV2, UnknownTablesAndVerbsAreAnsweredInJson) {
  const Reply reply = get("/tables/nosuch");
  EXPECT_EQ(reply.status, 404);
  EXPECT_EQ(reply.text("error"), "Table 'nosuch' does not exist.");
  const Reply put = send(http::Method::put, "/tables/items", v2(), "{}");
  EXPECT_EQ(put.status, 405);
  EXPECT_EQ(put.body, "");
  EXPECT_EQ(put.header("Allow"), "GET, POST");
}

TEST_F(ZumoV2, ADeleteByFilterTakesEveryMatchAndNeedsAFilter) {
  for (std::string id : {"a", "b", "c"}) post("/tables/items", R"({"id":")" + id + "\"}");
  EXPECT_EQ(del("/tables/items").status, 400);
  const Reply reply = del("/tables/items?$filter=id%20ne%20'b'");
  EXPECT_EQ(reply.status, 204);
  EXPECT_EQ(reply.header("ETag"), "");
  EXPECT_EQ(ids("/tables/items"), "b");
}

TEST_F(ZumoV2, SelectShowsWhatItNames) {
  post("/tables/items", R"({"id":"a","x":1,"y":"z"})");
  EXPECT_EQ(get("/tables/items?$select=id,Y").body, R"([{"id":"a","Y":"z"}])");
  EXPECT_EQ(get("/tables/items?$select=deleted,id").body, R"([{"deleted":false,"id":"a"}])");
}

TEST_F(ZumoV2, SystemPropertiesCanBeAskedFor) {
  const Reply a = post("/tables/items", R"({"id":"a"})");
  const Reply b = post("/tables/items", R"({"id":"b"})");
  EXPECT_EQ(ids(filter("items", "updatedAt gt datetimeoffset'" + a.text("updatedAt") + "'")), "b");
  EXPECT_EQ(ids(filter("items", "version eq '" + a.text("version") + "'")), "a");
  EXPECT_EQ(ids(filter("items", "version ne '" + a.text("version") + "'")), "b");
  EXPECT_EQ(ids(filter("items", "version eq 'nonsense'")), "");
  EXPECT_EQ(ids("/tables/items?$orderby=updatedAt%20desc"), "b a");
  EXPECT_EQ(ids(filter("items", "deleted eq false")), "a b");
}

TEST_F(ZumoV2, ServerMadeIdsAreLowerCaseUuidsInTheOrderOfTheInserts) {
  const std::string one = post("/tables/items", "{}").text("id"), two = post("/tables/items", R"({"id":""})").text("id");
  EXPECT_EQ(one.size(), 36U);
  EXPECT_EQ(one, ascii_lower(one));
  EXPECT_NE(one, two);
}

TEST_F(ZumoV2, EveryAnswerCarriesTheHeadersOfTheReference) {
  for (const Reply& reply : {get("/tables/items"), get("/tables/nosuch"), post("/tables/items", "{")}) {
    EXPECT_EQ(reply.header("cache-control"), "no-cache");
    EXPECT_EQ(reply.header("expires"), "0");
    EXPECT_EQ(reply.header("pragma"), "no-cache");
    EXPECT_EQ(reply.header("x-zumo-server-version"), "node-4.0.2");
  }
}

TEST_F(ZumoV2, ABadTokenIs401EvenWhereNoneIsNeeded) {
  const Reply reply = get("/tables/items", v2({{"X-ZUMO-AUTH", "nonsense"}}));
  EXPECT_EQ(reply.status, 401);
  EXPECT_TRUE(reply.object().at("error").is_string());
  EXPECT_EQ(get("/tables/items", v2({{"Authorization", "Bearer nonsense"}})).status, 401);
}

TEST_F(ZumoV2, AMissingLoginIs401InPlainText) {
  add_table("Mine").permissions = {"user", "user", "user", "user", ""};
  publish();
  const Reply reply = get("/tables/mine");
  EXPECT_EQ(reply.status, 401);
  EXPECT_EQ(reply.body, "You must be logged in to use this application");
  EXPECT_EQ(get("/tables/mine", as("Facebook:1")).status, 200);
}

}  // namespace
}  // namespace mandate::tables::test
