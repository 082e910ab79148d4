// What the door of the tables does alike for every dialect: settings, counting, packing, CORS, what a service tells of itself.
#include "tests/tables/world.h"

namespace mandate::tables::test {
namespace {

using http::Method;

class TablesDoor : public World {
 protected:
  double metric(std::string_view line) {
    const std::string text = store.metrics().prometheus_text();
    const std::size_t at = text.find(line);
    return at == std::string::npos ? -1 : std::atof(text.c_str() + at + line.size());
  }
  static Headers v3(Headers more = {}) {
    more.emplace_back("ZUMO-API-VERSION", "3.0.0");
    more.emplace_back("X-ZUMO-VERSION", "ZUMO/5.0");
    return more;
  }
  static Headers v4(Headers more = {}) {
    more.emplace_back("ZUMO-API-VERSION", "3.0.0");
    return more;
  }
  void set(const std::string& name, const std::string& value) {
    service.settings[name] = value;
    publish();
  }
};

TEST_F(TablesDoor, AsksForHttpsWhereTheServiceSaysSo) {
  set("MS_RequireHttps", "true");
  const Reply reply = get("/tables/items");
  EXPECT_EQ(reply.status, 403);
  EXPECT_TRUE(reply.header("Content-Type").starts_with("text/plain"));
  EXPECT_EQ(get("/tables/items", v2({{"ZUMO-API-VERSION", "9.9"}})).status, 403);
  set("MS_RequireHttps", "false");
  EXPECT_EQ(get("/tables/items").status, 200);
}

TEST_F(TablesDoor, PassesOverAnUnknownVersionWhereTheServiceSaysSo) {
  EXPECT_EQ(get("/tables/items", {{"ZUMO-API-VERSION", "9.9"}}).status, 400);
  set("MS_SkipVersionCheck", "true");
  EXPECT_EQ(get("/tables/items", {{"ZUMO-API-VERSION", "9.9"}}).status, 200);
  EXPECT_EQ(get("/tables/items", v1({{"ZUMO-API-VERSION", "9.9"}})).body, "[]");
}

TEST_F(TablesDoor, RefusesALargeBodyInTheDialectThatSentIt) {
  set("MS_MaxRequestBodySizeKB", "1");
  const std::string body = R"({"text":")" + std::string(2000, 'x') + "\"}";
  EXPECT_EQ(post("/tables/items", body, v1()).text("error"), "Error: The request body is too large.");
  EXPECT_EQ(post("/tables/items", body, v2()).status, 413);
  const Reply reply = post("/tables/items", body, v4());
  EXPECT_EQ(reply.status, 413);
  EXPECT_TRUE(reply.header("Content-Type").starts_with("application/problem+json"));
}

TEST_F(TablesDoor, CountsDialectsAndWhatSdksSayOfThemselves) {
  get("/tables/items", v2({{"X-ZUMO-FEATURES", "TT, OL,nonsense,IP"}}));
  get("/tables/items", v4());
  EXPECT_EQ(metric("mandate_tables_requests_total{dialect=\"v2\"} "), 1);
  EXPECT_EQ(metric("mandate_tables_requests_total{dialect=\"v4\"} "), 1);
  EXPECT_EQ(metric("mandate_tables_features_total{feature=\"TT\"} "), 1);
  EXPECT_EQ(metric("mandate_tables_features_total{feature=\"OL\"} "), 1);
  EXPECT_EQ(metric("mandate_tables_features_total{feature=\"IP\"} "), 1);
  EXPECT_EQ(store.metrics().prometheus_text().find("nonsense"), std::string::npos);
}

TEST_F(TablesDoor, PacksLongAnswersAndKeepsTheirTag) {
  const std::string body = R"({"id":"a","text":")" + std::string(3000, 'x') + "\"}";
  const std::string tag = post("/tables/items", body, v2()).header("ETag");
  for (const Headers& headers : {v2({{"Accept-Encoding", "gzip"}}), v4({{"Accept-Encoding", "gzip"}})}) {
    const Reply packed = get("/tables/items/a", headers);
    EXPECT_EQ(packed.header("Content-Encoding"), "gzip");
    EXPECT_EQ(packed.header("Vary"), "Accept-Encoding");
    EXPECT_EQ(packed.header("ETag"), tag);
    EXPECT_LT(packed.body.size(), 500U);
  }
  EXPECT_EQ(get("/tables/items/a").header("Vary"), "Accept-Encoding");
  EXPECT_EQ(get("/tables/items?$select=id", v2({{"Accept-Encoding", "gzip"}})).header("Content-Encoding"), "");
  const Reply gone = del("/v3/tables/items/a", {{"Accept-Encoding", "gzip"}});
  EXPECT_EQ(gone.status, 204);
  EXPECT_EQ(gone.header("Vary"), "");
}

