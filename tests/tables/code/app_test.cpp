// What an app for Mobile Apps' Node server says becomes configuration (mobile-backend-wire 5.10, 4.7).
#include "tables/code/app.h"

#include <gtest/gtest.h>

namespace mandate::tables::code {
namespace {

constexpr const char* kMain = "var mobile = require('azure-mobile-apps')();";

Json json(std::string_view text) {
  const Result<Json> value = parse_json(text);
  EXPECT_TRUE(value.ok()) << text;
  return value.ok() ? *value : Json();
}
Derived added(std::string_view tables, std::string_view apis = "[]") {
  Result<Derived> out = derive({{"app.js", kMain}});
  EXPECT_TRUE(out.ok());
  const Result<void> good = add_app(json(R"({"made":true,"tables":)" + std::string(tables) + R"(,"apis":)" + std::string(apis) + "}"), *out);
  EXPECT_TRUE(good.ok()) << good.error().hint;
  return std::move(*out);
}
std::string refused(std::string_view described) {
  Result<Derived> out = derive({{"app.js", kMain}});
  const Result<void> good = add_app(json(described), *out);
  return good.ok() ? "ok" : good.error().hint;
}
JsonObject object_of(std::string_view table, const JsonObject* there = nullptr) { return app_table(added(table).tables.begin()->second, there); }

TEST(App, TheMainFileIsFoundAsNpmFindsItIfItAsksForThePackage) {
  EXPECT_EQ(app_of({{"app.js", kMain}}), "app.js");
  EXPECT_EQ(app_of({{"server.js", "import m from \"azure-mobile-apps\""}}), "server.js");
  EXPECT_EQ(app_of({{"package.json", R"({"main":"./src/start"})"}, {"src/start.js", kMain}}), "src/start.js");
  EXPECT_EQ(app_of({{"package.json", R"({"main":"other.js","scripts":{"start":"node --trace-warnings ./run.js --port 1"}})"}, {"run.js", kMain}, {"other.js", kMain}}), "run.js");
  EXPECT_EQ(app_of({{"app.js", "// azure-mobile-apps is not asked for"}, {"index.js", kMain}}), "index.js");
  EXPECT_EQ(app_of({{"app.js", "module.exports = require('./lib/start')"}, {"lib/start.js", "require(\"../src/mobile\")"}, {"src/mobile.js", kMain}}), "app.js") << "what it requires counts";
  EXPECT_EQ(app_of({{"app.js", "require(path.join(__dirname, 'lib', 'start'))"}, {"lib/start.js", kMain}}), "app.js") << "also by a path that is put together";
  EXPECT_EQ(app_of({{"app.js", "require('./a')"}, {"a.js", "require('./app'); require('../../x')"}, {"node_modules/azure-mobile-apps/index.js", kMain}}), "");
  EXPECT_EQ(app_of({{"table/T.insert.js", "require('azure-mobile-apps')"}, {"package.json", "no JSON"}}), "");
  EXPECT_EQ(app_of({{"package.json", R"({"main":7,"scripts":{"start":"node"}})"}}), "");
}

TEST(App, ItsFilesAreCheckedAndNoneIsTakenForOneOfTheOldService) {
  const Result<Derived> out = derive({{"app.js", kMain}, {"tables/T.js", "1"}, {"tables/T.json", "{}"}, {"api/a.js", "2"}, {"api/a.json", R"({"access":"authenticated"})"}, {"table/Old.upsert.js", "x"},
                                      {"shared/x.js", "3"}, {"scheduler/J.js", "function J() {}"}, {"node_modules/azure-mobile-apps/index.js", "4"}});
  ASSERT_TRUE(out.ok()) << out.error().hint;
  EXPECT_EQ(out->service.code.app, "app.js");
  EXPECT_TRUE(out->tables.empty());
  EXPECT_TRUE(out->service.apis.empty());
  EXPECT_EQ(out->scripts, (std::vector<std::string>{"api/a.js", "app.js", "scheduler/J.js", "shared/x.js", "tables/T.js"}));
  EXPECT_EQ(out->service.jobs.size(), 1U);
  EXPECT_EQ(derive({{"app.js", kMain}, {"tables/T.json", "{"}}).error().hint.substr(0, 24), "tables/T.json: is no JSO");
  EXPECT_EQ(derive({{"tables/T.js", "1"}, {"table/Old.js", "2"}}).error().hint, "the folder: has tables/, but no app.js that asks for azure-mobile-apps") << "also where something of the first generation is beside it";
  EXPECT_EQ(derive({{"tables/T.js", "1"}}).error().hint, "the folder: has tables/, but no app.js that asks for azure-mobile-apps");
}

TEST(App, SettingsOfATableBecomeMembersOfTheTenantsFile) {
  EXPECT_EQ(object_of(R"([{"name":"Todo","code":[],"softDelete":true,"dynamicSchema":false,"perUser":true,"userIdColumn":"owner","pageSize":10,"maxTop":20,"autoIncrement":true,
                           "columns":{"text":"string","n":"number","done":"bool","at":"date","since":"datetime"},"indexes":[["text"],["text","n"]],
                           "levels":{"read":"public","insert":"authenticated","update":"authenticated","delete":"disabled","undelete":"disabled"}}])"),
            json(R"({"name":"Todo","id":"integer","soft_delete":true,"dynamic_schema":false,"page_size":10,"max_top":20,"user_id_column":"owner",
                     "permissions":{"read":"public","insert":"authenticated","update":"authenticated","delete":"disabled","undelete":"disabled"},
                     "columns":{"text":"string","n":"number","done":"boolean","at":"datetime","since":"datetime"},"indexes":[["text"],["text","n"]]})").as_object());
}

