#include <gtest/gtest.h>

#include "base/url.h"
#include "management/departures.h"
#include "management/mount.h"
#include "push/mount.h"
#include "tables/app_acts.h"
#include "tables/code/code.h"
#include "tables/mount.h"
#include "tables/operations.h"
#include "tests/tenant/directory_fixture.h"

namespace mandate::management {
namespace {

using tables::code::Files;
using test::run;

struct Nobody final : tenant::UserSeeder {
  Task<bool> exists(tenant::Here, std::string, std::string) override { co_return false; }
  Task<void> create(tenant::Here, tenant::SeedUser) override { co_return ok(); }
};

/// Knows one thing about JavaScript, and counts.
struct Scripts final : scripts::Host {
  std::vector<std::string> checked;
  Result<Json> described = Json(nullptr);  ///< what an app says of itself
  std::vector<scripts::Call> calls;
  Task<Json> run(scripts::Call call, std::shared_ptr<scripts::Binding> binding) override {
    binding->console("warn", "a word of the app");
    calls.push_back(std::move(call));
    co_return described;
  }
  Task<void> check(std::string source, std::string name) override {
    checked.push_back(name);
    if (source.find("((") != std::string::npos) co_return Error(Code::invalid_request, name + ":1: SyntaxError");
    co_return ok();
  }
  void stop() override {}
};

const Files kTodo{{"table/TodoItem.insert.js", "function insert() {}"},
                  {"table/TodoItem.json", R"({"routes":{"*":{"*":{"permission":"user"}}}})"},
                  {"api/stats.js", "exports.get = 1"},
                  {"shared/x.js", "exports.x = 1"},
                  {"package.json", "{}"}};

class Services : public ::testing::Test {
 protected:
  Services() {
    mount(router, deps);
    EXPECT_EQ(ask(http::Method::post, "/admin/apply", "", "tenant: demo").status, 200);
  }

  http::Response ask(http::Method method, std::string path, std::string_view query = {}, std::string_view body = {}) {
    http::Request request;
    request.method = method;
    request.path = std::move(path);
    request.query = query;
    request.body = body;
    request.host = "mandate";
    request.local_admin = true;
    request.id = "r1";
    if (!body.empty()) request.headers.add("Content-Type", "application/json");
    Result<http::Response> answer = run(house.loop, router.answer(request));
    return answer.ok() ? *answer : http::Response(599);
  }
  static JsonObject json(const http::Response& response) {
    const auto parsed = parse_json(response.body);
    return parsed.ok() && parsed->is_object() ? parsed->get_object() : JsonObject();
  }
  http::Response deploy(const Files& files, std::string_view query = {}, const std::string& service = "default") {
    const std::string body = tables::code::write_folder(files);
    return ask(http::Method::post, "/admin/services/" + service + "/deploy", query, body);
  }
  std::int64_t version_of(const http::Response& response) {
    EXPECT_EQ(response.status, 200) << response.body;
    return integer_member(json(response), "version").value_or(-1);
  }
  static std::string message(const http::Response& response) { return std::string(text_member(json(response), "message").value_or("")); }
  tenant::Here here() { return *house.tenants().by_name("demo"); }
  const tenant::Service& service(const std::string& name = "default") {
    held = here();
    return held->services.at(name);
  }
  std::int64_t rows(const std::string& table) {
    store::Plan plan;
    plan.table = table;
    const auto found = run(house.loop, store::rows(*here().store, std::move(plan)));
    return found.ok() ? static_cast<std::int64_t>(found->size()) : -1;
  }

