#include <gtest/gtest.h>

#include "base/base64.h"
#include "management/mount.h"
#include "tables/jobs/scheduler.h"
#include "tables/script_log.h"
#include "tables/mount.h"
#include "tests/tenant/directory_fixture.h"

namespace mandate::management {
namespace {

using test::run;

struct People final : tenant::UserSeeder {
  std::set<std::string> known;
  Task<bool> exists(tenant::Here, std::string, std::string login) override { co_return known.contains(login); }
  Task<void> create(tenant::Here, tenant::SeedUser user) override {
    known.insert(user.email);
    co_return ok();
  }
};

/// Knows one thing about JavaScript.
struct Scripts final : scripts::Host {
  Task<Json> run(scripts::Call, std::shared_ptr<scripts::Binding>) override { co_return Json(nullptr); }
  Task<void> check(std::string source, std::string name) override {
    if (source.find("((") != std::string::npos) co_return Error(Code::invalid_request, name + ":1: SyntaxError");
    co_return ok();
  }
  void stop() override {}
};

constexpr std::string_view kFile = R"(
tenant: demo
connections: {db: {strategy: auth0}}
users: [{email: ana@example.org, password: correct horse}]
clients: {web: {app_type: regular_web, token_endpoint_auth_method: client_secret_post}}
tables: {TodoItem: {permissions: authenticated, scripts: {insert: "function insert() {}\n"}}}
)";

class Desk : public ::testing::Test {
 protected:
  Desk() { mount(router, deps); }

  http::Response ask(http::Method method, std::string path, std::string_view query = {}, std::string_view body = {}, bool owner = true) {
    http::Request request;
    request.method = method;
    request.path = std::move(path);
    request.query = query;
    request.body = body;
    request.host = "mandate";
    request.local_admin = owner;
    request.id = "r1";
    if (!body.empty()) request.headers.add("Content-Type", "application/json");
    Result<http::Response> answer = run(house.loop, router.answer(request));
    return answer.ok() ? *answer : http::Response(599);
  }
  JsonObject json(const http::Response& response) {
    const auto parsed = parse_json(response.body);
    return parsed.ok() && parsed->is_object() ? parsed->get_object() : JsonObject();
  }
  JsonObject apply(std::string_view file = kFile) {
    const http::Response response = ask(http::Method::post, "/admin/apply", "", file);
    EXPECT_EQ(response.status, 200) << response.body;
    return json(response);
  }

  test::DirectoryHouse house{"", {tables::kMigrations}};
  People people;
  Scripts scripts;
  Deps deps{house.tenants(), people, &scripts, {}, house.clock, house.random, house.log, "1.2.3"};
  http::Router router;
};

TEST_F(Desk, AnswersNobodyButTheOwner) {  // AD-1
  for (const auto& [method, path] : std::vector<std::pair<http::Method, const char*>>{
           {http::Method::post, "/admin/apply"}, {http::Method::get, "/admin/export"}, {http::Method::post, "/admin/export"},
           {http::Method::get, "/admin/scripts"}, {http::Method::get, "/admin/scripts/default/T/insert"}, {http::Method::put, "/admin/scripts/default/T/insert"},
           {http::Method::delete_, "/admin/scripts/default/T/insert"}, {http::Method::get, "/admin/logs"}, {http::Method::get, "/admin/delegation/explain"},
           {http::Method::post, "/admin/keys/rotate"}, {http::Method::get, "/admin/check"}, {http::Method::get, "/admin/status"}}) {
    const http::Response response = ask(method, path, "", "", false);
    EXPECT_EQ(response.status, 403) << path;
    EXPECT_EQ(text_member(json(response), "errorCode"), "insufficient_scope") << path;
  }
}

TEST_F(Desk, AppliesAFileAndTellsTheDifference) {
  const JsonObject dry = json(ask(http::Method::post, "/admin/apply", "dry_run=true", kFile));
  EXPECT_EQ(dry.at("dry_run"), Json(true));
  EXPECT_TRUE(house.tenants().names().empty());
  const JsonObject first = apply();
  EXPECT_EQ(first.at("changes"), dry.at("changes"));
  EXPECT_EQ(first.at("secrets").get_array().size(), 1U);
  EXPECT_EQ(first.at("people"), Json(JsonArray{"ana@example.org"}));
  const JsonObject again = apply();
  EXPECT_TRUE(again.at("changes").get_array().empty());
  EXPECT_TRUE(again.at("people").get_array().empty());
}

TEST_F(Desk, RefusesABadFileInTheManagementShape) {
  const http::Response response = ask(http::Method::post, "/admin/apply", "", "tenant: demo\nclients: {a: {colour: red}}");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.body, R"({"statusCode":400,"error":"Bad Request","message":"clients.a.colour: is no setting we know","errorCode":"invalid_request"})");
  EXPECT_EQ(response.headers.get("Cache-Control"), "no-store");
}

