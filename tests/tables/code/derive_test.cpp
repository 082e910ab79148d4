#include "tables/code/derive.h"

#include <gtest/gtest.h>

namespace mandate::tables::code {
namespace {

std::string hint(const Files& files) {
  const Result<Derived> derived = derive(files);
  return derived.ok() ? "ok" : derived.error().hint;
}
std::string levels(const DerivedTable& table) {
  if (!table.permissions) return "unsaid";
  const tenant::TablePermissions& p = *table.permissions;
  return p.read + " " + p.insert + " " + p.update + " " + p.remove;
}

TEST(Derive, FindsTheScriptsOfTablesByTheirNames) {
  const Derived out = *derive({{"table/TodoItem.insert.js", "1"}, {"table/TodoItem.read.js", "2"}, {"table/todoitem.del.js", "3"}, {"table/Other.js", "4"}, {"table/Empty.update.js", ""}});
  ASSERT_EQ(out.tables.size(), 3U);
  const DerivedTable& todo = out.tables.at("todoitem");
  EXPECT_EQ(todo.name, "TodoItem");
  EXPECT_EQ(todo.scripts, (std::map<std::string, std::string>{{"insert", "table/TodoItem.insert.js"}, {"read", "table/TodoItem.read.js"}, {"delete", "table/todoitem.del.js"}}));
  EXPECT_EQ(out.tables.at("other").scripts.at("hooks"), "table/Other.js");
  EXPECT_TRUE(out.tables.at("empty").scripts.empty());
  EXPECT_EQ(levels(todo), "unsaid");
}

TEST(Derive, ReadsPermissionsOfTablesTheNearestWordFirst) {
  const auto of = [](const std::string& json) { return levels(derive({{"table/T.json", json}})->tables.at("t")); };
  EXPECT_EQ(of(R"({"routes":{"*":{"*":{"permission":"application"}}}})"), "application application application application");
  EXPECT_EQ(of(R"({"routes":{"*":{"read":{"permission":"public"},"*":{"permission":"user"}}}})"), "public authenticated authenticated authenticated");
  EXPECT_EQ(of(R"({"routes":{"*":{"*":{"permission":"public"}},"/":{"delete":{"permission":"admin"}}}})"), "admin admin admin admin") << "the route of the table is named, so the others do not count";
  EXPECT_EQ(of(R"({"routes":{"*":{"permission":"user"}}})"), "authenticated authenticated authenticated authenticated");
  EXPECT_EQ(of(R"({"routes":{"/":{"insert":{"permission":"authenticated"}}}})"), "admin authenticated admin admin");
  EXPECT_EQ(of("{}"), "admin admin admin admin");
}

TEST(Derive, ReadsTheDataModelInItsSpellingsAndLetsATablesFileWin) {
  const Derived out = *derive({{"datamodel.json", R"({"tables":[
      {"name":"One","idType":"integer","permissions":[{"operation":"insert","permission":"user"},{"operation":"read","permission":"public"}]},
      {"name":"Two","softDelete":true,"insertPermission":"application"}, {"name":"Three","permissions":{"*":"public","delete":"admin"}}]})"},
                               {"table/Three.json", R"({"routes":{"*":{"read":{"permission":"user"}}}})"}});
  EXPECT_EQ(levels(out.tables.at("one")), "public authenticated admin admin");
  EXPECT_EQ(out.tables.at("one").integer_id, true);
  EXPECT_EQ(levels(out.tables.at("two")), "admin application admin admin");
  EXPECT_EQ(out.tables.at("two").soft_delete, true);
  EXPECT_EQ(levels(out.tables.at("three")), "authenticated public public admin");
}

TEST(Derive, FindsApisWithTheirRoutes) {
  const Derived out = *derive({{"api/Contacts.js", "exports.get = 1"}, {"api/Contacts.json", R"({"routes":{"/":{"GET":{"permission":"public"}},"*":{"*":{"permission":"user"}}}})"}, {"api/plain.js", "x"}});
  const tenant::CustomApi& api = out.service.apis.at("contacts");
  EXPECT_EQ(api.name, "Contacts");
  EXPECT_EQ(api.file, "api/Contacts.js");
  EXPECT_EQ(api.permissions.at("/").at("get"), "public");
  EXPECT_EQ(api.permissions.at("*").at("*"), "authenticated");
  EXPECT_TRUE(out.service.apis.at("plain").permissions.empty());
}

