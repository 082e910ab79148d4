// The traps of mobile-backend-wire 0.4, one test each, and what else clients of both generations share.
#include <random>

#include "tests/tables/world.h"

namespace mandate::tables::test {
namespace {

class Traps : public World {};

TEST_F(Traps, DatesLeaveWithThreeDigitsAndZ) {
  post("/tables/items", R"({"id":"a","d":"2012-01-01T00:00:00Z","e":"2012-01-01T00:00:00.5Z","f":"2012-01-01T00:00:00.1234567Z","g":"2012-01-01"})");
  const Reply reply = get("/tables/items/a");
  EXPECT_EQ(reply.text("d"), "2012-01-01T00:00:00.000Z");
  EXPECT_EQ(reply.text("e"), "2012-01-01T00:00:00.500Z");
  EXPECT_EQ(reply.text("f"), "2012-01-01T00:00:00.123Z");
  EXPECT_EQ(reply.text("g"), "2012-01-01");  // text stays text
  EXPECT_EQ(patch("/tables/items/a", R"({"d":"2012-06-01T02:00:00+02:00"})").text("d"), "2012-06-01T00:00:00.000Z");
  EXPECT_EQ(patch("/tables/items/a", R"({"d":"soon"})").status, 400);
}

TEST_F(Traps, UpdatedAtGrowsFromWriteToWriteAlsoWhenManyComeAtOnce) {
  std::vector<Task<Reply>> tasks;
  for (int i = 0; i < 64; ++i) tasks.push_back(exchange(http::Method::post, "/tables/items", v2(), R"({"id":"r)" + std::to_string(i) + "\"}"));
  send_together(std::move(tasks));
  std::vector<Task<Reply>> again;
  for (int i = 0; i < 64; ++i) again.push_back(exchange(http::Method::patch, "/tables/items/r" + std::to_string(i % 8), v2(), R"({"n":)" + std::to_string(i) + "}"));
  std::set<std::string> stamps;
  for (const Reply& reply : send_together(std::move(again))) {
    EXPECT_EQ(reply.status, 200);
    EXPECT_TRUE(stamps.insert(reply.text("updatedAt")).second);
  }
  const Json rows = get("/tables/items?$orderby=updatedAt&$top=1000").json();
  std::string last;
  for (const Json& row : rows.get_array()) {
    const std::string at(view(row.get_object().at("updatedAt").get_string()));
    EXPECT_LT(last, at);
    last = at;
  }
}

TEST_F(Traps, RowsThatSyncAlwaysSayDeletedFalse) {
  post("/tables/items", R"({"id":"a"})");
  for (std::string_view target : {"/tables/items", "/tables/items?$select=id,deleted", "/tables/items?__includeDeleted=true"})
    EXPECT_NE(get(target).body.find(R"("deleted":false)"), std::string::npos) << target;
}

TEST_F(Traps, TagsAreStrongAndNeverOnAnswersWithoutABody) {
  add_table("Plain");
  publish();
  const Reply made = post("/tables/plain", R"({"id":"a"})");
  EXPECT_EQ(made.header("ETag").front(), '"');
  EXPECT_EQ(get("/tables/plain").header("ETag"), "");
  const Reply gone = send(http::Method::delete_, "/tables/plain/a", v1());
  EXPECT_EQ(gone.status, 204);
  EXPECT_EQ(gone.header("ETag"), "");
}

TEST_F(Traps, ErrorsAreText) {
  for (const Headers& headers : {v1(), v2()})
    for (std::string_view target : {"/tables/items?$top=x", "/tables/items/none", "/tables/none"}) {
      const Reply reply = get(target, headers);
      EXPECT_TRUE(reply.object().at("error").is_string()) << target;
    }
}

TEST_F(Traps, OptionNamesMayBeEncodedAndBlanksMayBePluses) {
  post("/tables/items", R"({"id":"a","n":1e20})");
  EXPECT_EQ(ids("/tables/items?%24filter=n+eq+1E+20&%24orderby=n+desc"), "a");
  EXPECT_EQ(ids("/tables/items?$filter=n%20eq%201E%2B20"), "a");
}

TEST_F(Traps, BodiesAndTypesOfReadsAndDeletesAreIgnored) {
  post("/tables/items", R"({"id":"a"})");
  const Headers typed = v2({{"Content-Type", "application/json"}});
  EXPECT_EQ(send(http::Method::get, "/tables/items/a", typed, "{bad").status, 200);
  EXPECT_EQ(send(http::Method::delete_, "/tables/items/a", typed, "{bad").status, 200);
}

TEST_F(Traps, TableNamesMatchInAnyCase) {
  EXPECT_EQ(post("/tables/ITEMS", R"({"id":"a"})").header("Location"), "http://app.example/tables/Items/a");
  EXPECT_EQ(ids("/tables/iTems"), "a");
}

TEST_F(Traps, UnknownHeadersAndOwnParametersAreNoError) {
  EXPECT_EQ(get("/tables/items?mine=1&mine=2&other", v2({{"X-ZUMO-SOMETHING", "x"}, {"X-ZUMO-FEATURES", "TT,OL"}})).status, 200);
  EXPECT_EQ(get("/tables/items?mine=1", v1({{"X-ZUMO-SOMETHING", "x"}})).status, 200);
}

TEST_F(Traps, PostMayStandForAnotherVerb) {
  post("/tables/items", R"({"id":"a","x":1})");
  EXPECT_EQ(post("/tables/items/a", R"({"x":2})", v2({{"X-HTTP-Method-Override", "PATCH"}})).object().at("x"), 2);
  EXPECT_EQ(post("/tables/items/a", "", v2({{"X-HTTP-Method-Override", "DELETE"}})).status, 200);
  EXPECT_EQ(get("/tables/items/a").status, 404);
}

TEST_F(Traps, ValuesComeBackAsTheTypesTheyWere) {
  const std::string row = R"("t":"x","n":1.5,"i":7,"yes":true,"no":false,"big":1e300,"uni":"\u00e9\u2028\"\\","empty":"")";
  post("/tables/items", R"({"id":"a",)" + row + "}");
  const JsonObject back = get("/tables/items/a").object();
  EXPECT_EQ(back.at("t"), "x");
  EXPECT_EQ(back.at("n"), 1.5);
  EXPECT_EQ(back.at("i"), 7);
  EXPECT_EQ(back.at("yes"), true);
  EXPECT_EQ(back.at("no"), false);
  EXPECT_EQ(back.at("big"), 1e300);
  EXPECT_EQ(back.at("uni"), "\xC3\xA9\xE2\x80\xA8\"\\");
  EXPECT_EQ(back.at("empty"), "");
  EXPECT_EQ(patch("/tables/items/a", R"({"t":null,"yes":null})").object().at("t"), nullptr);
  EXPECT_EQ(ids(filter("items", "t eq null and null eq yes and n ne null")), "a");
}