  test::DirectoryHouse house{"", {tables::kMigrations, push::kMigrations}};
  Nobody people;
  Scripts scripts;
  tables::code::CodeStore code{house.pool, house.log, house.metrics};
  tables::Tables acts{house.clock, house.random, house.log, house.metrics};
  Departures departures{house.tenants(), acts, "node", house.clock, house.log};
  Deps deps{house.tenants(), people, &scripts, {}, house.clock, house.random, house.log, "1.2.3"};
  http::Router router;
  tenant::Here held;
  struct Wire {
    explicit Wire(Services& s) { s.deps.code = &s.code, s.deps.departures = &s.departures; }
  } wire{*this};
};

const Files kApp{{"app.js", "require('azure-mobile-apps')()"}, {"tables/Todo.js", "1"}, {"api/hello.js", "2"}};

TEST_F(Services, AnAppSaysItsTablesAndApisWhenItIsDeployed) {
  tables::Tables apps(house.clock, house.random, house.log, house.metrics);
  deps.tables = &apps;
  scripts.described = *parse_json(R"({"made":true,"tables":[{"name":"Todo","code":["insert"],"perUser":true,"userIdColumn":"userId","levels":{"read":"public","insert":"authenticated","update":"authenticated","delete":"disabled","undelete":"authenticated"},
                                     "columns":{"text":"string","at":"date"},"databaseTableName":"x"},{"name":"Inline","code":[],"seed":[{"id":"1","text":"one"},{"id":"1"},{"id":"2"}]}],"apis":[{"name":"hello","levels":{"get":"authenticated"}}]})");
  const http::Response dry = deploy(kApp, "dry_run=true");
  EXPECT_EQ(version_of(dry), 1);
  EXPECT_TRUE(service().tables.empty());

  const http::Response first = deploy(kApp);
  EXPECT_EQ(version_of(first), 1);
  const tenant::Service& now = service();
  EXPECT_EQ(now.code.app, "app.js");
  EXPECT_EQ(now.code.app_acts.at("todo"), (std::set<std::string, std::less<>>{"insert"}));
  const tenant::Table& todo = now.tables.at("todo");
  EXPECT_EQ(todo.permissions.remove, "disabled");
  EXPECT_EQ(todo.user_id_column, "userId");
  EXPECT_EQ(todo.column("at")->type, "datetime");
  EXPECT_EQ(todo.dialect, "v2");
  EXPECT_TRUE(todo.scripts.empty());
  EXPECT_EQ(now.tables.at("inline").permissions.read, "public");
  EXPECT_EQ(now.apis.at("hello").permissions.at("/").at("get"), "authenticated");
  EXPECT_EQ(to_json(json(first).at("seeded")), R"({"Inline":2})");
  EXPECT_EQ(to_json(json(first).at("notices")), R"(["table Todo: databaseTableName 'x' is left out: each table has rows of its own","warn: a word of the app",)"
                                                R"("table Inline: a row of its seed was refused: Could not insert the item because an item with that id already exists."])");
  const scripts::Call& asked = scripts.calls.back();
  EXPECT_EQ(asked.kind, "describe");
  EXPECT_EQ(asked.realm, "demo/default#deploy");
  EXPECT_EQ(asked.context, R"({"app":"app.js"})");
  EXPECT_EQ(asked.bundle->files, kApp);

  // The same again is no new version, and sows nothing.
  EXPECT_EQ(version_of(deploy(kApp)), 1);
  EXPECT_FALSE(json(deploy(kApp)).contains("seeded"));
  // A folder of the old kind is none of an app.
  EXPECT_EQ(to_json(json(deploy(kTodo, "dry_run=true")).at("notices")), R"(["table inline: there is no app any more, and no file names it, so it is not served; its rows stay",)"
                                                                                          R"("table todo: there is no app any more, and no file names it, so it is not served; its rows stay"])");
  EXPECT_EQ(version_of(deploy(kTodo)), 2);
  EXPECT_TRUE(service().code.app.empty());
  // What kept the rows of the app's tables apart may have been its code: nobody is served them until a folder names them.
  const auto served = [&](const char* table) { return tables::is_served(service(), service().tables.at(table)); };
  EXPECT_FALSE(served("todo"));
  EXPECT_FALSE(served("inline"));
  EXPECT_TRUE(served("todoitem"));
  Files named = kTodo;
  named["table/Todo.json"] = R"({"read":{"permission":"admin"}})";
  EXPECT_EQ(version_of(deploy(named)), 3);
  EXPECT_TRUE(served("todo"));
  EXPECT_FALSE(served("inline"));
  // Another app, too, has only what it names, and leaves the marks as they are.
  scripts.described = *parse_json(R"({"made":true,"tables":[{"name":"Inline","code":[]}],"apis":[]})");
  EXPECT_EQ(version_of(deploy(kApp)), 1 + 3);
  EXPECT_TRUE(served("inline"));
  EXPECT_FALSE(served("todo"));
  EXPECT_FALSE(served("todoitem"));
  EXPECT_EQ(version_of(deploy(kTodo)), 5);
  EXPECT_FALSE(served("inline"));
}

