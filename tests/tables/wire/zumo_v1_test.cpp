// V1: operations, options, texts that old suites compare (mobile-backend-wire 1.1, 1.2, 2.4, 2.11).
#include "tests/tables/world.h"

namespace mandate::tables::test {
namespace {

class ZumoV1 : public World {
 protected:
  ZumoV1() {
    add_table("Numbered").integer_id = true;
    publish();
  }
  Reply get1(std::string_view target, Headers more = {}) { return send(http::Method::get, target, v1(std::move(more))); }
  Reply post1(std::string_view target, std::string_view body, Headers more = {}) { return send(http::Method::post, target, v1(std::move(more)), body); }
  Reply patch1(std::string_view target, std::string_view body, Headers more = {}) { return send(http::Method::patch, target, v1(std::move(more)), body); }
  Reply del1(std::string_view target, Headers more = {}) { return send(http::Method::delete_, target, v1(std::move(more))); }
};

TEST_F(ZumoV1, AnInsertAnswersTheSentItemItsIdAndALocation) {
  post1("/tables/items", R"({"id":"z","other":1})");
  const Reply reply = post1("/tables/items", R"({"id":"a b","Text":"x"})");
  EXPECT_EQ(reply.status, 201);
  EXPECT_EQ(reply.body, R"({"id":"a b","Text":"x"})");
  EXPECT_EQ(reply.header("Location"), "http://app.example/tables/Items/a%20b");
  EXPECT_EQ(reply.header("ETag"), "");
  EXPECT_EQ(reply.header("x-zumo-server-version"), "nodev1-1.0.0");
}

TEST_F(ZumoV1, SystemPropertiesComeOnRequestOnly) {
  const Reply reply = post1("/tables/items?__systemProperties=*", R"({"id":"a","x":1})");
  const JsonObject row = reply.object();
  for (const char* name : {"__createdAt", "__updatedAt", "__version", "__deleted"}) EXPECT_TRUE(row.contains(name)) << name;
  EXPECT_EQ(reply.header("ETag"), "\"" + reply.text("__version") + "\"");
  EXPECT_EQ(get1("/tables/items/a").body, R"({"id":"a","x":1})");
  EXPECT_EQ(get1("/tables/items/a").header("ETag"), "");
  const Reply versioned = get1("/tables/items/a?__systemproperties=VERSION,%20__createdAt");
  EXPECT_EQ(versioned.object().size(), 4U) << versioned.body;
  EXPECT_EQ(versioned.header("ETag"), reply.header("ETag"));
}

TEST_F(ZumoV1, UnknownSystemPropertiesAreRefusedOnEveryVerb) {
  post1("/tables/items", R"({"id":"a"})");
  for (std::string_view word : {"__foo", "foo", "__version,__created", "*,x"}) {
    const std::string query = "?__systemProperties=" + std::string(word);
    for (const Reply& reply : {get1("/tables/items" + query), get1("/tables/items/a" + query), post1("/tables/items" + query, "{}"),
                               patch1("/tables/items/a" + query, "{}"), del1("/tables/items/a" + query)}) {
      EXPECT_EQ(reply.status, 400);
      EXPECT_NE(reply.text("error").find("is not a supported system property."), std::string::npos) << reply.body;
    }
  }
}

TEST_F(ZumoV1, AnUpdateAnswersOnlyTheSentFields) {
  post1("/tables/items", R"({"id":"a","x":1,"y":2})");
  const Reply reply = patch1("/tables/items/a", R"({"y":3})");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, R"({"id":"a","y":3})");
  const std::string version = get1("/tables/items/a?__systemProperties=__version").text("__version");
  const Reply matched = patch1("/tables/items/a", R"({"y":4})", {{"If-Match", "\"" + version + "\""}});
  EXPECT_EQ(matched.status, 200);
  EXPECT_NE(matched.text("__version"), version);
  EXPECT_EQ(matched.header("ETag"), "\"" + matched.text("__version") + "\"");
}

TEST_F(ZumoV1, AStaleWriteIsAnsweredWithTheRowAndAllSystemProperties) {
  post1("/tables/items", R"({"id":"a","x":1})");
  const std::string old = get1("/tables/items/a?__systemProperties=version").text("__version");
  patch1("/tables/items/a", R"({"x":2})");
  const Reply stale = patch1("/tables/items/a", R"({"x":3})", {{"If-Match", "\"" + old + "\""}});
  EXPECT_EQ(stale.status, 412);
  EXPECT_EQ(stale.object().size(), 6U) << stale.body;
  EXPECT_EQ(stale.object().at("x"), 2);
  EXPECT_EQ(stale.header("ETag"), "\"" + stale.text("__version") + "\"");
  EXPECT_EQ(patch1("/tables/items/a", R"({"x":3})", {{"If-Match", "\"a\",\"b\""}}).text("error"), "Error: Invalid 'if-match' header.");
}

TEST_F(ZumoV1, AReadWithTheCurrentTagIsNotModified) {
  post1("/tables/items", R"({"id":"a","x":1})");
  const std::string tag = get1("/tables/items/a?__systemProperties=version").header("ETag");
  for (std::string list : {tag, std::string("*"), "\"x\", " + tag}) {
    const Reply reply = get1("/tables/items/a", {{"If-None-Match", list}});
    EXPECT_EQ(reply.status, 304) << list;
    EXPECT_EQ(reply.body, "");
  }
  EXPECT_EQ(get1("/tables/items/a", {{"If-None-Match", "\"x\""}}).status, 200);
}

TEST_F(ZumoV1, ADeleteHasNoBodyAndNoTagAndAnUndeleteAnswersTheItem) {
  post1("/tables/items", R"({"id":"a","x":1})");
  const Reply deleted = del1("/tables/items/a");
  EXPECT_EQ(deleted.status, 204);
  EXPECT_EQ(deleted.body, "");
  EXPECT_EQ(deleted.header("ETag"), "");
  const Reply back = post1("/tables/items/a", "");
  EXPECT_EQ(back.status, 200);
  EXPECT_EQ(back.body, R"({"id":"a","x":1,"__deleted":false})");
}

TEST_F(ZumoV1, TheTextsThatSuitesCompareAreThere) {
  for (const Reply& reply : {get1("/tables/items/X"), patch1("/tables/items/X", "{}"), del1("/tables/items/X")}) {
    EXPECT_EQ(reply.status, 404);
    EXPECT_EQ(reply.text("error"), "Error: An item with id 'X' does not exist.");
    EXPECT_EQ(reply.object().at("code"), 404);
  }
  post1("/tables/items", R"({"id":"a"})");
  const Reply duplicate = post1("/tables/items", R"({"id":"a"})");
  EXPECT_EQ(duplicate.status, 409);
  EXPECT_EQ(duplicate.text("error"), "Error: Could not insert the item because an item with that id already exists.");
  const Reply converted = get1("/tables/numbered?$filter=id%20eq%20'text'");
  EXPECT_EQ(converted.status, 400);
  EXPECT_NE(converted.text("error").find("Bad request"), std::string::npos);
  EXPECT_EQ(post1("/tables/numbered", R"({"id":"text"})").text("error"), "Error: A value cannot be specified for property 'id'");
  for (const Reply& reply : {get1("/tables/numbered/text"), patch1("/tables/numbered/text", "{}"), del1("/tables/numbered/text")}) {
    EXPECT_EQ(reply.status, 400);
    EXPECT_EQ(reply.text("error"), "Error: The value specified for 'id' must be a number.");
  }
  for (std::string_view name : {"$own", "__own"}) {
    const Reply own = get1("/tables/items?" + std::string(name) + "=1");
    EXPECT_EQ(own.status, 400);
    EXPECT_NE(own.text("error").find("must not start with $ or __."), std::string::npos);
  }
}

TEST_F(ZumoV1, IntegerIdsCountFromOneAndHaveNoSystemProperties) {
  EXPECT_EQ(post1("/tables/numbered", R"({"x":"a"})").body, R"({"id":1,"x":"a"})");
  EXPECT_EQ(post1("/tables/numbered", R"({"id":0,"x":"b"})").body, R"({"id":2,"x":"b"})");
  EXPECT_EQ(post1("/tables/numbered", R"({"id":null,"x":"c"})").body, R"({"id":3,"x":"c"})");
  EXPECT_EQ(post1("/tables/numbered", R"({"id":"","x":"d"})").body, R"({"id":4,"x":"d"})");
  EXPECT_EQ(post1("/tables/numbered", R"({"id":7})").status, 400);
  EXPECT_EQ(get1("/tables/numbered/2?__systemProperties=*").body, R"({"id":2,"x":"b"})");
  EXPECT_EQ(patch1("/tables/numbered/2", R"({"id":2,"x":"e"})", {{"If-Match", "\"whatever\""}}).status, 200);
  EXPECT_EQ(ids("/tables/numbered?$filter=id%20gt%202&$orderby=id%20desc", v1()), "4 3");
  EXPECT_EQ(get1("/tables/numbered?$filter=id%20eq%20'2'").body, R"([{"id":2,"x":"e"}])");
  EXPECT_EQ(del1("/tables/numbered/2").status, 204);
  EXPECT_EQ(get1("/tables/numbered/2").status, 404);
}

TEST_F(ZumoV1, OptionsOfAListAreRefusedForOneItemAndIgnoredForWrites) {
  post1("/tables/items", R"({"id":"a"})");
  for (std::string_view option : {"$orderby=id", "$inlinecount=none", "$skip=1", "$top=1"}) {
    EXPECT_EQ(get1("/tables/items/a?" + std::string(option)).status, 400) << option;
    EXPECT_EQ(patch1("/tables/items/a?" + std::string(option), "{}").status, 200) << option;
  }
  EXPECT_EQ(patch1("/tables/items/a?$top=nonsense", "{}").status, 200);
}

TEST_F(ZumoV1, BadQueriesSayWhereTheyAreBad) {
  EXPECT_EQ(get1("/tables/items?$filter=x%20EQ%201").text("error"), "Error: Invalid query specified. Error: Syntax error (at index 2)");
  EXPECT_EQ(get1("/tables/items?$filter=").status, 400);
  EXPECT_EQ(get1("/tables/items?__includeDeleted=perhaps").status, 400);
  EXPECT_EQ(get1("/tables/items?$top=1001").status, 400);
}

TEST_F(ZumoV1, SystemNamesInABodyAreRefused) {
  for (std::string_view body : {R"({"__version":"x"})", R"({"__x":1})", R"({"__deleted":true})", R"({"ID":"x"})", R"({"iD":"x"})"}) {
    EXPECT_EQ(post1("/tables/items", body).status, 400) << body;
    EXPECT_EQ(post1("/tables/numbered", R"({"__updatedAt":"x"})").status, 400);
  }
}

TEST_F(ZumoV1, VerbsThatAreNotThereSayWhatIs) {
  const Reply put = send(http::Method::put, "/tables/items", v1(), "{}");
  EXPECT_EQ(put.status, 405);
  EXPECT_EQ(put.header("Allow"), "GET, POST");
  EXPECT_EQ(put.body, "");
  EXPECT_EQ(del1("/tables/items").status, 405);
  EXPECT_EQ(patch1("/tables/items", "{}").status, 400);
}

TEST_F(ZumoV1, ChecksComeInTheOrderOfTheOriginal) {
  const Headers bad_token{{"X-ZUMO-AUTH", "x"}, {"X-ZUMO-VERSION", "2.0.2"}};
  EXPECT_EQ(send(http::Method::post, "/tables/nosuch", bad_token, "{").status, 400);    // body before table
  EXPECT_EQ(send(http::Method::post, "/tables/nosuch", bad_token, "{}").status, 404);   // table before token
  EXPECT_EQ(send(http::Method::get, "/tables/items?$top=x", bad_token).status, 401);    // token before options
  EXPECT_EQ(get1("/tables/numbered/x?$top=1").text("error").find("number"), std::string::npos);  // options before id
  EXPECT_EQ(send(http::Method::post, "/tables/items", v1(), std::string(1100 * 1024, ' ')).status, 413);
  const Reply unauthorized = send(http::Method::get, "/tables/items", bad_token);
  EXPECT_EQ(unauthorized.text("error").substr(0, 29), "Error: Invalid token format. ");
}

TEST_F(ZumoV1, ARefusalIs401WithTheBodyOfTheOriginal) {
  add_table("Keyed").permissions = {"application", "application", "application", "application", ""};
  publish();
  const Reply reply = send(http::Method::get, "/tables/keyed", {{"X-ZUMO-APPLICATION", "wrong"}});
  EXPECT_EQ(reply.status, 401);
  EXPECT_EQ(reply.body, R"({"code":401,"error":"Error: Unauthorized"})");
  EXPECT_EQ(get1("/tables/keyed").status, 200);
}

TEST_F(ZumoV1, NoScriptNeedsTheMasterKey) {
  EXPECT_EQ(get1("/tables/items?noScript=true").status, 401);
  EXPECT_EQ(get1("/tables/items?noScript=true", {{"X-ZUMO-MASTER", std::string(kMasterKey)}}).status, 200);
}

TEST_F(ZumoV1, MicrosoftDatesBecomeDates) {
  post1("/tables/items", R"({"id":"a","d":"\/Date(1373884800000+0200)\/"})");
  EXPECT_EQ(get1("/tables/items/a").body, R"({"id":"a","d":"2013-07-15T10:40:00.000Z"})");
}

TEST_F(ZumoV1, VersionsOfNobodyAreRefusedReadably) {
  for (std::string version : {"1.0", "9.9", "3.1.0", "3.0.x", "2.0.x", "2.01"}) {
    const Reply reply = get("/tables/items", {{"zumo-api-version", version}});
    EXPECT_EQ(reply.status, 400) << version;
    for (const char* member : {"error", "title", "detail"}) EXPECT_TRUE(reply.object().at(member).is_string());
  }
  EXPECT_EQ(get("/tables/items?ZUMO-api-Version=2.0.1", {{"ZUMO-API-VERSION", "9.9"}}).status, 200);  // the query wins
}

TEST_F(ZumoV1, StatusAnswersWithoutAKey) {
  EXPECT_EQ(get1("/status").body, "");
  EXPECT_EQ(get("/status").body, R"({"status":"Running"})");
}

}  // namespace
}  // namespace mandate::tables::test
