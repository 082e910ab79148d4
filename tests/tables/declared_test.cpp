// Declared columns: what they take, what they must have, how they are written, what is unique.
#include "tables/catalogue.h"
#include "tests/tables/world.h"

namespace mandate::tables::test {
namespace {

Headers v4() { return {{"User-Agent", "Datasync/8.0.0"}}; }

class DeclaredColumns : public World {
 protected:
  DeclaredColumns() {
    tenant::Table& table = add_table("Films");
    table.soft_delete = true;
    table.dynamic_schema = false;
    table.columns = {
        {.name = "title", .required = true, .unique = true, .max_length = 10},
        {.name = "year", .type = "integer", .usual = 1999},
        {.name = "rating", .type = "enum", .index = true, .usual = "G", .values = {"Unrated", "G", "PG"}},
        {.name = "released", .type = "date"},
        {.name = "start", .type = "time"},
        {.name = "runs", .type = "duration"},
        {.name = "code", .type = "guid"},
        {.name = "poster", .type = "binary", .max_length = 4},
        {.name = "place", .type = "point"},
        {.name = "more", .type = "json"},
        {.name = "seen", .type = "datetime"},
        {.name = "studio"},
        {.name = "shelf", .type = "number"},
    };
    table.indexes = {{{"studio", "shelf"}, true}};
    publish();
  }
  int status(std::string_view body) { return post("/tables/films", body, v4()).status; }
  std::string why(std::string_view body) { return post("/tables/films", body, v4()).text("detail"); }
};

TEST_F(DeclaredColumns, LeaveAsTheyAreWrittenInEveryDialect) {
  const std::string body = R"({"id":"a","title":"One","rating":"pg","released":"2024-02-29","start":"23:59:58.5","runs":"PT90M","code":"ABCDEF01-2345-6789-abcd-ef0123456789",)"
                           R"("poster":"AAEC","place":{"type":"Point","coordinates":[9.5,47]},"more":{"a":[1]},"seen":"2024-01-02T03:04:05Z"})";
  EXPECT_EQ(status(body), 201);
  for (const Headers& headers : {v4(), v2(), v1()}) {
    const JsonObject row = get("/tables/films/a", headers).object();
    EXPECT_EQ(row.at("year"), 1999);
    EXPECT_EQ(row.at("rating"), "PG");
    EXPECT_EQ(row.at("released"), "2024-02-29");
    EXPECT_EQ(row.at("start"), "23:59:58.500");
    EXPECT_EQ(row.at("runs"), "PT1H30M");
    EXPECT_EQ(row.at("code"), "abcdef01-2345-6789-abcd-ef0123456789");
    EXPECT_EQ(row.at("poster"), "AAEC");
    EXPECT_EQ(to_json(row.at("more")), R"({"a":[1]})");
    EXPECT_EQ(row.at("seen"), "2024-01-02T03:04:05.000Z");
    EXPECT_EQ(row.at("place").at("coordinates").at(0).to_number<double>(), 9.5);
    EXPECT_EQ(row.at("place").at("type"), "Point");
  }
}

TEST_F(DeclaredColumns, AreDescribedAsWhatIsWritten) {
  OperationContext context;
  context.here = tenants.here;
  context.service = &tenants.here->services.at("default");
  context.table = context.service->table("films");
  const auto columns = run(loop, tables.columns(context));
  ASSERT_TRUE(columns.ok());
  for (const auto& [name, type] : *columns) {
    if (name == "rating" || name == "released" || name == "start" || name == "runs" || name == "code" || name == "poster") EXPECT_EQ(type, store::Type::text) << name;
    if (name == "place" || name == "more") EXPECT_EQ(type, store::Type::json) << name;
    if (name == "seen") EXPECT_EQ(type, store::Type::date);
  }
}

TEST_F(DeclaredColumns, AreFilteredAndOrderedByWhatTheyMean) {
  post("/tables/films", R"({"id":"a","title":"One","rating":"PG","released":"2024-02-29","runs":"PT2H"})", v4());
  post("/tables/films", R"({"id":"b","title":"Two","rating":"Unrated","released":"2023-01-01","runs":"PT1H"})", v4());
  post("/tables/films", R"({"id":"c","title":"Three","rating":"G","released":"2025-01-01"})", v4());
  const auto listed = [&](std::string_view query) {
    std::string out;
    const JsonObject answer = get("/tables/films?" + std::string(query), v4()).object();
    for (const Json& row : answer.at("items").get_array()) out += std::string(view(row.at("id").get_string()));
    return out;
  };
  EXPECT_EQ(listed("$orderby=rating"), "bca");
  EXPECT_EQ(listed("$filter=" + percent_encode("rating eq 'pg'")), "a");
  EXPECT_EQ(listed("$filter=" + percent_encode("released ge 2024-01-01") + "&$orderby=released"), "ac");
}

TEST_F(DeclaredColumns, RefuseWhatTheyCannotHoldAndNameIt) {
  EXPECT_EQ(why(R"({"year":1})"), "The property 'title' is required.");
  EXPECT_EQ(why(R"({"title":null})"), "The property 'title' is required.");
  EXPECT_EQ(why(R"({"title":"12345678901"})"), "The property 'title' is longer than 10 characters.");
  EXPECT_EQ(status(R"({"title":"ääääääääää"})"), 201) << "ten characters, twenty bytes";
  EXPECT_EQ(why(R"({"title":"x","year":1.5})"), "The property 'year' must be a whole number.");
  EXPECT_EQ(why(R"({"title":"x","rating":"R"})"), "The property 'rating' must be one of its values.");
  EXPECT_EQ(why(R"({"title":"x","released":"2023-02-29"})"), "The property 'released' must be a date as 2024-12-31.");
  EXPECT_EQ(why(R"({"title":"x","poster":"AAECAwQ="})"), "The property 'poster' is longer than 4 bytes.");
  for (std::string_view member : {R"("start":"25:00")", R"("runs":"2 hours")", R"("code":"xyz")", R"("poster":"*")", R"("place":{"type":"Line"})", R"("place":[1,2])",
                                  R"("seen":"yesterday")", R"("year":"1e3")", R"("rating":7)", R"("released":{"a":1})"})
    EXPECT_EQ(status(R"({"title":"x",)" + std::string(member) + "}"), 400) << member;
}

// mobile-backend-wire 1.4: what V1 kept in an indexed column had 450 characters. The other generations know no such end.
TEST_F(DeclaredColumns, InV1IndexedTextHas450Characters) {
  service.tables["films"].columns[0].max_length = 0;
  service.tables["films"].columns.push_back({.name = "shown", .index = true});
  service.tables["films"].columns.push_back({.name = "notes"});
  publish();
  const auto film = [](std::string_view id, std::string_view column, std::size_t length, const std::string& letter = "\u00e4") {
    std::string text;
    for (std::size_t i = 0; i < length; ++i) text += letter;
    return R"({"id":")" + std::string(id) + R"(","title":")" + std::string(id) + R"(",")" + std::string(column) + R"(":")" + text + "\"}";
  };
  for (const std::string_view column : {"shown", "studio"}) {
    const std::string id(column);
    EXPECT_EQ(post("/tables/films", film(id + "1", column, 450), v1()).status, 201) << column;
    const Reply longer = post("/tables/films", film(id + "2", column, 451), v1());
    EXPECT_EQ(longer.status, 400) << column;
    EXPECT_EQ(longer.text("error"), "Error: The property '" + id + "' is longer than the 450 characters of an indexed column.");
    EXPECT_EQ(patch("/tables/films/" + id + "1", "{\"" + id + "\":\"" + std::string(451, 'x') + "\"}", v1()).status, 400);
    EXPECT_EQ(post("/tables/films", film(id + "2", column, 451)).status, 201) << column;
    EXPECT_EQ(post("/tables/films", film(id + "3", column, 451), v4()).status, 201) << column;
  }
  EXPECT_EQ(post("/tables/films", film("free", "notes", 4000), v1()).status, 201) << "nothing looks it up";
  EXPECT_EQ(post("/tables/films", R"({"id":"long","title":")" + std::string(451, 'x') + "\"}", v1()).status, 400) << "what is unique is indexed";
}