TEST_F(Services, FirstRowsThatADeploymentDidNotComeToAreWrittenByTheNext) {
  scripts.described = *parse_json(R"({"made":true,"tables":[{"name":"T","code":["read"],"seed":[{"id":"1"},{"text":"no id"}]}],"apis":[]})");
  EXPECT_EQ(version_of(deploy(kApp)), 1);
  EXPECT_TRUE(service().code.app_acts.at("t").contains("unsown")) << "nobody was there to write them";
  EXPECT_TRUE(tables::is_served(service(), service().tables.at("t")));
  tables::Tables apps(house.clock, house.random, house.log, house.metrics);
  deps.tables = &apps;
  EXPECT_EQ(to_json(json(deploy(kApp)).at("seeded")), R"({"T":2})");
  EXPECT_EQ(service().code.app_acts.at("t"), (std::set<std::string, std::less<>>{"read"}));
  EXPECT_EQ(service().code.version, 1);
  EXPECT_FALSE(json(deploy(kApp)).contains("seeded"));
}

TEST_F(Services, AnAppIsAskedAgainWhenTheSettingsAreOthers) {
  scripts.described = *parse_json(R"({"made":true,"tables":[],"apis":[]})");
  deploy(kApp);
  const std::string before = scripts.calls.back().bundle->version;
  deploy(kApp);
  EXPECT_EQ(scripts.calls.back().bundle->version, before);
  EXPECT_EQ(ask(http::Method::post, "/admin/apply", "", "tenant: demo\nservices: {default: {settings: {WORD: other}}}").status, 200);
  deploy(kApp);
  EXPECT_NE(scripts.calls.back().bundle->version, before);
}

TEST_F(Services, AnAppThatDoesNotLoadChangesNothing) {
  scripts.described = Error(Code::server_error, "", "Error: not today\n    at /tables/Todo.js:1:1");
  const http::Response refused = deploy(kApp);
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(message(refused), "app.js: Error: not today\n    at /tables/Todo.js:1:1");
  scripts.described = Error(Code::temporarily_unavailable, "Node is not here.");
  EXPECT_EQ(deploy(kApp).status, 503);
  scripts.described = *parse_json(R"({"made":false,"tables":[],"apis":[]})");
  EXPECT_EQ(message(deploy(kApp)), "app.js: makes no app: require('azure-mobile-apps')() is not called while it is loaded");
  EXPECT_EQ(service().code.version, 0);
  EXPECT_EQ(rows("service_deployments"), 0);
}

TEST_F(Services, DeploysAFolderInOneChange) {
  const http::Response first = deploy(kTodo, "note=first");
  EXPECT_EQ(version_of(first), 1);
  EXPECT_EQ(json(first).at("difference").at("added_count"), Json(5));
  const tenant::Service& now = service();
  EXPECT_EQ(now.code.version, 1);
  EXPECT_EQ(now.tables.at("todoitem").permissions.insert, "authenticated");
  EXPECT_EQ(now.tables.at("todoitem").scripts.at("insert").source, "function insert() {}");
  EXPECT_EQ(now.apis.at("stats").file, "api/stats.js");
  const auto bundle = run(house.loop, code.load(held, &now));
  ASSERT_TRUE(bundle.ok());
  EXPECT_EQ((*bundle)->files, kTodo);
  EXPECT_EQ((*bundle)->version, now.code.hash);
  EXPECT_EQ(*code.at_hand(*held, now), *bundle);
  // The same folder again is no new version.
  EXPECT_EQ(version_of(deploy(kTodo)), 1);
  EXPECT_EQ(rows("service_deployments"), 1);
}

