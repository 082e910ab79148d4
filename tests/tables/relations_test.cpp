// Relations: rows that must be there, rows shown within rows, rows that go with others.
#include "tests/tables/world.h"

namespace mandate::tables::test {
namespace {

Headers v4(Headers more = {}) {
  more.emplace_back("User-Agent", "Datasync/8.0.0");
  return more;
}

class Relations : public World {
 protected:
  Relations() {
    tenant::Table& lists = add_table("Lists");
    lists.soft_delete = true;
    lists.columns = {{.name = "title"}, {.name = "owner"}, {.name = "open", .type = "boolean"}};
    lists.rules.read = "owner == user.id || open";
    tenant::Table& todos = add_table("Todos");
    todos.columns = {{.name = "text"}, {.name = "listId", .references = "Lists", .as = "list", .on_delete = "cascade"}};
    tenant::Table& notes = add_table("Notes");
    notes.soft_delete = true;
    notes.columns = {{.name = "todoId", .references = "todos", .as = "todo", .on_delete = "set null"}};
    tenant::Table& bills = add_table("Bills");
    bills.columns = {{.name = "listId", .references = "lists", .as = "list"}};
    publish();
    post("/tables/lists", R"({"id":"ana","title":"A","owner":"Ana","open":false})", as("Ana"));
    post("/tables/lists", R"({"id":"open","title":"O","owner":"Ana","open":true})", as("Ana"));
  }
  Headers datasync(std::string_view user) { return v4({{"X-ZUMO-AUTH", token_of(user)}}); }
};

TEST_F(Relations, ARowRefersOnlyToRowsThatItsWriterSees) {
  EXPECT_EQ(post("/tables/todos", R"({"id":"t1","listId":"ana"})", as("Ana")).status, 201);
  const Reply foreign = post("/tables/todos", R"({"listId":"ana"})", as("Ben")), absent = post("/tables/todos", R"({"listId":"nosuch"})", as("Ben"));
  EXPECT_EQ(foreign.status, 400);
  EXPECT_EQ(foreign.body, absent.body);
  EXPECT_EQ(post("/tables/todos", R"({"id":"t2","listId":"open"})", as("Ben")).status, 201);
  EXPECT_EQ(patch("/tables/todos/t2", R"({"listId":"ana"})", as("Ben")).status, 400);
  EXPECT_EQ(patch("/tables/todos/t2", R"({"listId":null})", as("Ben")).status, 200);
  EXPECT_EQ(get("/tables/todos/t1", as("Ana")).text("listId"), "ana");
}

TEST_F(Relations, ARowGoesOnToReferToWhatItDid) {
  post("/tables/todos", R"({"id":"t1","listId":"open"})", as("Ben"));
  patch("/tables/lists/open", R"({"open":false})", as("Ana"));
  EXPECT_EQ(patch("/tables/todos/t1", R"({"id":"t1","text":"x","listId":"open"})", as("Ben")).status, 200);
  EXPECT_EQ(send(http::Method::put, "/tables/todos/t1", datasync("Ben"), R"({"id":"t1","text":"y","listId":"open"})").status, 200);
  EXPECT_EQ(patch("/tables/todos/t1", R"({"listId":"ana"})", as("Ben")).status, 400);
}

TEST_F(Relations, AreExpandedUnderTheRulesOfTheOtherTable) {
  post("/tables/todos", R"({"id":"t1","listId":"ana"})", as("Ana"));
  post("/tables/todos", R"({"id":"t2","listId":"open"})", as("Ana"));
  post("/tables/todos", R"({"id":"t3"})", as("Ana"));
  const auto titles = [&](std::string_view user) {
    std::string out;
    const JsonObject answer = get("/tables/todos?$expand=list&$select=id&$orderby=id", datasync(user)).object();
    for (const Json& row : answer.at("items").get_array())
      out += row.at("list").is_null() ? std::string("-") : std::string(view(row.at("list").at("title").get_string()));
    return out;
  };
  EXPECT_EQ(titles("Ana"), "AO-");
  EXPECT_EQ(titles("Ben"), "-O-");
  EXPECT_EQ(get("/tables/todos/t1?$expand=list", datasync("Ana")).object().at("list").at("id"), "ana");
  EXPECT_TRUE(get("/tables/todos/t1?$expand=LIST", datasync("Ben")).object().at("list").is_null());
  const Reply odd = get("/tables/todos?$expand=owner", datasync("Ben"));
  EXPECT_EQ(odd.status, 400);
  service.tables["lists"].permissions.read = "admin";
  publish();
  EXPECT_EQ(get("/tables/todos?$expand=list", datasync("Ana")).status, 401);
}

TEST_F(Relations, ATableThatIsReadThroughAScriptIsNotExpanded) {
  post("/tables/todos", R"({"id":"t1","listId":"ana"})", as("Ana"));
  for (const std::string_view script : {std::string_view("read"), tenant::kHooks}) {
    service.tables["lists"].scripts.clear();
    service.tables["lists"].scripts[std::string(script)] = {"never asked here", 1};
    publish();
    for (const char* target : {"/tables/todos?$expand=list", "/tables/todos/t1?$expand=LIST", "/tables/todos?$expand=list&$filter=id%20eq%20'none'"}) {
      const Reply refused = get(target, datasync("Ana"));
      EXPECT_EQ(refused.status, 400) << script << " " << target;
      EXPECT_NE(refused.body.find("is read through a script"), std::string::npos) << refused.body;
    }
    const Reply whole = get("/v4/tables/todos/t1?$expand=list", {{"X-ZUMO-MASTER", std::string(kMasterKey)}});
    ASSERT_EQ(whole.status, 200) << whole.body;
    EXPECT_EQ(whole.object().at("list").at("id"), "ana");
    EXPECT_EQ(post("/tables/todos", R"({"listId":"ana"})", as("Ana")).status, 201) << "what rows refer to is not shown";
  }
  service.tables["lists"].scripts.clear();
  service.tables["lists"].scripts["insert"] = {"nothing about reads", 1};
  publish();
  EXPECT_EQ(get("/tables/todos/t1?$expand=list", datasync("Ana")).status, 200);
}

/// Pages of 10,000 bytes.
class LargeRelations : public World {
 protected:
  LargeRelations() : World(store::SqliteOptions{}, 10'000) {
    add_table("Lists").columns = {{.name = "text"}};
    add_table("Todos").columns = {{.name = "listId", .references = "Lists", .as = "list"}, {.name = "otherId", .references = "Lists", .as = "other"}};
    publish();
    for (int i = 0; i < 8; ++i) {
      const std::string id = "l" + std::to_string(i);
      post("/tables/lists", R"({"id":")" + id + R"(","text":")" + std::string(2000, 'x') + "\"}");
    }
  }
  void todo(int list, int other) {
    EXPECT_EQ(post("/tables/todos", R"({"listId":"l)" + std::to_string(list) + R"(","otherId":"l)" + std::to_string(other) + "\"}").status, 201);
  }
};

