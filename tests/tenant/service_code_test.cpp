// What a service's folder brings, paths of services, keys that were replaced: from stored objects to the value requests hold.
#include <gtest/gtest.h>

#include "http/request.h"
#include "tenant/codec/codec.h"
#include "tenant/codec/names.h"
#include "tenant/snapshot.h"

namespace mandate::tenant {
namespace {

class ServiceCodeTest : public ::testing::Test {
 protected:
  void put(std::string_view kind, const std::string& name, std::string_view body) {
    const auto parsed = parse_json(body);
    ASSERT_TRUE(parsed.ok()) << parsed.error().hint;
    objects[{std::string(kind), name}].body = parsed->get_object();
  }
  std::shared_ptr<const Tenant> built() {
    const auto snapshot = build_snapshot("demo", objects, vault, 0, problems);
    EXPECT_TRUE(snapshot.ok());
    return *snapshot;
  }

  SeededRandom random;
  Vault vault{std::string(32, 'k'), random};
  Objects objects;
  Problems problems;
};

TEST_F(ServiceCodeTest, WhatIsWrittenIsRead) {
  const std::string body = R"({"version":3,"hash":"abc","push_permission":"authenticated","app":"app.js","app_acts":{"todoitem":["insert","read"]},"apis":{"Stats":{"file":"api/Stats.js","permissions":{"*":{"get":"public","*":"admin"}}}},"jobs":{"Nightly":{"cron":"0 2 * * *","path":"scheduler/Nightly.js"}}})";
  Service service;
  read_service_code(parse_json(body)->get_object(), "code", problems, service);
  EXPECT_TRUE(problems.empty());
  EXPECT_EQ(service.code.version, 3);
  EXPECT_EQ(service.code.app, "app.js");
  EXPECT_TRUE(service.code.app_acts.at("todoitem").contains("read"));
  EXPECT_EQ(service.apis.at("stats").permissions.at("*").at("get"), "public");
  EXPECT_EQ(service.jobs.at("nightly").path, "scheduler/Nightly.js");
  EXPECT_EQ(Json(write_service_code(service)), *parse_json(body));
  Service other;
  read_service_code(parse_json(R"({"apis":{"A":{"file":"a","permissions":{"*":{"get":"everybody"}}}}})")->get_object(), "code", problems, other);
  EXPECT_FALSE(problems.empty());
  EXPECT_TRUE(other.apis.at("a").permissions.empty()) << "what is not understood is admin";
}

TEST_F(ServiceCodeTest, AJobOfTheSettingsCountsBeforeThatOfTheFolder) {
  put(kind::kService, "default", R"({"jobs":{"one":{"cron":"1 1 * * *","source":"function one() {}\n"}}})");
  put(kind::kServiceCode, "default", R"({"version":1,"hash":"h","jobs":{"One":{"path":"scheduler/One.js"},"two":{"path":"scheduler/two.js"}}})");
  const auto tenant = built();
  EXPECT_EQ(tenant->services.at("default").jobs.at("one").cron, "1 1 * * *");
  EXPECT_EQ(tenant->services.at("default").jobs.at("two").path, "scheduler/two.js");
}

TEST_F(ServiceCodeTest, SettingsOfAServiceCountForItsTables) {
  put(kind::kService, "default", R"({"settings":{"MS_DynamicSchemaEnabled":"False","pageSize":"7"}})");
  put(kind::kTable, "default/a", R"({"name":"A"})");
  put(kind::kTable, "default/b", R"({"name":"B","page_size":9})");
  put(kind::kService, "other", "{}");
  put(kind::kTable, "other/a", R"({"name":"A"})");
  const auto tenant = built();
  EXPECT_FALSE(tenant->services.at("default").tables.at("a").dynamic_schema);
  EXPECT_EQ(tenant->services.at("default").tables.at("a").page_size, 7);
  EXPECT_EQ(tenant->services.at("default").tables.at("b").page_size, 9);
  EXPECT_TRUE(tenant->services.at("other").tables.at("a").dynamic_schema);
  EXPECT_EQ(tenant->services.at("other").tables.at("a").page_size, 0);
  for (const char* wrong : {R"({"settings":{"MS_DynamicSchemaEnabled":"no"}})", R"({"settings":{"pageSize":"0"}})", R"({"settings":{"pageSize":"many"}})"}) {
    Problems found;
    (void)read_service("x", parse_json(wrong)->get_object(), "x", found);
    EXPECT_FALSE(found.empty()) << wrong;
  }
}

TEST_F(ServiceCodeTest, PathsLeadToServices) {
  put(kind::kService, "default", R"({"hosts":["one.example"]})");
  put(kind::kService, "shop", R"({"prefix":"/old"})");
  put(kind::kService, "back", R"({"prefix":"/old/back"})");
  const auto tenant = built();
  const auto led = [&](const std::string& path) {
    http::Request request;
    request.host = "one.example";
    request.path = path;
    const bool stripped = tenant->strip_prefix(request);
    const Service* service = tenant->service_of(request);
    return (stripped ? request.prefix + " + " : "") + request.path + " → " + (service ? service->name : "nobody");
  };
  EXPECT_EQ(led("/s/shop/tables/x"), "/s/shop + /tables/x → shop");
  EXPECT_EQ(led("/s/default/status"), "/s/default + /status → default");
  EXPECT_EQ(led("/old/tables/x"), "/old + /tables/x → shop");
  EXPECT_EQ(led("/old/back/tables/x"), "/old/back + /tables/x → back");
  EXPECT_EQ(led("/old/backs/x"), "/old + /backs/x → shop");
  EXPECT_EQ(led("/old"), "/old + / → shop");
  EXPECT_EQ(led("/older/x"), "/older/x → default");
  EXPECT_EQ(led("/s/nobody/x"), "/s/nobody/x → default") << "which no door knows";
  EXPECT_EQ(led("/s/"), "/s/ → default");
}

TEST_F(ServiceCodeTest, APathOfAServiceIsNoneOfTheServersOwn) {
  EXPECT_EQ(prefix_problem("/legacy/todo-1.0"), "");
  for (const char* wrong : {"legacy", "/", "/a/", "/a//b", "/a/../b", "/.auth", "/tables", "/s/x", "/api/x", "/a b", "/ü"}) EXPECT_NE(prefix_problem(wrong), "") << wrong;
}

TEST_F(ServiceCodeTest, ReplacedKeysAreKnownWithTheirTimes) {
  put(kind::kService, "default", "{}");
  put(kind::kRetiredKeys, "default", R"({"master_key":5000,"v2_signing_key.1":6000})");
  objects[{std::string(kind::kRetiredKeys), "default"}].sealed = {{"master_key", "sealed one"}, {"v2_signing_key.1", "sealed two"}};
  const auto tenant = built();
  const auto& keys = tenant->services.at("default").retired_keys;
  ASSERT_EQ(keys.size(), 2U);
  EXPECT_EQ(keys[0].field, "master_key");
  EXPECT_EQ(keys[0].until, 5000);
  EXPECT_EQ(keys[1].field, "v2_signing_key");
}

}  // namespace
}  // namespace mandate::tenant