TEST_F(Services, RollsBackAndGoesOn) {
  deploy(kTodo);
  Files next = kTodo;
  next.erase("table/TodoItem.insert.js");
  next["table/TodoItem.read.js"] = "function read() {}";
  next["api/other.js"] = "exports.get = 2";
  EXPECT_EQ(version_of(deploy(next)), 2);
  EXPECT_FALSE(service().tables.at("todoitem").scripts.contains("insert"));
  const http::Response back = ask(http::Method::post, "/admin/services/default/rollback", "", "{}");
  EXPECT_EQ(version_of(back), 1);
  EXPECT_TRUE(service().tables.at("todoitem").scripts.contains("insert"));
  EXPECT_FALSE(service().tables.at("todoitem").scripts.contains("read"));
  EXPECT_FALSE(service().apis.contains("other"));
  EXPECT_EQ(version_of(ask(http::Method::post, "/admin/services/default/rollback", "", R"({"version":2})")), 2);
  EXPECT_EQ(ask(http::Method::post, "/admin/services/default/rollback", "", R"({"version":9})").status, 404);
  EXPECT_EQ(ask(http::Method::post, "/admin/services/default/rollback", "", R"({"version":"x"})").status, 400);
  EXPECT_EQ(version_of(ask(http::Method::post, "/admin/services/default/rollback", "", "{}")), 1);
  next["shared/y.js"] = "1";
  EXPECT_EQ(version_of(deploy(next)), 3);
  const JsonObject versions = json(ask(http::Method::get, "/admin/services/default/versions"));
  ASSERT_EQ(versions.at("versions").get_array().size(), 3U);
  EXPECT_EQ(versions.at("versions").at(0).at("active"), Json(true));
}

TEST_F(Services, ADryRunChangesNothing) {
  const http::Response dry = deploy(kTodo, "dry_run=true");
  EXPECT_EQ(version_of(dry), 1);
  EXPECT_FALSE(json(dry).at("changes").get_array().empty());
  EXPECT_EQ(service().code.version, 0);
  EXPECT_EQ(rows("service_files"), 0);
  EXPECT_EQ(rows("service_deployments"), 0);
}

TEST_F(Services, AMistakeIsNamedAndNothingIsChanged) {
  deploy(kTodo);
  Files broken = kTodo;
  broken["shared/x.js"] = "exports.x = ((";
  const http::Response refused = deploy(broken);
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(message(refused), "shared/x.js:1: SyntaxError");
  EXPECT_EQ(service().code.version, 1);
  EXPECT_EQ(rows("service_deployments"), 1);
  EXPECT_EQ(deploy({}).status, 400);
  EXPECT_EQ(message(deploy({})), "The folder is empty.");
  EXPECT_EQ(ask(http::Method::post, "/admin/services/default/deploy", "", "PK").status, 400);
  EXPECT_EQ(deploy(kTodo, "", "nothing").status, 404);
  EXPECT_EQ(deploy(kTodo, "note=" + std::string(201, 'a')).status, 400);
}

TEST_F(Services, ChecksOnlyScriptsThatChanged) {
  deploy(kTodo);
  scripts.checked.clear();
  Files next = kTodo;
  next["api/stats.js"] = "exports.get = 2";
  next["README.md"] = "((";
  EXPECT_EQ(deploy(next).status, 200);
  EXPECT_EQ(scripts.checked, std::vector<std::string>{"api/stats.js"});
}

TEST_F(Services, OfTwoDeploymentsAtOnceOneIsTold) {
  Files other = kTodo;
  other["shared/x.js"] = "exports.x = 2";
  const std::string bodies[] = {tables::code::write_folder(kTodo), tables::code::write_folder(other)};
  std::vector<http::Request> requests(2);
  std::vector<int> statuses;
  for (std::size_t i = 0; i < 2; ++i) {
    requests[i].method = http::Method::post;
    requests[i].path = "/admin/services/default/deploy";
    requests[i].body = bodies[i];
    requests[i].local_admin = true;
    spawn(router.answer(requests[i]), [&](Result<http::Response> r) { statuses.push_back(r.ok() ? r->status : 599); });
  }
  house.loop.run_until([&] { return statuses.size() == 2; });
  std::ranges::sort(statuses);
  EXPECT_EQ(statuses, (std::vector<int>{200, 409}));
  EXPECT_EQ(service().code.version, 1);
  EXPECT_EQ(rows("service_deployments"), 1);
}

