// mobile-backend-wire 5.8: what the parent is asked when a script calls push.
#include "tests/scripts/support.h"

namespace mandate::scripts::test {
namespace {

class Push : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { bench = new Bench({.wall = std::chrono::milliseconds(3000), .cpu = std::chrono::milliseconds(2000)}); }
  static void TearDownTestSuite() {
    delete bench;
    bench = nullptr;
  }
  /// What the parent was asked by a call, "method arguments".
  std::string asked_by(const std::string& call) {
    binding = std::make_shared<FakeBinding>();
    const std::string outcome = bench->outcome("function insert(item, user, request) { " + call + "; request.respond(200); }", kInsert, binding);
    return binding->asked.empty() ? "nothing: " + outcome : binding->asked[0].method + " " + to_json(binding->asked[0].arguments);
  }
  static Bench* bench;
  std::shared_ptr<FakeBinding> binding;
};
Bench* Push::bench = nullptr;

TEST_F(Push, EachPlatformIsAskedOfTheParent) {
  EXPECT_EQ(asked_by("push.apns.send(['a', 'b'], { alert: 'hi' })"), R"(push.platform {"platform":"apns","to":["a","b"],"payload":{"alert":"hi"},"headers":{}})");
  EXPECT_EQ(asked_by("push.gcm.send('g', 'text')"), R"(push.platform {"platform":"gcm","to":"g","payload":"text","headers":{}})");
  EXPECT_EQ(asked_by("push.gcm.sendAdvanced({ data: { a: 1 }, registration_ids: ['g'] }, 3)"), R"(push.platform {"platform":"gcm","to":["g"],"payload":{"data":{"a":1}},"headers":{}})");
  EXPECT_EQ(asked_by("push.mpns.sendFlipTile('http://x', { title: 't' })"), R"(push.platform {"platform":"mpns","to":"http://x","payload":{"title":"t"},"headers":{}})");
  EXPECT_EQ(asked_by("push.send('a || b', { message: 'm' })"), R"(push.send {"tags":"a || b","payload":{"message":"m"}})");
  EXPECT_EQ(asked_by("push.apns.getFeedback({ success: function () {} })"), R"(push.feedback {"platform":"apns"})");
}

TEST_F(Push, ToastsAndTilesAreWrittenFromTheirTemplates) {
  EXPECT_EQ(asked_by("push.wns.sendToastImageAndText02('c', { text1: 'a < b', text2: 'x', image1src: 'i.png', image1alt: 'I' })"),
            R"(push.platform {"platform":"wns","to":"c","payload":"<toast><visual><binding template=\"ToastImageAndText02\"><image id=\"1\" src=\"i.png\" alt=\"I\"/><text id=\"1\">a &lt; b</text><text id=\"2\">x</text></binding></visual></toast>","headers":{"X-WNS-Type":"wns/toast"}})");
  for (const char* name : {"sendTileWideText11", "sendTileWideText01", "sendTileSquareBlock", "sendTileWidePeekImageCollection06", "sendToastText04"})
    EXPECT_NE(asked_by("push.wns." + std::string(name) + "('c', { text1: 'x' })").find("<binding template"), std::string::npos) << name;
  EXPECT_NE(asked_by("push.wns.sendBadge('c', 7)").find(R"("payload":"<badge value=\"7\"/>")"), std::string::npos);
  EXPECT_NE(asked_by("push.wns.sendRaw('c', 'anything')").find(R"("headers":{"X-WNS-Type":"wns/raw"})"), std::string::npos);
}

TEST_F(Push, SuccessAndErrorAreCalled) {
  binding = std::make_shared<FakeBinding>();
  binding->answers["push.platform"].push_back(json(R"({"results":[]})"));
  binding->answers["push.platform"].push_back(Error(Code::gone, "Unregistered"));
  EXPECT_EQ(bench->outcome(R"(function insert(item, user, request) {
    push.apns.send('a', {}, { success: function (told) {
      push.apns.send('b', {}, { error: function (error) { request.respond(200, [told, error.statusCode, error.message]); } });
    } });
  })", kInsert, binding), R"({"answer":{"status":200,"body":[{"results":[]},410,"Unregistered"]}})");
}

TEST_F(Push, AFailureThatNobodyHandlesFailsTheRequest) {
  binding = std::make_shared<FakeBinding>();
  binding->answers["push.platform"].push_back(Error(Code::bad_request, "no such device"));
  EXPECT_EQ(bench->outcome("function insert(item, user, request) { push.apns.send('a', {}); }", kInsert, binding).find("server_error"), 0U);
}

}  // namespace
}  // namespace mandate::scripts::test