TEST_F(Traps, AnUpdateMayAddAColumnAndTwoWritersMayAddTheSame) {
  post("/tables/items", R"({"id":"a"})");
  EXPECT_EQ(patch("/tables/items/a", R"({"late":"x"})").text("late"), "x");
  std::vector<Task<Reply>> tasks;
  for (int i = 0; i < 16; ++i)
    tasks.push_back(exchange(http::Method::post, "/tables/items", v2(), R"({"raced":)" + std::to_string(i) + R"(,"own)" + std::to_string(i % 4) + R"(":true})"));
  for (const Reply& reply : send_together(std::move(tasks))) EXPECT_EQ(reply.status, 201) << reply.body;
  EXPECT_EQ(get("/tables/items?$filter=raced%20ge%200").json().get_array().size(), 16U);
}

TEST_F(Traps, ConcurrentInsertsOfOneIdGiveOneRow) {
  std::vector<Task<Reply>> tasks;
  for (int i = 0; i < 20; ++i) tasks.push_back(exchange(http::Method::post, "/tables/items", v2(), R"({"id":"same"})"));
  int made = 0;
  for (const Reply& reply : send_together(std::move(tasks))) {
    made += reply.status == 201;
    EXPECT_TRUE(reply.status == 201 || reply.status == 409);
  }
  EXPECT_EQ(made, 1);
}

TEST_F(Traps, OfWritersWithOneVersionOneWins) {
  const std::string tag = post("/tables/items", R"({"id":"a","n":0})").header("ETag");
  std::vector<Task<Reply>> tasks;
  for (int i = 0; i < 20; ++i) tasks.push_back(exchange(http::Method::patch, "/tables/items/a", v2({{"If-Match", tag}}), R"({"n":)" + std::to_string(i) + "}"));
  int won = 0;
  for (const Reply& reply : send_together(std::move(tasks))) {
    won += reply.status == 200;
    EXPECT_TRUE(reply.status == 200 || reply.status == 412) << reply.status;
  }
  EXPECT_EQ(won, 1);
}

TEST_F(Traps, ConcurrentInsertsIntoAnIntegerTableGetDifferentIds) {
  add_table("Numbered").integer_id = true;
  publish();
  std::vector<Task<Reply>> tasks;
  for (int i = 0; i < 40; ++i) tasks.push_back(exchange(http::Method::post, "/tables/numbered", v1(), R"({"x":1})"));
  std::set<std::int64_t> seen;
  for (const Reply& reply : send_together(std::move(tasks))) {
    ASSERT_EQ(reply.status, 201) << reply.body;
    EXPECT_TRUE(seen.insert(reply.object().at("id").to_number<std::int64_t>()).second);
  }
}

TEST_F(Traps, PagesAreStableAndWholeByTheIdAsLastKey) {
  for (int i = 0; i < 20; ++i) post("/tables/items", R"({"id":"r)" + std::string(1, static_cast<char>('a' + i)) + R"(","same":1})");
  std::string seen;
  for (int skip = 0; skip < 20; skip += 7) seen += ids("/tables/items?$orderby=same&$top=7&$skip=" + std::to_string(skip)) + " ";
  EXPECT_EQ(seen, "ra rb rc rd re rf rg rh ri rj rk rl rm rn ro rp rq rr rs rt ");
}