TEST(Derive, FindsJobsAndTakesTheOldServicesWords) {
  const Derived out = *derive({{"scheduler/Cleanup.js", "function Cleanup() {}"}, {"scheduler/Cleanup.json", R"({"name":"Cleanup","status":"disabled","intervalUnit":"Hour","intervalPeriod":6,"lastRun":null})"}, {"scheduler/asked.js", "function asked() {}"}});
  const tenant::Job& job = out.service.jobs.at("cleanup");
  EXPECT_EQ(job.path, "scheduler/Cleanup.js");
  EXPECT_FALSE(job.enabled);
  EXPECT_EQ(job.interval_unit, "hour");
  EXPECT_EQ(job.interval_period, 6);
  EXPECT_TRUE(out.service.jobs.at("asked").interval_unit.empty());
}

TEST(Derive, ReadsWhoMayRegisterForPush) {
  EXPECT_EQ(derive({{"shared/x.js", "1"}, {"extensions/push.json", R"({"routes":{"*":{"*":{"permission":"user"}}}})"}})->service.code.push_permission, "authenticated");
  EXPECT_EQ(hint({{"shared/x.js", "1"}, {"extensions/push.json", R"({"routes":{"*":{"put":{"permission":"user"},"get":{"permission":"admin"}}}})"}}),
            "extensions/push.json: has several permissions: there is one for all of /push");
}

TEST(Derive, SaysWhatIsWrongFileByFile) {
  EXPECT_EQ(hint({}), "The folder is empty.");
  EXPECT_EQ(hint({{"README.md", "hello"}}), "the folder: has no table/, api/, scheduler/ or shared/: is it a service's folder?");
  EXPECT_EQ(hint({{"table/T.upsert.js", "x"}}), "table/T.upsert.js: is no script of a table: those are T.insert.js, T.read.js, T.update.js, T.delete.js, T.conflict.js and T.js");
  EXPECT_EQ(hint({{"api/A.js", "x"}, {"api/B.json", "{}"}}), "api/B.json: there is no script of that name beside it");
  EXPECT_EQ(hint({{"api/a b.js", "x"}}), "api/a b.js: an API's name has letters, digits, '_' and '-'");
  EXPECT_EQ(hint({{"api/a.js", "x"}, {"api/A.js", "x"}}), "api/a.js: is there twice in another case");
  const std::string several = hint({{"table/T.json", "{"}, {"table/U.json", R"({"routes":{"*":{"read":{"permission":"everybody"},"fly":{}}}})"}, {"scheduler/j.js", "x"}, {"scheduler/j.json", R"({"cron":"nonsense"})"}});
  EXPECT_NE(several.find("table/T.json: is no JSON"), std::string::npos) << several;
  EXPECT_NE(several.find("table/U.json: *: 'everybody' is no permission"), std::string::npos) << several;
  EXPECT_NE(several.find("scheduler.jobs.j.cron"), std::string::npos) << several;
}

TEST(Derive, LooksIntoNoModule) {
  const Derived out = *derive({{"shared/x.js", "1"}, {"node_modules/a/table/T.upsert.js", "x"}, {"shared/node_modules/b/api/x.js", "y"}});
  EXPECT_TRUE(out.tables.empty());
  EXPECT_EQ(out.scripts, std::vector<std::string>{"shared/x.js"});
}

TEST(Desire, MakesTablesOfTheOldKindAndLeavesOthersWhatTheyAre) {
  const Files files{{"table/New.insert.js", "1"}, {"table/Old.read.js", "2"}, {"table/Old.json", R"({"routes":{"*":{"*":{"permission":"public"}}}})"}};
  tenant::Objects current;
  current[{"table", "shop/old"}].body = {{"name", "OLD"}, {"permissions", "admin"}, {"soft_delete", true}};
  const tenant::Desired desired = desire(*derive(files), files, current, "demo", "shop", 7, "h");
  EXPECT_EQ(desired.objects.at({"table", "shop/new"}).body, (JsonObject{{"permissions", "admin"}, {"dialect", "v1"}, {"name", "New"}}));
  EXPECT_EQ(desired.objects.at({"table", "shop/old"}).body, (JsonObject{{"name", "OLD"}, {"permissions", "public"}, {"soft_delete", true}}));
  EXPECT_EQ(desired.objects.at({"script", "shop/old/read"}).body, (JsonObject{{"source", "2"}}));
  EXPECT_EQ(desired.objects.at({"service_code", "shop"}).body, (JsonObject{{"version", 7}, {"hash", "h"}}));
  ASSERT_EQ(desired.scopes.size(), 1U);
  EXPECT_EQ(desired.scopes[0].prefix, "shop/");
}

}  // namespace
}  // namespace mandate::tables::code
