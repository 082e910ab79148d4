// A per-user table shows each person their own rows and nothing of anybody else's (DA-1 … DA-6, DA-12).
#include <random>

#include "tests/tables/world.h"

namespace mandate::tables::test {
namespace {

class Ownership : public World {
 protected:
  Ownership() {
    tenant::Table& mine = add_table("Mine");
    mine.soft_delete = true;
    mine.user_id_column = "userId";
    publish();
    for (int i = 0; i < 6; ++i) {
      const std::string n = std::to_string(i);
      post("/tables/mine", R"({"id":"ana)" + n + R"(","title":"t)" + n + R"(","n":)" + n + R"(,"done":)" + (i % 2 ? "true" : "false") + "}", as("Ana"));
      post("/tables/mine", R"({"id":"ben)" + n + R"(","title":"t)" + n + R"(","n":)" + n + R"(,"done":)" + (i % 2 ? "true" : "false") + "}", as("Ben"));
    }
  }
};

TEST_F(Ownership, TheOwnerIsStampedAndEachSeesTheirOwn) {
  EXPECT_EQ(get("/tables/mine/ana0", as("Ana")).text("userId"), "Ana");
  EXPECT_EQ(ids("/tables/mine", as("Ben")), "ben0 ben1 ben2 ben3 ben4 ben5");
  EXPECT_EQ(ids("/tables/mine", as("Carla")), "");
  EXPECT_EQ(get("/tables/mine?$inlinecount=allpages&$top=1", as("Ana")).object().at("count"), 6);
  EXPECT_EQ(get("/tables/mine").status, 401);
  EXPECT_EQ(ids("/tables/mine", v2({{"X-ZUMO-MASTER", std::string(kMasterKey)}})).size(), 12 * 5 - 1U);
}

/// A random condition over the table's columns, true ones and tricks included.
std::string random_filter(std::mt19937& dice, int depth) {
  static constexpr std::string_view kLeaves[] = {
      "1 eq 1", "true", "userId eq 'Ana'", "userId ne 'Ben'", "id eq 'ana1'", "id ne 'ben1'", "startswith(id,'ana')", "substringof('a',id)",
      "n ge 0", "done", "not done", "title eq 't1''--'", "length(userId) eq 3", "userId eq null", "userId ne null", "deleted eq false", "null eq userId",
      "concat(userId,'x') eq 'Anax'", "title gt ''", "n add 1 gt n", "version ne ''", "tolower(userId) eq 'ana'", "indexof(userId,'n') eq 1", "1 eq 0"};
  if (depth == 0) return std::string(kLeaves[dice() % std::size(kLeaves)]);
  switch (dice() % 4) {
    case 0: return "(" + random_filter(dice, depth - 1) + ") or (" + random_filter(dice, depth - 1) + ")";
    case 1: return "(" + random_filter(dice, depth - 1) + ") and (" + random_filter(dice, depth - 1) + ")";
    case 2: return "not (" + random_filter(dice, depth - 1) + ")";
    default: return "(" + random_filter(dice, depth - 1) + ") eq true";
  }
}

TEST_F(Ownership, NoFilterOrderOrSelectionShowsAForeignRow) {
  std::mt19937 dice(7);
  const Headers ben = as("Ben");
  for (int i = 0; i < 300; ++i) {
    const std::string text = random_filter(dice, static_cast<int>(dice() % 4));
    static constexpr std::string_view kMore[] = {"", "&$orderby=userId%20desc", "&$inlinecount=allpages", "&__includeDeleted=true", "&$skip=1", "&$orderby=id,n%20mul%202"};
    const Reply reply = get(filter("mine", text) + std::string(kMore[dice() % std::size(kMore)]), ben);
    ASSERT_EQ(reply.status, 200) << text << " " << reply.body;
    const Json json = reply.json();
    const JsonArray& rows = json.is_array() ? json.get_array() : json.get_object().at("results").get_array();
    for (const Json& row : rows) EXPECT_EQ(row.get_object().at("userId"), "Ben") << text;
    if (json.is_object()) EXPECT_LE(json.get_object().at("count").get_int64(), 6) << text;
  }
}

TEST_F(Ownership, AForeignRowIsAnsweredByteForByteAsAnAbsentOne) {
  const std::string tag = get("/tables/mine/ana0", as("Ana")).header("ETag");
  for (const Headers& more : {Headers{}, Headers{{"If-Match", tag}}, Headers{{"If-Match", "\"AAAAAAAAAAA=\""}}, Headers{{"If-None-Match", tag}}, Headers{{"If-None-Match", "*"}}})
    for (const bool old : {false, true}) {
      const auto both = [&](http::Method method, std::string_view query, std::string_view body) {
        Headers headers = more;
        headers.emplace_back("X-ZUMO-AUTH", token_of("Ben"));
        headers.emplace_back(old ? "X-ZUMO-VERSION" : "ZUMO-API-VERSION", "2.0.0");
        const Reply foreign = send(method, "/tables/mine/ana0" + std::string(query), headers, body);
        Reply absent = send(method, "/tables/mine/zzz0" + std::string(query), headers, body);
        for (auto at = absent.body.find("zzz0"); at != std::string::npos; at = absent.body.find("zzz0")) absent.body.replace(at, 4, "ana0");
        EXPECT_EQ(foreign.status, 404);
        EXPECT_EQ(foreign.status, absent.status);
        EXPECT_EQ(foreign.body, absent.body);
        EXPECT_EQ(foreign.header("ETag"), "");
      };
      both(http::Method::get, "", "");
      both(http::Method::get, "?__includeDeleted=true", "");
      both(http::Method::patch, "", R"({"title":"stolen"})");
      both(http::Method::delete_, "", "");
      both(http::Method::post, "", "");
    }
  EXPECT_EQ(get("/tables/mine/ana0", as("Ana")).text("title"), "t0");
}

TEST_F(Ownership, ADeletedRowStaysItsOwners) {
  del("/tables/mine/ana1", as("Ana"));
  EXPECT_EQ(ids("/tables/mine?__includeDeleted=true&$filter=deleted%20eq%20true", as("Ben")), "");
  EXPECT_EQ(ids("/tables/mine?__includeDeleted=true&$filter=deleted%20eq%20true", as("Ana")), "ana1");
  EXPECT_EQ(post("/tables/mine/ana1", "", as("Ben")).status, 404);
  EXPECT_EQ(post("/tables/mine/ana1", "", as("Ana")).status, 201);
}

TEST_F(Ownership, ADeleteByFilterTakesOwnRowsOnly) {
  EXPECT_EQ(del(filter("mine", "1 eq 1"), as("Ben")).status, 204);
  EXPECT_EQ(ids("/tables/mine", as("Ben")), "");
  EXPECT_EQ(ids("/tables/mine", as("Ana")), "ana0 ana1 ana2 ana3 ana4 ana5");
}

TEST_F(Ownership, NobodyMovesARowToAnotherOwner) {
  for (std::string_view member : {R"("userId":"Ben")", R"("USERID":"Ben")", R"("userid":null)", R"("userId":["Ben"])", R"("userId":{"a":1})", R"("userId":"")",
                                  R"("userId":"ana")", R"("userId":1)", R"("user\u0049d":"Ben")"}) {
    const std::string body = "{" + std::string(member) + "}";
    EXPECT_EQ(patch("/tables/mine/ana0", body, as("Ana")).status, 400) << body;
    EXPECT_EQ(post("/tables/mine", body, as("Ana")).status, 400) << body;
  }
  EXPECT_EQ(patch("/tables/mine/ana0", R"({"userId":"Ana","title":"mine"})", as("Ana")).text("userId"), "Ana");
  EXPECT_EQ(post("/tables/mine", R"({"id":"more","USERID":"Ana"})", as("Ana")).text("userId"), "Ana");
  EXPECT_EQ(get("/tables/mine/ana0", as("Ben")).status, 404);
  EXPECT_EQ(get("/tables/mine/ana0", as("Ana")).text("title"), "mine");
}

TEST_F(Ownership, SystemFieldsOfABodyAreNeverStored) {
  for (std::string_view body : {R"({"createdAt":"2001-01-01T00:00:00.000Z"})", R"({"updatedAt":"2001-01-01T00:00:00.000Z"})", R"({"deleted":true})", R"({"__deleted":true})",
                                R"({"__updatedAt":1})", R"({"__version":"AAAAAAAAAAA="})"})
    EXPECT_EQ(post("/tables/mine", body, as("Ana")).status, 400) << body;
  const Reply reply = post("/tables/mine", R"({"version":"AAAAAAAAAAA="})", as("Ana"));
  EXPECT_EQ(reply.status, 201);
  EXPECT_NE(reply.text("version"), "AAAAAAAAAAA=");
}

TEST_F(Ownership, OurOwnColumnNamesAreUnknownColumns) {
  for (std::string_view column : {"__deleted", "__updatedAt", "rowid", "_rowid_", "oid", "sqlite_master"}) {
    const Reply odd = get(filter("mine", std::string(column) + " eq 1"), as("Ben"));
    const Reply none = get(filter("mine", "nosuchcolumn eq 1"), as("Ben"));
    EXPECT_EQ(odd.status, none.status) << column;
    EXPECT_EQ(odd.body, none.body) << column;
  }
}

TEST_F(Ownership, NoQueryOfV3OrV4ShowsAForeignRow) {
  service.tables["mine"].columns = {{.name = "partnerId", .references = "mine", .as = "partner"}};
  publish();
  EXPECT_EQ(patch("/tables/mine/ben0", R"({"partnerId":"ana0"})", as("Ben")).status, 400) << "nobody refers to a row that is not theirs";
  patch("/tables/mine/ben0", R"({"partnerId":"ana0"})", v2({{"X-ZUMO-MASTER", std::string(kMasterKey)}}));
  std::mt19937 dice(9);
  for (int i = 0; i < 120; ++i) {
    const std::string text = random_filter(dice, static_cast<int>(dice() % 3));
    static constexpr std::string_view kMore[] = {"", "&$orderby=userId%20desc", "&$count=true", "&__includedeleted=true", "&$expand=partner", "&$select=id,userId&$expand=partner"};
    const Headers ben{{"X-ZUMO-AUTH", token_of("Ben")}, {"ZUMO-API-VERSION", "3.0.0"}};
    const std::string root = dice() % 2 ? "/v4" : "/v3";
    const Reply reply = get(root + filter("mine", text) + std::string(kMore[dice() % std::size(kMore)]), ben);
    if (reply.status == 400) continue;  // the old grammar's substringof and its like
    ASSERT_EQ(reply.status, 200) << text << " " << reply.body;
    const JsonObject answer = reply.object();
    for (const Json& row : answer.at("items").get_array()) {
      EXPECT_EQ(row.get_object().at("userId"), "Ben") << text;
      if (const Json* partner = row.get_object().if_contains("partner")) EXPECT_TRUE(partner->is_null()) << text;
    }
    if (const Json* count = answer.if_contains("count"); count && count->is_int64()) EXPECT_LE(count->get_int64(), 6) << text;
  }
}

TEST_F(Ownership, InV3AndV4TooAForeignRowIsAnsweredAsAnAbsentOne) {
  const std::string tag = get("/v3/tables/mine/ana0", as("Ana")).header("ETag");
  del("/tables/mine/ana1", as("Ana"));
  for (std::string_view foreign : {"ana0", "ana1"})
    for (const Headers& more : {Headers{}, Headers{{"If-Match", tag}}, Headers{{"If-Match", "*"}}, Headers{{"If-None-Match", "*"}}, Headers{{"If-None-Match", tag}}})
      for (std::string_view root : {"/v3/tables/mine/", "/v4/tables/mine/"}) {
        const auto both = [&](http::Method method, std::string_view query, std::string_view body, std::string_view type = "application/json") {
          Headers headers = more;
          headers.emplace_back("X-ZUMO-AUTH", token_of("Ben"));
          headers.emplace_back("Content-Type", type);
          const Reply theirs = send(method, std::string(root) + std::string(foreign) + std::string(query), headers, body);
          const Reply absent = send(method, std::string(root) + "zzz0" + std::string(query), headers, body);
          EXPECT_EQ(theirs.status, absent.status) << http::name(method) << query;
          EXPECT_TRUE(theirs.status == 404 || theirs.status == 405) << http::name(method) << query << theirs.status;
          EXPECT_EQ(theirs.body, absent.body);
          EXPECT_EQ(theirs.header("ETag"), "");
        };
        both(http::Method::get, "", "");
        both(http::Method::get, "?__includedeleted=true", "");
        both(http::Method::put, "", R"({"title":"stolen"})");
        both(http::Method::put, "?__includedeleted=true", R"({"title":"stolen"})");
        both(http::Method::patch, "", R"({"deleted":false})");
        both(http::Method::patch, "", R"([{"op":"replace","path":"/title","value":"stolen"}])", "application/json-patch+json");
        both(http::Method::delete_, "", "");
      }
  EXPECT_EQ(get("/tables/mine/ana0", as("Ana")).text("title"), "t0");
}

TEST_F(Ownership, TextOfAStatementInAnyPlaceIsAValueOrRefused) {  // DA-7
  for (std::string_view evil : {"' or '1'='1", "'; drop table t_default__mine; --", "\"; select 1; --", "id) from t_default__mine; --", "1; attach 'x'", "\\' or 1=1 --"}) {
    const std::string text = percent_encode(evil);
    const auto fine = [&](const Reply& reply) {
      EXPECT_TRUE(reply.status == 400 || reply.status == 404 || (reply.status == 200 && reply.body == "[]")) << evil << " " << reply.status << " " << reply.body;
    };
    fine(get("/tables/mine?$filter=" + text, as("Ben")));
    fine(get("/tables/mine?$orderby=" + text, as("Ben")));
    fine(get("/tables/mine?$select=" + text, as("Ben")));
    fine(get("/tables/mine?$top=" + text, as("Ben")));
    fine(get("/tables/mine/" + text, as("Ben")));
    fine(get("/tables/" + text, as("Ben")));
    fine(get("/v4/tables/mine?$expand=" + text, as("Ben")));
    fine(patch("/tables/mine/ben0", "{\"a\\\"; drop\":1}", as("Ben")));
    std::string doubled;
    for (const char c : evil) doubled += c == '\'' ? std::string("''") : std::string(1, c);
    fine(get(filter("mine", "title eq '" + doubled + "'"), as("Ben")));
  }
  EXPECT_EQ(ids("/tables/mine", as("Ana")), "ana0 ana1 ana2 ana3 ana4 ana5");
}

}  // namespace
}  // namespace mandate::tables::test
