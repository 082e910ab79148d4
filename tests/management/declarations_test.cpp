// What tables declare is checked before a file is applied, brought about, and explained.
#include <gtest/gtest.h>

#include "base/url.h"
#include "management/mount.h"
#include "tables/mount.h"
#include "tables/schema.h"
#include "tests/tenant/directory_fixture.h"

namespace mandate::management {
namespace {

struct Nobody final : tenant::UserSeeder {
  Task<bool> exists(tenant::Here, std::string, std::string) override { co_return true; }
  Task<void> create(tenant::Here, tenant::SeedUser) override { co_return ok(); }
};

class Declarations : public ::testing::Test {
 protected:
  Declarations() {
    deps.tables = &tables;
    mount(router, deps);
  }
  http::Response ask(http::Method method, std::string path, std::string_view query, std::string_view body = {}) {
    http::Request request;
    request.method = method;
    request.path = std::move(path);
    request.query = query;
    request.body = body;
    request.host = "mandate";
    request.local_admin = true;
    request.id = "r1";
    Result<http::Response> answer = test::run(house.loop, router.answer(request));
    return answer.ok() ? *answer : http::Response(599);
  }
  /// What is wrong with the tables, a line each; empty when they are applied.
  std::string apply(std::string_view given) {
    const http::Response response = ask(http::Method::post, "/admin/apply", "", "tenant: demo\n" + std::string(given));
    if (response.status == 200) return {};
    return std::string(text_member(parse_json(response.body)->get_object(), "message").value_or(response.body));
  }
  tables::OperationContext context(std::string_view table) {
    tables::OperationContext out;
    out.here = *house.tenants().by_name("demo");
    out.service = &out.here->services.at("default");
    out.table = out.service->table(table);
    out.principal.level = identity::Level::admin;
    return out;
  }