TEST_F(Services, KeepsEachFileOnceAndForgetsOldVersionsWithTheirFiles) {
  deploy(kTodo);
  const std::int64_t before = rows("service_files");
  EXPECT_EQ(before, 5);
  for (int i = 0; i < 25; ++i) {
    Files next = kTodo;
    next["shared/x.js"] = "exports.x = 'round " + std::to_string(i) + "'";
    ASSERT_EQ(version_of(deploy(next)), i + 2);
  }
  EXPECT_EQ(rows("service_deployments"), tables::code::CodeStore::kKept);
  EXPECT_EQ(rows("service_files"), before - 1 + tables::code::CodeStore::kKept);
  EXPECT_EQ(ask(http::Method::post, "/admin/services/default/rollback", "", R"({"version":2})").status, 404);
  EXPECT_EQ(ask(http::Method::post, "/admin/services/default/rollback", "", R"({"version":7})").status, 200);
}

TEST_F(Services, GivesTheFolderBack) {
  EXPECT_EQ(ask(http::Method::get, "/admin/services/default/files").status, 404);
  Files files = kTodo;
  files["shared/picture.bin"] = std::string("\0\xFF", 2);
  deploy(files);
  EXPECT_EQ(*tables::code::parse_folder(ask(http::Method::get, "/admin/services/default/files").body), files);
  EXPECT_EQ(ask(http::Method::get, "/admin/services/default/files", "version=2").status, 404);
  // What is not text is kept, but scripts do not see it.
  const tenant::Service& now = service();
  EXPECT_EQ((*run(house.loop, code.load(held, &now)))->files, kTodo);
}

TEST_F(Services, MemoryKeepsWhatWasUsedLast) {
  ask(http::Method::post, "/admin/services", "", R"({"name":"shop"})");
  deploy(kTodo);
  Files other = kTodo;
  other["shared/x.js"] = "exports.x = 2";
  deploy(other, "", "shop");
  tables::code::CodeStore small(house.pool, house.log, house.metrics, 10);
  const tenant::Service& first = service();
  const tenant::Service& second = held->services.at("shop");
  EXPECT_FALSE(small.at_hand(*held, first));
  const auto calls = run(house.loop, small.load(held, &first));
  EXPECT_TRUE(small.at_hand(*held, first));
  ASSERT_TRUE(run(house.loop, small.load(held, &second)).ok());
  EXPECT_FALSE(small.at_hand(*held, first));
  EXPECT_TRUE(small.at_hand(*held, second));
  EXPECT_EQ((*calls)->files, kTodo) << "a call under way holds its own";
}

TEST_F(Services, DamagedCodeIsSaidToBeSo) {
  deploy(kTodo);
  store::Batch batch;
  batch.add(store::update("service_files", nullptr, {{"packed", std::string("AAAA")}}));
  ASSERT_TRUE(run(house.loop, here().store->mutate(std::move(batch))).ok());
  const tenant::Service& now = service();
  const auto bundle = run(house.loop, code.load(held, &now));
  ASSERT_FALSE(bundle.ok());
  EXPECT_EQ(bundle.error().code, Code::corrupt);
  EXPECT_FALSE(code.loading());
}

TEST_F(Services, AreMadeListedAndTakenAway) {
  const http::Response made = ask(http::Method::post, "/admin/services", "", R"({"name":"shop","hosts":["shop.example"],"prefix":"/old/shop"})");
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_TRUE(json(made).at("keys").get_object().contains("application_key"));
  EXPECT_TRUE(json(made).at("keys").get_object().contains("master_key"));
  EXPECT_EQ(ask(http::Method::post, "/admin/services", "", R"({"name":"shop"})").status, 409);
  EXPECT_EQ(ask(http::Method::post, "/admin/services", "", R"({"name":"Shop!"})").status, 400);
  EXPECT_EQ(ask(http::Method::post, "/admin/services", "", R"({"name":"b","prefix":"/tables"})").status, 400);
  EXPECT_EQ(ask(http::Method::post, "/admin/services", "", R"({"name":"b","prefix":"/old/shop"})").status, 400);
  const JsonObject list = json(ask(http::Method::get, "/admin/services"));
  EXPECT_EQ(list.at("services").get_array().size(), 2U);
  deploy(kTodo, "", "shop");
  EXPECT_EQ(ask(http::Method::delete_, "/admin/services/shop").status, 409) << "it has tables";
  EXPECT_EQ(ask(http::Method::delete_, "/admin/services/default", "force=true").status, 409);
  EXPECT_EQ(ask(http::Method::delete_, "/admin/services/shop", "force=true").status, 204);
  EXPECT_FALSE(here()->services.contains("shop"));
  EXPECT_EQ(rows("service_deployments"), 0);
  EXPECT_EQ(rows("service_files"), 0);
  EXPECT_EQ(ask(http::Method::delete_, "/admin/services/shop", "force=true").status, 404);
  EXPECT_EQ(ask(http::Method::post, "/admin/services", "", R"({"name":"shop"})").status, 201) << "its name is free";
}