TEST_F(DeclaredColumns, AReplacementHasDefaultsAndNeedsWhatIsRequired) {
  post("/tables/films", R"({"id":"a","title":"One","year":2001})", v4());
  EXPECT_EQ(send(http::Method::put, "/tables/films/a", v4(), R"({"id":"a"})").status, 400);
  const Reply whole = send(http::Method::put, "/tables/films/a", v4(), R"({"id":"a","title":"New"})");
  EXPECT_EQ(whole.status, 200);
  EXPECT_EQ(whole.object().at("year"), 1999);
  EXPECT_EQ(patch("/tables/films/a", R"({"title":null})").status, 400);
  EXPECT_EQ(patch("/tables/films/a", R"({"year":5})").object().at("title"), "New");
}

TEST_F(DeclaredColumns, WhatIsUniqueIsAConflictWithoutAnotherRowInIt) {
  EXPECT_EQ(status(R"({"id":"a","title":"One","studio":"s","shelf":1})"), 201);
  const Reply second = post("/tables/films", R"({"id":"b","title":"One"})", v4());
  EXPECT_EQ(second.status, 409);
  EXPECT_EQ(second.text("detail"), "An item with the same 'title' exists already.");
  EXPECT_EQ(post("/tables/films", R"({"id":"b","title":"Two","studio":"s","shelf":1})").text("error"), "An item with the same 'studio', 'shelf' exists already.");
  EXPECT_EQ(status(R"({"id":"b","title":"one","studio":"s","shelf":2})"), 201);
  EXPECT_EQ(patch("/tables/films/b", R"({"title":"One"})").status, 409);
  EXPECT_EQ(send(http::Method::put, "/tables/films/b", v4(), R"({"title":"One"})").status, 409);
  EXPECT_EQ(get("/tables/films/b").text("title"), "one");
  EXPECT_EQ(post("/tables/films", R"({"id":"a","title":"Other"})", v4()).text("title"), "One") << "an id that is taken is answered with its row, as ever";
  EXPECT_EQ(status(R"({"title":"n1","studio":"s"})"), 201);
  EXPECT_EQ(status(R"({"title":"n2","studio":"s"})"), 201) << "a null is like no other";
}

