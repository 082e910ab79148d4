// What a service says of those who register (extensions/push.js), at the doors of both dialects.
#include <gtest/gtest.h>

#include "http/router.h"
#include "identity/bearer.h"
#include "identity/mount.h"
#include "tests/push/push_world.h"

namespace mandate::push {
namespace {

using test::run;

class Registering : public testing::Test {
 protected:
  Registering() {
    config->name = "demo";
    tenant::Service& service = config->services["default"];
    service.name = "default";
    service.push.permission = "public";
    mount(router, {tenants, bearers, registrations, fetch, limiter, store.log(), store.metrics(),
                   [this](tenant::Here, const tenant::Service*, identity::Principal, JsonObject registration) { return word(std::move(registration)); }});
  }
  Task<std::vector<std::string>> word(JsonObject registration) {
    told.push_back(registration);
    if (refusal) co_return Error(Code::bad_request, *refusal);
    std::vector<std::string> tags;
    for (const Json& tag : registration.at("tags").as_array()) tags.emplace_back(tag.as_string());
    if (answer) tags = *answer;
    co_return tags;
  }
  int send(http::Method method, std::string path, std::string body = {}) {
    http::Request request;
    request.method = method;
    request.target = request.path = path;
    request.host = "app.example";
    request.peer = "192.0.2.1";
    request.id = "request-1";
    request.body = body;
    Task<http::Response> answering = router.answer(request);
    Result<http::Response> answered = run(loop, std::move(answering));
    if (!answered.ok()) return 0;
    last = std::move(*answered);
    return last.status;
  }
  int install(const std::string& more = {}) {
    return send(http::Method::put, "/push/installations/phone", R"({"platform":"gcm","pushChannel":"a-device-of-some-length")" + more + "}");
  }
  int register_v1(const std::string& more = {}) {
    const std::string id = *run(loop, registrations.reserve(store.store(), "default"));
    return send(http::Method::put, "/push/registrations/" + id, R"({"platform":"gcm","deviceId":"a-device-of-some-length")" + more + "}");
  }
  std::string tags() {
    const auto all = run(loop, registrations.of_handle(store.store(), "default", "a-device-of-some-length"));
    std::string out;
    for (const Registration& r : *all) {
      if (!out.empty()) out += " | ";
      for (const std::string& tag : r.tags) out += (out.empty() || out.ends_with(' ') ? "" : " ") + tag;
    }
    return out;
  }

  test::TestLoop loop;
  test::TempStore store{{identity::kMigrations, kMigrations}};
  SeededRandom random;
  std::shared_ptr<tenant::Tenant> config = std::make_shared<tenant::Tenant>();
  OneTenant tenants{config, store.store(), random};
  identity::Users users{store.clock(), random};
  identity::Bearers bearers{tenants.vault(), users, store.clock()};
  Registrations registrations{store.clock(), random};
  ToldFetch fetch;
  tenant::RateLimiter limiter{store.clock()};
  http::Router router;
  http::Response last{200};
  std::vector<JsonObject> told;
  std::optional<std::string> refusal;
  std::optional<std::vector<std::string>> answer;
};

TEST_F(Registering, AnInstallationIsRefusedByTheServicesWord) {
  refusal = "log in first";
  EXPECT_EQ(install(R"(,"tags":["news"])"), 400);
  EXPECT_NE(last.body.find("log in first"), std::string::npos);
  EXPECT_EQ(tags(), "");
}

TEST_F(Registering, TheServiceSeesAnInstallationInTheWordsOfBothDialects) {
  ASSERT_EQ(install(R"(,"tags":["news"],"templates":{"t":{"body":"{\"data\":{\"m\":\"$(m)\"}}","tags":["of-t"]}})"), 200);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].at("installationId"), "phone");
  EXPECT_EQ(told[0].at("deviceId"), "a-device-of-some-length");
  EXPECT_EQ(told[0].at("platform"), "gcm");
  EXPECT_EQ(told[0].at("tags"), (JsonArray{"news"}));
  EXPECT_EQ(told[0].at("templates").at("t").at("tags"), (JsonArray{"of-t"}));
}

TEST_F(Registering, AnInstallationHasTheTagsThatTheServiceGivesIt) {
  answer = std::vector<std::string>{"given"};
  ASSERT_EQ(install(R"(,"tags":["news","admins"])"), 200);
  EXPECT_EQ(tags(), "given");
  answer.reset();
  ASSERT_EQ(install(), 200);
  EXPECT_EQ(told.back().at("tags"), (JsonArray{"given"})) << "one that names none is asked about with those it has";
  EXPECT_EQ(tags(), "given");
  answer = std::vector<std::string>{};
  ASSERT_EQ(install(), 200);
  EXPECT_EQ(tags(), "") << "and may lose them";
}

TEST_F(Registering, TagsOfAServiceKeepToTheRulesAtBothDoors) {
  for (const char* wrong : {"_UserId:ana", "$InstallationId:{other}", "two words", ""}) {
    answer = std::vector<std::string>{wrong};
    EXPECT_EQ(install(), 400) << wrong;
    EXPECT_EQ(register_v1(), 400) << wrong;
  }
  answer = std::vector<std::string>(61);
  for (std::size_t i = 0; i < answer->size(); ++i) (*answer)[i] = "t" + std::to_string(i);
  EXPECT_EQ(install(), 400);
  EXPECT_EQ(register_v1(), 400);
  EXPECT_EQ(tags(), "");
  answer = std::vector<std::string>{"a", "a"};
  EXPECT_EQ(register_v1(), 204);
  EXPECT_EQ(tags(), "a");
}

}  // namespace
}  // namespace mandate::push