  test::DirectoryHouse house{"", {tables::kMigrations}};
  Nobody people;
  tables::Tables tables{house.clock, house.random, house.log, house.metrics};
  Deps deps{house.tenants(), people, nullptr, {}, house.clock, house.random, house.log, "1.2.3"};
  http::Router router;
};

TEST_F(Declarations, AFileWhoseRulesOrRelationsDoNotFitIsRefusedWithThePlaces) {
  EXPECT_EQ(apply("tables: {a: {columns: {n: integer}, rules: {read: nosuch == 1, check: n ==}}}"),
            "tables.a.rules.read: 'nosuch' is not among the columns\ntables.a.rules.check: expected a value, found the end (at index 4)");
  EXPECT_EQ(apply("tables: {a: {columns: {bId: {references: b}}}}"), "tables.a.columns.bId.references: there is no table 'b' in the service");
  EXPECT_EQ(apply("tables: {a: {columns: {bId: {references: b}}}, b: {id: integer}}"),
            "tables.a.columns.bId.references: ids of 'b' are of type integer, the column is not");
  EXPECT_EQ(apply("tables: {a: {columns: {n: {type: integer, default: many}}}}"), "tables.a.columns.n.default: the default does not fit: it must be a whole number");
  EXPECT_TRUE(house.tenants().names().empty());
}

TEST_F(Declarations, RowsThatAreThereRefuseWhatTheyAreNot) {
  ASSERT_EQ(apply("tables: {a: {}}"), "");
  for (const char* id : {"x", "y"}) ASSERT_TRUE(test::run(house.loop, tables.insert(context("a"), {{"id", id}, {"name", "same"}})).ok());
  const std::string file = "tables: {a: {columns: {name: {unique: true}}}}";
  EXPECT_EQ(apply(file), "tables.a.unique: the table has rows with the same name; change or delete them first");
  EXPECT_EQ(apply("tables: {a: {columns: {name: date}}}"), "tables.a.columns: name is string in the table as it is, not date");
  ASSERT_TRUE(test::run(house.loop, tables.remove(context("a"), "y", {})).ok());
  EXPECT_EQ(apply(file), "");
  const auto twice = test::run(house.loop, tables.insert(context("a"), {{"name", "same"}}));
  ASSERT_FALSE(twice.ok());
  EXPECT_EQ(twice.error().code, Code::conflict);
}

TEST_F(Declarations, WhatIsUniqueIsSoFromTheFileThatSaysItToTheOneThatDoesNot) {
  ASSERT_EQ(apply("tables: {a: {columns: {name: string}}}"), "");
  const auto insert = [&](std::string_view table, std::string_view name) { return test::run(house.loop, tables.insert(context(table), {{"name", name}})).ok(); };
  ASSERT_TRUE(insert("a", "one"));
  ASSERT_EQ(apply("tables: {a: {columns: {name: {type: string, unique: true}}}}"), "");
  EXPECT_FALSE(insert("a", "one"));
  ASSERT_EQ(apply("tables: {a: {columns: {name: string}}}"), "");
  EXPECT_TRUE(insert("a", "one"));
}

TEST_F(Declarations, AFileThatIsRefusedLeavesTheTablesAsTheyWere) {
  ASSERT_EQ(apply("tables: {a: {columns: {name: string}}, b: {columns: {name: string}}}"), "");
  const auto insert = [&](std::string_view table, std::string_view name) { return test::run(house.loop, tables.insert(context(table), {{"name", name}})).ok(); };
  ASSERT_TRUE(insert("a", "one"));
  ASSERT_TRUE(insert("b", "one"));
  ASSERT_TRUE(insert("b", "one"));
  EXPECT_NE(apply("tables: {a: {columns: {name: {type: string, unique: true}}}, b: {columns: {name: {type: string, unique: true}}}}"), "");
  EXPECT_TRUE(insert("a", "one")) << "it is not unique: the file was refused";
  EXPECT_NE(apply("tables: {a: {columns: {name: string, more: string}}, b: {columns: {name: date}}}"), "");
  EXPECT_NE(apply("tables: {a: {columns: {name: string, more: string}}, b: {columns: {name: {type: string, unique: true}}}}"), "");
  EXPECT_NE(apply("tables: {a: {columns: {name: string, more: string}}, b: {}}\nclient_grants: [{client_id: nobody, audience: nowhere}]"), "");
  const auto columns = test::run(house.loop, context("a").here.store->describe(tables::physical_name("default", "a")));
  ASSERT_TRUE(columns.ok());
  for (const store::ColumnSpec& column : *columns) EXPECT_NE(column.name, "more");
}

TEST_F(Declarations, AFileThatIsTakenGivesTheTablesItsColumnsAtOnce) {
  ASSERT_EQ(apply("tables: {a: {columns: {name: string}}}"), "");
  ASSERT_TRUE(test::run(house.loop, tables.insert(context("a"), {{"name", "one"}})).ok());
  ASSERT_EQ(apply("tables: {a: {columns: {name: string, code: {type: string, unique: true}}}}"), "");
  const auto columns = test::run(house.loop, context("a").here.store->describe(tables::physical_name("default", "a")));
  ASSERT_TRUE(columns.ok());
  EXPECT_TRUE(std::ranges::any_of(*columns, [](const store::ColumnSpec& each) { return each.name == "code"; }));
  const auto insert = [&](std::string_view code) { return test::run(house.loop, tables.insert(context("a"), {{"code", code}})).ok(); };
  EXPECT_TRUE(insert("x"));
  EXPECT_FALSE(insert("x"));
}

TEST_F(Declarations, ARuleIsExplainedForAUserAndARow) {
  ASSERT_EQ(apply("tables: {a: {permissions: authenticated, columns: {owner: string, team: string}, rules: {read: owner == user.id || team in user.claims.teams}}}"), "");
  ASSERT_TRUE(test::run(house.loop, tables.insert(context("a"), {{"id", "x"}, {"owner", "Ana"}, {"team", "red"}})).ok());
  const auto verdict = [&](std::string_view query) {
    const http::Response response = ask(http::Method::get, "/admin/rules/explain", query);
    EXPECT_EQ(response.status, 200) << response.body;
    return std::string(text_member(parse_json(response.body)->get_object(), "verdict").value_or(response.body));
  };
  EXPECT_EQ(verdict("table=A&user=Ana&id=x"), "allowed");
  EXPECT_EQ(verdict("table=a&user=Ben&id=x"), "refused (404)");
  EXPECT_EQ(verdict("table=a&user=Ben&id=x&claims=" + percent_encode(R"({"teams":["red"]})")), "allowed");
  EXPECT_EQ(verdict("table=a&key=application"), "refused (401)");
  EXPECT_EQ(verdict("table=a&key=master&operation=delete&id=x"), "allowed");
  EXPECT_EQ(ask(http::Method::get, "/admin/rules/explain", "table=b").status, 404);
  EXPECT_EQ(ask(http::Method::get, "/admin/rules/explain", "table=a&operation=peek").status, 400);
  EXPECT_EQ(ask(http::Method::get, "/admin/rules/explain", "table=a&claims=x").status, 400);
}

}  // namespace
}  // namespace mandate::management
