// What the code of apps may ask for beside what scripts may: a condition beside an id, rows as the caller reaches them, undelete,
// truncate, the columns (scripts/service_protocol.h).
#include "tables/bindings.h"

#include "tests/tables/world.h"

namespace mandate::tables::test {
namespace {

class AppBindings : public World {
 protected:
  AppBindings() {
    add_table("Mine").user_id_column = "userId";
    tenant::Table& lists = add_table("Lists");
    lists.columns.push_back({.name = "title"});
    tenant::Table& cards = add_table("Cards");
    cards.columns.push_back({.name = "title"});
    cards.columns.push_back({.name = "listId", .references = "Lists", .as = "list"});
    publish();
  }

  Act act_on(const std::string& table, Operation operation, std::string id = {}, std::string_view user = {}) {
    Act out;
    out.operation = operation;
    out.context.here = tenants.here;
    out.context.service = &tenants.here->services.find("default")->second;
    out.context.table = out.context.service->table(table);
    out.context.principal.user_id = user;
    if (!user.empty()) out.context.principal.level = identity::Level::authenticated;
    out.id = std::move(id);
    if (operation == Operation::read && !out.id.empty()) out.query.id = out.id;
    return out;
  }
  /// What the binding answers, or "code: hint".
  std::string ask(Act act, std::string_view method, std::string_view arguments) {
    TableBinding binding(std::move(act), "/app.js", tables, lines_);
    const Result<Json> parsed = parse_json(arguments);
    EXPECT_TRUE(parsed.ok()) << arguments;
    Task<Json> asking = binding.invoke(method, *parsed);
    const Result<Json> answer = run(loop, std::move(asking));
    return answer.ok() ? to_json(*answer) : std::string(name(answer.error().code)) + ": " + answer.error().hint;
  }
  std::string of(const std::string& table, std::string_view method, std::string_view arguments, std::string_view user = {}) {
    return ask(act_on(table, Operation::read, {}, user), method, arguments);
  }

  ScriptLog lines_{store.clock(), store.log(), store.metrics()};
};

TEST_F(AppBindings, AWriteTouchesNoRowThatTheConditionBesideItsIdLeavesOut) {
  post("/tables/Items", R"({"id":"a","owner":"ana","text":"one"})");
  const auto update = [&](std::string_view filter) { return ask(act_on("Items", Operation::update, "a"), "request.execute", R"({"item":{"id":"a","text":"two"},"filter":")" + std::string(filter) + "\"}"); };
  EXPECT_EQ(update("owner eq 'ben'"), "not_found: An item with id 'a' does not exist.");
  EXPECT_EQ(get("/tables/Items/a").text("text"), "one");
  EXPECT_EQ(update("nosuch eq 'ben'"), "not_found: An item with id 'a' does not exist.") << "a column that is not there has no rows";
  EXPECT_EQ(update("owner eq ").substr(0, 13), "bad_request: ");
  EXPECT_NE(update("owner eq 'ana'").find(R"("text":"two")"), std::string::npos);

  const auto remove = [&](std::string_view filter) { return ask(act_on("Items", Operation::remove, "a"), "request.execute", R"({"filter":")" + std::string(filter) + "\"}"); };
  EXPECT_EQ(remove("owner eq 'ben'"), "not_found: An item with id 'a' does not exist.");
  EXPECT_EQ(get("/tables/Items/a").status, 200);
  EXPECT_NE(remove("owner eq 'ana'").find(R"("deleted":true)"), std::string::npos);

  const auto undelete = [&](std::string_view filter) { return ask(act_on("Items", Operation::undelete, "a"), "request.execute", R"({"filter":")" + std::string(filter) + "\"}"); };
  EXPECT_EQ(undelete("owner eq 'ben'"), "not_found: An item with id 'a' does not exist.");
  EXPECT_NE(undelete("owner eq 'ana'").find(R"("deleted":false)"), std::string::npos);
}

TEST_F(AppBindings, AStaleVersionOfAHiddenRowShowsNothingOfIt) {
  post("/tables/Items", R"({"id":"a","owner":"ana","text":"one"})");
  Act act = act_on("Items", Operation::update, "a");
  act.expected_version = "AAAA";
  EXPECT_EQ(ask(act, "request.execute", R"({"item":{"id":"a","text":"two"},"filter":"owner eq 'ben'"})"), "not_found: An item with id 'a' does not exist.");
  EXPECT_NE(ask(act, "request.execute", R"({"item":{"id":"a","text":"two"},"filter":"owner eq 'ana'"})").find(R"("conflict":{)"), std::string::npos);
}