TEST_F(Desk, RefusesAFileWhoseScriptDoesNotParse) {
  const http::Response response = ask(http::Method::post, "/admin/apply", "", "tenant: demo\ntables: {T: {scripts: {read: \"function ((\\n\"}}}");
  EXPECT_EQ(response.status, 400);
  EXPECT_NE(response.body.find("table/t.read.js:1: SyntaxError"), std::string::npos) << response.body;
  EXPECT_TRUE(house.tenants().names().empty());
}

TEST_F(Desk, ExportsWhatApplyTakesBack) {
  apply();
  const http::Response file = ask(http::Method::get, "/admin/export");
  ASSERT_EQ(file.status, 200);
  EXPECT_TRUE(apply(file.body).at("changes").get_array().empty());
}

TEST_F(Desk, ExportsSecretsOnlyToWhoShowsTheMasterKey) {  // KS-3
  const JsonObject applied = apply();
  const std::string secret(view(applied.at("secrets").at(0).at("value").get_string()));
  EXPECT_EQ(ask(http::Method::get, "/admin/export").body.find(secret), std::string::npos);
  EXPECT_EQ(ask(http::Method::post, "/admin/export", "", "{}").status, 400);
  const std::string wrong = base64url("not the key"), right = base64url("the master key of these tests");
  EXPECT_EQ(ask(http::Method::post, "/admin/export", "", R"({"master_key":")" + wrong + "\"}").status, 403);
  const http::Response with = ask(http::Method::post, "/admin/export", "", R"({"master_key":")" + right + "\"}");
  ASSERT_EQ(with.status, 200);
  EXPECT_NE(with.body.find(secret), std::string::npos);
}

TEST_F(Desk, PutsGetsListsAndDeletesScripts) {
  apply();
  EXPECT_EQ(ask(http::Method::get, "/admin/scripts/default/todoitem/insert").body, "function insert() {}\n");
  const http::Response put = ask(http::Method::put, "/admin/scripts/default/TodoItem/read", "", "function read() {}");
  ASSERT_EQ(put.status, 200) << put.body;
  const std::int64_t version = *integer_member(json(put), "version");
  EXPECT_GT(version, 1);
  EXPECT_EQ(json(ask(http::Method::get, "/admin/scripts")).at("scripts").get_array().size(), 2U);
  EXPECT_EQ(ask(http::Method::put, "/admin/scripts/default/TodoItem/read", "", "function ((").status, 400);
  EXPECT_GT(*integer_member(json(ask(http::Method::put, "/admin/scripts/default/TodoItem/read", "", "function read(query) {}")), "version"), version);
  EXPECT_EQ(ask(http::Method::delete_, "/admin/scripts/default/TodoItem/read").status, 204);
  EXPECT_EQ(ask(http::Method::get, "/admin/scripts/default/TodoItem/read").status, 404);
  EXPECT_EQ(ask(http::Method::delete_, "/admin/scripts/default/TodoItem/read").status, 404);
  EXPECT_EQ(ask(http::Method::get, "/admin/scripts/shop/TodoItem/read").status, 404);
  EXPECT_EQ(ask(http::Method::get, "/admin/scripts/default/Nothing/read").status, 404);
  EXPECT_EQ(ask(http::Method::get, "/admin/scripts/default/TodoItem/peek").status, 400);
}

TEST_F(Desk, ShowsWhatScriptsWrote) {
  apply();
  tables::ScriptLog log(house.clock, house.log, house.metrics);
  log.add(*house.tenants().by_name("demo")->store, {0, "default", "/table/TodoItem.insert.js", "info", "hello"});
  JsonArray lines;
  house.loop.run_until([&] { return !(lines = json(ask(http::Method::get, "/admin/logs")).at("lines").get_array()).empty(); });
  EXPECT_EQ(lines.at(0).at("text"), Json("hello"));
  const std::string now = std::to_string(house.clock.now_ms()), later = std::to_string(house.clock.now_ms() + 1);
  EXPECT_EQ(json(ask(http::Method::get, "/admin/logs", "since=" + now)).at("lines").get_array().size(), 1U);
  EXPECT_TRUE(json(ask(http::Method::get, "/admin/logs", "since=" + later)).at("lines").get_array().empty());
  EXPECT_TRUE(json(ask(http::Method::get, "/admin/logs", "source=/table/Other.read.js")).at("lines").get_array().empty());
  EXPECT_EQ(ask(http::Method::get, "/admin/logs", "since=x").status, 400);
  apply("tenant: demo\nclients: {}");  // commits after the log's own, so the log is at rest
}

