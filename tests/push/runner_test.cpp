#include "push/runner.h"

#include <gtest/gtest.h>

#include "jose/jwt.h"
#include "tests/push/push_world.h"

namespace mandate::push {
namespace {

using test::run;

http::Fetched answer(int status, std::string body = "{}", std::vector<std::pair<std::string, std::string>> headers = {}) {
  http::Fetched out;
  out.status = status, out.body = std::move(body);
  for (const auto& [name, value] : headers) out.headers.set(name, value);
  return out;
}

TEST(Push, AMessageReachesWhomItsExpressionMeans) {
  World w;
  w.install("a", Platform::apns, "aa", {"news", "sports"});
  w.install("b", Platform::apns, "bb", {"news"});
  w.install("c", Platform::gcm, "cc", {"news"});
  w.file(SendKind::native, Platform::apns, "news && !sports", R"({"aps":{"alert":"hi"}})");
  w.carry();
  EXPECT_EQ(w.urls(), std::vector<std::string>{"https://apns.example/3/device/bb"});
  EXPECT_EQ(w.newest().at("state"), "done");
  EXPECT_EQ(w.newest().at("delivered"), 1);
}

TEST(Push, EverybodyIsReachedInPages) {
  World w;
  for (int i = 0; i < 520; ++i) w.install("i" + std::to_string(i), Platform::apns, "aa" + std::to_string(1000 + i), {i % 2 ? "odd" : "even"});
  w.file(SendKind::native, Platform::apns, "", R"({"aps":{"alert":"hi"}})");
  w.carry();
  EXPECT_EQ(w.urls().size(), 520U);
  w.fetch.sent.clear();
  w.file(SendKind::native, Platform::apns, "!odd", R"({"aps":{"alert":"hi"}})");
  w.file(SendKind::native, Platform::apns, "odd || even", R"({"aps":{"alert":"hi"}})");
  w.carry();
  EXPECT_EQ(w.urls().size(), 260U + 520U);
}

TEST(Push, TemplatesOfEachDeviceAreFilled) {
  World w;
  w.install("a", Platform::apns, "aa", {"x"}, "ana", R"j({"aps":{"alert":"$(message)"}})j");
  w.install("b", Platform::wns, "https://wns.example/b", {"x"}, "", R"j(<toast><text>$(message)</text></toast>)j");
  w.install("c", Platform::gcm, "cc", {"x"});
  w.file(SendKind::filled, {}, "x", R"({"message":"a < b"})");
  w.carry();
  ASSERT_EQ(w.urls(), (std::vector<std::string>{"https://apns.example/3/device/aa", "https://wns.example/b"}));
  for (const auto& request : w.fetch.sent) {
    if (request.url.ends_with("/aa")) EXPECT_EQ(request.body, R"({"aps":{"alert":"a < b"}})");
    if (request.url.ends_with("/b")) {
      EXPECT_EQ(request.body, "<toast><text>a &lt; b</text></toast>");
      EXPECT_EQ(request.headers.get("X-WNS-Type"), "wns/toast");
      EXPECT_EQ(request.headers.get("Authorization"), "Bearer access-1");
    }
  }
}

TEST(Push, AUsersDevicesAreFoundByTheTagOfTheToken) {
  World w;
  w.install("a", Platform::apns, "aa", {}, "github|7");
  w.install("b", Platform::apns, "bb", {}, "github|8");
  w.file(SendKind::message, {}, "_UserId:github|7", R"({"title":"T","body":"B"})");
  w.file(SendKind::message, {}, "$InstallationId:{b}", R"({"title":"T","body":"B"})");
  w.carry();
  EXPECT_EQ(w.urls(), (std::vector<std::string>{"https://apns.example/3/device/aa", "https://apns.example/3/device/bb"}));
}

TEST(Push, WithoutAUserAnInstallationKeepsItsTagsButNotItsUsers) {
  World w;
  w.install("a", Platform::apns, "aa", {"news"}, "ana");
  Installation again;
  again.id = "a", again.platform = Platform::apns, again.handle = "aa";
  ASSERT_TRUE(run(w.loop, w.registrations.install(w.store(), "default", again, 90)).ok());
  const auto rows = run(w.loop, w.registrations.of_handle(w.store(), "default", "aa"));
  ASSERT_EQ(rows->size(), 1U);
  EXPECT_EQ(rows->front().tags, std::vector<std::string>{"news"});
}

TEST(Push, ApnsGetsATokenOfOursTopicTypeAndTheSameIdAgain) {
  World w;
  w.fetch.answers["https://apns.example/"] = answer(503, R"({"reason":"ServiceUnavailable"})", {{"Retry-After", "30"}});
  w.file(SendKind::direct, Platform::apns, "", R"({"aps":{"alert":"hi"}})", {"aa"});
  w.carry();
  ASSERT_EQ(w.fetch.sent.size(), 1U);
  const http::FetchRequest first = w.fetch.sent[0];
  EXPECT_EQ(first.version, http::FetchRequest::Version::two);
  EXPECT_EQ(first.headers.get("apns-topic"), "com.example.app");
  EXPECT_EQ(first.headers.get("apns-push-type"), "alert");
  const std::string_view bearer = first.headers.get("authorization");
  ASSERT_TRUE(bearer.starts_with("bearer "));
  const auto parts = jose::parse_compact(bearer.substr(7));
  ASSERT_TRUE(parts.ok());
  EXPECT_EQ(parts->kid, "KEY1");
  EXPECT_TRUE(jose::verify(*parts, w.apns_key));
  EXPECT_EQ(w.newest().at("state"), "sending");

  w.temp.clock().advance(std::chrono::seconds(29));
  w.carry();
  EXPECT_EQ(w.fetch.sent.size(), 1U) << "sooner than Apple asked";
  w.fetch.answers.clear();
  w.temp.clock().advance(std::chrono::seconds(2));
  w.carry();
  ASSERT_EQ(w.fetch.sent.size(), 2U);
  EXPECT_EQ(w.fetch.sent[1].headers.get("apns-id"), first.headers.get("apns-id"));
  EXPECT_EQ(w.fetch.sent[1].headers.get("authorization"), bearer) << "one token for an hour";
  EXPECT_EQ(w.newest().at("state"), "done");
}

TEST(Push, DevicesThatAreGoneAreForgottenAndToldOfOnce) {
  World w;
  w.install("a", Platform::apns, "aa", {"x"}, "", R"({"aps":{}})");
  w.install("g", Platform::gcm, "gg", {"x"});
  w.install("w", Platform::wns, "https://wns.example/w", {"x"});
  w.install("ok", Platform::apns, "bb", {"x"});
  ASSERT_EQ(w.registered(), 5U);
  w.fetch.answers["https://apns.example/3/device/aa"] = answer(410, R"({"reason":"Unregistered","timestamp":1})");
  w.fetch.answers["https://fcm.example/"] = answer(404, R"({"error":{"status":"NOT_FOUND","details":[{"errorCode":"UNREGISTERED"}]}})");
  w.fetch.answers["https://wns.example/"] = answer(410, "");
  w.file(SendKind::message, {}, "x", R"({"body":"B"})");
  w.carry();
  EXPECT_EQ(w.newest().at("gone"), 3);
  EXPECT_EQ(w.newest().at("delivered"), 1);
  EXPECT_EQ(w.registered(), 1U);
  const auto told = run(w.loop, w.sends.feedback(w.store(), "default", Platform::apns));
  ASSERT_EQ(told->size(), 1U);
  EXPECT_EQ(told->at(0).at("deviceToken"), "aa");
  EXPECT_TRUE(run(w.loop, w.sends.feedback(w.store(), "default", Platform::apns))->empty());
}

TEST(Push, WhatFailsIsTriedLessAndLessOftenAndThenGivenUp) {
  World w;
  w.fetch.failure = Error(Code::timeout, "The other server did not answer in time.");
  w.file(SendKind::direct, Platform::apns, "", "{}", {"aa"});
  for (int i = 0; i < 40 && w.newest().at("state") != "done"; ++i) {
    w.carry();
    w.temp.clock().advance(std::chrono::hours(2));
  }
  EXPECT_EQ(w.newest().at("state"), "done");
  EXPECT_EQ(w.newest().at("failed"), 1);
  EXPECT_LE(w.fetch.sent.size(), static_cast<std::size_t>(kMostAttempts));
  for (int attempt = 1; attempt < 20; ++attempt) {
    EXPECT_GE(pause_before(attempt, 0, w.random), 4'000);
    EXPECT_LE(pause_before(attempt, 0, w.random), 4'320'000);
  }
  EXPECT_EQ(pause_before(0, 9'999'999, w.random), 9'999'999);
}

TEST(Push, WhatWasFiledIsCarriedAfterARestart) {
  World w;
  w.install("a", Platform::apns, "aa", {});
  w.file(SendKind::native, Platform::apns, "", "{}");
  w.fetch.failure = Error(Code::timeout);
  w.carry();
  w.fetch.failure.reset();
  w.temp.reopen();
  OneTenant again{w.config, w.temp.store(), w.random};
  Senders senders{w.fetch, again.vault(), w.temp.clock(), w.random};
  Runner runner{{w.loop, again, w.temp.store(), w.registrations, senders, "node-2", w.temp.clock(), w.random, w.temp.log(), w.temp.metrics(), w.busy}};
  w.temp.clock().advance(std::chrono::minutes(1));
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(run(w.loop, runner.carry(again.here())).ok());
  Sends sends{w.temp.clock(), w.random, {}};
  EXPECT_EQ(run(w.loop, sends.list(w.temp.store(), "default", 1))->front().at("delivered"), 1);
}

TEST(Push, FcmGetsTextsAndAnAccessTokenOnce) {
  World w;
  w.file(SendKind::direct, Platform::gcm, "", R"({"data":{"n":7,"s":"x"},"collapse_key":"k","time_to_live":60,"priority":"high"})", {"t1", "t2"});
  w.carry();
  std::size_t tokens = 0;
  for (const auto& request : w.fetch.sent) {
    if (request.url == "https://google.example/token") {
      ++tokens;
      const std::size_t at = request.body.find("assertion=") + 10;
      const std::vector<std::string> audiences{"https://google.example/token"};
      jose::Expectation expected;
      expected.issuer = "robot@p1.example", expected.audiences = audiences, expected.now = w.temp.clock().now_seconds();
      EXPECT_TRUE(jose::verify_jwt(request.body.substr(at), w.fcm_key, expected).ok());
      continue;
    }
    EXPECT_EQ(request.url, "https://fcm.example/v1/projects/p1/messages:send");
    const auto body = parse_json(request.body);
    const JsonObject& message = body->at("message").get_object();
    EXPECT_EQ(to_json(message.at("data")), R"({"n":"7","s":"x"})");
    EXPECT_EQ(to_json(message.at("android")), R"({"collapse_key":"k","priority":"HIGH","ttl":"60s"})");
  }
  EXPECT_EQ(tokens, 1U);
  EXPECT_EQ(w.newest().at("delivered"), 2);
}

TEST(Push, TheTokenOfWnsNeverGoesToAnotherHost) {
  World w;
  w.install("a", Platform::wns, "https://evil.example/x", {});  // as if a row had been written by other means
  w.file(SendKind::native, Platform::wns, "", "<toast/>");
  w.carry();
  EXPECT_TRUE(w.urls().empty());
  EXPECT_EQ(w.newest().at("failed"), 1);
}

Result<Json> call(World& w, std::string method, std::string arguments) {
  return run(w.loop, w.calls.invoke(w.tenants.here(), &w.service(), std::move(method), *parse_json(arguments)));
}

TEST(ScriptPush, ADeviceThatIsGoneIsToldToTheScript) {
  World w;
  w.fetch.answers["https://apns.example/"] = answer(410, R"({"reason":"Unregistered"})");
  const auto gone = call(w, "push.platform", R"({"platform":"apns","to":"aabb","payload":{"alert":"hi","badge":2,"payload":{"k":1}}})");
  ASSERT_FALSE(gone.ok());
  EXPECT_EQ(gone.error().code, Code::gone);
  EXPECT_EQ(w.fetch.sent.back().body, R"({"k":1,"aps":{"alert":"hi","badge":2}})");
}

TEST(ScriptPush, WhatMayComeRightLaterIsFiled) {
  World w;
  w.fetch.failure = Error(Code::timeout);
  const auto filed = call(w, "push.platform", R"({"platform":"gcm","to":["a","b"],"payload":"just text"})");
  ASSERT_TRUE(filed.ok()) << filed.error().hint;
  EXPECT_TRUE(filed->get_object().contains("id"));
  w.fetch.failure.reset();
  w.carry();
  EXPECT_EQ(w.newest().at("delivered"), 2);
  EXPECT_EQ(parse_json(w.fetch.sent.back().body)->at("message").at("data").at("message"), "just text");
}

TEST(ScriptPush, WithAHubTheFirstArgumentIsTags) {
  World w;
  w.service().settings["MS_EnableExternalPush"] = "true";
  w.install("a", Platform::apns, "aa", {"news"});
  ASSERT_TRUE(call(w, "push.platform", R"({"platform":"apns","to":["news","other"],"payload":{"aps":{"alert":"x"}}})").ok());
  w.carry();
  EXPECT_EQ(w.urls(), std::vector<std::string>{"https://apns.example/3/device/aa"});
  EXPECT_TRUE(call(w, "push.send", R"({"tags":null,"payload":{"m":1}})").ok());
  EXPECT_FALSE(call(w, "push.send", R"({"tags":"a &&","payload":{"m":1}})").ok());
}

TEST(ScriptPush, AnAppsOwnCallNamesTagsWhateverTheServiceIsSetTo) {
  World w;
  w.install("a", Platform::apns, "aa", {"news"});
  w.install("b", Platform::apns, "bb", {});
  ASSERT_TRUE(call(w, "push.platform", R"({"platform":"apns","to":"news","tags":true,"payload":{"alert":"x"}})").ok());
  w.carry();
  EXPECT_EQ(w.urls(), std::vector<std::string>{"https://apns.example/3/device/aa"});
  ASSERT_TRUE(call(w, "push.platform", R"({"platform":"apns","to":null,"tags":true,"payload":{"alert":"x"}})").ok());
  w.carry();
  EXPECT_EQ(w.urls().size(), 3U) << "null is everybody";
}

TEST(ScriptPush, APlatformThatHasEndedOrIsNotSetUpSaysSo) {
  World w;
  const auto phone = call(w, "push.platform", R"({"platform":"mpns","to":"http://x.notify.live.net/y","payload":"<x/>"})");
  ASSERT_FALSE(phone.ok());
  EXPECT_NE(phone.error().hint.find("has ended"), std::string::npos);
  w.service().push.apns.configured = false;
  EXPECT_FALSE(call(w, "push.platform", R"({"platform":"apns","to":"aa","payload":"{}"})").ok());
  EXPECT_FALSE(call(w, "push.nothing", R"({"platform":"apns"})").ok());
}

}  // namespace
}  // namespace mandate::push