TEST_F(TablesDoor, TellsEveryDialectsPagesWhatTheyNeed) {
  for (const Headers& dialect : {v1(), v2(), v3(), v4()}) {
    Headers headers = dialect;
    headers.emplace_back("Origin", "http://localhost:3000");
    for (const char* target : {"/tables/items", "/tables/items/nothing", "/tables/nosuch"}) {
      const Reply reply = get(target, headers);
      EXPECT_EQ(reply.header("Access-Control-Allow-Origin"), "http://localhost:3000") << target;
      EXPECT_EQ(reply.header("Access-Control-Expose-Headers"), "ETag, Link, Location, X-ZUMO-SERVER-VERSION, WWW-Authenticate");
    }
    headers.back().second = "http://evil.example";
    EXPECT_EQ(get("/tables/items", headers).header("Access-Control-Allow-Origin"), "");
    headers.back().second = "http://localhost:3000";
    headers.emplace_back("Access-Control-Request-Method", "PUT");
    headers.emplace_back("Access-Control-Request-Headers", "if-match,zumo-api-version");
    for (const char* target : {"/tables/items/x", "/v4/tables/items/x", "/v1/tables/items"}) {
      const Reply preflight = send(Method::options, target, headers);
      EXPECT_EQ(preflight.status, 204);
      EXPECT_EQ(preflight.header("Access-Control-Allow-Methods"), "GET, PUT, PATCH, POST, DELETE, OPTIONS");
      EXPECT_EQ(preflight.header("Access-Control-Allow-Headers"), "if-match,zumo-api-version");
      EXPECT_EQ(preflight.header("Access-Control-Max-Age"), "300");
    }
  }
}

TEST_F(TablesDoor, AnswersAMissingLoginOfDatasyncAsTheServiceSays) {
  service.tables.at("items").permissions.read = "authenticated";
  publish();
  const Reply plain = get("/tables/items", v4());
  EXPECT_EQ(plain.status, 401);
  EXPECT_EQ(plain.header("WWW-Authenticate"), "Bearer");
  EXPECT_EQ(plain.body, "");
  set("MS_UnauthorizedStatus", "404");
  EXPECT_EQ(get("/tables/items", v4()).status, 404);
  const Reply bad = get("/tables/items", v3({{"X-ZUMO-AUTH", "a.b.c"}}));
  EXPECT_EQ(bad.status, 401);
  EXPECT_EQ(bad.header("WWW-Authenticate"), "Bearer error=\"invalid_token\"");
  EXPECT_EQ(get("/tables/items", v2()).status, 401);
}

TEST_F(TablesDoor, AsksForThePermissionToUndeleteWhereAnUpdateBringsBack) {
  tenant::TablePermissions& permissions = service.tables.at("items").permissions;
  permissions.undelete = "admin";
  publish();
  post("/tables/items", R"({"id":"a"})");
  del("/tables/items/a");
  EXPECT_EQ(send(Method::patch, "/v3/tables/items/a", {}, R"({"deleted":false})").status, 401);
  EXPECT_EQ(send(Method::patch, "/v3/tables/items/a", {{"Content-Type", "application/json-patch+json"}}, R"([{"op":"replace","path":"/Deleted","value":false}])").status, 401);
  EXPECT_EQ(send(Method::put, "/v4/tables/items/a?__IncludeDeleted=True", {}, R"({"id":"a"})").status, 401);
  EXPECT_EQ(send(Method::put, "/v4/tables/items/a", {}, R"({"id":"a"})").status, 410);
  const Headers master{{"X-ZUMO-MASTER", std::string(kMasterKey)}};
  EXPECT_EQ(send(Method::put, "/v4/tables/items/a?__includedeleted=true", master, R"({"id":"a"})").status, 200);
}