TEST(App, ATableThatSaysNothingIsForEverybodyAsItWasThere) {
  EXPECT_EQ(object_of(R"([{"name":"T","code":[]}])"), json(R"({"name":"T","permissions":"public"})").as_object());
}

TEST(App, WhatATableThatIsThereHasAndTheAppDoesNotSayStays) {
  const JsonObject there = json(R"({"name":"TODO","permissions":"authenticated","user_id_column":"userId","soft_delete":true,
                                    "columns":{"text":{"type":"string","required":true},"kept":"number"},"rules":{"read":"kept > 1"}})").as_object();
  EXPECT_EQ(object_of(R"([{"name":"todo","code":[],"autoIncrement":true,"columns":{"text":"string","fresh":"boolean"}}])", &there),
            json(R"({"name":"TODO","permissions":"authenticated","user_id_column":"userId","soft_delete":true,
                     "columns":{"text":{"type":"string","required":true},"kept":"number","fresh":"boolean"},"rules":{"read":"kept > 1"}})").as_object())
      << "nobody's rows become everybody's because a file says nothing of them";
  const JsonObject said = object_of(R"([{"name":"todo","code":[],"perUser":false,"softDelete":false}])", &there);
  EXPECT_FALSE(said.contains("user_id_column"));
  EXPECT_FALSE(said.contains("soft_delete"));
}

TEST(App, AnOperationOfWhichTheAppSaysNothingKeepsItsLevel) {
  const JsonObject there = json(R"({"name":"todo","permissions":{"read":"authenticated","insert":"authenticated","update":"authenticated","delete":"admin"}})").as_object();
  EXPECT_EQ(object_of(R"([{"name":"todo","code":[],"levels":{"insert":"public"}}])", &there).at("permissions"),
            json(R"({"read":"authenticated","insert":"public","update":"authenticated","delete":"admin","undelete":"authenticated"})"));
  EXPECT_EQ(object_of(R"([{"name":"todo","code":[],"levels":{"insert":"authenticated"}}])").at("permissions"),
            json(R"({"read":"public","insert":"authenticated","update":"public","delete":"public","undelete":"public"})"))
      << "of a new table the rest is for everybody, as it was there";
}

TEST(App, WhatItsMainFileLosesIsRefused) {
  EXPECT_EQ(refused(R"({"made":true,"tables":[],"apis":[],"refused":["get('/tables/*') of Express is not served"]})"), "app.js: get('/tables/*') of Express is not served");
}

TEST(App, ItsTablesAreNamedWithTheOperationsThatHaveCode) {
  const Derived out = added(R"([{"name":"Todo","code":["read","insert"]},{"name":"Plain","code":[]}])");
  ASSERT_EQ(out.service.code.app_acts.size(), 2U);
  EXPECT_TRUE(out.service.code.app_acts.at("plain").empty());
  EXPECT_EQ(out.service.code.app_acts.at("todo"), (std::set<std::string, std::less<>>{"insert", "read"}));
}

TEST(App, ApisGetTheirLevelsAndAVerbThatIsNotThereIsForAnybodyToMiss) {
  const Derived out = added("[]", R"([{"name":"Hello","levels":{"get":"authenticated","post":"disabled"}}])");
  const tenant::CustomApi& api = out.service.apis.at("hello");
  EXPECT_EQ(api.name, "Hello");
  EXPECT_EQ(api.file, "app.js");
  EXPECT_EQ(api.permissions.at("/"), (tenant::CustomApi::Verbs{{"*", "public"}, {"get", "authenticated"}, {"post", "disabled"}}));
}

TEST(App, WhatIsNotTakenOverIsSaid) {
  const Derived out = added(R"([{"name":"T","code":[],"databaseTableName":"other","indexes":[["nosuch"]],"seed":[{"id":"1"}]}])");
  EXPECT_EQ(out.notices, (std::vector<std::string>{R"(table T: the index ["nosuch"] is left out: it is over columns that are not declared)",
                                                   "table T: databaseTableName 'other' is left out: each table has rows of its own"}));
  EXPECT_EQ(out.tables.at("t").seed.size(), 1U);
}

TEST(App, WhatCannotBeIsSaidTableByTable) {
  EXPECT_EQ(refused(R"({"made":false,"tables":[],"apis":[]})"), "app.js: makes no app: require('azure-mobile-apps')() is not called while it is loaded");
  EXPECT_EQ(refused("[]"), refused("null"));
  const std::string several = refused(R"({"made":true,"tables":[{"name":"a b","code":[]},{"name":"T","columns":{"x":"money","createdAt":"date"},"levels":{"read":"root"}}],"apis":[{"name":"a/b"}]})");
  for (const char* part : {"table a b: the name ", "table T: column x: the type must be string, number, boolean or datetime", "table T: has no access for read", "api a/b: an API's name has"})
    EXPECT_NE(several.find(part), std::string::npos) << part << "\n" << several;
}

}  // namespace
}  // namespace mandate::tables::code