TEST_F(Desk, ExplainsADelegation) {
  apply();
  EXPECT_EQ(ask(http::Method::get, "/admin/delegation/explain", "client=a&target=b").status, 404);
  deps.explain_delegation = [](tenant::Here here, std::string client, std::string target, std::string user) -> Task<Json> {
    JsonObject told{{"tenant", here->name}, {"client", client}, {"target", target}, {"user", user}};
    co_return Json(std::move(told));
  };
  const http::Response told = ask(http::Method::get, "/admin/delegation/explain", "client=a&target=b&user=db%7C1");
  EXPECT_EQ(told.body, R"({"tenant":"demo","client":"a","target":"b","user":"db|1"})");
  EXPECT_EQ(ask(http::Method::get, "/admin/delegation/explain", "client=a").status, 400);
}

TEST_F(Desk, RotatesKeys) {
  apply();
  const std::string before = (*house.tenants().by_name("demo"))->signing_key(jose::Alg::ES256)->key.kid();
  EXPECT_EQ(ask(http::Method::post, "/admin/keys/rotate", "", R"({"alg":"HS256"})").status, 400);
  const http::Response rotated = ask(http::Method::post, "/admin/keys/rotate", "", R"({"alg":"ES256"})");
  ASSERT_EQ(rotated.status, 200) << rotated.body;
  EXPECT_EQ(json(rotated).at("keys").get_array().size(), 5U);
  EXPECT_NE((*house.tenants().by_name("demo"))->signing_key(jose::Alg::ES256)->key.kid(), before);
}

TEST_F(Desk, ListsJobsHasThemRunAndTellsOfTheirRuns) {
  EXPECT_EQ(ask(http::Method::get, "/admin/jobs").status, 404) << "a server without jobs";
  tables::jobs::Desk jobs(house.clock, house.random);
  deps.jobs = &jobs;
  apply("tenant: demo\nservices: {default: {jobs: {Report: {interval_unit: hour, source: \"function Report() {}\\n\"}, asked: {}}}}");
  const JsonArray list = json(ask(http::Method::get, "/admin/jobs")).at("jobs").get_array();
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list.at(1).at("job"), Json("Report"));
  EXPECT_EQ(list.at(1).at("schedule"), Json("every 1 hour"));
  EXPECT_EQ(list.at(0).at("schedule"), Json(""));
  EXPECT_EQ(ask(http::Method::post, "/admin/jobs/run", "", R"({"job":"none"})").status, 404);
  EXPECT_EQ(ask(http::Method::post, "/admin/jobs/run", "", R"({"job":"REPORT","service":"none"})").status, 404);
  EXPECT_EQ(ask(http::Method::post, "/admin/jobs/run", "", R"({"job":"REPORT"})").status, 202);
  EXPECT_EQ(ask(http::Method::post, "/admin/jobs/run", "", R"({"job":"report"})").status, 409);
  EXPECT_EQ(json(ask(http::Method::get, "/admin/jobs")).at("jobs").at(1).at("last").at("state"), Json("waiting"));
  EXPECT_EQ(json(ask(http::Method::get, "/admin/jobs/runs", "job=Report")).at("runs").at(0).at("reason"), Json("asked"));
  EXPECT_TRUE(json(ask(http::Method::get, "/admin/jobs/runs", "job=asked")).at("runs").get_array().empty());
  EXPECT_EQ(ask(http::Method::get, "/admin/jobs/runs", "top=0").status, 400);
  EXPECT_EQ(ask(http::Method::get, "/admin/jobs/runs", "top=x").status, 400);
}

TEST_F(Desk, PurgesWhatWasDeletedLongAgo) {
  apply("tenant: demo\ntables: {Soft: {soft_delete: true, keep_deleted_days: 0}, Hard: {}}");
  EXPECT_EQ(ask(http::Method::post, "/admin/tables/purge", "", R"({"table":"none"})").status, 404);
  EXPECT_EQ(ask(http::Method::post, "/admin/tables/purge", "", R"({"table":"Hard"})").status, 400) << "it keeps none";
  EXPECT_EQ(ask(http::Method::post, "/admin/tables/purge", "", R"({"table":"Soft"})").status, 400) << "it keeps them for ever";
  EXPECT_EQ(ask(http::Method::post, "/admin/tables/purge", "", R"({"table":"Soft","days":-1})").status, 400);
  EXPECT_EQ(ask(http::Method::post, "/admin/tables/purge", "", R"({"table":"soft","days":7})").body, R"({"rows":0,"more":false})");
}