TEST_F(AppBindings, OnlyDeclaredColumnsHaveDatesForApps) {
  service.tables.at("lists").columns.push_back({.name = "due", .type = "datetime"});
  publish();
  post("/tables/Lists", R"({"id":"l","due":"2012-02-29T01:02:03Z","when":"2012-02-29T01:02:03Z"})");
  const auto dates = [](const std::string& answer) {
    const JsonObject told = parse_json(answer)->as_object();
    return told.contains("dates") ? to_json(told.at("dates")) : std::string("none");
  };
  EXPECT_EQ(dates(of("Lists", "tables.read", R"({"table":"Lists","query":{},"asCaller":true})")), R"(["createdAt","updatedAt","due"])");
  EXPECT_EQ(dates(of("Lists", "tables.read", R"({"table":"Lists","query":{}})")), R"(["createdAt","updatedAt","due","when"])");
  EXPECT_EQ(dates(of("Lists", "tables.read", R"({"table":"Lists","query":{"select":"when,id"},"asCaller":true})")), "none");
  EXPECT_EQ(dates(of("Lists", "tables.insert", R"({"table":"Lists","item":{"id":"m","due":"2012-02-29T01:02:03Z","when":null},"asCaller":true})")), R"(["createdAt","updatedAt","due"])");
}

TEST_F(AppBindings, TheConditionIsNotAskedOfTheRowsThatARowRefersTo) {
  post("/tables/Lists", R"({"id":"l","title":"list"})");
  post("/tables/Cards", R"({"id":"c","title":"card"})");
  EXPECT_NE(ask(act_on("Cards", Operation::update, "c"), "request.execute", R"({"item":{"id":"c","listId":"l"},"filter":"title eq 'card'"})").find(R"("listId":"l")"), std::string::npos);
}

TEST_F(AppBindings, RowsOfSomebodysOwnAreReachedAsTheCallerReachesThem) {
  post("/tables/Mine", R"({"id":"a","text":"of ana"})", as("Facebook:ana"));
  const std::string read = R"({"table":"Mine","asCaller":true,"query":{}})";
  EXPECT_NE(of("Items", "tables.read", read, "Facebook:ana").find("of ana"), std::string::npos);
  EXPECT_EQ(of("Items", "tables.read", read, "Facebook:ben"), R"({"results":[]})");
  EXPECT_EQ(of("Items", "tables.read", read), "unauthorized: Unauthorized");
  EXPECT_EQ(of("Items", "tables.update", R"({"table":"Mine","asCaller":true,"item":{"id":"a","text":"x"}})", "Facebook:ben"), "not_found: An item with id 'a' does not exist.");
  EXPECT_EQ(of("Items", "tables.truncate", R"({"table":"Mine","asCaller":true})", "Facebook:ben"), R"({"count":0})");
  EXPECT_NE(of("Items", "tables.read", R"({"table":"Mine","query":{}})").find("of ana"), std::string::npos) << "scripts of old are the service itself";
}

TEST_F(AppBindings, DeletesGiveTheRowAndCanBeTakenBack) {
  post("/tables/Items", R"({"id":"a","text":"one"})");
  EXPECT_EQ(of("Items", "tables.del", R"({"table":"Items","id":"a"})"), "{}");
  EXPECT_NE(of("Items", "tables.undelete", R"({"table":"Items","id":"a"})").find(R"("text":"one")"), std::string::npos);
  EXPECT_NE(of("Items", "tables.del", R"({"table":"Items","id":"a","row":true})").find(R"("text":"one")"), std::string::npos);
}

TEST_F(AppBindings, TruncateLeavesNothing) {
  for (int i = 0; i < 5; ++i) post("/tables/Items", R"({"text":"x"})");
  EXPECT_EQ(of("Items", "tables.truncate", R"({"table":"Items"})"), R"({"count":5})");
  EXPECT_EQ(get("/tables/Items").body, "[]");
}

TEST_F(AppBindings, TheColumnsAreToldByTheNamesOfTheirTypes) {
  post("/tables/Items", R"({"text":"x","n":1.5,"done":true})");
  const std::string told = of("Items", "tables.schema", R"({"table":"Items"})");
  for (const char* column : {R"({"name":"id","type":"string"})", R"({"name":"text","type":"string"})", R"({"name":"n","type":"number"})", R"({"name":"done","type":"boolean"})", R"({"name":"createdAt","type":"datetime"})",
                             R"({"name":"version","type":"string"})"})
    EXPECT_NE(told.find(column), std::string::npos) << told;
}