TEST_F(TablesDoor, KeepsForeignRowsOutOfDatasyncAnswers) {
  service.tables.at("items").user_id_column = "userId";
  publish();
  ASSERT_EQ(post("/v4/tables/items", R"({"id":"a","text":"secret"})", as("Custom:ana")).status, 201);
  const Headers ben = as("Custom:ben");
  EXPECT_EQ(get("/v4/tables/items/a", ben).status, 404);
  EXPECT_EQ(send(Method::put, "/v4/tables/items/a", ben, R"({"text":"mine"})").status, 404);
  EXPECT_EQ(send(Method::patch, "/v3/tables/items/a", ben, R"({"text":"mine"})").status, 404);
  EXPECT_EQ(del("/v4/tables/items/a", ben).status, 404);
  const Reply taken = post("/v4/tables/items", R"({"id":"a","text":"mine"})", ben);
  EXPECT_EQ(taken.status, 409);
  EXPECT_EQ(taken.body.find("secret"), std::string::npos);
  ASSERT_EQ(send(Method::put, "/v4/tables/items/a", as("Custom:ana"), R"({"id":"a"})").status, 200);
  EXPECT_EQ(get("/v4/tables/items/a", as("Custom:ana")).text("userId"), "Custom:ana");
  EXPECT_EQ(get("/v4/tables/items?$count=true", ben).object().at("count"), 0);
}

TEST_F(TablesDoor, MakesIdsOfThirtyTwoDigitsForDatasync) {
  for (const char* target : {"/v3/tables/items", "/v4/tables/items"}) {
    const std::string id = post(target, "{}", {}).text("id");
    EXPECT_EQ(id.size(), 32U);
    EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
  }
  EXPECT_EQ(post("/v2/tables/items", "{}", {}).text("id").size(), 36U);
}

TEST_F(TablesDoor, LeavesOutNullsThatAClientsNumberCouldNotHold) {
  service.tables.at("items").columns = {{"known", "number"}};
  publish();
  post("/v4/tables/items", R"({"id":"a","text":"x","n":1,"yes":true,"known":1})", {});
  const JsonObject row = send(Method::put, "/v4/tables/items/a", {}, R"({"id":"a"})").object();
  EXPECT_FALSE(row.contains("n"));
  EXPECT_FALSE(row.contains("yes"));
  EXPECT_TRUE(row.at("text").is_null());
  EXPECT_TRUE(row.at("known").is_null());
  EXPECT_TRUE(get("/v2/tables/items/a", {}).object().at("n").is_null());
}

TEST_F(TablesDoor, V2ReplacesByPut) {
  post("/tables/items", R"({"id":"a","text":"x","n":1})");
  const std::string version = get("/tables/items/a").text("version");
  const Reply put = send(Method::put, "/tables/items/a", v2({{"If-Match", "\"" + version + "\""}}), R"({"id":"a","n":2})");
  EXPECT_EQ(put.status, 200);
  EXPECT_EQ(put.object().at("n"), 2);
  EXPECT_TRUE(put.object().at("text").is_null());
  EXPECT_EQ(put.header("ETag"), "\"" + put.text("version") + "\"");
  EXPECT_EQ(send(Method::put, "/tables/items/a", v2({{"If-Match", "\"" + version + "\""}}), R"({"n":3})").status, 412);
  EXPECT_EQ(send(Method::put, "/tables/items/nothing", v2(), R"({"n":3})").status, 404);
  del("/tables/items/a");
  EXPECT_EQ(send(Method::put, "/tables/items/a", v2(), R"({"n":3})").status, 404);
  EXPECT_EQ(send(Method::put, "/tables/items/a", v1(), R"({"n":3})").status, 405);
}