TEST_F(Desk, TakesRowsOfFilesAndSaysWhatBecameOfThem) {
  EXPECT_EQ(ask(http::Method::post, "/admin/tables/import", "", "{}").status, 404) << "no tables here yet";
  tables::Tables tables(house.clock, house.random, house.log, house.metrics);
  deps.tables = &tables;
  apply("tenant: demo\ntables: {Items: {soft_delete: true}}");
  const auto import = [&](std::string_view body) { return ask(http::Method::post, "/admin/tables/import", "", body); };
  EXPECT_EQ(import(R"({"table":"items","rows":[[2,{"id":"a","n":"1"}],[3,{"id":"b","n":"2"}]],"texts":true,"types":{"N":"number"}})").body,
            R"({"inserted":2,"updated":0,"kept":0,"same":0,"refused":0,"faults":[],"stopped":false,"columns":["n"]})");
  EXPECT_EQ(import(R"({"table":"ITEMS","rows":[[2,{"id":"a","n":"x"}],[3,{"id":"b","n":"3"}]],"texts":true,"skip_bad":true,"replace":true})").body,
            R"({"inserted":0,"updated":1,"kept":0,"same":0,"refused":1,"faults":[{"line":2,"message":"\"x\" does not fit column 'n', which holds numbers."}],"stopped":false,"columns":[]})");
  EXPECT_EQ(json(import(R"({"table":"items","rows":[[2,{"id":"c","new":true}]],"dry_run":true})")).at("columns"), Json(JsonArray{"new"}));
}

TEST_F(Desk, RefusesAnImportThatIsNone) {
  tables::Tables tables(house.clock, house.random, house.log, house.metrics);
  deps.tables = &tables;
  apply("tenant: demo\ntables: {Items: {}}");
  const auto status = [&](std::string_view body) { return ask(http::Method::post, "/admin/tables/import", "", body).status; };
  EXPECT_EQ(status("[]"), 400);
  EXPECT_EQ(status(R"({"table":"none","rows":[]})"), 404);
  EXPECT_EQ(status(R"({"table":"items","service":"none","rows":[]})"), 404);
  for (const std::string_view body : {R"({"table":"items"})", R"({"table":"items","rows":[{}]})", R"({"table":"items","rows":[["1",{}]]})", R"({"table":"items","rows":[[1,{},2]]})",
                                      R"({"table":"items","rows":[],"texts":1})", R"({"table":"items","rows":[],"types":{"n":1}})",
                                      R"({"table":"items","rows":[[1,{"id":"a","n":"x"}]],"types":{"n":"colour"}})", R"({"table":"items","rows":[[1,{"id":"a","a b":1}]]})"})
    EXPECT_EQ(status(body), 400) << body;
  std::string many = R"({"table":"items","rows":[[1,{}])";
  for (int i = 0; i < 2000; ++i) many += ",[1,{}]";
  EXPECT_EQ(status(many + "]}"), 400);
  EXPECT_EQ(ask(http::Method::post, "/admin/tables/import", "", R"({"table":"items","rows":[]})", false).status, 403);
}

TEST_F(Desk, ChecksStoresAndAuditAndTellsTheStatus) {
  apply();
  const JsonObject check = json(ask(http::Method::get, "/admin/check"));
  EXPECT_EQ(check.at("sound"), Json(true)) << to_json(check);
  EXPECT_EQ(check.at("system"), Json("")) << "the list of tenants is a store too";
  const JsonObject status = json(ask(http::Method::get, "/admin/status"));
  EXPECT_EQ(text_member(status, "version"), "1.2.3");
  EXPECT_EQ(status.at("tenants").at(0).at("tables"), Json(1));
}

TEST_F(Desk, AsksWhichTenantWhenThereAreSeveral) {
  EXPECT_EQ(ask(http::Method::get, "/admin/export").status, 404);
  apply("tenant: one");
  apply("tenant: two");
  EXPECT_EQ(ask(http::Method::get, "/admin/export").status, 400);
  EXPECT_EQ(text_member(json(ask(http::Method::get, "/admin/export", "tenant=two")), "tenant"), "two");
  EXPECT_EQ(ask(http::Method::get, "/admin/export", "tenant=three").status, 404);
}

}  // namespace
}  // namespace mandate::management
