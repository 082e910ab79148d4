// Row rules: which rows exist for whom, which may be changed, what may be written; and that a refusal tells nothing (DA-1, DA-2, DA-12).
#include <random>

#include "tables/rules/rules.h"
#include "tests/tables/world.h"

namespace mandate::tables::test {
namespace {

class RowRules : public World {
 protected:
  RowRules() {
    tenant::Table& docs = add_table("Docs");
    docs.soft_delete = true;
    docs.columns = {{.name = "owner"},
                    {.name = "shared", .type = "boolean"},
                    {.name = "team"},
                    {.name = "n", .type = "integer"},
                    {.name = "state", .type = "enum", .values = {"draft", "final"}},
                    {.name = "due", .type = "date"},
                    {.name = "listId", .references = "lists", .as = "list"}};
    tenant::Table& lists = add_table("Lists");
    lists.columns = {{.name = "owner"}, {.name = "open", .type = "boolean"}};
    publish();
  }
  /// Sets the rules of Docs.
  void rule(tenant::TableRules rules) {
    service.tables["docs"].rules = std::move(rules);
    publish();
    for (const rules::Problem& each : rules::problems_of(service)) ADD_FAILURE() << each.path << ": " << each.text;
  }
  std::string problem(std::string_view text, std::string tenant::TableRules::* which = &tenant::TableRules::read) {
    service.tables["docs"].rules = {};
    service.tables["docs"].rules.*which = text;
    const auto found = rules::problems_of(service);
    return found.empty() ? std::string() : found.front().text;
  }
  Headers with_claims(std::string_view user, JsonObject claims) {
    claims["exp"] = store.clock().now_seconds() + 3600;
    claims["iss"] = "urn:microsoft:windows-azure:zumo";
    claims["ver"] = 2;
    claims["aud"] = "Custom";
    claims["uid"] = user;
    return v2({{"X-ZUMO-AUTH", *jose::sign_jwt(identity::zumo_key(kMasterKey), claims)}});
  }
  Headers master() { return v2({{"X-ZUMO-MASTER", std::string(kMasterKey)}}); }
  Reply add(std::string_view body) { return post("/tables/docs", body, master()); }
};

TEST_F(RowRules, ReadSaysWhichRowsExist) {
  rule({.read = "owner == user.id || shared"});
  add(R"({"id":"a","owner":"Ana"})");
  add(R"({"id":"b","owner":"Ben","shared":true})");
  add(R"({"id":"c","owner":"ana"})");
  add(R"({"id":"d"})");
  EXPECT_EQ(ids("/tables/docs", as("Ana")), "a b") << "letter case counts";
  EXPECT_EQ(ids("/tables/docs"), "b") << "nobody's rows are not those of nobody";
  EXPECT_EQ(ids("/tables/docs", master()), "a b c d");
  EXPECT_EQ(get("/tables/docs?$inlinecount=allpages&$top=1", as("Ana")).object().at("count"), 2);
  del("/tables/docs/b", master());
  EXPECT_EQ(ids("/tables/docs?__includeDeleted=true", as("Ben")), "b");
  del("/tables/docs/a", master());
  EXPECT_EQ(ids("/tables/docs?__includeDeleted=true", as("Ben")), "b");
}

TEST_F(RowRules, ARowThatDoesNotExistForTheCallerIsAnsweredAsAnAbsentOne) {
  rule({.read = "owner == user.id", .update = "n < 5", .remove = "n < 5"});
  add(R"({"id":"aaa","owner":"Ana","n":1})");
  const std::string tag = get("/tables/docs/aaa", as("Ana")).header("ETag");
  for (const bool fresh : {false, true})
    for (const Headers& more : {Headers{}, Headers{{"If-Match", tag}}, Headers{{"If-Match", "\"AAAAAAAAAAA=\""}}, Headers{{"If-None-Match", "*"}}}) {
      Headers headers = more;
      headers.emplace_back("X-ZUMO-AUTH", token_of("Ben"));
      headers.emplace_back("ZUMO-API-VERSION", fresh ? "3.0.0" : "2.0.0");
      const auto both = [&](http::Method method, std::string_view query, std::string_view body) {
        const Reply foreign = send(method, "/tables/docs/aaa" + std::string(query), headers, body);
        Reply absent = send(method, "/tables/docs/zzz" + std::string(query), headers, body);
        for (auto at = absent.body.find("zzz"); at != std::string::npos; at = absent.body.find("zzz")) absent.body.replace(at, 3, "aaa");
        EXPECT_EQ(foreign.status, 404) << http::name(method);
        EXPECT_EQ(absent.status, 404);
        EXPECT_EQ(foreign.body, absent.body);
      };
      both(http::Method::get, "", "");
      both(http::Method::get, "?__includeDeleted=true", "");
      both(http::Method::patch, "", R"({"n":2})");
      both(http::Method::delete_, "", "");
      if (fresh) both(http::Method::put, "", R"({"n":2})");
      else both(http::Method::post, "", "");
    }
  EXPECT_EQ(del(filter("docs", "1 eq 1"), as("Ben")).status, 204);
  EXPECT_EQ(get("/tables/docs/aaa", as("Ana")).object().at("n"), 1);
}

TEST_F(RowRules, WhatIsSeenAndMayNotBeChangedIsForbidden) {
  rule({.read = "shared || owner == user.id", .update = "owner == user.id && n < 5", .remove = "owner == user.id"});
  add(R"({"id":"a","owner":"Ana","shared":true,"n":1})");
  EXPECT_EQ(patch("/tables/docs/a", R"({"n":2})", as("Ben")).status, 403);
  EXPECT_EQ(del("/tables/docs/a", as("Ben")).status, 403);
  EXPECT_EQ(send(http::Method::put, "/tables/docs/a", {{"ZUMO-API-VERSION", "3.0.0"}, {"X-ZUMO-AUTH", token_of("Ben")}}, R"({"n":2})").status, 403);
  EXPECT_EQ(send(http::Method::delete_, "/tables/docs/a", {{"ZUMO-API-VERSION", "3.0.0"}, {"X-ZUMO-AUTH", token_of("Ben")}}).status, 403);
  EXPECT_EQ(del(filter("docs", "1 eq 1"), as("Ben")).status, 204);
  EXPECT_EQ(patch("/tables/docs/a", R"({"fresh":2})", as("Ben")).status, 403);
  EXPECT_FALSE(get("/tables/docs/a", as("Ben")).object().contains("fresh")) << "a refused write leaves the table as it was";
  EXPECT_EQ(patch("/tables/docs/a", R"({"n":7})", as("Ana")).status, 200);
  EXPECT_EQ(patch("/tables/docs/a", R"({"n":1})", as("Ana")).status, 403);
  EXPECT_EQ(patch("/tables/docs/a", R"({"n":1})", as("Ana", {{"If-Match", "\"AAAAAAAAAAA=\""}})).status, 412);
  EXPECT_EQ(del("/tables/docs/a", as("Ana")).status, 200);
  EXPECT_EQ(post("/tables/docs/a", "", as("Ana")).status, 403) << "bringing back is an update";
}

TEST_F(RowRules, NewValuesAreJudgedAndNothingOfARefusedWriteStays) {
  rule({.insert = "owner == user.id && item.n >= 0", .update = "item.owner == owner && (item.state != 'draft' || state == 'draft')", .check = "n < 10"});
  EXPECT_EQ(post("/tables/docs", R"({"id":"a","owner":"Ben"})", as("Ana")).status, 403);
  EXPECT_EQ(post("/tables/docs", R"({"id":"a","owner":"Ana","n":-1})", as("Ana")).status, 403);
  EXPECT_EQ(post("/tables/docs", R"({"id":"a","owner":"Ana","n":10})", as("Ana")).status, 403);
  EXPECT_EQ(get("/tables/docs/a").status, 404);
  EXPECT_EQ(post("/tables/docs", R"({"id":"a","owner":"Ana","n":1,"state":"draft"})", as("Ana")).status, 201);
  EXPECT_EQ(patch("/tables/docs/a", R"({"owner":"Ben"})", as("Ana")).status, 403);
  EXPECT_EQ(patch("/tables/docs/a", R"({"n":11})", as("Ana")).status, 403);
  EXPECT_EQ(patch("/tables/docs/a", R"({"n":9,"state":"final"})", as("Ana")).status, 200);
  EXPECT_EQ(patch("/tables/docs/a", R"({"state":"draft"})", as("Ana")).status, 403);
  EXPECT_EQ(patch("/tables/docs/a", R"({"n":8})", as("Ana")).status, 200);
  const Headers datasync{{"ZUMO-API-VERSION", "3.0.0"}, {"X-ZUMO-AUTH", token_of("Ana")}};
  EXPECT_EQ(send(http::Method::put, "/tables/docs/a", datasync, R"({"id":"a","n":3,"state":"final"})").status, 403) << "a replacement without the owner has none";
  EXPECT_EQ(send(http::Method::put, "/tables/docs/a", datasync, R"({"id":"a","owner":"Ana","n":3,"state":"final"})").status, 200);
}

// DA-1, DA-2: an insert that the rules refuse is refused in the same words whether its id is taken or free.
TEST_F(RowRules, ARefusedInsertDoesNotTellWhetherItsIdIsTaken) {
  rule({.read = "owner == user.id", .insert = "owner == user.id", .check = "n < 10 || listId != null"});
  post("/tables/lists", R"({"id":"bens","owner":"Ben"})", master());
  add(R"({"id":"aaa","owner":"Ana","n":1})");
  for (const std::string_view version : {"2.0.0", "3.0.0", "1"})
    for (const std::string_view members :
         {R"("owner":"Ana")", R"("owner":"Ben","n":10)", R"("owner":"Ben","listId":"nowhere")", R"("owner":"Ana","fresh":1)", R"("owner":"Ben","n":11,"fresh":1)"}) {
      Headers headers{{"X-ZUMO-AUTH", token_of("Ben")}};
      if (version == "1") headers.emplace_back("X-ZUMO-APPLICATION", kApplicationKey);
      else headers.emplace_back("ZUMO-API-VERSION", version);
      const auto insert = [&](std::string_view id) { return post("/tables/docs", R"({"id":")" + std::string(id) + R"(",)" + std::string(members) + "}", headers); };
      const Reply taken = insert("aaa"), free = insert("zzz");
      EXPECT_EQ(free.status, members.find("nowhere") != std::string_view::npos ? 400 : 403) << members;
      EXPECT_EQ(taken.status, free.status) << members;
      EXPECT_EQ(taken.body, free.body) << members;
    }
  EXPECT_EQ(get("/tables/docs/aaa", as("Ana")).object().at("n"), 1) << "what was tried is undone";
  EXPECT_EQ(get("/tables/docs/zzz", master()).status, 404);
  EXPECT_FALSE(get("/tables/docs/aaa", as("Ana")).object().contains("fresh")) << "a refused write leaves the table as it was";
  EXPECT_EQ(post("/tables/docs", R"({"id":"aaa","owner":"Ben","n":2})", as("Ben")).status, 409) << "one's own insert";
  EXPECT_EQ(post("/tables/docs", R"({"id":"aaa","owner":"Ben","n":2,"fresh":2})", as("Ben")).status, 409);
  EXPECT_EQ(post("/tables/docs", R"({"id":"bbb","owner":"Ben","fresh":2,"listId":"bens"})", as("Ben")).status, 201);
  EXPECT_EQ(get("/tables/docs/aaa", as("Ana")).text("owner"), "Ana");
}

TEST_F(RowRules, ARefusedInsertDoesNotTellOfAnIdBesideAUniqueValue) {
  service.tables["docs"].columns[2].unique = true;
  rule({.insert = "owner == user.id"});
  add(R"({"id":"aaa","owner":"Ana","team":"red"})");
  const Reply taken = post("/tables/docs", R"({"id":"aaa","owner":"Ana","team":"red"})", v1({{"X-ZUMO-AUTH", token_of("Ben")}}));
  const Reply free = post("/tables/docs", R"({"id":"zzz","owner":"Ana","team":"red"})", v1({{"X-ZUMO-AUTH", token_of("Ben")}}));
  EXPECT_EQ(taken.status, free.status);
  EXPECT_EQ(taken.body, free.body);
  EXPECT_EQ(post("/tables/docs", R"({"id":"aaa","owner":"Ana","team":"blue"})", as("Ben")).status, 403);
  EXPECT_EQ(post("/tables/docs", R"({"id":"aaa","owner":"Ben","team":"blue"})", as("Ben")).status, 409);
}

TEST_F(RowRules, LookThroughOneRelation) {
  rule({.read = "list.owner == user.id || list.open", .check = "list.owner == user.id"});
  post("/tables/lists", R"({"id":"ana","owner":"Ana"})", master());
  post("/tables/lists", R"({"id":"ben","owner":"Ben"})", master());
  add(R"({"id":"a","listId":"ana"})");
  add(R"({"id":"b","listId":"ben"})");
  add(R"({"id":"c"})");
  const std::string counted = "/tables/docs?$inlinecount=allpages&$top=0";
  EXPECT_EQ(ids("/tables/docs", as("Ana")), "a");
  EXPECT_EQ(get(counted, as("Ana")).object().at("count"), 1);
  patch("/tables/lists/ben", R"({"open":true})", master());
  EXPECT_EQ(ids("/tables/docs", as("Ana")), "a b");
  EXPECT_EQ(get(counted, as("Ana")).object().at("count"), 2) << "counted anew when the other table changes";
  EXPECT_EQ(patch("/tables/docs/b", R"({"n":1})", as("Ana")).status, 403);
  EXPECT_EQ(patch("/tables/docs/b", R"({"n":1})", as("Ben")).status, 200);
  EXPECT_EQ(post("/tables/docs", R"({"listId":"ben"})", as("Ana")).status, 403);
  rule({.read = "!(list.owner == user.id)"});
  EXPECT_EQ(ids("/tables/docs", as("Ana")), "b c");
}

TEST_F(RowRules, KnowClaimsRolesTimeAndLevels) {
  add(R"({"id":"a","team":"red","due":"2000-01-01"})");
  add(R"({"id":"b","team":"blue","due":"2999-01-01"})");
  rule({.read = "team in user.claims.teams || user.roles contains 'admin'"});
  EXPECT_EQ(ids("/tables/docs", with_claims("Ana", {{"teams", JsonArray{"red", "green"}}})), "a");
  EXPECT_EQ(ids("/tables/docs", with_claims("Ana", {{"teams", "blue"}})), "b");
  EXPECT_EQ(ids("/tables/docs", with_claims("Ana", {{"roles", JsonArray{"admin"}}})), "a b");
  EXPECT_EQ(ids("/tables/docs", as("Ana")), "");
  rule({.read = "due > request.time"});
  EXPECT_EQ(ids("/tables/docs", as("Ana")), "b");
  rule({.read = "user.level == 'authenticated' && user.id != null"});
  EXPECT_EQ(ids("/tables/docs"), "");
  EXPECT_EQ(ids("/tables/docs", as("Ana")), "a b");
  rule({.read = "n == user.claims.n"});
  add(R"({"id":"c","n":3})");
  EXPECT_EQ(ids("/tables/docs", with_claims("Ana", {{"n", 3}})), "c");
  EXPECT_EQ(ids("/tables/docs", with_claims("Ana", {{"n", "many"}})), "") << "what cannot be answered is answered with no";
}

TEST_F(RowRules, SearchTextByItsBytes) {
  add(R"({"id":"a","team":"Red-1"})");
  add(R"({"id":"b","team":"red-2"})");
  add(R"({"id":"c"})");
  rule({.read = "startsWith(team, 'Red')"});
  EXPECT_EQ(ids("/tables/docs"), "a");
  rule({.read = "team contains 'ed-'"});
  EXPECT_EQ(ids("/tables/docs"), "a b");
  rule({.read = "endsWith(team, '-2') || !(team contains 'e')"});
  EXPECT_EQ(ids("/tables/docs"), "b c");
  rule({.read = "lower(team) startsWith 'red' && length(team) == 5"});
  EXPECT_EQ(ids("/tables/docs"), "a b");
}

TEST_F(RowRules, UnknownNamesRefuseTheConfiguration) {
  EXPECT_EQ(problem("nosuch == 1"), "'nosuch' is not among the columns");
  EXPECT_EQ(problem("list.nosuch == 1"), "'nosuch' is not among the columns of 'list'");
  EXPECT_EQ(problem("other.owner == 1"), "there is no relation 'other'");
  EXPECT_EQ(problem("list.owner.x == 1"), "'list.owner.x' goes through more than one relation");
  EXPECT_EQ(problem("user.name == 'x'"), "there is no 'user.name': user has id, level, provider, roles and claims.NAME");
  EXPECT_EQ(problem("request.ip == 'x'"), "there is no 'request.ip': request has time");
  EXPECT_EQ(problem("item.n == 1"), "'item' is what is written: it is for insert, update and check");
  EXPECT_EQ(problem("item.n == n", &tenant::TableRules::update), "");
  EXPECT_EQ(problem("n == 'x'"), "values that do not go together: a value does not fit a column of type number");
  EXPECT_EQ(problem("list.owner == owner"), "'(list.owner == owner)' compares columns of two tables");
  EXPECT_EQ(problem("owner"), "values that do not go together: string does not go with boolean");
  EXPECT_EQ(problem("owner == ['a']"), "'(owner == ['a'])' compares a list: use 'in' or 'contains'");
  EXPECT_EQ(problem("state == 'nosuch'"), "values that do not go together: string does not go with enumeration");
  EXPECT_EQ(problem("deleted == false && updatedAt < request.time && id != ''"), "");
}

TEST_F(RowRules, ARuleThatDoesNotParseShowsNothing) {
  add(R"({"id":"a"})");
  service.tables["docs"].rules.read = "owner == ";
  publish();
  EXPECT_EQ(ids("/tables/docs", as("Ana")), "");
  EXPECT_EQ(post("/tables/docs", "{}", as("Ana")).status, 403);
  EXPECT_EQ(ids("/tables/docs", master()), "a");
}

TEST_F(RowRules, AreExplained) {
  rule({.read = "shared || owner == user.id", .update = "owner == user.id"});
  add(R"({"id":"a","owner":"Ana","shared":true})");
  OperationContext context;
  context.here = tenants.here;
  context.service = &tenants.here->services.at("default");
  context.table = context.service->table("docs");
  context.principal.user_id = "Ben";
  context.principal.level = identity::Level::authenticated;
  const auto explained = run(loop, tables.explain(context, Operation::update, "a"));
  ASSERT_TRUE(explained.ok());
  EXPECT_EQ(explained->at("verdict"), "refused (403)");
  EXPECT_EQ(explained->at("row").at("visible"), true);
  EXPECT_EQ(explained->at("row").at("allowed"), false);
  EXPECT_EQ(explained->at("rules").at(0).at("condition"), "((shared = true) or (owner = 'Ben'))");
  EXPECT_EQ(explained->at("rules").at(1).at("tree"), "==\n  owner\n  user.id\n");
  EXPECT_EQ(run(loop, tables.explain(context, Operation::read, "a"))->at("verdict"), "allowed");
  EXPECT_EQ(run(loop, tables.explain(context, Operation::read, "zzz"))->at("verdict"), "refused (404)");
}

/// A piece of a rule and what it says of Ben and a row.
struct Piece {
  std::string_view text;
  bool (*holds)(std::string_view owner, bool shared, int n);
};
constexpr Piece kPieces[] = {
    {"owner == user.id", [](std::string_view owner, bool, int) { return owner == "Ben"; }},
    {"owner != 'Ana'", [](std::string_view owner, bool, int) { return owner != "Ana"; }},
    {"shared == true", [](std::string_view, bool shared, int) { return shared; }},
    {"n > 2", [](std::string_view, bool, int n) { return n > 2; }},
    {"n in [1, 3, 5]", [](std::string_view, bool, int n) { return n % 2 == 1; }},
    {"startsWith(owner, 'B')", [](std::string_view owner, bool, int) { return owner.starts_with("B"); }},
    {"user.roles contains 'x'", [](std::string_view, bool, int) { return false; }},
    {"owner in user.claims.friends", [](std::string_view, bool, int) { return false; }},
    {"user.id == 'Ben'", [](std::string_view, bool, int) { return true; }},
};

TEST_F(RowRules, NoFilterShowsARowThatTheRuleDoesNot) {
  struct Kept {
    std::string id, owner;
    bool shared;
    int n;
  };
  std::vector<Kept> rows;
  for (int i = 0; i < 12; ++i) {
    Kept row{"r" + std::to_string(i), i % 3 == 0 ? "Ana" : i % 3 == 1 ? "Ben" : "ben", i % 2 == 0, i % 6};
    add(R"({"id":")" + row.id + R"(","owner":")" + row.owner + R"(","shared":)" + (row.shared ? "true" : "false") + R"(,"n":)" + std::to_string(row.n) + "}");
    rows.push_back(row);
  }
  std::mt19937 dice(11);
  static constexpr std::string_view kFilters[] = {"1 eq 1", "owner eq 'Ana' or 1 eq 1", "not (shared)", "n ge 0 or owner eq null", "owner ne 'Ben'", "substringof('a',owner) or true"};
  for (int i = 0; i < 40; ++i) {
    const Piece &a = kPieces[dice() % std::size(kPieces)], &b = kPieces[dice() % std::size(kPieces)];
    const bool either = dice() % 2, not_a = dice() % 2, whole = dice() % 4 == 0;
    std::string text = (not_a ? "!(" : "(") + std::string(a.text) + (either ? ") || " : ") && ") + std::string(b.text);
    if (whole) text = "!(" + text + ")";
    rule({.read = text});
    std::string visible;
    for (const Kept& row : rows) {
      const bool x = a.holds(row.owner, row.shared, row.n) != not_a, y = b.holds(row.owner, row.shared, row.n);
      if ((either ? x || y : x && y) != whole) visible += row.id + " ";
    }
    EXPECT_EQ(ids("/tables/docs?$orderby=createdAt", as("Ben")) + (visible.empty() ? "" : " "), visible) << text;
    const Reply reply = get(filter("docs", kFilters[dice() % std::size(kFilters)]), as("Ben"));
    ASSERT_EQ(reply.status, 200);
    const Json listed = reply.json();
    for (const Json& row : listed.get_array()) EXPECT_NE((" " + visible).find(" " + std::string(view(row.at("id").get_string())) + " "), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace mandate::tables::test