TEST_F(Services, AppliedFilesLeaveTheCodeAloneUnlessTheServiceGoes) {
  ask(http::Method::post, "/admin/services", "", R"({"name":"shop"})");
  deploy(kTodo, "", "shop");
  EXPECT_EQ(ask(http::Method::post, "/admin/apply", "", "tenant: demo\nservices: {shop: {cors_hosts: ['*']}}").status, 200);
  EXPECT_EQ(service("shop").code.version, 1);
  EXPECT_EQ(service("shop").apis.size(), 1U);
  EXPECT_EQ(ask(http::Method::post, "/admin/apply", "", "tenant: demo\nservices: {}").status, 200);
  EXPECT_EQ(ask(http::Method::post, "/admin/apply", "", "tenant: demo\nservices: {shop: {}}").status, 200);
  EXPECT_EQ(service("shop").code.version, 0);
  // An export has tables and scripts, hooks among them, and is taken back.
  Files files = kTodo;
  files["table/TodoItem.js"] = "export function beforeInsert(ctx) {}";
  deploy(files, "", "shop");
  const http::Response exported = ask(http::Method::get, "/admin/export");
  const http::Response again = ask(http::Method::post, "/admin/apply", "", exported.body);
  ASSERT_EQ(again.status, 200) << again.body;
  EXPECT_TRUE(json(again).at("changes").get_array().empty()) << again.body;
}

TEST_F(Services, KeysRotateAndTheOneBeforeCountsUntilItsTime) {
  const std::string before = service().master_key_sealed;
  const http::Response rotated = ask(http::Method::post, "/admin/services/default/keys", "", R"({"key":"master","overlap":3600})");
  ASSERT_EQ(rotated.status, 200) << rotated.body;
  EXPECT_FALSE(text_member(json(rotated), "value").value_or("").empty());
  ASSERT_EQ(service().retired_keys.size(), 1U);
  EXPECT_EQ(service().retired_keys[0].sealed, before);
  EXPECT_EQ(service().retired_keys[0].until, house.clock.now_ms() + 3600 * 1000);
  EXPECT_NE(service().master_key_sealed, before);
  // A second rotation ends the first one's overlap; with none, nothing is left.
  EXPECT_EQ(ask(http::Method::post, "/admin/services/default/keys", "", R"({"key":"master","overlap":0})").status, 200);
  EXPECT_TRUE(service().retired_keys.empty());
  EXPECT_EQ(ask(http::Method::post, "/admin/services/default/keys", "", R"({"key":"v2"})").status, 200);
  EXPECT_TRUE(service().retired_keys.empty()) << "there was none before";
  EXPECT_EQ(ask(http::Method::post, "/admin/services/default/keys", "", R"({"key":"v2"})").status, 200);
  EXPECT_EQ(service().retired_keys.at(0).field, "v2_signing_key");
  EXPECT_EQ(service().v2_signing_keys_sealed.size(), 1U);
  EXPECT_EQ(ask(http::Method::post, "/admin/services/default/keys", "", R"({"key":"other"})").status, 400);
  EXPECT_EQ(ask(http::Method::post, "/admin/services/default/keys", "", R"({"key":"v2","overlap":-1})").status, 400);
  EXPECT_EQ(ask(http::Method::post, "/admin/services/nobody/keys", "", R"({"key":"v2"})").status, 404);
}

}  // namespace
}  // namespace mandate::management