TEST_F(LargeRelations, AreRefusedBeforeTheyAreAPageTwiceOver) {
  for (int i = 0; i < 50; ++i) todo(0, 1);
  EXPECT_EQ(get("/tables/todos?$expand=list&$top=5", v4()).status, 200);
  EXPECT_EQ(get("/tables/todos?$expand=list", v4()).status, 413) << "one row, in many";
  EXPECT_EQ(get("/tables/todos?$expand=list,other&$top=3", v4()).status, 200);
  EXPECT_EQ(get("/tables/todos?$expand=list,other&$top=5", v4()).status, 413);
}

TEST_F(LargeRelations, CountWhatAllRelationsBring) {
  for (int i = 0; i < 4; ++i) todo(i, i + 4);
  EXPECT_EQ(get("/tables/todos?$expand=list", v4()).status, 200);
  EXPECT_EQ(get("/tables/todos?$expand=list,other", v4()).status, 200);
  for (int i = 0; i < 2; ++i) todo(i + 2, i);
  EXPECT_EQ(get("/tables/todos?$expand=list,other", v4()).status, 413);
}

TEST_F(Relations, WhoMayNotDeleteARowIsToldNothingOfWhatRefersToIt) {
  tenant::Table& nodes = add_table("Nodes");
  nodes.columns = {{.name = "parentId", .references = "nodes", .as = "parent", .on_delete = "cascade"}, {.name = "owner"}, {.name = "open", .type = "boolean"}};
  nodes.rules.read = "owner == user.id || open";
  nodes.rules.remove = "owner == user.id";
  publish();
  // More levels than one delete goes down.
  for (const std::string& kind : {std::string("x"), std::string("y")}) {
    const std::string rest = R"(,"owner":"Ana","open":)" + std::string(kind == "y" ? "true" : "false") + "}";
    post("/tables/nodes", R"({"id":")" + kind + "0\"" + rest, as("Ana"));
    for (int i = 1; i < 10; ++i) {
      const std::string body = R"({"id":")" + kind + std::to_string(i) + R"(","parentId":")" + kind + std::to_string(i - 1) + "\"" + rest;
      ASSERT_EQ(post("/tables/nodes", body, as("Ana")).status, 201);
    }
  }
  const auto both = [&](const std::string& id, std::string_view user) {
    const int in_v2 = del("/tables/nodes/" + id, as(user)).status;
    return std::pair(in_v2, send(http::Method::delete_, "/tables/nodes/" + id, datasync(user)).status);
  };
  EXPECT_EQ(both("x0", "Ana"), std::pair(409, 409));
  EXPECT_EQ(both("x0", "Ben"), std::pair(404, 404));
  EXPECT_EQ(both("none", "Ben"), std::pair(404, 404));
  EXPECT_EQ(both("y0", "Ben"), std::pair(403, 403));
}