TEST_F(AppBindings, NoRelationLeadsAroundTheHandlersOfAnAppNorToATableThatItDoesNotServe) {
  post("/tables/Lists", R"({"id":"l","title":"list"})");
  post("/tables/Cards", R"({"id":"c","title":"card","listId":"l"})");
  const std::string expanded = "/tables/Cards?$expand=list";
  const auto v4 = [](Headers more = {}) {
    more.emplace_back("User-Agent", "Datasync/8.0.0");
    return more;
  };
  EXPECT_NE(get(expanded, v4()).body.find(R"("title":"list")"), std::string::npos);
  service.code.app = "app.js";
  service.code.app_acts = {{"cards", {}}, {"lists", {"insert"}}};
  publish();
  EXPECT_EQ(get(expanded, v4()).status, 200) << "handlers of inserts have no word in what is read";
  service.code.app_acts["lists"] = {"read"};
  publish();
  EXPECT_EQ(get(expanded, v4()).status, 400);
  service.code.app_acts.erase("lists");
  publish();
  EXPECT_EQ(get(expanded, v4()).status, 400);
  EXPECT_EQ(get("/tables/Lists", v4()).status, 404);
  EXPECT_EQ(get("/tables/Lists", v4({{"X-ZUMO-MASTER", std::string(kMasterKey)}})).status, 200);
}

TEST_F(AppBindings, AnIdThatIsTakenShowsNoRowThatCouldNotBeRead) {
  const Headers v3{{"ZUMO-API-VERSION", "3.0.0"}};
  ASSERT_EQ(post("/tables/Items", R"({"id":"a","text":"secret"})").status, 201);
  const auto taken = [&] {
    const Reply reply = post("/tables/Items", R"({"id":"a","text":"mine"})", v3);
    EXPECT_EQ(reply.status, 409);
    return reply.text("text");
  };
  EXPECT_EQ(taken(), "secret") << "whoever may read it is shown it";
  for (const char* level : {"admin", "disabled", "user", "application"}) {
    service.tables.at("items").permissions.read = level;
    publish();
    EXPECT_EQ(taken(), "mine") << level;
  }
  service.tables.at("items").permissions.read = "public";
  service.code.app = "app.js";
  service.code.app_acts = {{"items", {"read"}}};
  publish();
  EXPECT_EQ(taken(), "mine") << "the app's code may narrow what is read";
  service.code.app_acts = {{"items", {"insert", "update"}}};
  publish();
  EXPECT_EQ(taken(), "secret");
  service.code = {};
  service.tables.at("items").scripts["read"] = {"function read(query, user, request) { request.execute(); }", 1};
  publish();
  EXPECT_EQ(taken(), "mine") << "so may a script";
  service.tables.at("items").scripts.clear();
  service.tables.at("items").rules.read = "text == 'open'";
  publish();
  EXPECT_EQ(taken(), "mine") << "so do rules";
}

TEST_F(AppBindings, TablesOfAnAppThatIsNoMoreAreNotServed) {
  service.code.app_acts = {{"items", {"withheld"}}};
  publish();
  EXPECT_EQ(get("/tables/Items").status, 404);
  EXPECT_EQ(post("/tables/Items", "{}").status, 404);
  EXPECT_EQ(get("/tables/Items", {{"X-ZUMO-MASTER", std::string(kMasterKey)}}).status, 200);
  EXPECT_EQ(get("/tables/Lists").status, 200);
}

TEST_F(AppBindings, NoUpdateGoesRoundTheCodeOfUndelete) {
  service.code.app = "app.js";
  service.code.app_acts = {{"items", {"undelete"}}};
  publish();
  post("/tables/Items", R"({"id":"a"})");
  EXPECT_EQ(del("/tables/Items/a").status, 200);
  const Headers v3{{"ZUMO-API-VERSION", "3.0.0"}};
  EXPECT_EQ(patch("/tables/Items/a", R"({"deleted":false})", v3).status, 405);
  EXPECT_EQ(send(http::Method::put, "/tables/Items/a?__includedeleted=true", v3, R"({"id":"a","deleted":false})").status, 405);
  EXPECT_EQ(get("/tables/Items/a").status, 404);
}

}  // namespace
}  // namespace mandate::tables::test