TEST_F(TablesDoor, WritersWithoutConditionsDoNotHinderEachOther) {
  post("/v4/tables/items", R"({"id":"a","n":0})", {});
  std::vector<Task<Reply>> many;
  for (int i = 0; i < 40; ++i) many.push_back(exchange(Method::put, "/v4/tables/items/a", {}, R"({"id":"a","n":)" + std::to_string(i) + "}"));
  for (const Reply& reply : send_together(std::move(many))) EXPECT_EQ(reply.status, 200) << reply.body;
}

TEST_F(TablesDoor, OfManyWritersWithOneVersionOneWins) {
  const std::string tag = post("/v4/tables/items", R"({"id":"a","n":0})", {}).header("ETag");
  std::vector<Task<Reply>> many;
  for (int i = 0; i < 20; ++i) many.push_back(exchange(Method::put, "/v4/tables/items/a", {{"If-Match", tag}}, R"({"id":"a","n":1})"));
  int won = 0;
  for (const Reply& reply : send_together(std::move(many))) {
    EXPECT_TRUE(reply.status == 200 || reply.status == 412) << reply.status;
    won += reply.status == 200;
  }
  EXPECT_EQ(won, 1);
}

TEST_F(TablesDoor, APatchThatMeetsAnotherIsDoneAnew) {
  post("/v3/tables/items", R"({"id":"a","n":0,"text":"x"})", {});
  std::vector<Task<Reply>> many;
  for (const char* patch : {R"([{"op":"replace","path":"/n","value":1}])", R"([{"op":"replace","path":"/text","value":"y"}])"})
    many.push_back(exchange(Method::patch, "/v3/tables/items/a", {{"Content-Type", "application/json-patch+json"}}, patch));
  for (const Reply& reply : send_together(std::move(many))) EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(get("/v3/tables/items/a", {}).object().at("n"), 1);
  EXPECT_EQ(get("/v3/tables/items/a", {}).text("text"), "y");
}

TEST_F(TablesDoor, DiagnosticsAreForTheMasterKey) {
  const Reply refused = get("/diagnostics", v1());
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.text("error"), "Error: Unauthorized");
  const Reply reply = get("/diagnostics", {{"X-ZUMO-MASTER", std::string(kMasterKey)}});
  ASSERT_EQ(reply.status, 200);
  EXPECT_EQ(reply.object().at("tables.sql").get_object().at("statusCode"), 200);
  EXPECT_TRUE(reply.object().at("tables.sql").get_object().at("error").is_null());
  EXPECT_EQ(reply.object().at("service").get_object().at("status").get_object().at("serviceName"), "default");
}

TEST_F(TablesDoor, SwaggerDescribesWhatIsOpenWhenItIsSwitchedOn) {
  EXPECT_EQ(get("/swagger").status, 404);
  tenant::Table& hidden = add_table("Hidden");
  hidden.permissions = {};
  service.tables.at("items").columns = {{"text", "string"}, {"done", "boolean"}};
  set("swagger", "true");
  const Reply reply = get("/swagger");
  ASSERT_EQ(reply.status, 200);
  const JsonObject document = reply.object();
  EXPECT_EQ(document.at("swagger"), "2.0");
  const JsonObject& paths = document.at("paths").get_object();
  EXPECT_TRUE(paths.at("/tables/Items").get_object().contains("post"));
  EXPECT_TRUE(paths.at("/tables/Items/{id}").get_object().contains("patch"));
  const JsonObject& properties = document.at("definitions").get_object().at("Items").get_object().at("properties").get_object();
  EXPECT_EQ(properties.at("done").get_object().at("type"), "boolean");
  EXPECT_EQ(properties.at("version").get_object().at("type"), "string");
  EXPECT_EQ(reply.body.find("Hidden"), std::string::npos);
}

}  // namespace
}  // namespace mandate::tables::test