TEST_F(Relations, ADeleteTakesBlanksOrIsRefusedAsDeclared) {
  post("/tables/todos", R"({"id":"t1","listId":"ana"})", as("Ana"));
  post("/tables/todos", R"({"id":"t2","listId":"open"})", as("Ana"));
  post("/tables/notes", R"({"id":"n1","todoId":"t1"})", as("Ana"));
  post("/tables/bills", R"({"id":"b1","listId":"open"})", as("Ana"));
  EXPECT_EQ(del("/tables/lists/ana", as("Ana")).status, 200);
  EXPECT_EQ(get("/tables/todos/t1").status, 404) << "gone with its list";
  EXPECT_EQ(get("/tables/todos/t2").status, 200);
  EXPECT_TRUE(get("/tables/notes/n1").object().at("todoId").is_null());
  const Reply refused = del("/tables/lists/open", as("Ana"));
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(refused.text("error"), "Other items refer to the item.");
  EXPECT_EQ(get("/tables/todos/t2").status, 200) << "all or nothing";
  EXPECT_EQ(send(http::Method::delete_, "/tables/lists/open", datasync("Ana")).status, 409);
  EXPECT_EQ(del(filter("lists", "title eq 'O'"), as("Ana")).status, 409);
  del("/tables/bills/b1");
  EXPECT_EQ(del(filter("lists", "title eq 'O'"), as("Ana")).status, 204);
  EXPECT_EQ(get("/tables/todos/t2").status, 404);
}

TEST_F(Relations, ADeleteGoesRoundATableThatRefersToItself) {
  add_table("Nodes").columns = {{.name = "parentId", .references = "nodes", .as = "parent", .on_delete = "cascade"}};
  publish();
  post("/tables/nodes", R"({"id":"a"})");
  post("/tables/nodes", R"({"id":"b","parentId":"a"})");
  post("/tables/nodes", R"({"id":"c","parentId":"b"})");
  patch("/tables/nodes/a", R"({"parentId":"c"})");
  post("/tables/nodes", R"({"id":"d"})");
  EXPECT_EQ(del("/tables/nodes/b").status, 200);
  EXPECT_EQ(ids("/tables/nodes"), "d");
}

}  // namespace
}  // namespace mandate::tables::test