TEST_F(Traps, JsonColumnsHoldTreesWhereTheTableOptsIn) {
  add_table("Trees").columns = {{"tree", "json"}};
  publish();
  post("/tables/trees", R"({"id":"a","tree":{"b":[1,{"c":null}]}})");
  EXPECT_EQ(get("/tables/trees/a").object().at("tree"), (Json{{"b", {1, {{"c", nullptr}}}}}));
}

TEST_F(Traps, IdsOfEveryShapeTravelThroughUrlsAndFilters) {
  for (std::string id : {"a b", "\xC3\xA9\xE2\x82\xAC", "O'Neil", "a%b", "a&b=c", "a;b", "A", "a"}) {
    ASSERT_EQ(post("/tables/items", to_json(Json{{"id", id}})).status, 201) << id;
    EXPECT_EQ(get("/tables/items/" + percent_encode(id)).text("id"), id);
  }
  EXPECT_EQ(ids("/tables/items?$filter=id%20eq%20%27O%27%27Neil%27"), "O'Neil");
  EXPECT_EQ(ids("/tables/items?$filter=id%20eq%20%27a%27"), "a");  // byte by byte: not A
  for (std::string id : {"a/b", "a\\b", "a?b", "a+b", "a\"b", "a`b", ".", "..", "a\nb", "a\x7F", "a\xC2\x85"})
    EXPECT_EQ(post("/tables/items", to_json(Json{{"id", id}})).status, 400) << id;
  EXPECT_EQ(post("/tables/items", R"({"id":")" + std::string(255, 'x') + "\"}").status, 201);
  EXPECT_EQ(post("/tables/items", R"({"id":")" + std::string(256, 'x') + "\"}").status, 400);
}

TEST_F(Traps, TwoServicesMayHaveTheSameTableName) {
  auto config = std::make_shared<tenant::Tenant>(*tenants.here.config);
  tenant::Service other = service;
  other.name = "other";
  other.hosts = {"other.example"};
  config->services["other"] = other;
  tenants.here.config = config;
  post("/tables/items", R"({"id":"a"})");
  OperationContext context;
  context.here = tenants.here;
  context.service = tenants.here->service_at("other.example");
  ASSERT_EQ(context.service->name, "other");
  context.table = context.service->table("items");
  odata::Query all;
  auto rows = run(loop, tables.read_rows(context, all));
  ASSERT_TRUE(rows.ok());
  EXPECT_TRUE(rows->items.empty());
}

TEST_F(Traps, WebPagesOfListedHostsMayReadAnswers) {
  service.cors_hosts = {"localhost", "*.apps.example", "null"};
  publish();
  for (std::string origin : {"http://localhost", "https://localhost:8080", "https://x.apps.example", "null", "ms-appx-web://localhost"}) {
    const Reply reply = get("/tables/items", v2({{"Origin", origin}}));
    EXPECT_EQ(reply.header("Access-Control-Allow-Origin"), origin);
    EXPECT_EQ(reply.header("Access-Control-Expose-Headers"), "ETag, Link, Location, X-ZUMO-SERVER-VERSION, WWW-Authenticate");
  }
  for (std::string origin : {"http://evil.example", "http://localhost.evil.example", "ftp://localhost", "http://apps.example.evil", "http://user@localhost", "localhost"})
    EXPECT_EQ(get("/tables/items", v2({{"Origin", origin}})).header("Access-Control-Allow-Origin"), "") << origin;
  EXPECT_EQ(get("/tables/none", v2({{"Origin", "http://localhost"}})).header("Access-Control-Allow-Origin"), "http://localhost");
  const Reply preflight = send(http::Method::options, "/tables/items/a",
                               {{"Origin", "http://localhost"}, {"Access-Control-Request-Method", "PATCH"}, {"Access-Control-Request-Headers", "x-zumo-auth, Content-Type"}});
  EXPECT_EQ(preflight.status, 204);
  EXPECT_EQ(preflight.header("Access-Control-Allow-Headers"), "x-zumo-auth, Content-Type");
  EXPECT_EQ(preflight.header("Access-Control-Allow-Methods"), "GET, PUT, PATCH, POST, DELETE, OPTIONS");
  EXPECT_EQ(preflight.header("Access-Control-Max-Age"), "300");
  EXPECT_EQ(send(http::Method::options, "/tables/items", {{"Origin", "http://localhost"}, {"Access-Control-Request-Headers", "a;b"}}).header("Access-Control-Allow-Headers"), "");
}

TEST_F(Traps, TheSameRowsAndVersionsAreSeenThroughBothDialects) {
  for (std::string id : {"a", "b", "c"}) post("/tables/items", R"({"id":")" + id + R"(","n":1})");
  const Json old = get("/tables/items?__systemProperties=*", v1()).json(), now = get("/tables/items").json();
  ASSERT_EQ(old.get_array().size(), now.get_array().size());
  for (std::size_t i = 0; i < 3; ++i)
    for (const char* property : {"createdAt", "updatedAt", "version", "deleted"})
      EXPECT_EQ(old.get_array()[i].get_object().at("__" + std::string(property)), now.get_array()[i].get_object().at(property));
}

}  // namespace
}  // namespace mandate::tables::test