TEST_F(DeclaredColumns, InAPerUserTableAreUniqueForEachUser) {
  tenant::Table& mine = add_table("Mine");
  mine.user_id_column = "userId";
  mine.columns = {{.name = "name", .unique = true}};
  publish();
  EXPECT_EQ(post("/tables/mine", R"({"name":"x"})", as("Ana")).status, 201);
  EXPECT_EQ(post("/tables/mine", R"({"name":"x"})", as("Ben")).status, 201);
  EXPECT_EQ(post("/tables/mine", R"({"name":"x"})", as("Ben")).status, 409);
}

TEST_F(DeclaredColumns, ComeToATableThatHasRowsAndGoAgain) {
  add_table("Old");
  publish();
  post("/tables/old", R"({"id":"a","name":"x"})");
  post("/tables/old", R"({"id":"b","name":"x"})");
  tenant::Table table = *service.table("old");
  table.columns = {{.name = "name", .unique = true}, {.name = "size", .type = "integer"}};
  auto refused = run(loop, tables.prepare_table(tenants.here, service, table));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().hint, "unique: the table has rows with the same name; change or delete them first");
  patch("/tables/old/b", R"({"name":"y"})");
  ASSERT_TRUE(run(loop, tables.prepare_table(tenants.here, service, table)).ok());
  service.tables["old"] = table;
  publish();
  EXPECT_EQ(patch("/tables/old/b", R"({"name":"x"})").status, 409);
  table.columns = {{.name = "name", .type = "boolean"}};
  refused = run(loop, tables.prepare_table(tenants.here, service, table));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().hint, "columns: name is string in the table as it is, not boolean");
  table.columns = {};
  ASSERT_TRUE(run(loop, tables.prepare_table(tenants.here, service, table)).ok());
  EXPECT_EQ(patch("/tables/old/b", R"({"name":"x"})").status, 409) << "as long as that is not the configuration";
  service.tables["old"] = table;
  publish();
  ASSERT_TRUE(run(loop, tables.settle_table(tenants.here, service, table)).ok());
  EXPECT_EQ(patch("/tables/old/b", R"({"name":"x"})").status, 200) << "unique no more";
}

}  // namespace
}  // namespace mandate::tables::test
